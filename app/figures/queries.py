"""Additive cells of the log by period and by what is asked for, in SQL; equal to a fold of the events.

Two views. *Event*: each fact counts in the period in which it happened: the arrival where the visit began,
its exit where it left, the talk where it ended. *Cohort*: all that belongs to a visit counts where the visit
began; what came without one (a transfer straight to an agent) stands where its contact began. Over all time
both views have the same sums. A talk on the PBX's own queue is no participation of ours: its visit left as
``fallback``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from routing.events import QueueExit
from routing.ids import QueueId
from workforce.measures import DEFAULT_THRESHOLD_MS, Cell, cell_of_exits, total

BACK_FILLED = "back_filled"
_DAY = timedelta(days=1)  # an id's day and its facts may lie on two sides of midnight
_COHORT_DAYS = 2  # what belongs to a visit may end so many days after it


class FiguresView(StrEnum):
    """Where a fact counts."""

    EVENT = "event"
    COHORT = "cohort"


class FiguresBy(StrEnum):
    """What the figures are parted by, beside the period."""

    NOTHING = "nothing"
    QUEUE = "queue"
    ENTRY_POINT = "entry_point"


CellKey = tuple[int, str]
"""Number of the period, from 0, and the id of what is parted by ("" where there is none)."""

# Of both views: the visit's beginning, and when the fact happened.
_FACTS = """
WITH visit AS (
    SELECT visit.*, coalesce(queue.threshold_s * 1000, :threshold_ms) AS threshold_ms,
        contact.entry_point, contact.grade
    FROM queue_visit AS visit
    JOIN interaction AS contact USING (tenant_id, day, interaction_id)
    LEFT JOIN queue ON queue.tenant_id = visit.tenant_id AND queue.queue_id = visit.queue_id
    WHERE visit.tenant_id = :tenant_id AND visit.day BETWEEN :first_day AND :last_day
), part AS (
    SELECT segment.day, segment.interaction_id, segment.track,
        max(segment.ended_at) FILTER (WHERE kind IN ('talk', 'hold', 're_attach')) AS talk_ended_at,
        max(segment.ended_at) FILTER (WHERE kind = 'wrap_up') AS wrap_up_ended_at,
        bool_or(kind IN ('talk', 'hold', 're_attach') AND ended_at IS NULL) AS is_talking,
        coalesce(sum({length_ms}) FILTER (WHERE kind = 'talk'), 0) AS talk_ms,
        coalesce(sum({length_ms}) FILTER (WHERE kind = 'hold'), 0) AS hold_ms,
        coalesce(sum({length_ms}) FILTER (WHERE kind = 'wrap_up'), 0) AS wrap_up_ms
    FROM segment
    WHERE segment.tenant_id = :tenant_id AND segment.day BETWEEN :first_day AND :last_day
        AND segment.track <> 'customer'
    GROUP BY segment.day, segment.interaction_id, segment.track
), offered AS (
    SELECT offer.*, contact.entry_point, contact.grade,
        coalesce(visit.entered_at, contact.started_at) AS began_at
    FROM offer
    JOIN interaction AS contact USING (tenant_id, day, interaction_id)
    LEFT JOIN visit ON visit.day = offer.day AND visit.interaction_id = offer.interaction_id
        AND visit.visit = offer.visit
    WHERE offer.tenant_id = :tenant_id AND offer.day BETWEEN :first_day AND :last_day
), participation AS (
    SELECT offered.*, coalesce(is_talking, false) AS is_talking,
        coalesce(talk_ended_at, ended_at) AS talk_ended_at, wrap_up_ended_at,
        coalesce(talk_ms, 0) AS talk_ms, coalesce(hold_ms, 0) AS hold_ms,
        coalesce(wrap_up_ms, 0) AS wrap_up_ms
    FROM offered
    LEFT JOIN part ON part.day = offered.day AND part.interaction_id = offered.interaction_id
        AND part.track = offered.agent_id || '#' || offered.attempt
    WHERE outcome = 'answered'
), fact AS (
    SELECT 'entered' AS kind, entered_at AS began_at, entered_at AS at, queue_id, entry_point, grade,
        NULL AS exit, 0::bigint AS first_ms, 0::bigint AS second_ms, false AS within FROM visit
    UNION ALL
    SELECT 'left', entered_at, left_at, queue_id, entry_point, grade, exit_cause, wait_ms, 0,
        wait_ms <= threshold_ms FROM visit WHERE exit_cause IS NOT NULL AND left_at IS NOT NULL
    UNION ALL
    SELECT 'offered', began_at, offered_at, queue_id, entry_point, grade, NULL, 0, 0, false FROM offered
    UNION ALL
    SELECT 'not_answered', began_at, ended_at, queue_id, entry_point, grade, NULL, 0, 0, false
    FROM offered WHERE outcome = 'no_answer'
    UNION ALL
    SELECT 'caller_left', began_at, ended_at, queue_id, entry_point, grade, NULL, 0, 0, false
    FROM offered WHERE outcome_reason = 'caller_left'
    UNION ALL
    SELECT 'handled', began_at, talk_ended_at, queue_id, entry_point, grade, NULL, talk_ms, hold_ms, false
    FROM participation WHERE NOT is_talking
    UNION ALL
    SELECT 'wrapped_up', began_at, wrap_up_ended_at, queue_id, entry_point, grade, NULL, wrap_up_ms, 0, false
    FROM participation WHERE wrap_up_ended_at IS NOT NULL
)
SELECT width_bucket({moment}, CAST(:bounds AS timestamptz[])) - 1 AS period, coalesce({key}, '') AS key,
    kind, exit, count(*) AS facts, sum(first_ms)::bigint AS first_ms, sum(second_ms)::bigint AS second_ms,
    max(first_ms)::bigint AS longest_ms, count(*) FILTER (WHERE within) AS within,
    bool_or(grade = :back_filled) AS is_back_filled
