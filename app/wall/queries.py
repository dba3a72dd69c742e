"""What the log holds of a day so far, as additions to cells, and what the next events will leave out.

The log's events are counted (event view), so that what they add equals what the live fold adds for the same
events; only the wait of a visit that the witness corrected is the corrected one. ``drained`` is the journal's
place up to which the log is complete: what comes after it, the journal has. One snapshot, else they disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.figures.queries import gaps_between
from app.figures.rules import LogGap
from routing.events import QueueExit
from routing.ids import AgentId, QueueId
from workforce.measures import DEFAULT_THRESHOLD_MS, SHORT_CALL_MS, Cell, cell_of_exits, cell_of_talk
from workforce.wait_buckets import WAIT_BOUNDS_MS

JOURNAL_ID = "local"
_DAY = timedelta(days=1)  # an id's day and its events may lie on two sides of midnight
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What a queue's facts at (or, outside the last quarter of an hour, somewhere after) a moment add."""

    queue_id: QueueId | None
    at_ms: int
    cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedDay:
    """The log's part.

    Attributes:
        drained: Epoch and seq of the journal's last step that is in the log.
        wrapping, offered: For ``workforce.measures.CellFold``.
        corrected_ms: When a call that the witness corrected was last queued, by queue.
        gaps: In the log since then.
    """

    drained: tuple[int, int]
    additions: tuple[Addition, ...]
    wrapping: Mapping[AgentId, QueueId | None]
    offered: Mapping[tuple[str, int], QueueId]
    corrected_ms: Mapping[QueueId, int]
    gaps: Sequence[LogGap]


_FACTS = """
WITH told AS (
    SELECT type, day, interaction_id, agent_id, queue_id, body, epoch, seq, ordinal,
           round(extract(epoch FROM occurred_at) * 1000)::bigint AS at_ms
    FROM event
    WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day AND type = ANY(:types)
), paired AS (
    SELECT told.*,
           lag(told.type) OVER by_agent AS type_before, lag(told.queue_id) OVER by_agent AS queue_before
    FROM told WHERE type IN ('WrapUpStarted', 'WrapUpDone')
    WINDOW by_agent AS (PARTITION BY agent_id ORDER BY epoch, seq, ordinal)
), fact AS (
    SELECT type, queue_id, at_ms, NULL AS exit, 0 AS first_ms, 0 AS second_ms FROM told
    WHERE type IN ('QueueEntered', 'InteractionOffered', 'OfferNotAnswered')
    UNION ALL
    SELECT told.type, told.queue_id, at_ms, body->>'exit',
           coalesce(visit.wait_ms, (body->>'wait_ms')::bigint), 0
    FROM told LEFT JOIN queue_visit AS visit
        ON visit.tenant_id = :tenant_id AND visit.day = told.day
        AND visit.interaction_id = told.interaction_id AND visit.visit = (body->>'visit')::int
    WHERE type = 'QueueLeft'
    UNION ALL
    SELECT type, queue_id, at_ms, jsonb_build_array(body->>'ended_by', body->>'reason',
            coalesce((body->>'was_held')::boolean, false),
            (body->>'talk_ms')::bigint <= :short_call_ms)::text,
        (body->>'talk_ms')::bigint, (body->>'hold_ms')::bigint
    FROM told WHERE type = 'TalkEnded'
    UNION ALL
    SELECT type, CASE WHEN type_before = 'WrapUpStarted' THEN queue_before END, at_ms, NULL,
           (body->>'wrap_up_ms')::bigint, 0
    FROM paired WHERE type = 'WrapUpDone'
    UNION ALL
    SELECT told.type, offered.queue_id, told.at_ms, NULL, 0, 0
    FROM told LEFT JOIN told AS offered
        ON offered.type = 'InteractionOffered' AND offered.interaction_id = told.interaction_id
        AND offered.body->>'attempt' = told.body->>'attempt'
    WHERE told.type = 'OfferWithdrawn' AND told.body->>'reason' = 'caller_left'
)
SELECT type, queue_id, exit,
       CASE WHEN at_ms >= :window_ms THEN at_ms - at_ms % :bucket_ms ELSE :since_ms END AS at_ms,
       CASE WHEN type = 'QueueLeft'
           THEN width_bucket(first_ms, CAST(:wait_bounds_ms AS bigint[])) END AS bucket,
       count(*) AS facts, sum(first_ms) AS first_ms, sum(second_ms) AS second_ms, max(first_ms) AS longest_ms,
       count(*) FILTER (WHERE first_ms <= coalesce((:thresholds)::jsonb->>queue_id, :threshold_ms)::bigint)
           AS within
FROM fact WHERE at_ms >= :since_ms
GROUP BY 1, 2, 3, 4, 5
"""

_FACT_TYPES = (
    "QueueEntered",
    "QueueLeft",
    "InteractionOffered",
    "OfferNotAnswered",
    "OfferWithdrawn",
    "TalkEnded",
    "WrapUpStarted",
    "WrapUpDone",
)

_WRAPPING = """
SELECT agent_id, queue_id FROM (
    SELECT DISTINCT ON (agent_id) agent_id, queue_id, type FROM event
    WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day
      AND type IN ('WrapUpStarted', 'WrapUpDone')
    ORDER BY agent_id, epoch DESC, seq DESC, ordinal DESC
) AS latest WHERE type = 'WrapUpStarted'
"""

