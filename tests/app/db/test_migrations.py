"""The migrations: they make what the tables say, at once or by several processes, and again at will."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import asyncpg  # type: ignore[import-untyped]
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text

from app.db.embedded import EmbeddedPostgres
from app.db.migrate import migrate, misplaced_count
from app.db.provider import make_database
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import LOG_TABLES, event, metadata

pytestmark = pytest.mark.db


async def test_the_migrated_schema_is_the_declared_one(shared_database: Database) -> None:
    log_names = tuple(f"{table.name}_" for table in LOG_TABLES)

    def declared(name: str | None, kind: str, _parents: object) -> bool:
        is_partition = name is not None and name.startswith(log_names) and name.split("_")[-1].isalnum()
        return not (kind == "table" and is_partition and name not in metadata.tables)

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(
            connection, opts={"include_name": declared, "compare_type": True}
        )
        return list(compare_metadata(context, metadata))

    async with shared_database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_several_processes_may_migrate_at_once(postgres_server: EmbeddedPostgres) -> None:
    await make_database(postgres_server, "holdless_race")
    databases = [Database(postgres_server.url("holdless_race")) for _ in range(3)]
    await asyncio.gather(*(migrate(database, DEFAULT_TENANT) for database in databases))
    async with databases[0].owner_transaction() as connection:
        assert (await connection.execute(text("SELECT tenant_id FROM tenant"))).scalars().all() == ["main"]
    for database in databases:
        await database.close()


async def test_an_owner_who_is_no_superuser_can_migrate_and_use_it(postgres_server: EmbeddedPostgres) -> None:
    driver = await asyncpg.connect(
        host=str(postgres_server.socket_directory), user="holdless", database="postgres"
    )
    await driver.execute("CREATE ROLE centre_owner LOGIN CREATEROLE")
    await driver.execute("GRANT holdless_app TO centre_owner WITH ADMIN OPTION")
    await driver.execute("CREATE DATABASE holdless_owned OWNER centre_owner")
    await driver.close()
    url = postgres_server.url("holdless_owned").replace("holdless@", "centre_owner@")
    database = Database(url)
    await migrate(database, DEFAULT_TENANT)
    await migrate(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(insert(event).values(**_event(date(2026, 1, 1))))
        made = await connection.execute(text("SELECT ensure_log_partitions(ARRAY[DATE '2026-01-01'])"))
        assert made.scalar_one() == len(LOG_TABLES)
        assert (await connection.execute(select(event.c.day))).scalars().all() == [date(2026, 1, 1)]
    await database.close()


def _event(day: date) -> dict[str, object]:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return {
        "tenant_id": DEFAULT_TENANT,
        "day": day,
        "epoch": 1,
        "seq": 1,
        "ordinal": 0,
        "at": at,
        "occurred_at": at,
        "type": "ContactStarted",
        "v": 1,
        "body": {},
    }


async def test_partitions_stand_seven_days_ahead(database: Database) -> None:
    today = datetime.now(UTC).date()
    async with database.owner_transaction() as connection:
        names = set((await connection.execute(text("SELECT relname FROM pg_class"))).scalars())
    for table in LOG_TABLES:
        for ahead in range(8):
            assert f"{table.name}_{today + timedelta(days=ahead):%Y%m%d}" in names


async def test_rows_of_the_default_partition_move_into_their_day(database: Database) -> None:
    day = date(2025, 11, 22)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(insert(event).values(**_event(day)))
        where = text("SELECT tableoid::regclass::text FROM event")
        assert (await connection.execute(where)).scalar_one() == "event_default"
        await connection.execute(text("SELECT ensure_log_partitions(ARRAY[DATE '2025-11-22'])"))
        assert (await connection.execute(where)).scalar_one() == "event_20251122"


async def test_who_reads_and_who_makes_partitions_never_wait_for_each_other(database: Database) -> None:
    make = text("SELECT ensure_log_partitions(ARRAY[DATE '2025-11-22'])")

    async def made() -> int:
        async with database.transaction(DEFAULT_TENANT) as connection:
            return int((await connection.execute(make)).scalar_one())

    async with database.transaction(DEFAULT_TENANT) as reader:
        await reader.execute(text("SELECT count(*) FROM interaction"))
        making = asyncio.create_task(made())
        await asyncio.sleep(0.3)
        assert not making.done()
        for table in LOG_TABLES:
            await reader.execute(text(f"SELECT count(*) FROM {table.name}"))
    assert await making == len(LOG_TABLES)


async def test_a_senseless_day_makes_no_partition(database: Database) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        made = await connection.execute(text("SELECT ensure_log_partitions(ARRAY[DATE '1970-01-01'])"))
        assert made.scalar_one() == 0


async def test_rows_without_a_partition_of_their_day_are_counted(database: Database) -> None:
    assert await misplaced_count(database) == 0
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            text(
                "INSERT INTO segment (tenant_id, day, interaction_id, track, ordinal, kind, started_at)"
                " VALUES (:tenant, '1970-01-01', 'x', 'customer', 0, 'entry', now())"
            ),
            {"tenant": DEFAULT_TENANT},
        )
    assert await misplaced_count(database) == 1
