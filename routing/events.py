"""Events: facts for readers. Past tense, frozen, keyword-only; readers never ask back.

``at_ms`` is the engine's time of the step, ``occurred_ms`` when it happened (the fact that
segments and spans use). Both in milliseconds since the Unix epoch (UTC). An event carries all
that its readers need: every log table and every board is a fold of events alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from routing.ids import AgentId, BootId, InteractionId, LegId, PbxId, QueueId
from routing.signals import OfferFailure, Party
from routing.transfer_signals import TransferKind


class QueueExit(StrEnum):
    """How a queue visit ended: exclusive, and together complete (I9)."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"  # the caller hung up while waiting or while an agent's phone rang
    SHORT_ABANDON = "short_abandon"
    QUEUE_TIMEOUT = "queue_timeout"
    KEY = "key"
    NO_AGENTS_AT_ENTRY = "no_agents_at_entry"
    NO_AGENTS_LATER = "no_agents_later"
    QUEUE_FULL = "queue_full"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    OVERFLOWED = "overflowed"
    FALLBACK = "fallback"  # handed to app_queue
    LOST_WITH_PBX = "lost_with_pbx"


class AgentState(StrEnum):
    """The displayed state of an agent: a pure function of presence and slots."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    RESERVED = "reserved"
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    RE_ATTACH = "re_attach"
    WRAP_UP = "wrap_up"
    BUSY_ELSEWHERE = "busy_elsewhere"
    NOT_READY = "not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact."""

    at_ms: int
    occurred_ms: int


# ---------------------------------------------------------------- interactions


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactStarted(Event):
    """An interaction began."""

    interaction_id: InteractionId
    medium: str
    direction: str
    entry_point: str
    caller_number: str
    caller_name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntered(Event):
    """A queue visit began.

    Attributes:
        visit: 1 for the first visit of this interaction.
        queued_at_ms: From when its place counts (may lie before occurred_ms: place kept).
    """

    interaction_id: InteractionId
    queue_id: QueueId
    visit: int
    queued_at_ms: int
    priority_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Event):
    """A queue visit ended.

    Attributes:
        wait_ms: occurred_ms minus the start of the visit.
    """

    interaction_id: InteractionId
    queue_id: QueueId
    visit: int
    exit: QueueExit
    wait_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionOffered(Event):
    """The engine chose an agent; the hand-over was commanded.

    Attributes:
        wait_ms: Wait of this visit so far.
        explanation: Chosen, runner-up and why not the others, as ids and parameters.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId
    visit: int
    attempt: int
    wait_ms: int
    explanation: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRang(Event):
    """The offered agent's phone rings."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    leg_id: LegId | None
    offered_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionAnswered(Event):
    """Agent and customer are connected.

    Attributes:
        wait_ms: Speed of answer: from the start of the visit to the answer.
        ring_ms: How long the agent's phone rang.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId | None
    visit: int
    attempt: int
    leg_id: LegId | None
    wait_ms: int
    ring_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferNotAnswered(Event):
    """Ring-no-answer (RONA): the agent let the offer time out after it rang for rang_ms milliseconds."""

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId | None
    attempt: int
    rang_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDeclined(Event):
    """The offer failed otherwise than by RONA."""

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId | None
    attempt: int
    cause: OfferFailure
    rang_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferWithdrawn(Event):
    """The engine or the caller took the offer back (the caller hung up, a transfer, a lost link)."""

    interaction_id: InteractionId
    agent_id: AgentId
    attempt: int
    reason: str
    rang_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStarted(Event):
    """The customer is on hold."""

    interaction_id: InteractionId
    agent_id: AgentId


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldEnded(Event):
    """The customer is back from hold."""

    interaction_id: InteractionId
    agent_id: AgentId
    hold_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkEnded(Event):
    """The agent's participation ended.

    Attributes:
        talk_ms: Connected time without hold, and without waiting for a lost phone; hold_ms: on hold.
        ended_by: Who left first; SYSTEM for a transfer. was_held: the customer heard music then.
    """

    interaction_id: InteractionId
    agent_id: AgentId
    queue_id: QueueId | None
    talk_ms: int
    hold_ms: int
    ended_by: Party
    reason: str = ""
    was_held: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionTransferred(Event):
    """A transfer took effect; exactly one target is set: as it was meant, also where nobody could take it."""

    interaction_id: InteractionId
    from_agent_id: AgentId | None
    to_queue_id: QueueId | None
    to_agent_id: AgentId | None
    to_number: str = ""  # outside, as it is dialled; attempt: of that dial
    kind: TransferKind = TransferKind.BLIND
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionHandedOver(Event):
    """The PBX's own fallback queue has the caller, or served it (agent_id set)."""

    interaction_id: InteractionId
    agent_id: AgentId | None
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionAdopted(Event):
    """An interaction was found at the PBX that the engine did not know, or knew otherwise."""

    interaction_id: InteractionId
    phase: str
    queue_id: QueueId | None
    agent_id: AgentId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyNoted(Event):
    """The caller pressed a key while waiting."""

    interaction_id: InteractionId
    digit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactEnded(Event):
    """The customer is gone.

    Attributes:
        ended_by: Who ended it.
        reason: ``hangup``, ``lost`` (found gone after a reconnect) or ``lost_with_pbx``.
    """

    interaction_id: InteractionId
    ended_by: Party
    hangup_cause: int
    reason: str = "hangup"


