"""Facts of consults, conferences and transfers. Past tense, frozen, keyword-only (``routing.events``).

A consult is a second leg of the agent's own: the customer hears music meanwhile. It ends in one way; when it
is completed or becomes a conference, the facts that follow in the same step say who has the customer now.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.events import Event
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.signals import Party


class ConsultOutcome(StrEnum):
    """How a consult ended: exclusive."""

    COMPLETED = "completed"  # the customer was handed over
    CONFERENCE = "conference"  # all three hear each other
    CANCELLED = "cancelled"  # the agent went back to the customer
    TARGET_LEFT = "target_left"  # it was answered, and whoever was asked hung up
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"  # refused or busy
    FAILED = "failed"  # nothing rang
    AGENT_LEFT = "agent_left"
    CALLER_LEFT = "caller_left"
    LOST = "lost"  # found gone after a reconnect


GIVEN_ON = frozenset({ConsultOutcome.COMPLETED, ConsultOutcome.CONFERENCE})
BACK_TO_AGENT = frozenset(
    {
        ConsultOutcome.CANCELLED,
        ConsultOutcome.TARGET_LEFT,
        ConsultOutcome.NO_ANSWER,
        ConsultOutcome.REJECTED,
        ConsultOutcome.FAILED,
    }
)
"""After these the agent talks with the customer again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultStarted(Event):
    """The customer is on hold and the agent calls somebody; one of the two targets is set.

    Attributes:
        agent_id: Who consults; attempt numbers the dial and names the track of whom he asks.
        to_number: Outside, as it is dialled; empty: an agent is asked.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None
    to_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultRang(Event):
    """The phone of whom the agent asks rings."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultAnswered(Event):
    """The agent and whom he asks hear each other; the customer hears music."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultEnded(Event):
    """The consult is over.

    Attributes:
        ended_by: Who ended it; CUSTOMER when the customer hung up meanwhile.
        consult_ms: From the dial to the end.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None
    outcome: ConsultOutcome
    ended_by: Party
    consult_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceStarted(Event):
    """Customer, agent and whom he asked hear each other."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceEnded(Event):
    """One of the three left; who stays is told by what follows in the same step.

    Attributes:
        left_agent_id: The agent who left; None: the party outside, or the customer.
        ended_by: Whose leaving it was.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    to_agent_id: AgentId | None
    left_agent_id: AgentId | None
    ended_by: Party


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionTaken(Event):
    """An agent has the customer without a queue visit: handed over in a consult, or left in a conference.

    Attributes:
        attempt: Of the consult in which his phone was rung.
        since_ms: From when his talk with the customer counts: a conference before it is part of it.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId | None
    attempt: int
    since_ms: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideDialled(Event):
    """The customer is being connected with a number outside; no agent is with him any more."""

    interaction_id: InteractionId
    attempt: int
    to_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideAnswered(Event):
    """The party outside and the customer hear each other."""

    interaction_id: InteractionId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideEnded(Event):
    """The customer is with the number outside no more.

    Attributes:
        outcome: ``talked``, or why nobody talked: ``no_answer``, ``rejected``, ``failed``, ``caller_left``.
        talk_ms: How long they heard each other.
    """

    interaction_id: InteractionId
    attempt: int
    outcome: str
    ended_by: Party
    talk_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackTalkEnded(Event):
    """The talk on the PBX's own queue is over."""

    interaction_id: InteractionId
    agent_id: AgentId
    talk_ms: int
    ended_by: Party
