"""Row-level security: what one tenant writes no other reads, whatever the SQL."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import DEFAULT_TENANT, Database, TenantId, tenant
from app.db.tables import LOG_TABLES, TENANT_TABLES, metadata, skill

pytestmark = pytest.mark.db

OTHER = TenantId("other")


async def _two_tenants(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(text("INSERT INTO tenant (tenant_id) VALUES ('other')"))
    for tenant_id in (DEFAULT_TENANT, OTHER):
        async with database.transaction(tenant_id) as connection:
            await connection.execute(
                insert(skill).values(tenant_id=tenant_id, skill_id="sales", display_name=tenant_id)
            )


async def test_raw_sql_sees_only_the_own_tenants_rows(database: Database) -> None:
    await _two_tenants(database)
    async with database.transaction(OTHER) as connection:
        rows = (await connection.execute(text("SELECT tenant_id FROM skill"))).scalars().all()
        named = (await connection.execute(text("SELECT 1 FROM skill WHERE tenant_id = 'main'"))).all()
        changed = await connection.execute(text("UPDATE skill SET display_name = 'stolen'"))
        tenants = (await connection.execute(text("SELECT tenant_id FROM tenant"))).scalars().all()
    assert rows == ["other"]
    assert named == []
    assert changed.rowcount == 1
    assert tenants == ["other"]


async def test_a_row_cannot_be_written_for_another_tenant(database: Database) -> None:
    await _two_tenants(database)
    with pytest.raises(ProgrammingError, match="row-level security"):
        async with database.transaction(OTHER) as connection:
            await connection.execute(insert(skill).values(tenant_id="main", skill_id="billing"))


async def test_without_a_tenant_nothing_is_visible(database: Database) -> None:
    await _two_tenants(database)
    async with database.owner_transaction() as connection:
        await connection.execute(text("SET LOCAL ROLE holdless_app"))
        assert (await connection.execute(select(skill))).all() == []


async def test_the_tenant_does_not_outlive_its_transaction(database: Database) -> None:
    async with database.transaction(OTHER) as connection:
        first = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
    async with database.owner_transaction() as connection:
        current = "pg_backend_pid(), current_user, coalesce(current_setting('holdless.tenant', true), '')"
        row = (await connection.execute(text(f"SELECT {current}"))).one()
    assert row == (first, "holdless", "")


async def test_the_log_of_another_tenant_is_closed_in_its_partitions_too(database: Database) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction(OTHER) as connection:
            await connection.execute(text("SELECT * FROM event_default"))


async def test_the_app_role_cannot_change_events(connection: AsyncConnection) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        await connection.execute(text("UPDATE event SET type = ''"))


async def test_every_table_with_a_tenant_is_forced_under_row_level_security(
    connection: AsyncConnection,
) -> None:
    secured = await connection.execute(
        text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
    )
    assert set(secured.scalars()) == {table.name for table in TENANT_TABLES} == set(metadata.tables)


def test_tenant_leads_every_key_and_day_follows_in_the_log() -> None:
    for table in TENANT_TABLES:
        assert next(iter(table.primary_key.columns)).name == "tenant_id", table.name
    for table in LOG_TABLES:
        assert [column.name for column in table.primary_key.columns][1] == "day", table.name


@pytest.mark.parametrize("name", ["", "Main", "1a", "a b", "a'b", "a" * 64])
def test_a_tenants_id_is_a_slug(name: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        tenant(name)
