"""Commands: what the engine asks of the world. Imperative, frozen, keyword-only.

They name interactions and agents; which channel that is, is the PBX adapter's affair.
"""

from __future__ import annotations

from dataclasses import dataclass

from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.phone_signals import PhoneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something the engine asks of the world."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferInteraction(Command):
    """Ring one agent for one waiting interaction: one atomic hand-over, fenced by epoch and attempt."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveToQueue(Command):
    """Send the customer to the waiting laps of a queue (withdraws a ringing offer, or transfers).

    Attributes:
        queued_at_ms: When the visit began: the place that the caller keeps.
        ring_timeout_ms: The queue's ring timeout for the offers that follow.
    """

    interaction_id: InteractionId
    queue_id: QueueId
    queued_at_ms: int
    priority_ms: int
    ring_timeout_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkHeard(Command):
    """Tell the PBX that a live server has heard this waiting caller (keeps it out of the fallback queue)."""

    interaction_id: InteractionId
    heard_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndInteraction(Command):
    """Hang up the customer's channel."""

    interaction_id: InteractionId


@dataclass(frozen=True, slots=True, kw_only=True)
class HandToFallback(Command):
    """Send the waiting customer to the PBX's own fallback queue."""

    interaction_id: InteractionId
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinFallback(Command):
    """Make the signed-in agent a member of the queue's fallback at the PBX."""

    agent_id: AgentId
    queue_id: QueueId
    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveFallback(Command):
    """Take the agent out of the queue's fallback at the PBX."""

    agent_id: AgentId
    queue_id: QueueId


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseFallback(Command):
    """Pause or unpause the agent in all fallback queues (only a deliberate not-ready pauses)."""

    agent_id: AgentId
    paused: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldInteraction(Command):
    """Let the customer hear music until fetched: the agent's phone is gone."""

    interaction_id: InteractionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReattachInteraction(Command):
    """Ring the agent whose phone was lost in mid-call; it answers by itself. Fenced like an offer."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePhone(Command):
    """Ring the agent there from now on.

    Attributes:
        device: What to dial; empty: what the PBX or the configuration names.
    """

    agent_id: AgentId
    kind: PhoneKind
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConsult(Command):
    """Let the customer hear music and ring whom the agent asks; exactly one target is set. Fenced by epoch.

    Attributes:
        leg_id: The agent's own leg.
    """

    interaction_id: InteractionId
    leg_id: LegId
    attempt: int
    to_agent_id: AgentId | None
    to_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndConsult(Command):
    """Bring the customer back to the agent, and let go whom he asked."""

    interaction_id: InteractionId
    agent_id: AgentId
    leg_id: LegId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteConsult(Command):
    """Connect the customer with whom the agent asked, and let the agent go.

    Attributes:
        to_agent_id: None: the number outside.
    """

    interaction_id: InteractionId
    attempt: int
    to_agent_id: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartConference(Command):
    """Bring the customer, the agent and whom he asked together.

    Attributes:
        leg_id, to_leg_id: The agent's own leg, and that of whom he asked.
    """

    interaction_id: InteractionId
    leg_id: LegId
    to_leg_id: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class EndLeg(Command):
    """Hang up one leg of a conference; the others go on."""

    interaction_id: InteractionId
    leg_id: LegId


@dataclass(frozen=True, slots=True, kw_only=True)
class DialOutside(Command):
    """Connect the customer with a number outside, which the number gate has let pass. Fenced by epoch."""

    interaction_id: InteractionId
    attempt: int
    to_number: str
