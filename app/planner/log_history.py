"""A history from our own call log: how many came in each interval, and how long one took to handle.

By queue: visits to it, each in the interval in which it began; handle times of those that an agent answered.
By reason: contacts whose last reason it is, of all parties or of one kind of party. Intervals without a call
between a day's first and its last stand with 0; outside them the queue counts as closed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from workforce.series import Series, SeriesError, series_from_arrays, utc_offset_s

BASE_MIN = 15
DAYS_MAX = 1_100
_STEP_S = BASE_MIN * 60

_BY_QUEUE = text("""
    SELECT floor(extract(epoch FROM visit.entered_at) / :step_s)::bigint AS place, count(*) AS calls,
        count(*) FILTER (WHERE is_handled) AS handled,
        coalesce(sum(talk_ms + hold_ms + wrap_up_ms) FILTER (WHERE is_handled), 0) AS handled_ms
    FROM queue_visit AS visit
    JOIN interaction USING (tenant_id, day, interaction_id)
    CROSS JOIN LATERAL (
        SELECT visit.agent_id IS NOT NULL AND interaction.queue_id = visit.queue_id AS is_handled
    ) AS answer
    WHERE visit.tenant_id = :tenant_id AND visit.queue_id = :queue_id AND visit.entered_at >= :since
        AND visit.entered_at < :until AND visit.day >= :since_day
    GROUP BY place ORDER BY place
""")
_BY_REASON = text("""
    SELECT floor(extract(epoch FROM interaction.started_at) / :step_s)::bigint AS place, count(*) AS calls,
        count(*) FILTER (WHERE answered_at IS NOT NULL) AS handled,
        coalesce(sum(talk_ms + hold_ms + wrap_up_ms) FILTER (WHERE answered_at IS NOT NULL), 0) AS handled_ms
    FROM interaction
    JOIN LATERAL (
        SELECT reason_id FROM interaction_reason AS said
        WHERE said.tenant_id = interaction.tenant_id AND said.day = interaction.day
            AND said.interaction_id = interaction.interaction_id
        ORDER BY ordinal DESC LIMIT 1
    ) AS last ON last.reason_id = :reason_id
    LEFT JOIN party ON party.tenant_id = interaction.tenant_id AND party.party_id = interaction.party_id
    WHERE interaction.tenant_id = :tenant_id AND interaction.started_at >= :since
        AND interaction.started_at < :until AND interaction.day >= :since_day AND interaction.direction = 'in'
        AND interaction.kind = 'contact' AND (CAST(:party_kind AS text) IS NULL OR party.kind = :party_kind)
    GROUP BY place ORDER BY place
""")


async def queue_series(
    connection: AsyncConnection,
    tenant_id: TenantId,
    queue_id: str,
    *,
    zone: str,
    since: datetime,
    until: datetime,
) -> Series:
    """Return the visits to a queue by quarter-hour.

    Raises:
        SeriesError: there were none.
    """
    values = _values(tenant_id, since, until) | {"queue_id": queue_id}
    return _series((await connection.execute(_BY_QUEUE, values)).all(), zone, f"queue {queue_id}")


async def reason_series(
    connection: AsyncConnection,
    tenant_id: TenantId,
    reason_id: str,
    *,
    party_kind: str | None,
    zone: str,
    since: datetime,
    until: datetime,
) -> Series:
    """Return the contacts for a reason by quarter-hour, of all parties or of one kind.

    Raises:
        SeriesError: there were none.
    """
    values = _values(tenant_id, since, until) | {"reason_id": reason_id, "party_kind": party_kind}
    return _series((await connection.execute(_BY_REASON, values)).all(), zone, f"reason {reason_id}")


def _values(tenant_id: TenantId, since: datetime, until: datetime) -> dict[str, Any]:
    # A call's day is that of its id: one that began before midnight (UTC) may visit a queue after it.
    since_day = datetime.fromordinal(since.toordinal() - 1).date()
    return {
        "tenant_id": tenant_id,
        "step_s": _STEP_S,
        "since": since,
        "until": until,
        "since_day": since_day,
    }


def _series(rows: Sequence[Row[Any]], zone: str, what: str) -> Series:
    if not rows:
        raise SeriesError(f"the call log holds no calls for {what} in that time")
    place = np.array([row.place for row in rows], dtype=np.int64)
    starts_s = _filled(place * _STEP_S, zone)
    at = np.searchsorted(starts_s, place * _STEP_S)
    calls = np.zeros(len(starts_s))
    calls[at] = [row.calls for row in rows]
    aht_s = np.full(len(starts_s), np.nan)
    aht_s[at] = [float(row.handled_ms) / 1_000 / row.handled if row.handled else np.nan for row in rows]
    return series_from_arrays(starts_s, calls, zone=zone, interval_min=BASE_MIN, aht_s=aht_s)


def _filled(starts_s: np.ndarray[Any, np.dtype[np.int64]], zone: str) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return every interval between the first and the last of each local day."""
    ZoneInfo(zone)
    day = (starts_s + utc_offset_s(zone, starts_s)) // 86_400
    _, first = np.unique(day, return_index=True)
    last = np.append(first[1:], len(day)) - 1
    return np.concatenate(
        [
            np.arange(starts_s[a], starts_s[b] + 1, _STEP_S, dtype=np.int64)
            for a, b in zip(first, last, strict=True)
        ]
    )
