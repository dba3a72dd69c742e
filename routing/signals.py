"""Signals: what the world tells the engine. Past tense, frozen, keyword-only.

``at_ms`` is the inbox's stamp and gives order and deadlines; ``occurred_ms`` is when it happened by the
PBX's own clock and gives facts; both in milliseconds since the Unix epoch (UTC). Who makes a signal leaves
``at_ms`` 0; the inbox stamps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.config import CentreConfig
from routing.ids import AgentId, BootId, InteractionId, LegId, PbxId, QueueId


class OfferFailure(StrEnum):
    """Why a phone that was offered an interaction did not take it."""

    NO_ANSWER = "no_answer"  # rang until the ring timeout: RONA
    REJECTED = "rejected"  # the agent pressed reject
    BUSY = "busy"  # the phone said busy
    DEVICE_ERROR = "device_error"  # unregistered, unreachable, congestion
    DEVICE_BUSY = "device_busy"  # DEVICE_STATE was not NOT_INUSE, nothing rang
    STALE = "stale"  # refused at the PBX: epoch below the fence or attempt already used
    UNKNOWN_CHANNEL = "unknown_channel"  # the PBX knows no such caller any more


class Party(StrEnum):
    """Who did it."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"
    OUTSIDE = "outside"  # the party behind a number outside
    UNKNOWN = "unknown"


