"""Makes the SQL views when they are not those of this version; run at every start, inside the migration."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.figures.view_sql import ROLE, SCHEMA, statements, version

_REFUSED: Final = {
    "42501": "the login may not make the schema report; grant it CREATE on the database",
    "2BP01": "something of your own is built on them; drop it, and make it again after the next start",
}

log = structlog.get_logger()


async def renew_views(connection: AsyncConnection) -> bool:
    """Make the views of this version; return whether they stand.

    What is built on the old ones, or a login that may not make the schema, keeps nobody from serving calls:
    the views stay as they are, and the log says so.
    """
    wanted = version()
    if await _version_there(connection) == wanted:
        return True
    schema = (await connection.execute(text("SELECT current_schema()"))).scalar_one()
    try:
        async with connection.begin_nested():
            for statement in statements(schema):
                await connection.exec_driver_sql(statement)
            for statement in _grants():
                await connection.exec_driver_sql(statement)
            await connection.exec_driver_sql(f"COMMENT ON SCHEMA {SCHEMA} IS 'Holdless {wanted}'")
    except DBAPIError as error:
        remedy = _REFUSED.get(getattr(error.orig, "sqlstate", ""))
        if remedy is None:
            raise
        log.error("the views of the schema report stay as they are", remedy=remedy)
        return False
    return True


async def _version_there(connection: AsyncConnection) -> str:
    query = text("SELECT obj_description(to_regnamespace(:schema), 'pg_namespace')")
    found = (await connection.execute(query, {"schema": SCHEMA})).scalar_one()
    return str(found or "").removeprefix("Holdless ")


def _grants() -> tuple[str, ...]:
    """Who may read: the app, and whoever is a member of the role, if the login could make it."""
    return tuple(
        f"""DO $$ BEGIN IF to_regrole('{role}') IS NOT NULL THEN
            GRANT USAGE ON SCHEMA {SCHEMA} TO {role};
            GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {role};
            GRANT SELECT ON rollup_cell, rollup_day TO {role};
        END IF; END $$"""
        for role in ("holdless_app", ROLE)
    )
