"""A plausible year behind the demo: each missing day is made and written whole or not.

The newest ninety days are played on the engine; the ones before are made quickly (``quick_day``), by the same
profile and with the same people.

Deterministic by seed and date: the same day is the same on every machine, whenever it is made. A day that
holds calls is left as it is, so that a demo started again fills only the days since. Two processes of low
priority share the days, newest first.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from multiprocessing import get_context
from random import Random
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from app.calendars.public_holidays import public_holidays
from app.centre.demo import SEAT_AGENT_ID, SEAT_QUEUE_ID, demo_centre, demo_customers
from app.centre.memberships import reach_back
from app.centre.rules import engine_config
from app.db import tables as t
from app.db.bulk import BulkStatement, upsert
from app.db.log_days import note_changed_days
from app.db.session import Database, TenantId, driver
from app.demo.history_day import HANDLE, OTHER_HANDLE, PBX, PastDay
from app.demo.history_demand import DayPlan, Source, plan_day
from app.demo.history_rows import (
    COLUMNS,
    REASONS,
    TREE_VERSION,
    KnownCallers,
    Rows,
    match_values,
    rows_of_day,
)
from app.demo.quick_columns import NULL
from app.demo.quick_day import Lines, QuickArrival, QuickDay, QuickQueue, Seat
from app.demo.quick_history import copy_day
from routing.config import CentreConfig
from routing.ids import QueueId

DAYS: Final = 365
PLAYED_DAYS: Final = 90
"""So many newest days are played on the engine."""
EVENT_DAYS: Final = 7
"""Of so many newest days the events are kept beside what they fold to."""
SEED: Final = 1
_WORKERS: Final = 2
_CHUNK_DAYS: Final = 3
_NICE: Final = 5
_SHARES: Final = (
    ("0277000001", "sales", 0.36),
    ("0277000002", "support", 0.33),
    ("0277000003", "billing", 0.20),
    ("0277000004", "support", 0.11),
)


async def fill_history(
    database: Database,
    url: str,
    tenant_id: TenantId,
    *,
    today: date,
    days: int = DAYS,
    played_days: int = PLAYED_DAYS,
    seed: int = SEED,
    progress: Callable[[float], None] = lambda _share: None,
) -> int:
    """Make the days before *today* that hold no calls yet; return how many were made.

    Args:
        url: Of the database, for the processes that write.
        today: The local day that is being lived; it is left alone.
        played_days: So many newest days are played on the engine.
        progress: Gets the share done, in [0, 1].
    """
    missing = await _missing_days(database, tenant_id, today, days)
    if not missing:
        return 0
    await _plant_reasons(database, tenant_id)
    async with database.transaction(tenant_id) as connection:
        await reach_back(connection, tenant_id, today - timedelta(days=days))
    events_from, played_from = (today - timedelta(days=back) for back in (EVENT_DAYS, played_days))
    pool = ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn"), initializer=_set_up_worker)
    loop = asyncio.get_running_loop()
    filling: set[asyncio.Future[None]] = set()
    done_count = 0
    try:
        for at in range(0, len(missing), _CHUNK_DAYS):
            chunk = missing[at : at + _CHUNK_DAYS]
            await _make_partitions(database, tenant_id, chunk)  # while the processes play the days before
            work = partial(fill_days, url, tenant_id, seed, chunk, events_from, played_from)
            filling.add(loop.run_in_executor(pool, work))
            done_count += _take_done(filling)
            progress(min(1.0, done_count * _CHUNK_DAYS / len(missing)))
        while filling:
            await asyncio.wait(filling, return_when=asyncio.FIRST_COMPLETED)
            done_count += _take_done(filling)
            progress(min(1.0, done_count * _CHUNK_DAYS / len(missing)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        if filling:  # the chunks that are being written end before the database may
            await asyncio.gather(*filling, return_exceptions=True)
    return len(missing)


def fill_days(
    url: str, tenant_id: TenantId, seed: int, days: Sequence[date], events_from: date, played_from: date
) -> None:
    """Make these days and write each; runs in a process of its own."""
    played = [
        (day, rows_for(day, seed, with_events=day >= events_from)) for day in days if day >= played_from
    ]
    quick = [(day, lines_for(day, seed, tenant_id)) for day in days if day < played_from]
    asyncio.run(_write(url, tenant_id, played, quick))


def lines_for(day: date, seed: int, tenant_id: TenantId) -> Lines:
    """Return the lines of one past day made quickly: the callers and shifts that would have been played."""
    world = _world()
    dice = Random(f"{seed}:{day.isoformat()}")
    plan = _plan(day, dice)
    reasons = {queue_id: [r for r in REASONS if r.queue_id == queue_id] for queue_id in world.codes}

    def match(number: str) -> tuple[str, str, str, str]:
        party_id, method, confidence, body = match_values(world.known.match(number))
        written = (NULL if value is None else str(value) for value in (party_id, method, confidence))
        return (*written, body.replace("\\", r"\\"))

    def reason(queue_id: str) -> str:
        known = reasons.get(QueueId(queue_id), [])
        weights = [one.weight for one in known]
        return dice.choices(known, weights)[0].reason_id if known else ""

    queues: dict[str, QuickQueue] = {
        queue.queue_id: QuickQueue(
            ring_timeout_ms=queue.ring_timeout_ms,
            short_abandon_ms=queue.short_abandon_ms,
            talk_mean_ms=HANDLE.get(queue.queue_id, OTHER_HANDLE)[0],
            talk_sigma=HANDLE.get(queue.queue_id, OTHER_HANDLE)[1],
            codes=world.codes.get(queue.queue_id, ()),
        )
        for queue in world.config.queues
    }
    made = QuickDay(
        tenant_id=tenant_id, pbx=PBX, day=day, queues=queues, dice=dice, match=match, reason=reason
    )
    arrivals = [
        QuickArrival(one.at_ms, one.entry_point, one.queue_id, one.number, one.name, one.patience_ms)
        for one in plan.arrivals
    ]
    return made.run(arrivals, _seats(plan))


def rows_for(day: date, seed: int, *, with_events: bool) -> Rows:
    """Return the rows of one past day."""
    world = _world()
    dice = Random(f"{seed}:{day.isoformat()}")
    plan = _plan(day, dice)
    happened = PastDay(plan, world.config, world.codes, dice).run()
    return rows_of_day(day, happened, world.known, dice, with_events=with_events)


# ---------------------------------------------------------------- inside


def _plan(day: date, dice: Random) -> DayPlan:
    world = _world()
    holidays, make_up = public_holidays("TW", (day.year,))
    return plan_day(
        day,
        dice,
        config=world.config,
        sources=world.sources,
        known=world.callers,
        holidays=holidays,
        make_up=make_up,
    )


def _seats(plan: DayPlan) -> list[Seat]:
    """Each agent serves one queue that day: of those that they can, the one with the fewest for its calls."""
    world = _world()
    skills = {agent.agent_id: agent.skills for agent in world.config.agents}
    calls = Counter(arrival.queue_id for arrival in plan.arrivals)
    seated: Counter[QueueId] = Counter()
    seats: list[Seat] = []
    for shift in sorted(plan.shifts, key=lambda shift: len(skills[shift.agent_id])):
        able = [
            queue.queue_id
            for queue in world.config.queues
            if all(skills[shift.agent_id].get(skill, 0) >= level for skill, level in queue.requires.items())
        ]
        if able:
            queue_id = min(able, key=lambda one: (seated[one] / (calls[one] or 1), one))
            seated[queue_id] += 1
            seats.append(Seat(shift.from_ms, shift.agent_id, shift.until_ms, queue_id))
    return seats


@dataclass(frozen=True, slots=True, kw_only=True)
class _World:
    """Who works and who calls in the past."""

    config: CentreConfig
    sources: tuple[Source, ...]
    codes: Mapping[QueueId, tuple[str, ...]]
    known: KnownCallers
    callers: tuple[tuple[str, str], ...]


@cache
def _world() -> _World:
    """The demo's centre without the seat that is left free, and its customers."""
    centre = demo_centre()
    whole = engine_config(centre)
    customers = demo_customers()
    return _World(
        config=CentreConfig(
            agents=tuple(agent for agent in whole.agents if agent.agent_id != SEAT_AGENT_ID),
            queues=tuple(queue for queue in whole.queues if queue.queue_id != SEAT_QUEUE_ID),
            default_queue_id=whole.default_queue_id,
        ),
        sources=tuple(
            Source(entry_point=number, queue_id=QueueId(queue_id), share=share)
            for number, queue_id, share in _SHARES
        ),
        codes={QueueId(queue.queue_id): tuple(queue.wrap_up_codes) for queue in centre.queue},
        known=KnownCallers(customers),
        callers=tuple((customer.shown_number, customer.display_name) for customer in customers),
    )


