"""Databases of tests that commit: a clone of the migrated template, swept and used again.

To clone copies some 800 files, to sweep deletes a few rows. What a sweep cannot undo (tables made, renamed or
dropped, rows of the template changed) ends the clone, and the next test gets a new one.
"""

from __future__ import annotations

import uuid
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from app.db.embedded import USER, EmbeddedPostgres
from app.db.provider import make_database

_SEEDED = "'tenant', 'alembic_version'"  # what a migration leaves in the template
_TABLES = "FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_SWEEP = f"""
DO $$
DECLARE table_oid regclass;
BEGIN
    SET LOCAL session_replication_role = replica;  -- neither foreign keys nor triggers
    FOR table_oid IN SELECT oid {_TABLES} AND relname NOT IN ({_SEEDED}) AND pg_relation_size(oid) > 0
    LOOP
        IF pg_relation_size(table_oid) > 1000000 THEN
            EXECUTE format('TRUNCATE %s CASCADE', table_oid);
        ELSE
            EXECUTE format('DELETE FROM %s', table_oid);
        END IF;
    END LOOP;
END $$
"""
_FORM = """
SELECT md5(string_agg(concat_ws(' ', relname, attname, atttypid, attnotnull), ',' ORDER BY relname, attnum))
    || (SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM tenant t)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0
WHERE relnamespace = 'public'::regnamespace
"""
_LEAVE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class Clones:
    """The clones of one worker: one, unless a test holds several."""

    def __init__(self, server: EmbeddedPostgres, template: str) -> None:
        self._server, self._template = server, template
        self._swept: list[str] = []
        self._form = ""

    async def take(self) -> str:
        """Return the name of a database that is as the template is."""
        if self._swept:
            return self._swept.pop()
        name = f"holdless_{uuid.uuid4().hex}"
        await make_database(self._server, name, template=self._template)
        if not self._form:
            driver = await self._connect(name)
            assert not await driver.fetchval("SELECT count(*) FROM pg_sequences"), "a sweep resets none"
            self._form = await driver.fetchval(_FORM)
            await driver.close()
        return name

    def url(self, name: str) -> str:
        """Return where the database is found."""
        return self._server.url(name)

    async def give_back(self, name: str) -> None:
        """Sweep the database for the next test; drop it when a sweep is not enough."""
        driver = await self._connect(name)
        try:
            await driver.execute(_LEAVE)
            is_as_new = await driver.fetchval(_FORM) == self._form
            if is_as_new:
                await driver.execute(_SWEEP)
        except asyncpg.UndefinedTableError:
            is_as_new = False
        finally:
            await driver.close()
        if is_as_new:
            self._swept.append(name)
        else:
            await self._drop(name)

    async def _drop(self, name: str) -> None:
        driver = await self._connect("postgres")
        await driver.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await driver.close()

    async def _connect(self, name: str) -> Any:
        return await asyncpg.connect(host=str(self._server.socket_directory), user=USER, database=name)
