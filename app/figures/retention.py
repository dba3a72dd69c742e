"""The log is kept for ever, or for so many days: then whole days go with their partitions; sums of them stay.

Before a day goes its figures are rolled up; a day that cannot be (it is being written) stays until it can.
The partitions go in the transaction that notes it, all of a day or none, and never those of today or
yesterday. What remains of a day are its cells: counts and times by queue, entry point and agent, and nobody's
name or number.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Text, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import Database, TenantId
from app.db.tables import LOG_TABLES
from app.figures.rollups import roll_up, whole_days

log = structlog.get_logger()

LOOK_EVERY_S: Final = 3_600.0
_TRIES: Final = 3

_PARTITIONS: Final = """
SELECT to_date(right(part.relname, 8), 'YYYYMMDD') AS day,
    sum(pg_total_relation_size(part.oid))::bigint AS size_bytes,
    sum(greatest(part.reltuples, 0)) FILTER (WHERE parent.relname = 'interaction')::bigint AS call_count
FROM pg_inherits
JOIN pg_class AS part ON part.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.relname = ANY(:parents) AND parent.relnamespace = current_schema()::regnamespace
    AND part.relname ~ '_[0-9]{8}$'
GROUP BY 1 HAVING to_date(right(part.relname, 8), 'YYYYMMDD') < :before
ORDER BY 1
"""
_DROP: Final = "SELECT drop_log_partitions(:day)"
_NOTE: Final = """
UPDATE rollup_day SET log_dropped_at = now()
WHERE tenant_id = :tenant_id AND day = :day AND rolled_version = version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldDay:
    """A day of the log whose time is over.

    Attributes:
        call_count: About so many, as the database estimates them.
    """

    day: date
    size_bytes: int
    call_count: int


class _ChangedMeanwhile(Exception):
    """The day was written after it was rolled up."""


async def old_days(database: Database, keep_days: int, today: date) -> list[OldDay]:
    """Return the days that lie more than *keep_days* before *today*, the oldest first.

    Args:
        today: UTC.
    """
    values = {
        "parents": [each.name for each in LOG_TABLES],
        "before": today - timedelta(days=max(keep_days, 1)),
    }
    async with database.owner_transaction() as connection:
        rows = await connection.execute(text(_PARTITIONS), values)
        return [
            OldDay(day=row.day, size_bytes=row.size_bytes, call_count=row.call_count or 0) for row in rows
        ]


async def drop_day(database: Database, day: date) -> bool:
    """Roll up one day of the log and drop it; False: it stays, because it is being written.

    Raises:
        sqlalchemy.exc.DBAPIError: it is of the present, the login does not own the tables, or readers held
            them all the time.
    """
    for _ in range(_TRIES):
        tenant_ids = await _tenants_of(database, day)
        for tenant_id in tenant_ids:
            async with database.transaction(tenant_id) as connection:
                is_whole = bool(await whole_days(connection, tenant_id, day, day))
            if not is_whole and not await roll_up(database, tenant_id, day):
                break
        else:
            try:
                await _drop(database, day, tenant_ids)
            except _ChangedMeanwhile:
                continue
            return True
    return False


async def _drop(database: Database, day: date, tenant_ids: Sequence[TenantId]) -> None:
    async with database.owner_transaction() as connection:
        # First the tables: who writes has them before it notes the day, so neither waits for the other.
        await connection.execute(text(_DROP), {"day": day})
        for tenant_id in tenant_ids:
            await _enter(connection, tenant_id)
            noted = await connection.execute(text(_NOTE), {"tenant_id": tenant_id, "day": day})
            if noted.rowcount != 1:
                raise _ChangedMeanwhile


async def _tenants_of(database: Database, day: date) -> list[TenantId]:
    """Whose calls a day holds; a partition itself knows no row-level security."""
    name = f"interaction_{day:%Y%m%d}"
    async with database.owner_transaction() as connection:
        if await connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is None:
            return []
        query = select(column("tenant_id", Text)).distinct().select_from(table(name))
        return sorted(TenantId(row.tenant_id) for row in await connection.execute(query))


async def _enter(connection: AsyncConnection, tenant_id: TenantId) -> None:
    await connection.execute(text("SELECT set_config('holdless.tenant', :id, true)"), {"id": tenant_id})


class Retention:
    """Drops what is too old, at once and every hour.

    Args:
        keep_days: None: the log is kept for ever.
    """

    def __init__(self, database: Database, keep_days: int | None) -> None:
        self._database, self._keep_days = database, keep_days

    async def run(self) -> None:
        """Keep to it. Runs until cancelled."""
        if self._keep_days is None:
            await asyncio.Event().wait()
            return
        while True:
            await self.drop_old(self._keep_days, datetime.now(UTC).date())
            await asyncio.sleep(LOOK_EVERY_S)

    async def drop_old(self, keep_days: int, today: date) -> int:
        """Drop the days whose time is over; return how many.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: the database is away, or does not let us.
        """
        dropped_count = 0
        for old in await old_days(self._database, keep_days, today):
            if await drop_day(self._database, old.day):
                dropped_count += 1
                log.info(
                    "a day of the log was dropped, its time is over; its figures stay",
                    day=old.day.isoformat(),
                    keep_days=keep_days,
                    size_bytes=old.size_bytes,
                )
            else:
                log.warning("a day of the log stays, it is being written", day=old.day.isoformat())
        return dropped_count
