"""Events about agents' phones: where they are rung, and the wait for one that was lost in mid-call."""

from __future__ import annotations

from dataclasses import dataclass

from routing.events import Event
from routing.ids import AgentId, InteractionId, LegId
from routing.phone_signals import PhoneKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ReattachBegan(Event):
    """The agent's browser phone was lost in mid-call; the customer hears music.

    Attributes:
        until_ms: How long the phone is waited for; then the customer goes to the front of the queue.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReattachDialled(Event):
    """The phone can be reached again and is rung; it answers by itself."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reattached(Event):
    """Agent and customer hear each other again; it is still the same conversation.

    Attributes:
        gap_ms: From the loss to now.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    leg_id: LegId | None
    gap_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChanged(Event):
    """The agent is rung elsewhere from now on, or the phone can be reached (again, or no more).

    Attributes:
        reachable: As far as is known; a phone whose state nobody tells counts as reachable.
    """

    agent_id: AgentId
    kind: PhoneKind
    device: str
    reachable: bool
