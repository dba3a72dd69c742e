"""Consults, conferences and numbers outside, folded into both tracks of an interaction. Pure.

The customer is ``held`` while the agent consults, ``conference`` while three talk, ``external`` with a
number outside. On the agents' tracks a consult stands on both sides: on the track of the agent who asks it
carries the consult's own attempt, on the track of whom he asks it is where that participation begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from app.live.record_rows import AttemptRow
from routing import transfer_events as tr
from routing.events import InteractionTransferred
from routing.ids import AgentId, LegId, QueueId
from routing.signals import Party
from routing.transfer_signals import TransferKind

if TYPE_CHECKING:
    from app.live.record_folding import Folding
    from app.live.record_rows import SegmentRow

OUTSIDE = "external"  # the party of a leg that belongs to nobody of ours
TAKEN = "taken"  # the outcome of a participation without an offer: handed over in a consult, or a conference

TransferEvent = (
    InteractionTransferred
    | tr.ConsultStarted
    | tr.ConsultRang
    | tr.ConsultAnswered
    | tr.ConsultEnded
    | tr.ConferenceStarted
    | tr.ConferenceEnded
    | tr.InteractionTaken
    | tr.OutsideDialled
    | tr.OutsideAnswered
    | tr.OutsideEnded
    | tr.FallbackTalkEnded
)


def fold_transfer(folding: Folding, event: TransferEvent, boot_id: str) -> None:
    """Take one more event in."""
    at_ms = event.occurred_ms
    match event:
        case InteractionTransferred():
            if event.kind is TransferKind.BLIND:  # behind a consult the number was dialled before
                _dial(folding, event.attempt, "transfer", event.to_number, event.from_agent_id, at_ms)
        case tr.ConsultStarted():
            _dial(folding, event.attempt, "consult", event.to_number, event.agent_id, at_ms)
            folding.switch(event.agent_id, at_ms, "held", "consult", consult=event.attempt)
        case tr.ConsultRang():
            _note_leg(folding, event.leg_id, boot_id, event.to_agent_id, at_ms)
            _move(folding, event.to_agent_id, event.attempt, "ring", at_ms)
        case tr.ConsultAnswered():
            _note_leg(folding, event.leg_id, boot_id, event.to_agent_id, at_ms, answered=True)
            _move(folding, event.to_agent_id, event.attempt, "consult", at_ms)
        case tr.ConsultEnded():
            _end_consult(folding, event)
        case tr.ConferenceStarted():
            running = folding.customer.running
            queue_id = running.queue_id if running is not None else None
            _take(folding, event.to_agent_id, event.attempt, queue_id, at_ms)
            folding.switch(event.agent_id, at_ms, "conference", "conference")
            _move(folding, event.to_agent_id, event.attempt, "conference", at_ms)
        case tr.ConferenceEnded():
            _end_conference(folding, event)
        case tr.InteractionTaken():
            where = {"queue_id": event.queue_id, "agent_id": event.agent_id, "attempt": event.attempt}
            _take(folding, event.agent_id, event.attempt, event.queue_id, at_ms)
            folding.connect(event.agent_id, event.attempt, at_ms, where)
        case tr.OutsideDialled():
            folding.go("external", at_ms, attempt=event.attempt)
        case tr.OutsideAnswered():
            _note_leg(folding, event.leg_id, boot_id, None, at_ms, answered=True)
        case tr.OutsideEnded():
            _end_outside_legs(folding, at_ms)
            running = folding.customer.running
            if running is not None and running.kind == "external":
                folding.go("ivr", at_ms)
        case tr.FallbackTalkEnded():
            if (track := folding.participation(event.agent_id)) is not None:
                track.end(at_ms, event.ended_by.value, "hangup")
            running = folding.customer.running
            if running is not None and running.kind in ("talking", "held"):
                folding.go("ivr", at_ms)
        case _:
            assert_never(event)


def _dial(
    folding: Folding, attempt: int, purpose: str, number: str, agent_id: AgentId | None, at_ms: int
) -> None:
    """A number outside was dialled; nothing happens when it was none."""
    if number:
        row = AttemptRow(
            attempt=attempt, purpose=purpose, number=number, requested_by=agent_id or "", at_ms=at_ms
        )
        folding.attempts.append(row)


def is_own_consult(row: SegmentRow) -> bool:
    """Whether the segment is a consult of the agent who has the customer; its other side serves nobody."""
    return row.kind == "consult" and row.track != f"{row.agent_id}#{row.attempt}"


def _take(
    folding: Folding, agent_id: AgentId | None, attempt: int, queue_id: QueueId | None, at_ms: int
) -> None:
    """Begin the participation of an agent who was not offered the customer; it stands among the offers."""
    if agent_id is not None:
        row = {"attempt": attempt, "agent_id": agent_id, "queue_id": queue_id, "visit": None}
        folding.offers.setdefault(attempt, {**row, "offered_ms": at_ms, "ended_ms": at_ms, "outcome": TAKEN})


def _move(folding: Folding, agent_id: AgentId | None, attempt: int, kind: str, at_ms: int) -> None:
    """The track of whom the agent asks; a party outside has none."""
    if agent_id is not None and not folding.is_over:
        folding.track(agent_id, attempt).move(kind, at_ms, agent_id=agent_id, attempt=attempt)


def _end_consult(folding: Folding, event: tr.ConsultEnded) -> None:
    at_ms = event.occurred_ms
    if event.outcome not in tr.GIVEN_ON:
        if event.to_agent_id is not None:
            track = folding.track(event.to_agent_id, event.attempt)
            track.end(at_ms, event.ended_by.value, f"consult_{event.outcome}")
            folding.end_leg(event.to_agent_id, at_ms)
        else:
            _end_outside_legs(folding, at_ms)
    if event.outcome in tr.BACK_TO_AGENT:
        folding.switch(event.agent_id, at_ms, "talking", "talk")


def _end_conference(folding: Folding, event: tr.ConferenceEnded) -> None:
    """Whoever of the agents left has his ``TalkEnded``; here the host goes on, or the party outside goes."""
    at_ms = event.occurred_ms
    if event.to_agent_id is None and event.left_agent_id is None:
        _end_outside_legs(folding, at_ms)
    if event.left_agent_id != event.agent_id and event.ended_by is not Party.CUSTOMER:
        folding.switch(event.agent_id, at_ms, "talking", "talk")


def _note_leg(
    folding: Folding,
    leg_id: LegId | None,
    boot_id: str,
    agent_id: AgentId | None,
    at_ms: int,
    *,
    answered: bool = False,
) -> None:
    if leg_id is not None:
        leg: dict[str, Any] = folding.leg(leg_id, boot_id, "agent" if agent_id else OUTSIDE, agent_id, at_ms)
        if answered:
            leg["answered_ms"] = at_ms


def _end_outside_legs(folding: Folding, at_ms: int) -> None:
    for leg in folding.legs.values():
        if leg["party"] == OUTSIDE and leg.get("ended_ms") is None:
            leg["ended_ms"] = at_ms
