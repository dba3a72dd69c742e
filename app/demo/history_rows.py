"""A played day as rows of the log: the recorder's own fold, and beside it who called and why.

Pure. The journal of a past day is kept for the newest days alone, as a centre keeps calls longer than events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

import orjson

from app.centre.demo import AREA_CODE, REGION, DemoCustomer
from app.customers.identify_rules import Candidate, Match, match
from app.customers.numbers import parse_number
from app.db.bulk import moment
from app.live.record_rows import Record, Stamped
from app.live.record_spans import fold_spans
from app.live.record_values import (
    ATTEMPT_COLUMNS,
    INTERACTION_COLUMNS,
    LEG_COLUMNS,
    OFFER_COLUMNS,
    SEGMENT_COLUMNS,
    SPAN_COLUMNS,
    VISIT_COLUMNS,
    rows_of,
    values_of_span,
)
from app.live.recorder import fold
from routing import events as ev
from routing.replay import encode

EPOCH: Final = 0  # before any leader's first: no live event is ever numbered so
BOOT_ID: Final = "past"
TREE_VERSION: Final = 1
STEPS_PER_DAY_MAX: Final = 1_000_000

EVENT_COLUMNS: Final = (
    *("day", "epoch", "seq", "ordinal", "at", "occurred_at", "type", "v"),
    *("interaction_id", "agent_id", "queue_id", "body"),
)
REASON_COLUMNS: Final = (
    *("day", "interaction_id", "ordinal", "tree_version"),
    *("reason_id", "set_by", "actor", "at"),
)
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "interaction": (
        *INTERACTION_COLUMNS,
        *("party_id", "match_method", "match_confidence", "match_candidates"),
    ),
    "segment": SEGMENT_COLUMNS,
    "queue_visit": VISIT_COLUMNS,
    "offer": OFFER_COLUMNS,
    "leg": LEG_COLUMNS,
    "agent_span": SPAN_COLUMNS,
    "interaction_reason": REASON_COLUMNS,
    "contact_attempt": ATTEMPT_COLUMNS,
    "event": EVENT_COLUMNS,
}

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A contact reason of the demo, and how much more often than others it is why people call a queue."""

    reason_id: str
    display_name: str
    queue_id: str
    weight: int
    whose_cause: str = "customer"
    is_avoidable: bool = False


REASONS: Final = (
    Reason(reason_id="new_order", display_name="New order", queue_id="sales", weight=5),
    Reason(reason_id="quote", display_name="Quote", queue_id="sales", weight=3),
    Reason(reason_id="how_to", display_name="How to use it", queue_id="support", weight=5),
    Reason(
        reason_id="defect",
        display_name="Does not work",
        queue_id="support",
        weight=4,
        whose_cause="product",
        is_avoidable=True,
    ),
    Reason(
        reason_id="where_is_it",
        display_name="Where is my order",
        queue_id="support",
        weight=3,
        whose_cause="delivery",
        is_avoidable=True,
    ),
    Reason(reason_id="pay", display_name="How to pay", queue_id="billing", weight=3),
    Reason(
        reason_id="wrong_invoice",
        display_name="Invoice is wrong",
        queue_id="billing",
        weight=4,
        whose_cause="billing",
        is_avoidable=True,
    ),
)


class KnownCallers:
    """Who calls, by the number that the trunk shows."""

    def __init__(self, customers: Sequence[DemoCustomer]) -> None:
        self._candidates: dict[str, list[Candidate]] = {}
        self._matches: dict[str, Match] = {}
        for customer in customers:
            for ordinal, written in enumerate(customer.numbers):
                number = parse_number(written, REGION, AREA_CODE)
                candidate = Candidate(
                    party_id=customer.party_id,
                    linked_party_id=customer.party_id,
                    kind=customer.kind,
                    display_name=customer.display_name,
                    language=customer.language,
                    extension=number.extension,
                    is_preferred=ordinal == 0,
                )
                self._candidates.setdefault(number.normal, []).append(candidate)

    def match(self, number: str) -> Match:
        """Return who the number stands for, as the live look-up would."""
        if number not in self._matches:
            identifier = parse_number(number, REGION, AREA_CODE)
            found = self._candidates.get(identifier.normal, ())
            self._matches[number] = match(identifier, found, datetime.fromtimestamp(0, UTC))
        return self._matches[number]


def rows_of_day(
    day: date,
    happened: Iterable[tuple[int, ev.Event]],
    known: KnownCallers,
    dice: Random,
    *,
    with_events: bool,
) -> Rows:
    """Return the rows of one day by table, in the order of ``COLUMNS``."""
    rows: Rows = {name: [] for name in COLUMNS}
    histories: dict[str, list[Stamped]] = {}
    changes: list[ev.AgentStateChanged] = []
    last_step, ordinal = 0, 0
    for step, event in happened:
        ordinal = ordinal + 1 if step == last_step else 0
        last_step = step
        seq = day.toordinal() * STEPS_PER_DAY_MAX + step
        if isinstance(event, ev.AgentStateChanged):
            changes.append(event)
        elif (interaction_id := getattr(event, "interaction_id", None)) is not None:
            histories.setdefault(interaction_id, []).append(Stamped(EPOCH, seq, ordinal, event, BOOT_ID))
        if with_events:
            rows["event"].append(_event_row(day, seq, ordinal, event))
    for history in histories.values():
        record = fold(history)
        if record is not None:
            _add(rows, record, day, known, dice)
    rows["agent_span"] = [values_of_span(span) for span in fold_spans(changes).values()]
    return rows


def _add(rows: Rows, record: Record, day: date, known: KnownCallers, dice: Random) -> None:
    for name, values in rows_of(record, day).items():
        rows[name] += values.values()
    call = record.interaction
    rows["interaction"][-1] = (*rows["interaction"][-1], *match_values(known.match(call.caller_number)))
    reasons = [reason for reason in REASONS if reason.queue_id == call.queue_id]
    if reasons and call.agent_id is not None:
        chosen = dice.choices(reasons, [reason.weight for reason in reasons])[0]
        at_ms = moment(call.ended_ms or call.started_ms)
        named = (day, record.interaction_id, 0, TREE_VERSION, chosen.reason_id)
        rows["interaction_reason"].append((*named, "agent", call.agent_id, at_ms))


def match_values(found: Match) -> tuple[Any, ...]:
    """Return who a caller was taken for as a row has it."""
    candidates = [
        {"party_id": str(each.party_id), "kind": each.kind, "label": each.label, "extension": each.extension}
        for each in found.candidates
    ]
    body = {
        "outcome": found.outcome,
        "number": found.identifier.normal,
        "number_kind": found.identifier.kind,
        "candidates": candidates,
    }
    return (found.party_id, found.method, found.confidence, orjson.dumps(body).decode())


def _event_row(day: date, seq: int, ordinal: int, event: ev.Event) -> tuple[Any, ...]:
    body = encode(event)
    return (
        *(day, EPOCH, seq, ordinal, moment(event.at_ms), moment(event.occurred_ms)),
        *(str(body["type"]), int(body["v"]), body.get("interaction_id"), body.get("agent_id")),
        *(body.get("queue_id"), orjson.dumps(body).decode()),
    )
