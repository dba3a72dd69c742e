"""Facts of one call in seconds from its start, and its record with the times told the same way."""

from __future__ import annotations

from typing import Any

from app.live.record_rows import Record, Stamped
from app.live.recorder import fold
from routing import events as ev
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.signals import Party

CALL = InteractionId("pbx1-1763790000.7")
SALES = QueueId("sales")
ANA, BEN = AgentId("a1001"), AgentId("a1002")
START = 1_763_790_000_000


def at(seconds: float) -> dict[str, Any]:
    ms = START + round(seconds * 1000)
    return {"at_ms": ms + 40, "occurred_ms": ms}


def started(seconds: float = 0) -> ev.ContactStarted:
    return ev.ContactStarted(
        **at(seconds),
        interaction_id=CALL,
        medium="voice",
        direction="in",
        entry_point="8000",
        caller_number="+886912345678",
        caller_name="王小明",
    )


def entered(seconds: float, visit: int = 1, queue_id: QueueId = SALES) -> ev.QueueEntered:
    when = at(seconds)
    return ev.QueueEntered(
        **when,
        interaction_id=CALL,
        queue_id=queue_id,
        visit=visit,
        queued_at_ms=when["occurred_ms"],
        priority_ms=0,
    )


def left(seconds: float, wait_s: float, queue_exit: ev.QueueExit, visit: int = 1) -> ev.QueueLeft:
    return ev.QueueLeft(
        **at(seconds),
        interaction_id=CALL,
        queue_id=SALES,
        visit=visit,
        exit=queue_exit,
        wait_ms=round(wait_s * 1000),
    )


def offered(seconds: float, agent_id: AgentId, attempt: int, visit: int = 1) -> ev.InteractionOffered:
    return ev.InteractionOffered(
        **at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        visit=visit,
        attempt=attempt,
        wait_ms=0,
        explanation={"chosen": agent_id},
    )


def rang(seconds: float, agent_id: AgentId, attempt: int) -> ev.AgentRang:
    return ev.AgentRang(
        **at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        attempt=attempt,
        leg_id=LegId(f"pbx1-17637900{attempt:02}.9"),
        offered_at_ms=START,
    )


def answered(
    seconds: float, agent_id: AgentId, attempt: int, ring_s: float, visit: int = 1
) -> ev.InteractionAnswered:
    return ev.InteractionAnswered(
        **at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        visit=visit,
        attempt=attempt,
        leg_id=None,
        wait_ms=0,
        ring_ms=round(ring_s * 1000),
    )


def talk_ended(seconds: float, agent_id: AgentId, reason: str = "") -> ev.TalkEnded:
    return ev.TalkEnded(
        **at(seconds),
        interaction_id=CALL,
        agent_id=agent_id,
        queue_id=SALES,
        talk_ms=0,
        hold_ms=0,
        ended_by=Party.CUSTOMER,
        reason=reason,
    )


def ended(seconds: float) -> ev.ContactEnded:
    return ev.ContactEnded(**at(seconds), interaction_id=CALL, ended_by=Party.CUSTOMER, hangup_cause=16)


def record_of(*events: ev.Event) -> Record:
    record = fold([Stamped(1, seq, 0, event, "b1") for seq, event in enumerate(events, 1)])
    assert record is not None
    return record


def track_of(record: Record, track: str = "customer") -> list[tuple[object, ...]]:
    def second(ms: int | None) -> float | None:
        return None if ms is None else (ms - START) / 1000

    return [
        (row.kind, second(row.started_ms), second(row.ended_ms), row.exit_cause)
        for row in record.segments
        if row.track == track
    ]


ANSWERED = (
    started(),
    entered(1),
    offered(3, ANA, 1),
    rang(3.5, ANA, 1),
    left(8, 7, ev.QueueExit.ANSWERED),
    answered(8, ANA, 1, 4.5),
    ev.HoldStarted(**at(20), interaction_id=CALL, agent_id=ANA),
    ev.HoldEnded(**at(25), interaction_id=CALL, agent_id=ANA, hold_ms=5000),
    talk_ended(60, ANA),
    ev.WrapUpStarted(**at(60), agent_id=ANA, interaction_id=CALL, queue_id=SALES, until_ms=None),
    ended(60),
    ev.WrapUpDone(**at(75), agent_id=ANA, interaction_id=CALL, wrap_up_ms=15000),
    ev.WrapUpCodeGiven(**at(70), agent_id=ANA, interaction_id=CALL, code="refund"),
)