_OFFERED = """
SELECT interaction_id, (body->>'attempt')::int AS attempt, queue_id FROM event AS offered
WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day AND type = 'InteractionOffered'
  AND NOT EXISTS (
    SELECT 1 FROM event AS ended
    WHERE ended.tenant_id = :tenant_id AND ended.day = offered.day
      AND ended.interaction_id = offered.interaction_id
      AND ended.type IN ('OfferNotAnswered', 'OfferDeclined', 'OfferWithdrawn', 'InteractionAnswered')
      AND ended.body->>'attempt' = offered.body->>'attempt'
)
"""

_CORRECTED = """
SELECT visit.queue_id, round(extract(epoch FROM max(visit.entered_at)) * 1000)::bigint AS at_ms
FROM event JOIN queue_visit AS visit
    ON visit.tenant_id = :tenant_id AND visit.day = event.day AND visit.interaction_id = event.interaction_id
WHERE event.tenant_id = :tenant_id AND event.day BETWEEN :first_day AND :last_day
  AND event.type = 'FactCorrected'
GROUP BY 1
"""

_DRAINED = "SELECT epoch, seq FROM drain_cursor WHERE tenant_id = :tenant_id AND journal_id = :journal_id"

# The day is that of the queue where callers come in first, so that it begins when the centre's day does.
_ZONE = """
SELECT calendar.zone FROM calendar
LEFT JOIN queue ON queue.tenant_id = calendar.tenant_id AND queue.calendar_id = calendar.calendar_id
WHERE calendar.tenant_id = :tenant_id
ORDER BY queue.is_default DESC NULLS LAST, calendar.calendar_id LIMIT 1
"""


async def centre_zone(connection: AsyncConnection, tenant_id: TenantId) -> str | None:
    """Return the zone of the default queue's calendar, else of the first calendar; None: there is none."""
    found = (await connection.execute(text(_ZONE), {"tenant_id": tenant_id})).scalar_one_or_none()
    return str(found) if found else None


async def logged_day(
    connection: AsyncConnection,
    tenant_id: TenantId,
    *,
    since_ms: int,
    window_ms: int,
    bucket_ms: int,
    until_ms: int,
    threshold_ms: Mapping[QueueId, int],
) -> LoggedDay:
    """Return what the log holds since *since_ms*; *connection* must see one moment (``Database.snapshot``).

    Args:
        window_ms: From here on facts are added in buckets of *bucket_ms*, before it all at *since_ms*.
        until_ms: Not before any fact; bounds the partitions that are read.
        threshold_ms: By queue; 20 s where a queue is missing.
    """
    range_of_days: dict[str, Any] = {
        "tenant_id": tenant_id,
        "first_day": (_EPOCH + timedelta(milliseconds=since_ms) - _DAY).date(),
        "last_day": (_EPOCH + timedelta(milliseconds=until_ms) + _DAY).date(),
    }
    drained = (
        await connection.execute(text(_DRAINED), {"tenant_id": tenant_id, "journal_id": JOURNAL_ID})
    ).one_or_none()
    facts = await connection.execute(
        text(_FACTS),
        {
            **range_of_days,
            "types": list(_FACT_TYPES),
            "since_ms": since_ms,
            "window_ms": max(window_ms, since_ms),
            "bucket_ms": bucket_ms,
            "thresholds": orjson.dumps(dict(threshold_ms)).decode(),
            "threshold_ms": str(DEFAULT_THRESHOLD_MS),
            "short_call_ms": SHORT_CALL_MS,
            "wait_bounds_ms": list(WAIT_BOUNDS_MS),
        },
    )
    wrapping = await connection.execute(text(_WRAPPING), range_of_days)
    offered = await connection.execute(text(_OFFERED), range_of_days)
    corrected = await connection.execute(text(_CORRECTED), range_of_days)
    return LoggedDay(
        drained=(drained.epoch, drained.seq) if drained else (0, 0),
        additions=tuple(Addition(queue_id=row.queue_id, at_ms=row.at_ms, cell=_cell(row)) for row in facts),
        wrapping={row.agent_id: row.queue_id for row in wrapping},
        offered={(row.interaction_id, row.attempt): row.queue_id for row in offered},
        corrected_ms={row.queue_id: row.at_ms for row in corrected},
        gaps=await gaps_between(connection, tenant_id, since_ms, until_ms, until_ms),
    )


def _cell(row: Any) -> Cell:
    """One group of like facts."""
    first_ms, second_ms = int(row.first_ms), int(row.second_ms)
    match row.type:
        case "QueueEntered":
            return Cell(offered_count=row.facts)
        case "QueueLeft":
            return cell_of_exits(
                QueueExit(row.exit),
                count=row.facts,
                within_count=row.within,
                wait_ms=first_ms,
                wait_max_ms=int(row.longest_ms),
                buckets={row.bucket: row.facts},
            )
        case "InteractionOffered":
            return Cell(offer_count=row.facts)
        case "OfferNotAnswered":
            return Cell(rona_count=row.facts)
        case "OfferWithdrawn":
            return Cell(offer_caller_left_count=row.facts)
        case "TalkEnded":
            ended_by, reason, was_held, is_short = orjson.loads(row.exit)
            return cell_of_talk(
                ended_by or "",
                reason or "",
                count=row.facts,
                talk_ms=first_ms,
                hold_ms=second_ms,
                was_held=was_held,
                short_count=row.facts if is_short else 0,
            )
        case _:
            return Cell(wrap_up_ms=first_ms)
