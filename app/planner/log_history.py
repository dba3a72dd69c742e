"""A history from our own call log: how many came in each interval, and how long one took to handle.

By queue: visits to it, each in the interval in which it began; handle times of those that an agent answered.
By reason: contacts whose last reason it is. Either of all customers, of one kind of them, or of those whom
nobody knew. A day without a call counts as closed. On any other, an interval without one stands with 0
between the day's first call and its last, and as far as the same weekdays around it usually had calls: the
log is complete, so that no call is a quiet interval and not a gap.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from workforce.history import day_grid, usual_hours
from workforce.series import (
    DAY_S,
    Ints,
    Series,
    SeriesError,
    local_offsets_s,
    series_from_arrays,
    utc_offset_s,
    zone_of,
)

BASE_MIN = 15
DAYS_MAX = 1_100
UNKNOWN_PARTY = "unknown"
_STEP_S = BASE_MIN * 60
_GRIDS_MIN = (15, 30, 60)
"""At each of these a history may be asked for, and shall have no gap that is only a quiet interval."""
_ROUNDS_MAX = 5

# One row of big-endian integers instead of tens of thousands of rows: decoding those would hold up the loop.
_PACKED = """
    SELECT string_agg(int8send(place) || int8send(calls) || int8send(handled) || int8send(handled_ms), '')
    FROM ({counted}) AS counted
"""
_BY_QUEUE = text(
    _PACKED.format(
        counted="""
    SELECT floor(extract(epoch FROM visit.entered_at) / :step_s)::bigint AS place, count(*) AS calls,
        count(*) FILTER (WHERE is_handled) AS handled,
        coalesce(sum(talk_ms + hold_ms + wrap_up_ms) FILTER (WHERE is_handled), 0)::bigint AS handled_ms
    FROM queue_visit AS visit
    JOIN interaction USING (tenant_id, day, interaction_id)
    LEFT JOIN party ON party.tenant_id = interaction.tenant_id AND party.party_id = interaction.party_id
    CROSS JOIN LATERAL (
        SELECT visit.agent_id IS NOT NULL AND interaction.queue_id = visit.queue_id AS is_handled
    ) AS answer
    WHERE visit.tenant_id = :tenant_id AND visit.queue_id = :source_id AND visit.entered_at >= :since
        AND visit.entered_at < :until AND visit.day >= :since_day
        AND (CAST(:party_kind AS text) IS NULL OR coalesce(party.kind, 'unknown') = :party_kind)
    GROUP BY place
"""
    )
)
_BY_REASON = text(
    _PACKED.format(
        counted="""
    SELECT floor(extract(epoch FROM interaction.started_at) / :step_s)::bigint AS place, count(*) AS calls,
        count(*) FILTER (WHERE answered_at IS NOT NULL) AS handled,
        coalesce(sum(talk_ms + hold_ms + wrap_up_ms) FILTER (WHERE answered_at IS NOT NULL), 0)::bigint
            AS handled_ms
    FROM interaction
    JOIN LATERAL (
        SELECT reason_id FROM interaction_reason AS said
        WHERE said.tenant_id = interaction.tenant_id AND said.day = interaction.day
            AND said.interaction_id = interaction.interaction_id
        ORDER BY ordinal DESC LIMIT 1
    ) AS last ON last.reason_id = :source_id
    LEFT JOIN party ON party.tenant_id = interaction.tenant_id AND party.party_id = interaction.party_id
    WHERE interaction.tenant_id = :tenant_id AND interaction.started_at >= :since
        AND interaction.started_at < :until AND interaction.day >= :since_day AND interaction.direction = 'in'
        AND interaction.kind = 'contact'
        AND (CAST(:party_kind AS text) IS NULL OR coalesce(party.kind, 'unknown') = :party_kind)
    GROUP BY place
