"""The recorder: a PURE fold of an interaction's events to the rows of the log.

The whole list of an interaction's events goes in, its whole record comes out: however the events were
cut into batches, and after a restart, the record is the same. What really happened counts
(``occurred_ms``); the order is the journal's. Nothing here raises for a history that lacks a part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from app.live.record_consults import TAKEN, is_own_consult
from app.live.record_folding import FALLBACK_ATTEMPT, Folding
from app.live.record_rows import (
    BACK_FILLED,
    LIVE,
    InteractionRow,
    LegRow,
    OfferRow,
    Record,
    Stamped,
    VisitRow,
)
from app.live.record_track import SAME_FACT_MS, total_ms
from routing import events as ev
from routing.ids import LegId, bare_id

FOLDED_TYPES: tuple[str, ...] = (
    "ContactStarted",
    "QueueEntered",
    "QueueLeft",
    "InteractionOffered",
    "AgentRang",
    "InteractionAnswered",
    "OfferNotAnswered",
    "OfferDeclined",
    "OfferWithdrawn",
    "HoldStarted",
    "HoldEnded",
    "ReattachBegan",
    "Reattached",
    "TalkEnded",
    "InteractionHandedOver",
    "InteractionAdopted",
    "ContactEnded",
    "FactCorrected",
    "WrapUpStarted",
    "WrapUpDone",
    "WrapUpCodeGiven",
    "ContactReasonNoted",
    "InteractionTransferred",
    "ConsultStarted",
    "ConsultRang",
    "ConsultAnswered",
    "ConsultEnded",
    "ConferenceStarted",
    "ConferenceEnded",
    "InteractionTaken",
    "OutsideDialled",
    "OutsideAnswered",
    "OutsideEnded",
    "FallbackTalkEnded",
)
"""The events that say something about an interaction's record."""

LEFT_BEFORE_QUEUE = "left_before_queue"
"""The outcome of a contact that ended before it was queued."""

_WITH_CUSTOMER = ("talk", "conference", "re_attach")
_ESTABLISHING = (ev.ContactStarted, ev.QueueEntered, ev.InteractionAdopted, ev.FactCorrected)


def fold(history: Sequence[Stamped]) -> Record | None:
    """Return the record of one interaction from all its events, in order.

    None when the events do not show that it existed (a late wrap-up code, a key press alone).
    """
    if not any(isinstance(stamped.event, _ESTABLISHING) for stamped in history):
        return None
    folding = Folding()
    for stamped in history:
        folding.apply(stamped.event, stamped.boot_id)
    for correction in folding.corrections:
        _correct(folding, correction)
    if _is_witnessed_alone(history):
        folding.customer.grade_all(BACK_FILLED)
    return _record(folding)


def _is_witnessed_alone(history: Sequence[Stamped]) -> bool:
    """Whether the contact was begun by its correction: nobody of ours saw any of it."""
    begun = history[0]
    return isinstance(begun.event, ev.ContactStarted) and any(
        isinstance(stamped.event, ev.FactCorrected) and stamped[:2] == begun[:2] for stamped in history
    )


# ---------------------------------------------------------------- corrections


