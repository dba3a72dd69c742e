"""The facts of the log that figures count, one row each, as a part of a SQL statement.

Kinds: a visit ``entered`` its queue and ``left`` it; an agent was ``offered`` a contact, had ``not_answered``
or the ``caller_left`` first; a participation was ``handled`` and ``wrapped_up``. Each stands at the moment in
which it happened (*event* view), and beside it where its visit began (*cohort* view); what came without a
visit (a transfer straight to an agent) began with its contact. A talk on the PBX's own queue is no
participation of ours: its visit left as ``fallback``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.db.session import TenantId
from routing.events import QueueExit
from workforce.formulas import EXIT
from workforce.measures import DEFAULT_THRESHOLD_MS

_DAY = timedelta(days=1)  # an id's day and its facts may lie on two sides of midnight
_COHORT_DAYS = 2  # what belongs to a visit may end so many days after it


class FiguresView(StrEnum):
    """Where a fact counts."""

    EVENT = "event"
    COHORT = "cohort"


MOMENT: Mapping[FiguresView, str] = {FiguresView.EVENT: "fact.at", FiguresView.COHORT: "fact.began_at"}
"""SQL of the moment at which a fact counts."""

_CONTACT = "entry_point, party_id, wrap_up_code, grade"
_VISIT_COLUMNS = f"day, interaction_id, visit, NULL::integer AS attempt, queue_id, {_CONTACT}"
_OFFER_COLUMNS = f"day, interaction_id, visit, attempt, queue_id, {_CONTACT}"
_LENGTH_MS = "round(extract(epoch FROM ended_at - segment.started_at) * 1000)::bigint"

_FACTS = """
WITH visit AS (
    SELECT visit.*, coalesce(queue.threshold_s * 1000, :threshold_ms) AS threshold_ms,
        contact.entry_point, contact.party_id, contact.wrap_up_code, contact.grade
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
    SELECT offer.*, contact.entry_point, contact.party_id, contact.wrap_up_code, contact.grade,
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
    SELECT 'entered' AS kind, {visit_columns}, NULL AS agent_id, entered_at AS began_at, entered_at AS at,
        NULL AS exit, 0::bigint AS first_ms, 0::bigint AS second_ms, false AS within
    FROM visit
    UNION ALL
    SELECT 'left', {visit_columns}, agent_id, entered_at, left_at, exit_cause, wait_ms, 0,
        wait_ms <= threshold_ms
    FROM visit WHERE exit_cause IS NOT NULL AND left_at IS NOT NULL
    UNION ALL
    SELECT 'offered', {offer_columns}, agent_id, began_at, offered_at, NULL, 0, 0, false FROM offered
    UNION ALL
    SELECT 'not_answered', {offer_columns}, agent_id, began_at, ended_at, NULL, 0, 0, false
    FROM offered WHERE outcome = 'no_answer'
    UNION ALL
    SELECT 'caller_left', {offer_columns}, agent_id, began_at, ended_at, NULL, 0, 0, false
    FROM offered WHERE outcome_reason = 'caller_left'
    UNION ALL
    SELECT 'handled', {offer_columns}, agent_id, began_at, talk_ended_at, NULL, talk_ms, hold_ms, false
    FROM participation WHERE NOT is_talking
    UNION ALL
    SELECT 'wrapped_up', {offer_columns}, agent_id, began_at, wrap_up_ended_at, NULL, wrap_up_ms, 0, false
    FROM participation WHERE wrap_up_ended_at IS NOT NULL
)
"""
FACTS = _FACTS.format(length_ms=_LENGTH_MS, visit_columns=_VISIT_COLUMNS, offer_columns=_OFFER_COLUMNS)
"""``WITH … fact``: the common beginning of the statements; its values are ``fact_values``."""


def fact_values(
    tenant_id: TenantId, bounds_ms: Sequence[int], *, view: FiguresView, zone: str
) -> dict[str, Any]:
    """Return the values of ``FACTS``, and the bounds of the periods: ``bounds``, ``since``, ``until``.

    Args:
        bounds_ms: Of the periods (``workforce.periods.period_bounds``), at least two, ascending.
        zone: Whose days tell which team an agent was in.
    """
    bounds = [datetime.fromtimestamp(bound_ms / 1000, UTC) for bound_ms in bounds_ms]
    later = _COHORT_DAYS if view is FiguresView.COHORT else 1
    return {
        "tenant_id": tenant_id,
        "zone": zone,
        "bounds": bounds,
        "since": bounds[0],
        "until": bounds[-1],
        "first_day": (bounds[0] - _COHORT_DAYS * _DAY).date(),
        "last_day": (bounds[-1] + later * _DAY).date(),
        "threshold_ms": DEFAULT_THRESHOLD_MS,
    }


def _kind(kind: str, *more: str) -> str:
    return " AND ".join((f"fact.kind = '{kind}'", *more))


_ABANDONED = f"fact.exit IN ('{QueueExit.ABANDONED}', '{QueueExit.SHORT_ABANDON}')"
_ANSWERED = f"fact.exit = '{QueueExit.ANSWERED}'"

_TERMS: Mapping[str, tuple[str, str]] = {
    "offered_count": (_kind("entered"), "1"),
    "answered_count": (_kind("left", _ANSWERED), "1"),
    "answered_within_count": (_kind("left", _ANSWERED, "fact.within"), "1"),
    "abandoned_count": (_kind("left", _ABANDONED), "1"),
    "abandoned_within_count": (_kind("left", _ABANDONED, "fact.within"), "1"),
    "short_abandoned_count": (_kind("left", f"fact.exit = '{QueueExit.SHORT_ABANDON}'"), "1"),
    "wait_answered_ms": (_kind("left", _ANSWERED), "fact.first_ms"),
    "wait_abandoned_ms": (_kind("left", _ABANDONED), "fact.first_ms"),
    "handled_count": (_kind("handled"), "1"),
    "talk_ms": (_kind("handled"), "fact.first_ms"),
    "hold_ms": (_kind("handled"), "fact.second_ms"),
    "wrap_up_ms": (_kind("wrapped_up"), "fact.first_ms"),
    "offer_count": (_kind("offered"), "1"),
    "rona_count": (_kind("not_answered"), "1"),
    "offer_caller_left_count": (_kind("caller_left"), "1"),
    **{f"{EXIT}{way}": (_kind("left", f"fact.exit = '{way}'"), "1") for way in QueueExit},
}


def weight_sql(terms: Sequence[str], less: Sequence[str] = ()) -> str:
    """Return SQL of what one fact adds to a sum of terms (``workforce.formulas``), less other terms.

    Raises:
        KeyError: there is no such term.
    """
    plus = [f"CASE WHEN {when} THEN {value} ELSE 0 END" for when, value in (_TERMS[name] for name in terms)]
    minus = [f"CASE WHEN {when} THEN -{value} ELSE 0 END" for when, value in (_TERMS[name] for name in less)]
    return " + ".join((*plus, *minus)) or "0"


TERMS = tuple(_TERMS)
"""All terms: each sum of a cell that facts add to."""
