"""Events of an agent's desk beside the call itself: what a call was about, what an agent wants after it."""

from __future__ import annotations

from dataclasses import dataclass

from routing.events import Event
from routing.ids import AgentId, InteractionId


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReasonNoted(Event):
    """The interaction got a contact reason; the newest of an agent counts, the earlier ones stay history.

    Attributes:
        set_by: ``agent``, ``ivr`` or ``rule``.
        tree_version: The version of the tree that reason_id belongs to.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    reason_id: str
    tree_version: int
    set_by: str = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceWished(Event):
    """During a contact the agent said what to be afterwards; it shows as the state once the slot is empty.

    Attributes:
        presence: ``not_ready`` or ``signed_out``; ``ready`` takes an earlier wish back.
        reason: Of ``not_ready``.
    """

    agent_id: AgentId
    presence: str
    reason: str
