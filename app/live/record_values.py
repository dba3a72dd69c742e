"""The recorder's rows as the values of their tables' columns: the only place that knows both. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid5

import orjson

from app.db.bulk import moment
from app.live.record_rows import Record, SpanRow

_ATTEMPTS = UUID("0d8f6c3e-5f0b-4a7e-9c57-6a1f0e2b7d11")  # the name space of attempts' ids

RowValues = dict[str, dict[tuple[Any, ...], tuple[Any, ...]]]
"""Per table: rows by their key without the tenant."""

INTERACTION_COLUMNS = (
    *("day", "interaction_id", "medium", "direction", "entry_point", "caller_number", "caller_name"),
    *("attributes", "started_at", "answered_at", "ended_at", "outcome", "ended_by", "end_reason"),
    *("hangup_cause", "queue_id", "agent_id", "visit_count", "offer_count", "wait_ms", "talk_ms", "hold_ms"),
    *("wrap_up_ms", "wrap_up_code", "grade"),
)
SEGMENT_COLUMNS = (
    *("day", "interaction_id", "track", "ordinal", "kind", "started_at", "ended_at", "queue_id", "agent_id"),
    *("visit", "attempt", "exit_cause", "ended_by", "end_reason", "grade"),
)
VISIT_COLUMNS = (
    *("day", "interaction_id", "visit", "queue_id", "entered_at", "queued_at", "left_at", "exit_cause"),
    *("wait_ms", "agent_id", "offer_count", "priority_ms"),
)
OFFER_COLUMNS = (
    *("day", "interaction_id", "attempt", "agent_id", "queue_id", "visit", "offered_at", "rang_at"),
    *("ended_at", "outcome", "outcome_reason", "wait_ms", "rang_ms", "talk_ended_at", "wrap_up_ended_at"),
    *("talk_ms", "hold_ms", "wrap_up_ms", "talk_ended_by", "talk_end_reason", "was_held", "explanation"),
)
LEG_COLUMNS = (
    *("day", "pbx_id", "boot_id", "leg_id", "interaction_id", "party", "agent_id"),
    *("started_at", "answered_at", "ended_at", "hangup_cause"),
)
ATTEMPT_COLUMNS = (
    *("day", "attempt_id", "at", "purpose", "number_kind", "number_normal", "interaction_id", "requested_by"),
)
REASON_COLUMNS = ("day", "interaction_id", "ordinal", "tree_version", "reason_id", "set_by", "actor", "at")
SPAN_COLUMNS = (
    *("day", "agent_id", "started_at", "ended_at", "state", "reason", "interaction_id", "queue_id"),
    "grade",
)


def rows_of(record: Record, day: date) -> RowValues:
    """Return all rows of one interaction."""
    one = record.interaction_id
    row = record.interaction
    interaction = (
        *(day, one, row.medium, row.direction, row.entry_point, row.caller_number, row.caller_name),
        *(_json(row.attributes), moment(row.started_ms), moment(row.answered_ms), moment(row.ended_ms)),
        *(row.outcome, row.ended_by, row.end_reason, row.hangup_cause, row.queue_id, row.agent_id),
        *(row.visit_count, row.offer_count, row.wait_ms, row.talk_ms, row.hold_ms),
        *(row.wrap_up_ms, row.wrap_up_code, row.grade),
    )
    segments = {
        (day, one, s.track, s.ordinal): (
            *(day, one, s.track, s.ordinal, s.kind, moment(s.started_ms), moment(s.ended_ms)),
            *(s.queue_id, s.agent_id, s.visit, s.attempt, s.exit_cause, s.ended_by, s.end_reason),
            s.grade,
        )
        for s in record.segments
    }
    visits = {
        (day, one, v.visit): (
            *(day, one, v.visit, v.queue_id, moment(v.entered_ms), moment(v.queued_ms), moment(v.left_ms)),
            *(v.exit_cause, v.wait_ms, v.agent_id, v.offer_count, v.priority_ms),
        )
        for v in record.visits
    }
    offers = {
        (day, one, o.attempt): (
            *(day, one, o.attempt, o.agent_id, o.queue_id, o.visit, moment(o.offered_ms)),
            *(moment(o.rang_at_ms), moment(o.ended_ms), o.outcome, o.outcome_reason, o.wait_ms, o.rang_ms),
            *(moment(o.talk_ended_ms), moment(o.wrap_up_ended_ms), o.talk_ms, o.hold_ms, o.wrap_up_ms),
            *(o.talk_ended_by, o.talk_end_reason, o.was_held),
            _json(o.explanation),
        )
        for o in record.offers
    }
    legs = {
        (day, leg.pbx_id, leg.boot_id, leg.leg_id): (
            *(day, leg.pbx_id, leg.boot_id, leg.leg_id, one, leg.party, leg.agent_id),
            *(moment(leg.started_ms), moment(leg.answered_ms), moment(leg.ended_ms), leg.hangup_cause),
        )
        for leg in record.legs
    }
    return {
        "interaction": {(day, one): interaction},
        "segment": segments,
        "queue_visit": visits,
        "offer": offers,
        "leg": legs,
        "contact_attempt": {
            (day, attempt_id): (
                *(day, attempt_id, moment(a.at_ms), a.purpose, _kind_of(a.number), a.number, one),
                a.requested_by,
            )
            for a in record.attempts
            for attempt_id in (uuid5(_ATTEMPTS, f"{one}/{a.attempt}"),)
        },
        "interaction_reason": {
            (day, one, r.ordinal): (
                *(day, one, r.ordinal, r.tree_version, r.reason_id, r.set_by, r.actor, moment(r.at_ms)),
            )
            for r in record.reasons
        },
    }


def values_of_span(span: SpanRow) -> tuple[Any, ...]:
    """Return a span as the values of ``SPAN_COLUMNS``."""
    started_ms, ended_ms = moment(span.started_ms), moment(span.ended_ms)
    day = day_of_span(span.started_ms)
    contact = (span.interaction_id, span.queue_id)
    return (day, span.agent_id, started_ms, ended_ms, span.state, span.reason, *contact, span.grade)


def day_of_span(started_ms: int) -> date:
    """Return the day of an agent's span: the UTC date of its start."""
    return datetime.fromtimestamp((moment(started_ms) or 0) / 1000, UTC).date()


def _kind_of(number: str) -> str:
    """The gate gives E.164 wherever a number is one; what it lets pass otherwise is short."""
    return "e164" if number.startswith("+") else "short"


def _json(value: object) -> str:
    return orjson.dumps(value, default=dict).decode()
