"""Additive cells of the log by period and by what is asked for, in SQL; equal to a fold of the events.

In the *event* view each fact counts in the period in which it happened, in the *cohort* view all that belongs
to a visit where the visit began (``app.figures.facts``). Over all time both have the same sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.figures.dimensions import DIMENSIONS, FiguresBy, joins_of
from app.figures.facts import GIVEN_ON, HASHED, MOMENT, FiguresView, fact_values, facts_sql
from app.figures.rollups import ROLLED_FACTS, grain_of, whole_days
from app.figures.rules import GapCause, LogGap
from routing.events import QueueExit
from routing.ids import QueueId
from workforce.measures import SUMS, Cell, total
from workforce.wait_buckets import WAIT_BOUNDS_MS

BACK_FILLED = "back_filled"

CellKey = tuple[int, str]
"""Number of the period, from 0, and the id of what is parted by ("" where there is none)."""

_CELLS = """
, counted AS (
    SELECT width_bucket({moment}, CAST(:bounds AS timestamptz[])) - 1 AS period, coalesce({key}, '') AS key,
        fact.kind, fact.exit, CASE WHEN fact.exit = :answered
            THEN width_bucket(fact.first_ms, CAST(:wait_bounds_ms AS bigint[])) END AS bucket,
        count(*) AS facts, sum(fact.first_ms)::bigint AS first_ms, sum(fact.second_ms)::bigint AS second_ms,
        max(fact.first_ms)::bigint AS longest_ms, count(*) FILTER (WHERE fact.within) AS within,
        bool_or(fact.grade = :back_filled) AS is_back_filled
    FROM fact {joins}
    WHERE {moment} >= :since AND {moment} < :until {narrowed}
    GROUP BY 1, 2, 3, 4, 5
)
, summed AS (
    SELECT period, key, kind, exit, sum(facts)::bigint AS facts, sum(first_ms)::bigint AS first_ms,
        sum(second_ms)::bigint AS second_ms, max(longest_ms) AS longest_ms, sum(within)::bigint AS within,
        bool_or(is_back_filled) AS is_back_filled
    FROM counted GROUP BY 1, 2, 3, 4
), waited AS (
    SELECT period, key, array_agg(bucket) AS buckets, array_agg(facts) AS bucket_facts
    FROM counted WHERE bucket IS NOT NULL GROUP BY 1, 2
)
"""
_TOLD = """
SELECT summed.period, summed.key, array_agg(kind) AS kinds, array_agg(exit) AS exits,
    array_agg(facts) AS facts, array_agg(first_ms) AS first_ms, array_agg(second_ms) AS second_ms,
    array_agg(longest_ms) AS longest_ms, array_agg(within) AS within,
    bool_or(is_back_filled) AS is_back_filled, max(buckets) AS buckets, max(bucket_facts) AS bucket_facts
FROM summed LEFT JOIN waited ON waited.period = summed.period AND waited.key = summed.key
GROUP BY 1, 2
"""
_ROLLED_CELLS = """
, counted AS (
    SELECT quarter.period, coalesce({key}, '') AS key, fact.kind, fact.exit, fact.facts, fact.first_ms,
        fact.second_ms, fact.longest_ms, fact.within, fact.is_back_filled, fact.buckets, fact.bucket_facts
    FROM fact
    JOIN (
        SELECT at, width_bucket(at, CAST(:bounds AS timestamptz[])) - 1 AS period
        FROM generate_series(
            CAST(:since AS timestamptz), CAST(:until AS timestamptz) - interval '15 minutes',
            interval '15 minutes') AS at
    ) AS quarter ON quarter.at = fact.at
    {joins} WHERE true {narrowed}
), summed AS (
    SELECT period, key, kind, exit, sum(facts)::bigint AS facts, sum(first_ms)::bigint AS first_ms,
        sum(second_ms)::bigint AS second_ms, max(longest_ms) AS longest_ms, sum(within)::bigint AS within,
        bool_or(is_back_filled) AS is_back_filled
    FROM counted GROUP BY 1, 2, 3, 4
), waited AS (
    SELECT period, key, array_agg(bucket) AS buckets, array_agg(facts) AS bucket_facts
    FROM (
        SELECT period, key, wait.bucket, sum(wait.facts)::bigint AS facts
        FROM counted CROSS JOIN LATERAL unnest(buckets, bucket_facts) AS wait (bucket, facts)
        WHERE exit = :answered GROUP BY 1, 2, 3
    ) AS bucketed GROUP BY 1, 2
)
"""
_GAPS = """
SELECT cause, witnessed_at IS NOT NULL AS is_witnessed,
    (extract(epoch FROM started_at) * 1000)::bigint AS started_ms,
    (extract(epoch FROM ended_at) * 1000)::bigint AS ended_ms
FROM log_gap
WHERE tenant_id = :tenant_id
    AND started_at < timestamptz 'epoch' + CAST(:until_ms AS bigint) * interval '1 millisecond'
    AND (ended_at IS NULL
        OR ended_at > timestamptz 'epoch' + CAST(:since_ms AS bigint) * interval '1 millisecond')