FROM fact
WHERE {moment} >= :since AND {moment} < :until
GROUP BY 1, 2, 3, 4
"""
_LENGTH_MS = "round(extract(epoch FROM ended_at - segment.started_at) * 1000)::bigint"
_MOMENT = {FiguresView.EVENT: "at", FiguresView.COHORT: "began_at"}
_KEY = {FiguresBy.NOTHING: "''", FiguresBy.QUEUE: "queue_id", FiguresBy.ENTRY_POINT: "entry_point"}
_NAMES = {
    FiguresBy.QUEUE: "SELECT queue_id AS id, display_name AS name FROM queue WHERE tenant_id = :tenant_id",
    FiguresBy.ENTRY_POINT: "SELECT entry_point AS id, display_name AS name FROM entry_point"
    " WHERE tenant_id = :tenant_id",
}


async def period_cells(
    connection: AsyncConnection,
    tenant_id: TenantId,
    bounds_ms: Sequence[int],
    *,
    view: FiguresView,
    by: FiguresBy,
) -> tuple[dict[CellKey, Cell], frozenset[CellKey]]:
    """Return the cells, and which of them hold a call that the witness corrected or supplied.

    Args:
        bounds_ms: Of the periods (``workforce.periods.period_bounds``), at least two, ascending.

    The threshold is the queue's as it is configured now, 20 s where there is no such queue any more.
    """
    bounds = [_moment(bound_ms) for bound_ms in bounds_ms]
    later = _COHORT_DAYS if view is FiguresView.COHORT else 1
    statement = _FACTS.format(moment=_MOMENT[view], key=_KEY[by], length_ms=_LENGTH_MS)
    found = await connection.execute(
        text(statement),
        {
            "tenant_id": tenant_id,
            "bounds": bounds,
            "since": bounds[0],
            "until": bounds[-1],
            "first_day": (bounds[0] - _COHORT_DAYS * _DAY).date(),
            "last_day": (bounds[-1] + later * _DAY).date(),
            "threshold_ms": DEFAULT_THRESHOLD_MS,
            "back_filled": BACK_FILLED,
        },
    )
    cells: dict[CellKey, list[Cell]] = {}
    corrected: set[CellKey] = set()
    for row in found:
        key = (row.period, row.key)
        cells.setdefault(key, []).append(_cell(row))
        if row.is_back_filled:
            corrected.add(key)
    return {key: total(parts) for key, parts in cells.items()}, frozenset(corrected)


async def queue_cells(
    connection: AsyncConnection, tenant_id: TenantId, since: datetime, until: datetime
) -> dict[QueueId | None, Cell]:
    """Return the cells of the queue visits that began in ``[since, until)``, by queue (cohort view)."""
    bounds_ms = [round(moment.timestamp() * 1000) for moment in (since, until)]
    cells, _ = await period_cells(
        connection, tenant_id, bounds_ms, view=FiguresView.COHORT, by=FiguresBy.QUEUE
    )
    return {QueueId(key) if key else None: cell for (_, key), cell in cells.items()}


async def names_of(connection: AsyncConnection, tenant_id: TenantId, by: FiguresBy) -> dict[str, str]:
    """Return what the ids are called now."""
    if by is FiguresBy.NOTHING:
        return {}
    rows = await connection.execute(text(_NAMES[by]), {"tenant_id": tenant_id})
    return {row.id: row.name for row in rows}


async def first_fact_ms(connection: AsyncConnection, tenant_id: TenantId) -> int | None:
    """Return when the log begins, in milliseconds since the epoch; None: it is empty."""
    query = text("SELECT min(started_at) FROM interaction WHERE tenant_id = :tenant_id")
    first: datetime | None = (await connection.execute(query, {"tenant_id": tenant_id})).scalar_one()
    return None if first is None else int(first.timestamp() * 1000)


def _cell(row: Any) -> Cell:
    """Facts of one kind."""
    match row.kind:
        case "entered":
            return Cell(offered_count=row.facts)
        case "left":
            return cell_of_exits(
                QueueExit(row.exit),
                count=row.facts,
                within_count=row.within,
                wait_ms=row.first_ms,
                wait_max_ms=row.longest_ms,
            )
        case "offered":
            return Cell(offer_count=row.facts)
        case "not_answered":
            return Cell(rona_count=row.facts)
        case "caller_left":
            return Cell(offer_caller_left_count=row.facts)
        case "handled":
            return Cell(handled_count=row.facts, talk_ms=row.first_ms, hold_ms=row.second_ms)
        case _:
            return Cell(wrap_up_ms=row.first_ms)


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
