"""The values that an agent's own topic shows, by key: what the desk's types are generated from. Pure.

Law: a value on the wire has these fields, all of them and no others. Moments in milliseconds since the epoch
(UTC) by the server's clock.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel
from typing_extensions import TypedDict

from app.customers.identify_rules import Attestation, Method, Outcome
from app.customers.numbers import IdentifierKind
from app.floor.topic_values import QueueTile
from routing.events import AgentState
from routing.ids import AgentId, InteractionId, QueueId
from routing.phone_signals import PhoneKind

CallPhase = Literal["offered", "ringing", "talking", "held", "re_attach", "wrap_up"]
Record = Literal["pending", "complete", "away"]
Presence = Literal["ready", "busy", "not_ready", "signed_out"]


class DeskPhone(TypedDict):
    """What the agent is rung on; ``registered_since_ms`` null: it cannot be rung."""

    kind: PhoneKind
    address: str
    reachable: bool
    registered_since_ms: int | None


class DeskWrapUp(TypedDict):
    """The wrap-up that goes on; ``until_ms`` null: it ends by hand. ``code``: what it has so far."""

    interaction_id: InteractionId
    until_ms: int | None
    extendable: bool
    mode: str
    code: str | None


class DeskMe(TypedDict):
    """The agent, to themselves; the wish is what they want to be after the contact."""

    agent_id: AgentId
    display_name: str
    state: AgentState
    reason: str
    since_ms: int
    presence_wish: str | None
    presence_wish_reason: str
    phone: DeskPhone
    wrap_up: DeskWrapUp | None


class DeskCall(TypedDict):
    """The call that the agent has; in wrap-up as the talk left it."""

    interaction_id: InteractionId
    attempt: int
    phase: CallPhase
    queue_id: QueueId | None
    queue_name: str | None
    entry_point: str
    entry_name: str
    caller_number: str
    caller_name: str
    queued_at_ms: int | None
    offered_at_ms: int | None
    answered_at_ms: int | None
    held_since_ms: int | None


class DeskDay(TypedDict):
    """What the agent has done since the centre's midnight; stretches that ended alone."""

    handled_count: int
    talk_s: float
    hold_s: float
    wrap_up_s: float
    ready_s: float
    not_ready_s: float
    rona_count: int
    signed_in_since_ms: int | None


class CardContact(TypedDict):
    """An earlier contact of a party."""

    interaction_id: str
    started_ms: int
    medium: str
    direction: str
    queue_id: str | None
    outcome: str | None
    agent_id: str | None
    wrap_up_code: str | None
    note_preview: str


class CardNote(TypedDict):
    """A note on a party."""

    note_id: str
    text: str
    author: str
    at_ms: int


class CardPromise(TypedDict):
    """An open promise to a party."""

    promise_id: str
    kind: str
    due_ms: int | None
    state: str


class PartyCard(TypedDict):
    """A party as a pop shows it; ``label``: of the number that called."""

    party_id: str
    kind: str
    display_name: str
    language: str
    external_ref: str
    label: str
    custom: dict[str, Any]
    numbers: list[str]
    last_contacts: list[CardContact]
    notes: list[CardNote]
    promises: list[CardPromise]


class DeskPop(TypedDict):
    """Who calls, by which evidence.

    Attributes:
        confidence: Per cent.
        attestation: What the network says of the caller id.
        record: Whether what the database knows is in it already, or the database is away.
        candidates: Who else it may be, likeliest first.
    """

    pop_id: int
    interaction_id: InteractionId
    queue_id: QueueId | None
    made_ms: int
    acked_ms: int | None
    number: str
    number_kind: IdentifierKind
    outcome: Outcome
    method: Method
    confidence: int
    attestation: Attestation
    record: Record
    party: PartyCard | None
    candidates: list[PartyCard]


class Colleague(TypedDict):
    """Whether a call can be handed to an agent now; busy: rung, talking or wrapping up."""

    agent_id: AgentId
    presence: Presence


PresenceTopic = TypedDict("PresenceTopic", {"agent/*": Colleague}, total=False)
"""``presence:all``."""


class Draft(BaseModel):
    """A draft of a wrap-up, as it is kept."""

    code: str | None
    reason_id: str | None
    note: str
    changed_ms: int


DeskTopic = TypedDict(
    "DeskTopic",
    {
        "me": DeskMe,
        "call": DeskCall,
        "day": DeskDay,
        "queue/*": QueueTile,
        "pop/*": DeskPop,
        "draft/*": Draft,
    },
    total=False,
)
"""``agent:*``."""
