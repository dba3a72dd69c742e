"""Histories of one interaction for the recorder's properties: likely ones and unlikely ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from app.live.record_rows import Stamped
from routing import events as ev
from routing import transfer_events as tr
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.signals import OfferFailure, Party

CALL = InteractionId("pbx1-1763790000.7")
START_MS = 1_763_790_000_000
_AGENTS = [AgentId("a1001"), AgentId("a1002")]
_QUEUES = [QueueId("sales"), QueueId("billing")]


def _event(draw: st.DrawFn, name: str, at: dict[str, Any], call: InteractionId) -> ev.Event:
    agent_id = draw(st.sampled_from(_AGENTS))
    queue_id = draw(st.sampled_from(_QUEUES))
    number = draw(st.integers(1, 3))
    ms = at["occurred_ms"]
    extra: dict[str, Callable[[], dict[str, Any]]] = {
        "QueueEntered": lambda: {
            "queue_id": queue_id,
            "visit": number,
            "queued_at_ms": ms - 500,
            "priority_ms": 0,
        },
        "QueueLeft": lambda: {
            "queue_id": queue_id,
            "visit": number,
            "exit": draw(st.sampled_from(list(ev.QueueExit))),
            "wait_ms": draw(st.integers(0, 9_000)),
        },
        "InteractionOffered": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "visit": number,
            "attempt": number,
            "wait_ms": 5,
        },
        "AgentRang": lambda: {
            "agent_id": agent_id,
            "attempt": number,
            "leg_id": LegId(f"pbx1-{number}763790000.1"),
            "offered_at_ms": ms,
        },
        "InteractionAnswered": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "visit": number,
            "attempt": number,
            "leg_id": None,
            "wait_ms": 5,
            "ring_ms": 5,
        },
        "OfferNotAnswered": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "attempt": number,
            "rang_ms": 5,
        },
        "OfferDeclined": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "attempt": number,
            "cause": OfferFailure.REJECTED,
            "rang_ms": 5,
        },
        "OfferWithdrawn": lambda: {
            "agent_id": agent_id,
            "attempt": number,
            "reason": "caller_left",
            "rang_ms": 5,
        },
        "HoldStarted": lambda: {"agent_id": agent_id},
        "HoldEnded": lambda: {"agent_id": agent_id, "hold_ms": 5},
        "TalkEnded": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "talk_ms": 5,
            "hold_ms": 0,
            "ended_by": Party.AGENT,
        },
        "InteractionHandedOver": lambda: {
            "agent_id": draw(st.sampled_from([None, agent_id])),
            "cause": "laps",
        },
        "InteractionAdopted": lambda: {
            "phase": draw(
                st.sampled_from(["entry", "queued", "offered", "connected", "fallback", "closing"])
            ),
            "queue_id": queue_id,
            "agent_id": draw(st.sampled_from([None, agent_id])),
        },
        "ContactEnded": lambda: {"ended_by": Party.CUSTOMER, "hangup_cause": 16},
        "FactCorrected": lambda: {
            "started_ms": START_MS - draw(st.integers(-3_000, 3_000)),
            "ended_ms": draw(st.none() | st.integers(START_MS + 3_000, START_MS + 200_000)),
            "answered_ms": draw(st.none() | st.integers(START_MS - 1_000, START_MS + 250_000)),
            "agent_id": draw(st.sampled_from([None, agent_id])),
            "entry_point": "8000",
            "caller_number": "",
            "evidence": "cel",
        },
        "WrapUpStarted": lambda: {"agent_id": agent_id, "queue_id": queue_id, "until_ms": None},
        "WrapUpDone": lambda: {"agent_id": agent_id, "wrap_up_ms": 5},
        "WrapUpCodeGiven": lambda: {"agent_id": agent_id, "code": "refund"},
    }
    asked = {
        "agent_id": agent_id,
        "attempt": number,
        "to_agent_id": draw(st.sampled_from([None, *_AGENTS])),
    }
    extra |= {
        "ConsultStarted": lambda: asked,
        "ConsultRang": lambda: {**asked, "leg_id": LegId(f"pbx1-{number}763790000.2")},
        "ConsultAnswered": lambda: asked,
        "ConsultEnded": lambda: {
            **asked,
            "outcome": draw(st.sampled_from(list(tr.ConsultOutcome))),
            "ended_by": Party.AGENT,
            "consult_ms": 5,
        },
        "ConferenceStarted": lambda: asked,
        "ConferenceEnded": lambda: {
            **asked,
            "left_agent_id": draw(st.sampled_from([None, *_AGENTS])),
            "ended_by": draw(st.sampled_from(list(Party))),
        },
        "InteractionTaken": lambda: {
            "agent_id": agent_id,
            "queue_id": queue_id,
            "attempt": number,
            "since_ms": ms,
        },
        "OutsideDialled": lambda: {"attempt": number, "to_number": "+886287654321"},
        "OutsideAnswered": lambda: {"attempt": number},
        "OutsideEnded": lambda: {
            "attempt": number,
            "outcome": "talked",
            "ended_by": Party.OUTSIDE,
            "talk_ms": 5,
        },
        "FallbackTalkEnded": lambda: {"agent_id": agent_id, "talk_ms": 5, "ended_by": Party.AGENT},
    }
    kind = getattr(ev, name, None) or getattr(tr, name)
    event: ev.Event = kind(**at, interaction_id=call, **extra[name]())
    return event


_NAMES = [
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
    "TalkEnded",
    "InteractionHandedOver",
    "InteractionAdopted",
    "ContactEnded",
    "FactCorrected",
    "WrapUpStarted",
    "WrapUpDone",
    "WrapUpCodeGiven",
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
]


@st.composite
def histories(draw: st.DrawFn, call: InteractionId = CALL, steps_max: int = 14) -> list[Stamped]:
    """A contact's start and then events in any order; a few happened earlier than the one before."""
    ms = START_MS
    started = ev.ContactStarted(
        at_ms=ms,
        occurred_ms=ms,
        interaction_id=call,
        medium="voice",
        direction="in",
        entry_point="8000",
        caller_number="+886912345678",
        caller_name="王小明",
    )
    found = [Stamped(1, 1, 0, started, "b1")]
    for seq, name in enumerate(draw(st.lists(st.sampled_from(_NAMES), max_size=steps_max)), 2):
        ms += draw(st.integers(-50, 9_000))
        at: dict[str, Any] = {"at_ms": max(ms, START_MS), "occurred_ms": max(ms, START_MS)}
        found.append(Stamped(1, seq, 0, _event(draw, name, at, call), "b1"))
    return found
