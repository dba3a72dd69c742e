"""Old days of the log go whole, their figures stay, and nobody who reads or writes is in the way for good."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db.log_days import note_changed_days
from app.db.session import DEFAULT_TENANT, Database, driver
from app.demo.quick_history import big_day, copy_day
from app.figures.dimensions import FiguresBy
from app.figures.reader import FiguresAsked, read_figures
from app.figures.retention import Retention, drop_day, old_days
from app.figures.rollups import due_days
from app.settings import Settings
from tests.app.command_line import said_by
from workforce.periods import PeriodStep

pytestmark = pytest.mark.db

TODAY = datetime.now(UTC).date()
OLD, OLDER, KEPT = TODAY - timedelta(days=40), TODAY - timedelta(days=41), TODAY - timedelta(days=10)
KEEP_DAYS = 30
_NOW_MS = int(datetime.now(UTC).timestamp() * 1_000)


async def _fill(database: Database, *days: date) -> None:
    for day in days:
        lines = big_day(DEFAULT_TENANT, day, 1, calls_per_weekday=60, with_segments=False)
        await copy_day(database, DEFAULT_TENANT, day, lines)


async def _figures(database: Database, by: FiguresBy = FiguresBy.QUEUE) -> list[Any]:
    asked = FiguresAsked(first=OLDER, last=TODAY, step=PeriodStep.DAY, by=by, zone="Asia/Taipei")
    table = await read_figures(database, DEFAULT_TENANT, asked, _NOW_MS)
    return [(row.start_ms, row.key, row.cell) for row in table.rows]


async def _calls(database: Database) -> dict[date, int]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        rows = await connection.execute(text("SELECT day, count(*) AS calls FROM interaction GROUP BY 1"))
        return {row.day: row.calls for row in rows}


async def test_days_beyond_their_time_go_and_their_figures_stay(database: Database) -> None:
    await _fill(database, OLDER, OLD, KEPT)
    before = {by: await _figures(database, by) for by in (FiguresBy.QUEUE, FiguresBy.AGENT)}
    assert [old.day for old in await old_days(database, KEEP_DAYS, TODAY)] == [OLDER, OLD]
    assert await Retention(database, KEEP_DAYS).drop_old(KEEP_DAYS, TODAY) == 2
    assert set(await _calls(database)) == {KEPT}
    assert {by: await _figures(database, by) for by in before} == before
    assert await old_days(database, KEEP_DAYS, TODAY) == []
    assert OLD not in await due_days(database, DEFAULT_TENANT, limit=9, quiet_s=0), (
        "never rolled up of nothing"
    )
    async with database.transaction(DEFAULT_TENANT) as connection:  # a threshold of today changes no past
        await connection.execute(
            text("INSERT INTO queue (tenant_id, queue_id, threshold_s) VALUES ('main', 'sales', 1)")
        )
    now = await _figures(database)
    assert [row for row in now if row[0] < (_NOW_MS - 35 * 86_400_000)] == [
        row for row in before[FiguresBy.QUEUE] if row[0] < (_NOW_MS - 35 * 86_400_000)
    ]


async def test_a_server_without_the_setting_keeps_all_and_the_present_never_goes(database: Database) -> None:
    assert Settings().log.keep_days is None
    await _fill(database, OLD)
    keeping = asyncio.create_task(Retention(database, None).run())
    await asyncio.sleep(0)
    assert not keeping.done()
    keeping.cancel()
    assert set(await _calls(database)) == {OLD}
    for day in (TODAY, TODAY - timedelta(days=1)):
        with pytest.raises(Exception, match="never dropped"):
            await drop_day(database, day)
    assert all(old.day < TODAY - timedelta(days=1) for old in await old_days(database, 0, TODAY))


async def test_who_reads_meanwhile_reads_on_and_the_day_goes_afterwards(database: Database) -> None:
    """Reader: first one table, then another. Locked one by one, each would wait for the other."""
    await _fill(database, OLD)
    async with database.transaction(DEFAULT_TENANT) as reading:
        await reading.execute(text("SELECT count(*) FROM segment"))
        dropping = asyncio.create_task(drop_day(database, OLD))
        await _trying(database)
        counted = await asyncio.wait_for(
            reading.scalar(text("SELECT count(*) FROM interaction JOIN agent_span USING (tenant_id)")), 5
        )
        assert counted == 0
        assert not dropping.done()
    assert await asyncio.wait_for(dropping, 10)
    assert await _calls(database) == {}


async def _trying(database: Database) -> None:
    """Until somebody sleeps between two tries for the locks."""
    for _ in range(1_000):
        async with database.owner_transaction() as connection:
            waits = await connection.execute(text("SELECT wait_event FROM pg_stat_activity"))
            if "PgSleep" in {row.wait_event for row in waits}:
                return
        await asyncio.sleep(0.005)
    raise AssertionError("nobody tries")


async def test_a_day_that_is_written_meanwhile_goes_with_what_was_written(database: Database) -> None:
    await _fill(database, OLD)
    async with database.transaction(DEFAULT_TENANT) as writing:
        await writing.execute(text("UPDATE queue_visit SET priority_ms = 1"))
        dropping = asyncio.create_task(drop_day(database, OLD))
        await _trying(database)
        await note_changed_days(await driver(writing), DEFAULT_TENANT, [OLD])
    assert await asyncio.wait_for(dropping, 10)
    async with database.transaction(DEFAULT_TENANT) as connection:
        row = (await connection.execute(text("SELECT * FROM rollup_day"))).one()
    assert row.version == row.rolled_version == 2
    assert row.log_dropped_at is not None


async def test_the_command_says_first_and_then_does_it(database: Database, tmp_path: Path) -> None:
    await _fill(database, OLD, KEPT)

    async def holdless(*words: str) -> str:
        return await said_by(database, tmp_path, "log", "retention", *words)

    assert "for ever" in await holdless()
    assert f"{OLD}" in await holdless("--keep-days", "30", "--dry-run")
    assert set(await _calls(database)) == {OLD, KEPT}
    assert "dropped" in await holdless("--keep-days", "30")
    assert set(await _calls(database)) == {KEPT}