@dataclass(frozen=True, slots=True, kw_only=True)
class FactCorrected(Event):
    """The witness (channel event log) showed a fact that the events had missed or had otherwise."""

    interaction_id: InteractionId
    started_ms: int
    ended_ms: int | None
    answered_ms: int | None
    agent_id: AgentId | None
    entry_point: str
    caller_number: str
    evidence: str


# ---------------------------------------------------------------- agents


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStateChanged(Event):
    """The displayed state of an agent changed. Spans are built from these alone.

    Attributes:
        since_ms: Start of the state just left (its end is occurred_ms).
        queue_id: Of the contact that the new state is about.
    """

    agent_id: AgentId
    state: AgentState
    reason: str
    interaction_id: InteractionId | None
    previous: AgentState
    previous_reason: str
    since_ms: int
    queue_id: QueueId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpStarted(Event):
    """After-call work began.

    Attributes:
        until_ms: When it ends by itself; None: only by hand.
    """

    agent_id: AgentId
    interaction_id: InteractionId
    queue_id: QueueId | None
    until_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpLengthened(Event):
    """The agent needs longer; the wrap-up now ends at until_ms."""

    agent_id: AgentId
    interaction_id: InteractionId
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpDone(Event):
    """After-call work ended."""

    agent_id: AgentId
    interaction_id: InteractionId
    wrap_up_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapUpCodeGiven(Event):
    """The interaction got its wrap-up code."""

    agent_id: AgentId
    interaction_id: InteractionId
    code: str


# ---------------------------------------------------------------- the system


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxLinkChanged(Event):
    """The link to the PBX was lost, or is up again after a snapshot was merged."""

    pbx_id: PbxId
    up: bool
    boot_id: BootId | None
    adopted_count: int
    closed_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigApplied(Event):
    """A configuration is in force.

    Attributes:
        signed_in: Who is signed in at this moment; None: an older release did not say.
    """

    version: int
    agent_count: int
    queue_count: int
    queue_ids: tuple[QueueId, ...] = ()
    agent_ids: tuple[AgentId, ...] = ()
    signed_in: tuple[AgentId, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalIgnored(Event):
    """A signal that can happen in life and does not fit (an answer after the hang-up).

    Attributes:
        signal: Its class name.
        reason: A stable word (``unknown_interaction``, ``stale_attempt`` …).
    """

    signal: str
    reason: str
    interaction_id: InteractionId | None
    agent_id: AgentId | None
    request_id: str | None
