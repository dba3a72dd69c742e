"""The facts of the log that figures count, one row each, as a part of a SQL statement.

Kinds: a visit ``entered`` its queue and ``left`` it; an agent was ``offered`` a contact, had ``not_answered``
or the ``caller_left`` first; a participation was ``handled`` (its exit: who ended it), perhaps
``hold_abandoned``, and ``wrapped_up``. Each stands at the moment in
which it happened (*event* view), and beside it where its visit began (*cohort* view); what came without a
visit (a transfer straight to an agent) began with its contact. A talk on the PBX's own queue is no
participation of ours: its visit left as ``fallback``.

Whatever is joined names the days too: a partition that no condition names is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from app.db.session import TenantId
from routing.events import QueueExit
from routing.signals import Party
from workforce.formulas import EXIT
from workforce.measures import DEFAULT_THRESHOLD_MS, GIVEN_ON_REASONS, LEFT_CONFERENCE, SHORT_CALL_MS

_DAY = timedelta(days=1)  # an id's day and its facts may lie on two sides of midnight
_COHORT_DAYS = 2  # what belongs to a visit may end so many days after it


GIVEN_ON = "transferred"
"""Stands for who ended a participation that was given on."""


class FiguresView(StrEnum):
    """Where a fact counts."""

    EVENT = "event"
    COHORT = "cohort"


MOMENT: Mapping[FiguresView, str] = {FiguresView.EVENT: "fact.at", FiguresView.COHORT: "fact.began_at"}
"""SQL of the moment at which a fact counts."""

_VISIT_FACTS = """
    SELECT told.kind, visit.day, visit.interaction_id, visit.visit, NULL::integer AS attempt,
        visit.queue_id, contact.entry_point, contact.party_id, contact.wrap_up_code, contact.grade,
        CASE WHEN told.kind = 'left' THEN visit.agent_id END AS agent_id,
        visit.entered_at AS began_at, told.at, told.exit, told.first_ms, 0::bigint AS second_ms, told.within
    FROM queue_visit AS visit
    JOIN interaction AS contact ON contact.tenant_id = visit.tenant_id AND contact.day = visit.day
        AND contact.interaction_id = visit.interaction_id AND {contact_days}
    LEFT JOIN queue ON queue.tenant_id = visit.tenant_id AND queue.queue_id = visit.queue_id
    CROSS JOIN LATERAL (VALUES
        ('entered', visit.entered_at, NULL::text, 0::bigint, false),
        ('left', CASE WHEN visit.exit_cause IS NOT NULL THEN visit.left_at END, visit.exit_cause,
            visit.wait_ms, visit.wait_ms <= coalesce(queue.threshold_s * 1000, :threshold_ms))
    ) AS told (kind, at, exit, first_ms, within)
    WHERE visit.tenant_id = :tenant_id AND {visit_days} {visit_when} AND told.at IS NOT NULL
"""
_OFFER_FACTS = """
    SELECT told.kind, offer.day, offer.interaction_id, offer.visit, offer.attempt,
        offer.queue_id, contact.entry_point, contact.party_id, contact.wrap_up_code, contact.grade,
        offer.agent_id, coalesce(visit.entered_at, contact.started_at) AS began_at, told.at,
        told.exit, told.first_ms, told.second_ms,
        told.kind = 'handled' AND told.first_ms <= {short_call_ms} AS within
    FROM offer
    JOIN interaction AS contact ON contact.tenant_id = offer.tenant_id AND contact.day = offer.day
        AND contact.interaction_id = offer.interaction_id AND {contact_days}
    LEFT JOIN queue_visit AS visit ON visit.tenant_id = offer.tenant_id AND visit.day = offer.day
        AND visit.interaction_id = offer.interaction_id AND visit.visit = offer.visit AND {visit_days}
    CROSS JOIN LATERAL (VALUES
        ('offered', CASE WHEN offer.outcome IS DISTINCT FROM 'taken' THEN offer.offered_at END,
            NULL::text, 0::bigint, 0::bigint),
        ('not_answered', CASE WHEN offer.outcome = 'no_answer' THEN offer.ended_at END, NULL, 0, 0),
        ('caller_left', CASE WHEN offer.outcome_reason = 'caller_left' THEN offer.ended_at END, NULL, 0, 0),
        ('handled', CASE WHEN offer.outcome IN ('answered', 'taken') THEN offer.talk_ended_at END,
            CASE WHEN offer.talk_end_reason IN ({given_on}) THEN '{given_on_by}'
                WHEN offer.talk_end_reason = '{left}' THEN '{left}' ELSE offer.talk_ended_by END,
            offer.talk_ms, offer.hold_ms),
        ('hold_abandoned', CASE WHEN offer.outcome IN ('answered', 'taken') AND offer.was_held
            AND offer.talk_ended_by = '{customer}' THEN offer.talk_ended_at END, NULL, 0, 0),
        ('wrapped_up', CASE WHEN offer.outcome IN ('answered', 'taken') THEN offer.wrap_up_ended_at END,
            NULL, offer.wrap_up_ms, 0)
    ) AS told (kind, at, exit, first_ms, second_ms)
    WHERE offer.tenant_id = :tenant_id AND {offer_days} {offer_when} AND told.at IS NOT NULL
