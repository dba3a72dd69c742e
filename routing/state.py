"""The records the engine keeps: interactions, offers, agents. Plain data, no rule.

Everything here is written to the engine's snapshot by its type annotations (``routing.plain``);
what can be recomputed (lines, groups, counts) is not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from routing.agent_states import Presence, SlotPhase
from routing.events import AgentState
from routing.ids import AgentId, InteractionId, LegId, QueueId
from routing.phone_signals import PhoneKind
from routing.signals import Party


class Phase(StrEnum):
    """Where an interaction is."""

    ENTRY = "entry"  # in the dialplan's first lines, in no queue
    QUEUED = "queued"
    OFFERED = "offered"  # rings for an agent; still in its queue
    CONNECTED = "connected"
    RE_ATTACH = "re_attach"  # the agent's phone was lost in mid-call; the customer hears music
    UNATTENDED = "unattended"  # the agent left, the customer is still there
    EXTERNAL = "external"  # the customer is with a number outside, or is being connected with it
    FALLBACK = "fallback"  # the PBX's own queue has it
    CLOSING = "closing"  # will not be served any more; its end is awaited


IN_QUEUE = frozenset({Phase.QUEUED, Phase.OFFERED})
WITH_AGENT = frozenset({Phase.CONNECTED, Phase.RE_ATTACH})


@dataclass(slots=True)
class Offer:
    """An interaction rings (or is about to ring) for one agent. Times in milliseconds."""

    agent_id: AgentId
    attempt: int
    offered_at_ms: int
    rang_at_ms: int | None = None
    leg_id: LegId | None = None


@dataclass(slots=True)
class Reattach:
    """The wait for a phone that was lost in mid-call. Times in milliseconds.

    Attributes:
        until_ms: The deadline, by the engine's time.
        attempt: Of the dial under way; None: the customer hears music.
    """

    began_ms: int
    until_ms: int
    attempt: int | None = None


class ConsultPhase(StrEnum):
    """How far a consult is."""

    DIALLED = "dialled"
    RINGING = "ringing"
    TALKING = "talking"
    CONFERENCE = "conference"  # the customer hears them both


@dataclass(slots=True)
class Consult:
    """The agent who has the customer asks somebody. Times in milliseconds.

    Attributes:
        attempt: Of the dial.
        to_agent_id: Who is asked; None: the number outside.
        conference_ms: When all three began to hear each other.
    """

    attempt: int
    began_ms: int
    to_agent_id: AgentId | None = None
    to_number: str = ""
    phase: ConsultPhase = ConsultPhase.DIALLED
    leg_id: LegId | None = None
    conference_ms: int | None = None


@dataclass(slots=True)
class Outside:
    """The customer is with a number outside. Times in milliseconds.

    Attributes:
        answered_ms: When it was answered; None: it is being dialled.
    """

    attempt: int
    began_ms: int
    to_number: str
    answered_ms: int | None = None


@dataclass(slots=True)
class Interaction:
    """One live interaction.

    Attributes:
        last_ms: When its newest fact occurred; the next fact is never earlier.
        queued_at_ms: Its place in the queue counts from here; visit_started_ms is when the visit began.
        effective_ms: queued_at minus boost minus priority; smallest goes first.
        ordinal: Order of queueing; breaks ties, so that a line is first in, first out.
        exclusive: Only prefer_agent_id may take it, until the hold ends.
        parked_until_ms: Not offered before (the PBX refused an offer as stale).
        reattach_ms: Of the present talk: what was spent waiting for a lost phone.
        gone: The PBX says there is no such channel; its end is awaited.
        handled_by: Agents who talked with the customer.
        leg_id: The agent's leg of the present talk, where the PBX named it.
        consult, outside: The third party that there is besides.
        fallback_talk_ms: Since when an agent serves it on the PBX's own queue.
    """

    interaction_id: InteractionId
    arrived_ms: int
    last_ms: int
    phase: Phase = Phase.ENTRY
    medium: str = "voice"
    direction: str = "in"
    entry_point: str = ""
    caller_number: str = ""
    caller_name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    queue_id: QueueId | None = None
    visit: int = 0
    visit_started_ms: int = 0
    queued_at_ms: int = 0
    first_queued_ms: int | None = None
    priority_ms: int = 0
    effective_ms: int = 0
    ordinal: int = 0
    attempt: int = 0
    offer: Offer | None = None
    agent_id: AgentId | None = None
    talk_started_ms: int = 0
    hold_started_ms: int | None = None
    hold_ms: int = 0
    excluded: dict[AgentId, bool] = field(default_factory=dict)
    prefer_agent_id: AgentId | None = None
    exclusive: bool = False
    parked_until_ms: int | None = None
    gone: bool = False
    stale_count: int = 0
    hangup_by: Party | None = None
    fallback_agent_id: AgentId | None = None
    handled_by: list[AgentId] = field(default_factory=list)
    reattach: Reattach | None = None
    reattach_ms: int = 0
    leg_id: LegId | None = None
    consult: Consult | None = None
    outside: Outside | None = None
    fallback_talk_ms: int | None = None

    @property
    def entry(self) -> tuple[int, int, int, InteractionId]:
        """Its sort key in a line: first come, first served by effective time."""
        return (self.effective_ms, self.queued_at_ms, self.ordinal, self.interaction_id)


@dataclass(slots=True)
class Slot:
    """What occupies an agent's voice slot.

    Attributes:
        wrap_until_ms: End of the wrap-up; None: by hand only.
        wrap_asked_ms: Wrap-up asked for during the talk (mode ``optional``).
    """

    interaction_id: InteractionId
    phase: SlotPhase
    queue_id: QueueId | None = None
    wrap_started_ms: int = 0
    wrap_until_ms: int | None = None
    wrap_asked_ms: int = 0


@dataclass(slots=True)
class Agent:
    """One agent of the configuration.

    Attributes:
        state, reason, interaction_id, since_ms: The displayed state and when it began.
        ready_since_ms: The place among the ready; kept through an offer that is taken back.
        phone_kind, phone_device: Where he is rung; phone_chosen: the PBX was told so.
        phone_since_ms: Since when the phone is what it is, there or not.
        phone_instance: Which opened page his browser phone is; empty: none that we know of.
        strike_count: Device failures in a row; spaces the retries out.
        excluded_from: Interactions that shall not be offered again until AgentReady.
        told_wish: What readers were told that the agent wants after the contact; empty: to be ready.
        retired: No longer in the configuration; goes when the contact is over.
    """

    agent_id: AgentId
    presence: Presence = Presence.SIGNED_OUT
    presence_reason: str = ""
    voice: Slot | None = None
    state: AgentState = AgentState.SIGNED_OUT
    reason: str = ""
    interaction_id: InteractionId | None = None
    since_ms: int = 0
    ready_since_ms: int | None = None
    busy_elsewhere: bool = False
    busy_evidence: str = ""
    device_lost: bool = False
    strike_count: int = 0
    fallback_paused: bool = True
    fallback_queue_ids: tuple[QueueId, ...] = ()
    excluded_from: dict[InteractionId, bool] = field(default_factory=dict)
    retired: bool = False
    phone_kind: PhoneKind = PhoneKind.DESK
    phone_device: str = ""
    phone_chosen: bool = False
    phone_since_ms: int = 0
    phone_instance: str = ""
    told_wish: str = ""


@dataclass(slots=True)
class Ended:
    """What is remembered of an interaction that ended, for late and double reports."""

    interaction_id: InteractionId
    reason: str
    attempt: int
    visit: int
    handled_by: list[AgentId] = field(default_factory=list)