def _set_up_worker() -> None:
    """The demo that started us ends us: Ctrl-C is its affair, and so is the machine."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(_NICE)
    gc.freeze()
    gc.disable()  # a day's objects make no cycles worth looking for, and the process ends soon


async def _missing_days(database: Database, tenant_id: TenantId, today: date, days: int) -> list[date]:
    """Return the days without a call, newest first."""
    wanted = [today - timedelta(days=back) for back in range(1, days + 1)]
    call = t.interaction.c
    query = (
        select(call.day)
        .where(call.tenant_id == tenant_id, call.day.between(wanted[-1], wanted[0]))
        .distinct()
    )
    async with database.transaction(tenant_id) as connection:
        found = {row.day for row in await connection.execute(query)}
    return [day for day in wanted if day not in found]


def _take_done(filling: set[asyncio.Future[None]]) -> int:
    """Take out what is done, and return how many that were; the first failure ends the filling."""
    done = {future for future in filling if future.done()}
    for future in done:
        future.result()
    filling -= done
    return len(done)


async def _make_partitions(database: Database, tenant_id: TenantId, days: Sequence[date]) -> None:
    async with database.transaction(tenant_id) as connection:
        await connection.execute(
            text("SELECT ensure_log_partitions(CAST(:days AS date[]))"), {"days": sorted(days)}
        )


async def _plant_reasons(database: Database, tenant_id: TenantId) -> None:
    """Put the tree of reasons that the calls name in force, unless there is one."""
    tenant = {"tenant_id": tenant_id, "tree_version": TREE_VERSION}
    rows = [
        {
            **tenant,
            "reason_id": reason.reason_id,
            "display_name": reason.display_name,
            "whose_cause": reason.whose_cause,
            "is_avoidable": reason.is_avoidable,
            "ordinal": ordinal,
        }
        for ordinal, reason in enumerate(REASONS, 1)
    ]
    tree = {**tenant, "valid_from": datetime(2020, 1, 1, tzinfo=UTC), "note": "demo"}
    async with database.transaction(tenant_id) as connection:
        await connection.execute(insert(t.reason_tree).on_conflict_do_nothing(), [tree])
        await connection.execute(insert(t.contact_reason).on_conflict_do_nothing(), rows)


async def _write(
    url: str,
    tenant_id: TenantId,
    made: Sequence[tuple[date, Rows]],
    quick: Sequence[tuple[date, Lines]],
) -> None:
    database = Database(url, connections_max=1)
    statements: dict[str, BulkStatement] = {
        name: upsert(t.metadata.tables[name], columns, update=name != "event")  # events are never changed
        for name, columns in COLUMNS.items()
    }
    try:
        for day, lines in quick:
            await copy_day(database, tenant_id, day, lines)
        for day, rows in made:
            async with database.transaction(tenant_id) as connection:
                raw = await driver(connection)
                await note_changed_days(raw, tenant_id, [day])
                for name, statement in statements.items():
                    if rows[name]:
                        await raw.execute(statement.sql, tenant_id, *statement.arguments(rows[name]))
    finally:
        await database.close()