def _correct(folding: Folding, correction: ev.FactCorrected) -> None:
    """Let the witness's facts win: start, end, number, and an answer that no event told of."""
    facts, customer = folding.facts, folding.customer
    facts["interaction_id"] = correction.interaction_id
    facts["grade"] = BACK_FILLED
    for name in ("entry_point", "caller_number"):
        facts[name] = facts.get(name) or getattr(correction, name)
    ended_ms = correction.ended_ms
    if ended_ms is None and "ended_ms" in facts:
        ended_ms = max(facts["ended_ms"], correction.started_ms)
    _answer_when_it_was(folding, correction.answered_ms)
    customer.stretch_to(correction.started_ms, ended_ms)
    if ended_ms is not None:
        _end_no_later(folding, ended_ms)
        facts["ended_ms"] = ended_ms
        facts.setdefault("ended_by", "unknown")
        facts.setdefault("end_reason", correction.evidence)
        for track in folding.agents.values():
            track.cut_at(ended_ms)
        for leg in folding.legs.values():
            leg["ended_ms"] = min(leg.get("ended_ms") or ended_ms, ended_ms)
    customer_leg = folding.legs.get(LegId(bare_id(correction.interaction_id)))
    if customer_leg is not None:
        customer_leg.update(started_ms=correction.started_ms, ended_ms=ended_ms)
    _close_visits(folding, ended_ms)
    answered_ms = correction.answered_ms
    if answered_ms is None or "answered_ms" in facts:
        return
    facts["answered_ms"] = max(answered_ms, correction.started_ms)
    customer.split(facts["answered_ms"], "talking", correction.agent_id)
    if correction.agent_id is not None:
        facts["agent_id"] = correction.agent_id
        track = folding.track(correction.agent_id, FALLBACK_ATTEMPT)
        track.move("talk", facts["answered_ms"], agent_id=correction.agent_id, grade=BACK_FILLED)
        if ended_ms is not None:
            track.close(ended_ms)


def _answer_when_it_was(folding: Folding, answered_ms: int | None) -> None:
    """The answer was noticed late (the link was down): it happened when the witness says."""
    noticed_ms: int | None = folding.facts.get("answered_ms")
    if noticed_ms is None or answered_ms is None or abs(noticed_ms - answered_ms) <= SAME_FACT_MS:
        return
    folding.facts["answered_ms"] = answered_ms
    folding.customer.move_boundary(noticed_ms, answered_ms)
    for track in folding.agents.values():
        track.move_boundary(noticed_ms, answered_ms)
    for leg in folding.legs.values():
        if leg.get("answered_ms") == noticed_ms:
            leg["answered_ms"] = answered_ms
    for offer in folding.offers.values():
        if offer.get("outcome") == "answered" and offer.get("ended_ms") == noticed_ms:
            rang_at_ms = min(offer.get("rang_at_ms") or answered_ms, answered_ms)
            offer.update(ended_ms=answered_ms, rang_at_ms=rang_at_ms, rang_ms=answered_ms - rang_at_ms)
            offer["offered_ms"] = min(offer["offered_ms"], rang_at_ms)
    for visit in folding.visits.values():
        if visit.get("left_ms") == noticed_ms:
            _leave_visit(visit, answered_ms)


def _end_no_later(folding: Folding, ended_ms: int) -> None:
    """Nothing but the wrap-up outlasts the contact; what was thought to do so was noticed late."""
    for track in folding.agents.values():
        talked_until_ms = track.end_of_talk()
        if talked_until_ms is not None and talked_until_ms > ended_ms:
            track.move_boundary(talked_until_ms, ended_ms)
    for offer in folding.offers.values():
        if (offer.get("ended_ms") or ended_ms) > ended_ms:
            offer["ended_ms"] = max(ended_ms, offer["offered_ms"])
    for visit in folding.visits.values():
        if (visit.get("left_ms") or ended_ms) > ended_ms:
            _leave_visit(visit, ended_ms)


def _leave_visit(visit: dict[str, Any], left_ms: int) -> None:
    left_ms = max(left_ms, visit["entered_ms"])
    visit.update(left_ms=left_ms, wait_ms=left_ms - visit["entered_ms"])


def _close_visits(folding: Folding, ended_ms: int | None) -> None:
    """A visit whose end nobody saw ended with the contact; what its exit was is not known better."""
    if ended_ms is None:
        return
    for visit in folding.visits.values():
        if visit.get("left_ms") is None:
            left_ms = max(ended_ms, visit["entered_ms"])
            exit_cause = ev.QueueExit.LOST_WITH_PBX.value
            visit.update(left_ms=left_ms, exit_cause=exit_cause, wait_ms=left_ms - visit["entered_ms"])
            folding.customer.mark_exit(visit["visit"], exit_cause, ended_ms, visit["queue_id"])


# ---------------------------------------------------------------- rows


