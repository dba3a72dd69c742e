"""The call log at the size of years: loading it, reading figures of it, and writing on beside it.

A year of a big centre (``app.demo.quick_history``; segments for the last 30 days) is copied into the
embedded, durable PostgreSQL and rolled up, by two processes; then the readers behind the pages are asked,
each question several times in a new transaction. ``--calls N`` and ``--days N`` change the size, ``--quick``
is a short form.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from app.calls.queries import list_calls
from app.calls.rules import CallFilter
from app.db.log_days import note_changed_days
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database, driver
from app.demo.quick_history import BIG_QUEUES, big_day, copy_day
from app.figures.dimensions import FiguresBy
from app.figures.reader import DrillAsked, FiguresAsked, read_drill, read_figures
from app.figures.rollups import due_days, roll_up
from app.figures.schemas import line_of, shown
from benchmarks.recorder import drained_s, journal_of
from routing.ids import QueueId
from workforce.periods import PeriodStep

CALLS, DAYS = 10_000_000, 365
CALLS_QUICK, DAYS_QUICK = 8_000, 40
SEGMENT_DAYS: Final = 30
SEED: Final = 1
ZONE: Final = "Asia/Taipei"
LOAD_S_MAX, DAY_S_MAX, DRILL_S_MAX, MONTH_S_MAX = 900.0, 1.0, 0.3, 2.0
_CHUNK_DAYS: Final = 4
_TRIES: Final = 5
_MEAN_FACTOR: Final = 0.869  # of a day in a week, a middling working day being 1
_RECORDED_CALLS: Final = 2_000


def load_days(url: str, days: Sequence[date], per_weekday: float, segments_from: date) -> int:
    """Make, copy and roll up these days; return how many calls they had. Runs in a process of its own."""

    async def work() -> int:
        database, call_count = Database(url, connections_max=1), 0
        try:
            for day in days:
                lines = big_day(
                    DEFAULT_TENANT,
                    day,
                    SEED,
                    calls_per_weekday=per_weekday,
                    with_segments=day >= segments_from,
                )
                call_count += len(lines["interaction"])
                await copy_day(database, DEFAULT_TENANT, day, lines)
                assert await roll_up(database, DEFAULT_TENANT, day)
        finally:
            await database.close()
        return call_count

    return asyncio.run(work())


async def _load(url: str, calls: int, days: int, today: date) -> tuple[int, float]:
    began_s = time.perf_counter()
    wanted = [today - timedelta(days=back) for back in range(1, days + 1)]
    chunks = [wanted[at : at + _CHUNK_DAYS] for at in range(0, days, _CHUNK_DAYS)]
    per_weekday = calls / days / _MEAN_FACTOR
    segments_from = today - timedelta(days=SEGMENT_DAYS)
    loop, call_count = asyncio.get_running_loop(), 0
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        loading = [
            loop.run_in_executor(pool, load_days, url, chunk, per_weekday, segments_from) for chunk in chunks
        ]
        for number, done in enumerate(asyncio.as_completed(loading), 1):
            call_count += await done
            if number % 10 == 0:
                spent_s = time.perf_counter() - began_s
                print(f"  {call_count} calls after {spent_s:.0f} s", file=sys.stderr, flush=True)
    return call_count, time.perf_counter() - began_s


async def _timed(ask: Callable[[], Awaitable[Any]]) -> tuple[float, float, Any]:
    """Return the first time, the median of the others, and what came."""
    times, found = [], None
    for _ in range(_TRIES):
        began_s = time.perf_counter()
        found = await ask()
        times.append(time.perf_counter() - began_s)
    return times[0], statistics.median(times[1:]), found


async def _read(database: Database, today: date, days: int) -> None:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    yesterday = today - timedelta(days=1)

    def table(first: date, last: date, step: PeriodStep, by: FiguresBy = FiguresBy.QUEUE) -> Any:
        asked = FiguresAsked(first=first, last=last, step=step, by=by, zone=ZONE)

        async def ask() -> Any:
            return shown(await read_figures(database, DEFAULT_TENANT, asked, now_ms))

        return ask

    def drill(first: date, figure: str, key: str) -> Any:
        asked = FiguresAsked(first=first, last=first, zone=ZONE)

        async def ask() -> Any:
            wanted = DrillAsked(line=line_of(figure), key=key)
            return await read_drill(database, DEFAULT_TENANT, asked, wanted)

        return ask

    async def calls() -> Any:
        async with database.transaction(DEFAULT_TENANT) as connection:
            wanted = CallFilter(queue_id=QueueId("vip"), outcome="abandoned")
            return await list_calls(connection, DEFAULT_TENANT, wanted, limit=50)

    month, year = today - timedelta(days=30), today - timedelta(days=days)
    half_hour = PeriodStep.HALF_HOUR
    await _say("day by queue, rolled up", table(yesterday, yesterday, half_hour), DAY_S_MAX)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await note_changed_days(await driver(connection), DEFAULT_TENANT, [yesterday])
    await _say("day by queue, every call counted", table(yesterday, yesterday, half_hour), DAY_S_MAX)
    by_agent = table(yesterday, yesterday, half_hour, FiguresBy.AGENT)
    await _say("day by agent, every call counted", by_agent, DAY_S_MAX)
    await _say("calls behind a queue's SL-C of a day", drill(yesterday, "SL-C", "billing"), DRILL_S_MAX)
    await _say("calls behind a queue's abandons", drill(month, "abandoned_count", "sales"), DRILL_S_MAX)
    await _say("calls behind one agent's AHT", drill(month, "AHT", "support"), DRILL_S_MAX)
    await _say("month by queue and half hour", table(month, yesterday, half_hour), MONTH_S_MAX)
    await _say("month by agent and day", table(month, yesterday, PeriodStep.DAY, FiguresBy.AGENT), None)
    await _say("year by queue and day", table(year, yesterday, PeriodStep.DAY), None)
    await _say("year by queue and month", table(year, yesterday, PeriodStep.MONTH), None)
    await _say("newest 50 abandoned calls of a queue", calls, None)


async def _say(what: str, ask: Callable[[], Awaitable[Any]], limit_s: float | None) -> None:
    first_s, again_s, found = await _timed(ask)
    rows = found.rows if hasattr(found, "rows") else found[0]
    beside = "" if limit_s is None else f"   limit {limit_s * 1000:.0f} ms"
    first_ms, again_ms = first_s * 1000, again_s * 1000
    print(f"{what:<38} {again_ms:8.0f} ms (first {first_ms:.0f}), {len(rows)} rows{beside}", flush=True)


async def _plant_queues(database: Database) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        for queue_id in BIG_QUEUES:
            await connection.execute(
                text("INSERT INTO queue (tenant_id, queue_id, threshold_s) VALUES ('main', :queue_id, 20)"),
                {"queue_id": queue_id},
            )


async def _measure(directory: Path, calls: int, days: int, recorded: int) -> None:
    provider = Provider(None, directory)
    database = Database(await provider.start())
    try:
        await migrate(database, DEFAULT_TENANT)
        await _plant_queues(database)
        today = datetime.now(UTC).date()
        url = database.engine.url.render_as_string(hide_password=False)
        call_count, load_s = await _load(url, calls, days, today)
        async with database.owner_transaction() as connection:
            await connection.execute(text("ANALYZE"))
            size = await connection.scalar(text("SELECT pg_database_size(current_database())"))
            cells = await connection.scalar(
                text("SELECT reltuples FROM pg_class WHERE relname = 'rollup_cell'")
            )
        assert not await due_days(database, DEFAULT_TENANT, limit=1, quiet_s=0)
        print(f"{call_count} calls over {days} days, segments of {SEGMENT_DAYS}; {size / 1e9:.1f} GB")
        print(
            f"loaded with {cells:.0f} rolled-up cells in {load_s:.0f} s, {call_count / load_s:.0f} calls/s"
            f"   limit {LOAD_S_MAX:.0f} s for {CALLS} calls"
        )
        await _read(database, today, days)
        spent_s, event_count, row_count = await _record(database, recorded)
        print(
            f"recorder beside it: {event_count / spent_s:.0f} events/s, {row_count / spent_s:.0f} rows/s"
            f" ({recorded / spent_s:.0f} calls/s)"
        )
    finally:
        await database.close()
        await provider.stop()


async def _record(database: Database, calls: int) -> tuple[float, int, int]:
    """Drain new calls into the full log; return the seconds, the events and all rows that came of them."""
    journal = journal_of(1, calls)
    event_count = sum(len(json.loads(row.events)) for row in journal)
    spent_s, _ = await drained_s(database, journal, 200)
    row_count = event_count
    async with database.transaction(DEFAULT_TENANT) as connection:
        for table in ("interaction", "segment", "queue_visit", "offer", "leg"):
            count = text(
                "SELECT count(*) FROM " + table + " WHERE interaction_id LIKE 'bench-%' AND day >= :day"
            )
            day = datetime.now(UTC).date() - timedelta(days=1)
            row_count += await connection.scalar(count, {"day": day}) or 0
    return spent_s, event_count, row_count


def main() -> None:
    """Print the figures, each beside its limit."""
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--calls", type=int, default=CALLS)
    options.add_argument("--days", type=int, default=DAYS)
    asked = options.parse_args()
    calls, days, recorded = asked.calls, asked.days, _RECORDED_CALLS
    if asked.quick:
        calls, days, recorded = CALLS_QUICK, DAYS_QUICK, 200
    directory = Path(tempfile.mkdtemp(prefix="holdless-bench-log-"))
    try:
        asyncio.run(_measure(directory, calls, days, recorded))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
