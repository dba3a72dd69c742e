"""A snapshot: what several queries of it say belongs to one moment."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import DEFAULT_TENANT, Database, TenantId

pytestmark = pytest.mark.db

_COUNT = text("SELECT count(*) FROM skill")
_ADD = text("INSERT INTO skill (tenant_id, skill_id, display_name) VALUES ('main', :skill, '')")


async def _add(database: Database, skill: str) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(_ADD, {"skill": skill})


async def _count(connection: AsyncConnection) -> int:
    return int((await connection.execute(_COUNT)).scalar_one())


async def test_what_is_committed_meanwhile_is_not_seen(database: Database) -> None:
    await _add(database, "sales")
    async with database.snapshot(DEFAULT_TENANT) as connection:
        assert await _count(connection) == 1
        await _add(database, "support")
        assert await _count(connection) == 1
    async with database.snapshot(DEFAULT_TENANT) as connection:
        assert await _count(connection) == 2


async def test_it_is_the_tenants_own_and_read_only_and_leaves_its_connection_as_it_was(
    database: Database,
) -> None:
    only = Database(database.engine.url.render_as_string(hide_password=False), connections_max=1)
    await _add(only, "sales")
    async with only.snapshot(TenantId("other")) as connection:
        assert await _count(connection) == 0
    with pytest.raises(DBAPIError, match="read-only"):
        async with only.snapshot(DEFAULT_TENANT) as connection:
            await connection.execute(_ADD, {"skill": "support"})
    await _add(only, "support")
    async with only.transaction(DEFAULT_TENANT) as connection:
        assert await _count(connection) == 2
        await _add(database, "billing")
        assert await _count(connection) == 3
    await only.close()