ORDER BY log_gap.started_at, cause
"""
_FIRST_DAY = """
SELECT min(day) FILTER (WHERE log_dropped_at IS NULL) AS logged, min(day) AS known
FROM rollup_day WHERE tenant_id = :tenant_id
"""
_FIRST_CALL = "SELECT min(started_at) FROM interaction WHERE tenant_id = :tenant_id"
_FIRST_CELL = """
SELECT min(at) FROM rollup_cell
WHERE tenant_id = :tenant_id AND view = 'event' AND grain = 'queue' AND day = :day
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """Only the facts that have one of these ids, in every dimension named; "" means: none."""

    ids: Mapping[FiguresBy, Sequence[str]] = field(default_factory=dict)

    def sql(self) -> str:
        """Return the conditions, each with ``AND`` before it."""
        parts = (f"AND coalesce({DIMENSIONS[by].key}, '') = ANY(:only_{by.value})" for by in self.ids)
        return " ".join(parts)

    def values(self) -> dict[str, Any]:
        """Return the values of ``sql``."""
        return {f"only_{by.value}": list(ids) for by, ids in self.ids.items()}


EVERYTHING = Narrowed()


def narrowed_to(only: Sequence[str]) -> Narrowed:
    """Read ``queue:sales`` and the like; what names the same dimension is put together.

    Raises:
        ValueError: one of them names no dimension.

    >>> narrowed_to(["queue:sales", "queue:billing", "team:"]).ids
    {<FiguresBy.QUEUE: 'queue'>: ['sales', 'billing'], <FiguresBy.TEAM: 'team'>: ['']}
    """
    known = sorted(by.value for by in FiguresBy if by is not FiguresBy.NOTHING)
    ids: dict[FiguresBy, list[str]] = {}
    for one in only:
        by, colon, key = one.partition(":")
        if by not in known or not colon:
            raise ValueError(f"write it as queue:sales; what can be named: {', '.join(known)}")
        ids.setdefault(FiguresBy(by), []).append(key)
    return Narrowed(ids=ids)


async def period_cells(
    connection: AsyncConnection,
    tenant_id: TenantId,
    bounds_ms: Sequence[int],
    *,
    view: FiguresView,
    by: FiguresBy,
    narrowed: Narrowed = EVERYTHING,
    zone: str = "UTC",
    rollups: bool = True,
) -> tuple[dict[CellKey, Cell], frozenset[CellKey]]:
    """Return the cells, and which of them hold a call that the witness corrected or supplied.

    *connection* must see one moment (``Database.snapshot``) where anybody writes meanwhile.

    Args:
        bounds_ms: Of the periods (``workforce.periods.period_bounds``), at least two, ascending.
        zone: Whose days tell which team an agent was in.
        rollups: Read the cells that are rolled up where they are whole; False: count the log alone.

    The threshold is the queue's as it is configured now, 20 s where there is no such queue any more.
    """
    names = {
        "key": DIMENSIONS[by].key,
        "joins": joins_of(by, *narrowed.ids),
        "narrowed": narrowed.sql(),
    }
    values = {
        **fact_values(tenant_id, bounds_ms, view=view, zone=zone),
        **narrowed.values(),
        "answered": QueueExit.ANSWERED.value,
    }
    first_day, last_day = values["first_day"], values["last_day"]
    grain = grain_of(bounds_ms, view, (by, *narrowed.ids)) if rollups else None
    rolled = await whole_days(connection, tenant_id, first_day, last_day) if grain is not None else []
    await connection.execute(text(HASHED))
    rows: list[Any] = []
    if rolled:
        told = {**values, "days": rolled, "view": view.value, "grain": grain}
        rows += await connection.execute(text(ROLLED_FACTS + _ROLLED_CELLS.format(**names) + _TOLD), told)
    day_count = (last_day - first_day).days + 1
    rest = sorted({first_day + timedelta(days=number) for number in range(day_count)} - set(rolled))
    if rest:
        told = {**values, "days": rest, "wait_bounds_ms": list(WAIT_BOUNDS_MS), "back_filled": BACK_FILLED}
        statement = (
            facts_sql(view, only_days=bool(rolled)) + _CELLS.format(moment=MOMENT[view], **names) + _TOLD
        )
        rows += await connection.execute(text(statement), told)
    cells: dict[CellKey, list[Cell]] = {}
    corrected: set[CellKey] = set()
    for row in rows:
        key = (row.period, row.key)
        cells.setdefault(key, []).append(_cell(row))
        if row.is_back_filled:
            corrected.add(key)
    whole = {key: parts[0] if len(parts) == 1 else total(parts) for key, parts in cells.items()}
    return whole, frozenset(corrected)