"""
_VISIT_KINDS = ("'entered'", "'left'")
_MOMENTS_OF_OFFER = "offer.offered_at, offer.ended_at, offer.talk_ended_at, offer.wrap_up_ended_at"
_VISIT_WHEN: Mapping[FiguresView | None, str] = {
    None: "",
    FiguresView.EVENT: "AND visit.entered_at < :until AND coalesce(visit.left_at, 'infinity') >= :since",
    FiguresView.COHORT: "AND visit.entered_at >= :since AND visit.entered_at < :until",
}
_OFFER_WHEN: Mapping[FiguresView | None, str] = {
    None: "",
    FiguresView.EVENT: f"AND least({_MOMENTS_OF_OFFER}) < :until AND greatest({_MOMENTS_OF_OFFER}) >= :since",
    FiguresView.COHORT: "",
}


def facts_sql(
    view: FiguresView | None = None, *, only_days: bool = False, terms: Sequence[str] | None = None
) -> str:
    """Return ``WITH … fact``: the common beginning of the statements; its values are ``fact_values``.

    Args:
        view: Leave out rows that have no fact between ``since`` and ``until`` in it, to read less; the
            statement still has to say which facts it means.
        only_days: Of the log's days ``days`` alone.
        terms: Leave out the facts that none of these terms counts, as far as that saves reading.
    """

    def days(table: str) -> str:
        named = f" AND {table}.day = ANY(CAST(:days AS date[]))" if only_days else ""
        return f"{table}.day BETWEEN :first_day AND :last_day{named}"

    of_visits = {any(kind in _TERMS[name][0] for kind in _VISIT_KINDS) for name in terms or ()}
    parts: tuple[str, ...] = (_VISIT_FACTS, _OFFER_FACTS)
    if len(of_visits) == 1:
        parts = (_VISIT_FACTS,) if of_visits.pop() else (_OFFER_FACTS,)
    return (
        "\nWITH fact AS ("
        + "    UNION ALL".join(parts).format(
            contact_days=days("contact"),
            visit_days=days("visit"),
            offer_days=days("offer"),
            short_call_ms=SHORT_CALL_MS,
            given_on=", ".join(f"'{reason}'" for reason in GIVEN_ON_REASONS),
            given_on_by=GIVEN_ON,
            left=LEFT_CONFERENCE,
            customer=Party.CUSTOMER,
            visit_when=_VISIT_WHEN[view],
            offer_when=_OFFER_WHEN[view],
        )
        + ")\n"
    )


# Nobody keeps statistics of a partitioned table as a whole: the planner takes days of calls for a few rows.
HASHED = "SELECT set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true)"
"""Before a statement that counts the facts of days, in its transaction: join them by hash, come what may."""

FACTS = facts_sql()
"""All facts of the days."""


def log_days(bounds: Sequence[datetime], view: FiguresView) -> tuple[date, date]:
    """Return the first and the last day of the log in which facts between these moments may lie."""
    later = _COHORT_DAYS if view is FiguresView.COHORT else 1
    return (bounds[0] - _COHORT_DAYS * _DAY).date(), (bounds[-1] + later * _DAY).date()


def fact_values(
    tenant_id: TenantId, bounds_ms: Sequence[int], *, view: FiguresView, zone: str
) -> dict[str, Any]:
    """Return the values of ``FACTS``, and the bounds of the periods: ``bounds``, ``since``, ``until``.

    Args:
        bounds_ms: Of the periods (``workforce.periods.period_bounds``), at least two, ascending.
        zone: Whose days tell which team an agent was in.
    """
    bounds = [datetime.fromtimestamp(bound_ms / 1000, UTC) for bound_ms in bounds_ms]
    first_day, last_day = log_days(bounds, view)
    return {
        "tenant_id": tenant_id,
        "zone": zone,
        "bounds": bounds,
        "since": bounds[0],
        "until": bounds[-1],
        "first_day": first_day,
        "last_day": last_day,
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
    "customer_ended_count": (_kind("handled", f"fact.exit = '{Party.CUSTOMER}'"), "1"),
    "agent_ended_count": (_kind("handled", f"fact.exit = '{Party.AGENT}'"), "1"),
    "system_ended_count": (_kind("handled", f"fact.exit = '{Party.SYSTEM}'"), "1"),
    "transferred_count": (_kind("handled", f"fact.exit = '{GIVEN_ON}'"), "1"),
    "short_call_count": (_kind("handled", "fact.within"), "1"),
    "hold_abandoned_count": (_kind("hold_abandoned"), "1"),
    "offer_count": (_kind("offered"), "1"),
    "rona_count": (_kind("not_answered"), "1"),
    "offer_caller_left_count": (_kind("caller_left"), "1"),
    **{f"{EXIT}{way}": (_kind("left", f"fact.exit = '{way}'"), "1") for way in QueueExit},
}


def weight_sql(
    terms: Sequence[str], less: Sequence[str] = (), known: Mapping[str, tuple[str, str]] = _TERMS
) -> str:
    """Return SQL of what one fact adds to a sum of terms (``workforce.formulas``), less other terms.

    Args:
        known: By term, when a fact counts and how much.

    Raises:
        KeyError: there is no such term.
    """
    plus = [f"CASE WHEN {when} THEN {value} ELSE 0 END" for when, value in (known[name] for name in terms)]
    minus = [f"CASE WHEN {when} THEN -{value} ELSE 0 END" for when, value in (known[name] for name in less)]
    return " + ".join((*plus, *minus)) or "0"


def _grouped(when: str, value: str) -> tuple[str, str]:
    if " AND fact.within" in when:
        return when.replace(" AND fact.within", ""), "fact.within"
    return when, "fact.facts" if value == "1" else value


GROUPED: Mapping[str, tuple[str, str]] = {name: _grouped(*one) for name, one in _TERMS.items()}
"""The terms over groups of like facts (``app.figures.rollups``) in the place of single ones."""
TERMS = tuple(_TERMS)
"""All terms: each sum of a cell that facts add to."""