"""
    )
)


async def log_series(
    connection: AsyncConnection,
    tenant_id: TenantId,
    source: Mapping[str, Any],
    *,
    zone: str,
    since: datetime,
    until: datetime,
) -> Series:
    """Return the calls of a queue or for a reason by quarter-hour.

    Args:
        source: ``kind`` queue or reason, ``queue_id`` or ``reason_id``; perhaps ``party_kind``.

    Raises:
        SeriesError: there were none, or the zone is unknown.
    """
    zone_of(zone)
    kind = source["kind"]
    values = {
        "tenant_id": tenant_id,
        "source_id": source[f"{kind}_id"],
        "party_kind": source.get("party_kind"),
        "step_s": _STEP_S,
        "since": since,
        "until": until,
        "since_day": since_day(since),
    }
    query = _BY_QUEUE if kind == "queue" else _BY_REASON
    packed = (await connection.execute(query, values)).scalar_one()
    if packed is None:
        raise SeriesError(f"the call log holds no calls for {kind} {source[f'{kind}_id']} in that time")
    return _series(np.frombuffer(packed, dtype=">i8").astype(np.int64).reshape(-1, 4), zone, until)


def bounds(zone: str, days: int, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Return since (a local midnight) and until (a quarter-hour that is over) of *days* days and today.

    Raises:
        SeriesError: the zone is unknown.
    """
    zone_of(zone)
    at_s = int((now or datetime.now(UTC)).timestamp())
    until = datetime.fromtimestamp(at_s - at_s % _STEP_S, UTC)
    local = ZoneInfo(zone) if zone else UTC
    first = until.astimezone(local).date() - timedelta(days=min(days, DAYS_MAX))
    return datetime.combine(first, time(), local), until


def since_day(since: datetime) -> date:
    """Return the first day (UTC) of an id whose call may have been there since: one began before midnight."""
    return since.astimezone(UTC).date() - timedelta(days=1)


def _series(counted: Ints, zone: str, until: datetime) -> Series:
    order = np.argsort(counted[:, 0])
    place, calls, handled, handled_ms = counted[order].T
    starts_s = _filled(place * _STEP_S, zone, int(until.timestamp()))
    at = np.searchsorted(starts_s, place * _STEP_S)
    filled, aht_s = np.zeros(len(starts_s)), np.full(len(starts_s), np.nan)
    filled[at] = calls
    some = handled > 0
    aht_s[at[some]] = handled_ms[some] / 1_000 / handled[some]
    return series_from_arrays(starts_s, filled, zone=zone, interval_min=BASE_MIN, aht_s=aht_s)


def _filled(starts_s: Ints, zone: str, until_s: int) -> Ints:
    """Return the intervals of each local day that had a call: its first to its last, and its usual ones."""
    local_s = starts_s + utc_offset_s(zone, starts_s)
    _, first_at = np.unique(local_s // DAY_S, return_index=True)
    last_at = np.append(first_at[1:], len(local_s)) - 1
    spans = zip(starts_s[first_at], starts_s[last_at], strict=True)
    found = np.concatenate([np.arange(a, b + 1, _STEP_S, dtype=np.int64) for a, b in spans])
    local_s = found + utc_offset_s(zone, found)
    for interval_min in _GRIDS_MIN:
        for _ in range(_ROUNDS_MAX):  # a filled day may make usual what was not quite
            missing_s = _missing(local_s, interval_min)
            if not len(missing_s):
                break
            local_s = np.union1d(local_s, missing_s)
    early_s, _ = local_offsets_s(zone, local_s)
    found = np.union1d(local_s - early_s, found)
    return found[(found < until_s) | np.isin(found, starts_s)]


def _missing(local_s: Ints, interval_min: int) -> Ints:
    """Return the quarter-hours of usual intervals that a day with calls has nothing of; wall clock."""
    step_s = interval_min * 60
    starts_s = np.unique(local_s // step_s * step_s)
    nothing = np.zeros(len(starts_s))
    grid = day_grid(Series(zone="", interval_min=interval_min, start_s=starts_s, calls=nothing))
    absent = usual_hours(grid) & ~grid.present & np.asarray(grid.present.any(axis=1))[:, None]
    row, column = np.nonzero(absent)
    begin_s = grid.days[row] * DAY_S + grid.slots_min[column] * 60
    return np.asarray((begin_s[:, None] + np.arange(0, step_s, _STEP_S)).ravel(), dtype=np.int64)
