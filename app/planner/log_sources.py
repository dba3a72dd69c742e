"""What the call log has that can be forecast, and the single waits in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.planner.log_history import since_day
from app.planner.log_schemas import LogGroup, LogQueue, LogReason
from app.planner.patience_file import CUT_SHORT, GAVE_UP, CallWaits

WAITS_MAX = 500_000
"""So many last waits tell patience within a per cent; more only take longer."""

_QUEUES = text("""
    SELECT queue.queue_id, queue.display_name, service_level_target AS target, threshold_s, calendar.zone,
        coalesce(seen.visit_count, 0) AS visit_count, seen.first_at
    FROM queue
    LEFT JOIN calendar ON calendar.tenant_id = queue.tenant_id AND calendar.calendar_id = queue.calendar_id
    LEFT JOIN (
        SELECT queue_id, count(*) AS visit_count, min(entered_at) AS first_at FROM queue_visit
        WHERE tenant_id = :tenant_id AND day >= :since_day AND entered_at >= :since
        GROUP BY queue_id
    ) AS seen ON seen.queue_id = queue.queue_id
    WHERE queue.tenant_id = :tenant_id
    ORDER BY visit_count DESC, queue.queue_id
""")
_REASONS = text("""
    SELECT seen.reason_id, seen.contact_count, coalesce(named.display_name, '') AS display_name
    FROM (
        SELECT reason_id, count(DISTINCT interaction_id) AS contact_count FROM interaction_reason
        WHERE tenant_id = :tenant_id AND day >= :since_day AND at >= :since
        GROUP BY reason_id
    ) AS seen
    LEFT JOIN LATERAL (
        SELECT display_name FROM contact_reason AS reason
        WHERE reason.tenant_id = :tenant_id AND reason.reason_id = seen.reason_id
        ORDER BY tree_version DESC LIMIT 1
    ) AS named ON true
    ORDER BY contact_count DESC, reason_id
    LIMIT 200
""")
_GROUPS = text("""
    SELECT coalesce(party.kind, 'unknown') AS party_kind, count(*) AS contact_count
    FROM interaction
    LEFT JOIN party ON party.tenant_id = interaction.tenant_id AND party.party_id = interaction.party_id
    WHERE interaction.tenant_id = :tenant_id AND interaction.day >= :since_day
        AND interaction.started_at >= :since AND direction = 'in' AND interaction.kind = 'contact'
    GROUP BY 1 ORDER BY contact_count DESC, party_kind
""")
# Packed for the same reason as a history is: half a million rows would hold up the loop.
_WAITS = """
    SELECT string_agg(int4send(wait_ms) || int4send(gave_up), '')
    FROM (
        SELECT least(wait_ms, 2000000000)::integer AS wait_ms,
            (exit_cause = ANY(:gave_up))::integer AS gave_up
        FROM queue_visit AS visit
        WHERE tenant_id = :tenant_id AND day >= :since_day AND entered_at >= :since
            AND wait_ms IS NOT NULL AND exit_cause = ANY(:told) {narrowed}
        ORDER BY entered_at DESC LIMIT :waits_max
    ) AS waited
"""
_OF_QUEUE = "AND queue_id = :queue_id"
_UNTIL = "AND entered_at < :until"
_OF_REASON = """AND (
    SELECT reason_id FROM interaction_reason AS said
    WHERE said.tenant_id = visit.tenant_id AND said.day = visit.day
        AND said.interaction_id = visit.interaction_id
    ORDER BY ordinal DESC LIMIT 1
) = :reason_id"""


async def log_queues(
    connection: AsyncConnection, tenant_id: TenantId, since: datetime
) -> tuple[list[LogQueue], datetime | None]:
    """Return the queues, the busiest first, and when the first visit of all was."""
    rows = (await connection.execute(_QUEUES, _values(tenant_id, since))).all()
    found = [
        LogQueue(
            queue_id=row.queue_id,
            display_name=row.display_name or row.queue_id,
            visit_count=row.visit_count,
            zone=row.zone,
            target=row.target,
            threshold_s=row.threshold_s,
        )
        for row in rows
    ]
    return found, min((row.first_at for row in rows if row.first_at), default=None)


async def log_reasons(connection: AsyncConnection, tenant_id: TenantId, since: datetime) -> list[LogReason]:
    """Return the reasons that contacts had, the most frequent first; at most 200."""
    rows = (await connection.execute(_REASONS, _values(tenant_id, since))).all()
    return [
        LogReason(
            reason_id=row.reason_id,
            display_name=row.display_name or row.reason_id,
            contact_count=row.contact_count,
        )
        for row in rows
    ]


async def log_groups(connection: AsyncConnection, tenant_id: TenantId, since: datetime) -> list[LogGroup]:
    """Return the kinds of customers that called."""
    rows = (await connection.execute(_GROUPS, _values(tenant_id, since))).all()
    return [LogGroup(party_kind=row.party_kind, contact_count=row.contact_count) for row in rows]


async def log_waits(
    connection: AsyncConnection,
    tenant_id: TenantId,
    queue_id: str | None,
    since: datetime,
    *,
    reason_id: str | None = None,
    until: datetime | None = None,
) -> CallWaits:
    """Return the last waits that ended by an answer, by giving up, or by something else.

    Whoever never waited (closed, full, nobody at work) and whose wait was a callback's is not among them.

    Args:
        queue_id: In this queue; None: in any.
        since: Of visits that began then or later.
        reason_id: Of contacts whose last reason it is; None: of all.
        until: And before then; None: up to now.
    """
    narrowing = {"queue_id": queue_id, "reason_id": reason_id, "until": until}
    clauses = {"queue_id": _OF_QUEUE, "reason_id": _OF_REASON, "until": _UNTIL}
    wanted = {name: value for name, value in narrowing.items() if value is not None}
    values = {
        **_values(tenant_id, since),
        **wanted,
        "gave_up": sorted(GAVE_UP),
        "told": sorted(GAVE_UP | CUT_SHORT),
        "waits_max": WAITS_MAX,
    }
    query = text(_WAITS.format(narrowed=" ".join(clauses[name] for name in wanted)))
    packed = (await connection.execute(query, values)).scalar_one() or b""
    rows = np.frombuffer(packed, dtype=">i4").reshape(-1, 2)
    wait_s = np.asarray(rows[:, 0] / 1_000.0, dtype=np.float64)
    return CallWaits(wait_s, rows[:, 1] == 1, np.zeros(len(rows), dtype=bool))


def _values(tenant_id: TenantId, since: datetime) -> dict[str, Any]:
    return {"tenant_id": tenant_id, "since": since, "since_day": since_day(since)}