def _record(folding: Folding) -> Record:
    facts = folding.facts
    customer = tuple(folding.customer.rows())
    agents = tuple(row for track in folding.agents.values() for row in track.rows())
    offered = [offer for offer in folding.offers.values() if offer.get("outcome") != TAKEN]
    offers_of = Counter(offer["visit"] for offer in offered)
    visits = tuple(
        VisitRow(**folding.visits[number], offer_count=offers_of[number]) for number in sorted(folding.visits)
    )
    return Record(
        interaction_id=facts["interaction_id"],
        interaction=InteractionRow(
            medium=facts.get("medium") or "voice",
            direction=facts.get("direction") or "in",
            entry_point=facts.get("entry_point") or "",
            caller_number=facts.get("caller_number") or "",
            caller_name=facts.get("caller_name") or "",
            attributes=facts.get("attributes") or {},
            started_ms=customer[0].started_ms if customer else facts["first_ms"],
            answered_ms=facts.get("answered_ms"),
            ended_ms=facts.get("ended_ms"),
            outcome=_outcome(folding, visits),
            ended_by=facts.get("ended_by"),
            end_reason=facts.get("end_reason"),
            hangup_cause=facts.get("hangup_cause"),
            queue_id=visits[-1].queue_id if visits else None,
            agent_id=facts.get("agent_id"),
            visit_count=len(visits),
            offer_count=len(offered),
            wait_ms=total_ms(customer, "queued", "ringing"),
            talk_ms=total_ms(customer, "talking", "conference"),
            hold_ms=total_ms(customer, "held"),
            wrap_up_ms=total_ms(agents, "wrap_up"),
            wrap_up_code=facts.get("wrap_up_code"),
            grade=facts.get("grade", LIVE),
        ),
        segments=customer + agents,
        visits=visits,
        offers=tuple(_offer(folding, attempt) for attempt in sorted(folding.offers)),
        legs=tuple(LegRow(**leg) for leg in folding.legs.values()),
        reasons=tuple(folding.reasons),
        attempts=tuple(folding.attempts),
    )


def _offer(folding: Folding, attempt: int) -> OfferRow:
    """An offer with what its agent's track says of the participation; one without a track talked no time."""
    offer = folding.offers[attempt]
    if offer.get("outcome") not in (ev.QueueExit.ANSWERED.value, TAKEN):
        return OfferRow(**offer)
    track = folding.agents.get((offer["agent_id"], attempt))
    rows = tuple(track.rows()) if track is not None else ()
    held = tuple(row for row in rows if row.kind == "hold" or is_own_consult(row))
    talk_ends_ms = [row.ended_ms for row in rows if row in held or row.kind in _WITH_CUSTOMER]
    wrap_up_ends_ms = [row.ended_ms for row in rows if row.kind == "wrap_up" and row.ended_ms is not None]
    closed_ms = [ended_ms for ended_ms in talk_ends_ms if ended_ms is not None]
    is_talking = len(closed_ms) < len(talk_ends_ms)
    return OfferRow(
        **offer,
        talk_ended_ms=None if is_talking else max(closed_ms, default=offer.get("ended_ms")),
        wrap_up_ended_ms=max(wrap_up_ends_ms, default=None),
        talk_ms=total_ms(rows, "talk", "conference"),
        hold_ms=total_ms(held, "hold", "consult"),
        wrap_up_ms=total_ms(rows, "wrap_up"),
        talk_ended_by=None if track is None else track.ended_by,
        talk_end_reason=None if track is None else track.end_reason,
        was_held=track is not None and track.was_held,
    )


def _outcome(folding: Folding, visits: tuple[VisitRow, ...]) -> str | None:
    """What became of the contact, in one word; None while it is open and nobody answered."""
    facts = folding.facts
    if folding.handed_over and not facts.get("answered_by_offer"):
        return ev.QueueExit.FALLBACK.value
    if facts.get("answered_ms") is not None:
        return ev.QueueExit.ANSWERED.value
    if facts.get("ended_ms") is None:
        return None
    return (visits[-1].exit_cause if visits else None) or LEFT_BEFORE_QUEUE