class PbxPhase(StrEnum):
    """Where the PBX holds an interaction, as its ``CC_STATE`` variable tells."""

    ENTRY = "entry"
    WAITING = "waiting"
    OFFERED = "offered"
    TALKING = "talking"
    HELD = "held"
    FALLBACK = "fallback"
    CONSULT = "consult"  # music, while the agent asks somebody
    CONFERENCE = "conference"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Something the world tells the engine.

    Attributes:
        at_ms: Inbox stamp; never decreases from one signal to the next.
        occurred_ms: When it happened by the PBX's clock, corrected by the measured offset; None: at_ms.
        request_id: Makes a repeated request harmless; None for what nobody asked for.
    """

    at_ms: int = 0
    occurred_ms: int | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionArrived(Signal):
    """A contact began (first line of ``cc-in``). It waits in no queue yet."""

    interaction_id: InteractionId
    medium: str = "voice"
    direction: str = "in"
    entry_point: str = ""
    caller_number: str = ""
    caller_name: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionWaiting(Signal):
    """One waiting lap. The first of a visit queues the interaction, later ones say it is still there.

    Attributes:
        queue_id: None when the PBX names none; the engine then uses the default queue.
        lap: 1 for the first lap of this visit at the PBX.
        attempt: The highest attempt the PBX has seen for this interaction.
        priority_ms: Head start in milliseconds.
        queued_at_ms: When the visit began, if the PBX remembers (place kept); None: occurred_ms.
    """

    interaction_id: InteractionId
    queue_id: QueueId | None = None
    lap: int = 1
    attempt: int = 0
    priority_ms: int = 0
    queued_at_ms: int | None = None
    prefer_agent_id: AgentId | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRang(Signal):
    """The agent's phone rings."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferAnswered(Signal):
    """The agent's phone was answered; both parties hear each other."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    leg_id: LegId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferFailed(Signal):
    """The offer ended without an answer; the caller goes back to the waiting laps."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    cause: OfferFailure
    hangup_cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionHeld(Signal):
    """The agent put the customer on hold."""

    interaction_id: InteractionId
    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionUnheld(Signal):
    """The agent took the customer back from hold."""

    interaction_id: InteractionId
    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentLegEnded(Signal):
    """The agent's leg of a connected interaction ended; the customer may still be there."""

    interaction_id: InteractionId
    agent_id: AgentId
    hangup_cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionEnded(Signal):
    """The customer's channel is gone."""

    interaction_id: InteractionId
    ended_by: Party = Party.UNKNOWN
    hangup_cause: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPressed(Signal):
    """The caller pressed a key while waiting."""

    interaction_id: InteractionId
    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionTransferred(Signal):
    """The agent's phone transferred the customer by itself (SIP REFER), to a queue or an agent."""

    interaction_id: InteractionId
    agent_id: AgentId | None = None
    to_queue_id: QueueId | None = None
    to_agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackEntered(Signal):
    """The dialplan handed the caller to app_queue, because nobody heard it or its laps ran out."""

    interaction_id: InteractionId
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackServed(Signal):
    """app_queue connected the caller to an agent."""

    interaction_id: InteractionId
    agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRefused(Signal):
    """The PBX answered a command with an error (for instance: no such channel).

    Attributes:
        command: The command's class name.
        attempt: The attempt it carried; 0 when it carried none.
    """

    command: str
    reason: str
    interaction_id: InteractionId | None = None
    agent_id: AgentId | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequested(Signal):
    """Blind transfer: exactly one target is set; a number as the number gate lets it be dialled."""

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None
    to_queue_id: QueueId | None = None
    to_agent_id: AgentId | None = None
    to_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HangupRequested(Signal):
    """Somebody with the right to do so wants the interaction ended."""

    interaction_id: InteractionId
    by_agent_id: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSignedIn(Signal):
    """The agent began work; the state is not_ready(signed_in) until AgentReady."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSignedOut(Signal):
    """The agent stopped work. During a contact it takes effect when that contact and its wrap-up end."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReady(Signal):
    """The agent wants work. Ends a wrap-up and clears a ring-no-answer."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentNotReady(Signal):
    """The agent wants no work. During a contact it takes effect afterwards."""

    agent_id: AgentId
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpEnded(Signal):
    """The agent finished the wrap-up by hand."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpExtended(Signal):
    """The agent needs longer."""

    agent_id: AgentId
    extend_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpCoded(Signal):
    """The agent gave the interaction its wrap-up code."""

    agent_id: AgentId
    interaction_id: InteractionId
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentBusyElsewhere(Signal):
    """The agent's phone is in use by something the engine did not start.

    Attributes:
        evidence: What shows it (a device state, a channel of app_queue).
    """

    agent_id: AgentId
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFreeElsewhere(Signal):
    """The agent's phone is no longer in use by something else."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLost(Signal):
    """The agent's phone cannot be reached (unregistered, unreachable)."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceReachable(Signal):
    """The agent's phone can be reached again."""

    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionSeen:
    """One customer's channel in a snapshot of the PBX.

    Attributes:
        queued_at_ms: When the present queue visit began, as the PBX's variable tells.
        agent_id: The agent whom it rings for or talks to; bridged: the customer's channel is in a bridge.
    """

    interaction_id: InteractionId
    phase: PbxPhase
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None
    leg_id: LegId | None = None
    attempt: int = 0
    priority_ms: int = 0
    arrived_ms: int | None = None
    queued_at_ms: int | None = None
    entry_point: str = ""
    caller_number: str = ""
    caller_name: str = ""
    bridged: bool = False
    served_by_fallback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSeen:
    """One agent's phone in a snapshot of the PBX."""

    agent_id: AgentId
    reachable: bool
    in_use: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxSnapshotTaken(Signal):
    """What the PBX holds, read after every (re)connect. For channels, bridges and devices it wins."""

    pbx_id: PbxId
    boot_id: BootId
    interactions: tuple[InteractionSeen, ...] = ()
    devices: tuple[DeviceSeen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxLinkLost(Signal):
    """The PBX cannot be heard; nothing is offered until the next snapshot."""

    pbx_id: PbxId
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged(Signal):
    """The centre's configuration: the first one, or a live edit."""

    version: int
    config: CentreConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFactCorrected(Signal):
    """Reconciliation with the PBX's own channel event log found a fact the events missed."""

    interaction_id: InteractionId
    started_ms: int
    ended_ms: int | None
    answered_ms: int | None = None
    agent_id: AgentId | None = None
    entry_point: str = ""
    caller_number: str = ""
    evidence: str = "cel"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlineReached(Signal):
    """Nothing but time passed; what fell due by at_ms is applied."""