async def queue_cells(
    connection: AsyncConnection, tenant_id: TenantId, since: datetime, until: datetime
) -> dict[QueueId | None, Cell]:
    """Return the cells of the queue visits that began in ``[since, until)``, by queue (cohort view)."""
    bounds_ms = [round(moment.timestamp() * 1000) for moment in (since, until)]
    cells, _ = await period_cells(
        connection, tenant_id, bounds_ms, view=FiguresView.COHORT, by=FiguresBy.QUEUE
    )
    return {QueueId(key) if key else None: cell for (_, key), cell in cells.items()}


async def gaps_between(
    connection: AsyncConnection, tenant_id: TenantId, since_ms: int, until_ms: int, now_ms: int
) -> list[LogGap]:
    """Return the gaps in the log that reach into ``[since_ms, until_ms)``, the earliest first."""
    values = {"tenant_id": tenant_id, "since_ms": since_ms, "until_ms": until_ms}
    return [
        LogGap(
            started_ms=row.started_ms,
            ended_ms=max(now_ms, row.started_ms) if row.ended_ms is None else row.ended_ms,
            cause=GapCause(row.cause),
            is_running=row.ended_ms is None,
            is_witnessed=row.is_witnessed,
        )
        for row in await connection.execute(text(_GAPS), values)
    ]


async def names_of(connection: AsyncConnection, tenant_id: TenantId, by: FiguresBy) -> dict[str, str]:
    """Return what the ids are called now."""
    names = DIMENSIONS[by].names
    if not names:
        return {}
    rows = await connection.execute(text(names), {"tenant_id": tenant_id})
    return {row.id: row.name for row in rows}


async def first_fact_ms(
    connection: AsyncConnection, tenant_id: TenantId, *, rollups: bool = True
) -> int | None:
    """Return when the figures begin, in milliseconds since the epoch; None: there are none.

    Args:
        rollups: Days count of which the cells alone are left; False: the log's own beginning.
    """
    days = (await connection.execute(text(_FIRST_DAY), {"tenant_id": tenant_id})).one()
    first: datetime | None = None
    if rollups and days.known != days.logged:
        values = {"tenant_id": tenant_id, "day": days.known}
        first = (await connection.execute(text(_FIRST_CELL), values)).scalar_one()
    if first is None and days.logged is not None:  # of that day alone: the others' partitions are many
        values = {"tenant_id": tenant_id, "day": days.logged}
        first = (await connection.execute(text(f"{_FIRST_CALL} AND day = :day"), values)).scalar_one()
    if first is None:
        first = (await connection.execute(text(_FIRST_CALL), {"tenant_id": tenant_id})).scalar_one()
    return None if first is None else int(first.timestamp() * 1000)


def _cell(row: Any) -> Cell:
    """All facts of a period and key: made at once, for a month of half hours has thousands of them."""
    sums: dict[str, int] = {}
    exit_counts: dict[QueueExit, int] = {}
    told = zip(row.kinds, row.exits, row.facts, row.first_ms, row.second_ms, row.within, strict=True)
    for kind, way, facts, first_ms, second_ms, within in told:
        match kind:
            case "entered":
                sums["offered_count"] = facts
            case "left":
                queue_exit = QueueExit(way)
                exit_counts[queue_exit] = facts
                _add_exit(sums, queue_exit, facts, first_ms, within)
            case "offered":
                sums["offer_count"] = facts
            case "not_answered":
                sums["rona_count"] = facts
            case "caller_left":
                sums["offer_caller_left_count"] = facts
            case "handled":
                _add_talks(sums, way, facts, first_ms, second_ms, within)
            case "hold_abandoned":
                sums["hold_abandoned_count"] = facts
            case _:
                sums["wrap_up_ms"] = first_ms
    longest = (ms for ms, way in zip(row.longest_ms, row.exits, strict=True) if way == QueueExit.ANSWERED)
    return Cell(
        **sums,
        exit_counts=exit_counts,
        wait_answered_max_ms=max(longest, default=0),
        wait_buckets=dict(zip(row.buckets or (), row.bucket_facts or (), strict=True)),
    )


def _add_talks(
    sums: dict[str, int], ended_by: str | None, count: int, talk_ms: int, hold_ms: int, short_count: int
) -> None:
    added = {"handled_count": count, "talk_ms": talk_ms, "hold_ms": hold_ms, "short_call_count": short_count}
    by = f"{GIVEN_ON}_count" if ended_by == GIVEN_ON else f"{ended_by}_ended_count"
    if by in SUMS:
        added[by] = count
    for name, value in added.items():
        sums[name] = sums.get(name, 0) + value


def _add_exit(sums: dict[str, int], way: QueueExit, count: int, wait_ms: int, within_count: int) -> None:
    if way is QueueExit.ANSWERED:
        sums |= {
            "answered_count": count,
            "answered_within_count": within_count,
            "wait_answered_ms": wait_ms,
        }
    elif way in (QueueExit.ABANDONED, QueueExit.SHORT_ABANDON):
        if way is QueueExit.SHORT_ABANDON:
            sums["short_abandoned_count"] = count
        added = {
            "abandoned_count": count,
            "abandoned_within_count": within_count,
            "wait_abandoned_ms": wait_ms,
        }
        for name, value in added.items():
            sums[name] = sums.get(name, 0) + value
