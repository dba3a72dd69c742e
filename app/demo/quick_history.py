"""Many past days made quickly and written by COPY straight into their partitions.

As the owner of the tables: row-level security knows no COPY, and partitions are reached by nobody else.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from itertools import accumulate
from math import ceil, sqrt
from random import Random
from typing import Any, Final

from sqlalchemy import text

from app.db.log_days import note_changed_days
from app.db.session import Database, TenantId, driver
from app.demo.history_demand import (
    CLOSES_MINUTE,
    OPENS_MINUTE,
    density,
    draw_patience_ms,
    local_ms,
    weekday_factor,
)
from app.demo.quick_columns import COLUMNS
from app.demo.quick_day import Lines, QuickArrival, QuickDay, QuickQueue, Seat

BIG_QUEUES: Final = ("sales", "support", "billing", "orders", "returns", "technical", "vip", "retention")
_SHARES: Final = (0.22, 0.26, 0.14, 0.12, 0.08, 0.09, 0.03, 0.06)
_ENTRY_POINTS_EACH: Final = 2
_SLOT_MIN: Final = 30
_SPARE: Final = 0.7  # square-root staffing: so many square roots of the traffic above it
_SHIFT_SLOTS_MAX: Final = 17  # a longer day of a seat is two people's
_TALK_MEAN_MS: Final = 180_000
_WRAP_UP_MEAN_MS: Final = 17_000


async def copy_day(database: Database, tenant_id: TenantId, day: date, lines: Lines) -> None:
    """Write one day's lines in one transaction; its partitions are made when they are missing.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, asyncpg.PostgresError: a row is there already, or no database.
    """
    async with database.owner_transaction() as connection:
        await connection.execute(text("SELECT set_config('holdless.tenant', :id, true)"), {"id": tenant_id})
        await connection.execute(text("SELECT ensure_log_partitions(CAST(:days AS date[]))"), {"days": [day]})
        raw: Any = await driver(connection)
        for table, rows in lines.items():
            if rows:
                source = io.BytesIO("".join(rows).encode())
                await raw.copy_to_table(
                    f"{table}_{day:%Y%m%d}", source=source, columns=COLUMNS[table], format="text"
                )
                await raw.execute(f"ANALYZE {table}_{day:%Y%m%d}")
        await note_changed_days(raw, tenant_id, [day])


def big_day(
    tenant_id: TenantId, day: date, seed: int, *, calls_per_weekday: float, with_segments: bool
) -> Lines:
    """Return a day of a big centre: eight queues with two entry points each, staffed by their traffic.

    Args:
        calls_per_weekday: About so many on a middling working day; weeks, seasons and chance change it.
    """
    dice = Random(f"{seed}:{day.isoformat()}")
    factor = weekday_factor(day, dice)
    arrivals: list[QuickArrival] = []
    seats: list[Seat] = []
    minutes = range(OPENS_MINUTE, CLOSES_MINUTE)
    weights = list(accumulate(density(minute / 60) for minute in minutes))
    midnight_ms = local_ms(day, 0)
    for number, (queue_id, share) in enumerate(zip(BIG_QUEUES, _SHARES, strict=True)):
        mean = calls_per_weekday * factor * share
        count = max(0, round(dice.gauss(mean, sqrt(mean))))
        for minute in dice.choices(minutes, cum_weights=weights, k=count):
            arrivals.append(
                QuickArrival(
                    at_ms=midnight_ms + int((minute + dice.random()) * 60_000),
                    entry_point=f"0277{number:04d}{dice.randrange(_ENTRY_POINTS_EACH):02d}",
                    queue_id=queue_id,
                    number=f"+8869{dice.randint(20_000_000, 89_999_999)}",
                    name="",
                    patience_ms=draw_patience_ms(dice),
                )
            )
        seats += _staff(queue_id, number, midnight_ms, mean, weights)
    arrivals.sort()
    made = QuickDay(
        tenant_id=tenant_id,
        pbx="past",
        day=day,
        queues={queue_id: QuickQueue(codes=("solved", "forwarded", "call_back")) for queue_id in BIG_QUEUES},
        dice=dice,
        with_segments=with_segments,
    )
    return made.run(arrivals, seats)


def _staff(
    queue_id: str, number: int, midnight_ms: int, mean_count: float, weights: Sequence[float]
) -> list[Seat]:
    """As many seats in every half hour as its traffic needs, each a shift or two of one agent."""
    starts = range(0, len(weights), _SLOT_MIN)
    needed: list[int] = []
    for at in starts:
        upper = weights[min(at + _SLOT_MIN, len(weights)) - 1]
        part = (upper - (weights[at - 1] if at else 0.0)) / weights[-1]
        traffic_erl = mean_count * part * (_TALK_MEAN_MS + _WRAP_UP_MEAN_MS) / (_SLOT_MIN * 60_000)
        needed.append(ceil(traffic_erl + _SPARE * sqrt(traffic_erl)) + 1)
    seats: list[Seat] = []
    for place in range(max(needed)):
        slots = [slot for slot, seated in enumerate(needed) if seated > place]
        halves = [slots]
        if len(slots) > _SHIFT_SLOTS_MAX:
            halves = [slots[: len(slots) // 2], slots[len(slots) // 2 :]]
        for half, own in enumerate(halves):
            from_ms = midnight_ms + (OPENS_MINUTE + own[0] * _SLOT_MIN) * 60_000
            until_ms = midnight_ms + (OPENS_MINUTE + (own[-1] + 1) * _SLOT_MIN) * 60_000
            seats.append(Seat(from_ms, f"b{number}{half}{place:03d}", until_ms, queue_id))
    return seats
