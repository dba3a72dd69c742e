"""What the world tells of consults, conferences and calls to numbers outside (``routing.signals``)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.ids import AgentId, InteractionId, LegId
from routing.signals import OfferFailure, Party, Signal


class TransferKind(StrEnum):
    """How a customer was handed on."""

    BLIND = "blind"
    ATTENDED = "attended"  # behind a consult or a conference


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultRequested(Signal):
    """The agent wants to ask somebody while the customer hears music; exactly one target is set.

    Attributes:
        to_number: Outside, as the number gate lets it be dialled; empty: an agent.
    """

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None
    to_agent_id: AgentId | None = None
    to_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultCancelled(Signal):
    """The agent wants to go back to the customer, and let go whom he asked."""

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultCompleted(Signal):
    """The agent hands the customer to whom he asked, or leaves both in the conference."""

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceRequested(Signal):
    """The agent wants the customer and whom he asked to hear each other and him."""

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultLegRang(Signal):
    """The phone of whom the agent asks rings."""

    interaction_id: InteractionId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultLegAnswered(Signal):
    """The phone of whom the agent asks was answered."""

    interaction_id: InteractionId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultLegEnded(Signal):
    """The leg of whom the agent asks is over.

    Attributes:
        cause: Why it was not answered; None: it was, and whoever was asked hung up.
    """

    interaction_id: InteractionId
    attempt: int
    cause: OfferFailure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultAgentLeft(Signal):
    """A phone that took part in a consult was hung up by the one who holds it.

    Attributes:
        agent_id: Whose it is; None: the number outside.
    """

    interaction_id: InteractionId
    attempt: int
    agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLegAnswered(Signal):
    """The number outside that the customer was sent to was answered."""

    interaction_id: InteractionId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLegEnded(Signal):
    """The number outside is over, and the customer is still there.

    Attributes:
        cause: Why it was not answered; None: it was, and hung up.
    """

    interaction_id: InteractionId
    attempt: int
    cause: OfferFailure | None = None
    ended_by: Party = Party.UNKNOWN
