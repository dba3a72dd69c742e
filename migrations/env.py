"""Alembic's entry: runs on the connection that ``app.db.migrate`` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from app.db.tables import metadata

connection = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run at start: 'holdless serve' brings the schema up to date")
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
