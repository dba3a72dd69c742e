"""The rows that the recorder's fold gives: plain values, whole milliseconds since the epoch (UTC).

A moment ``x_at`` of ``app.db.tables.log`` is ``x_ms`` here; only ``rang_at_ms`` keeps its ``at``, because
``rang_ms`` is how long it rang.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from routing.events import Event
from routing.ids import AgentId, InteractionId, QueueId

LIVE = "live"
BACK_FILLED = "back_filled"
ESTIMATED = "estimated"


class Stamped(NamedTuple):
    """An event with its place in the journal, which is its order, and the boot it was seen under."""

    epoch: int
    seq: int
    ordinal: int
    event: Event
    boot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A stretch of one track; ``ended_ms`` None: it still runs.

    Attributes:
        exit_cause: Of the queue visit that it ends.
        ended_by, end_reason: Of the agent's participation that it ends (``routing.signals.Party``).
    """

    track: str
    ordinal: int
    kind: str
    started_ms: int
    ended_ms: int | None
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None
    visit: int | None = None
    attempt: int | None = None
    exit_cause: str | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    grade: str = LIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A queue visit."""

    visit: int
    queue_id: QueueId
    entered_ms: int
    queued_ms: int
    left_ms: int | None = None
    exit_cause: str | None = None
    wait_ms: int | None = None
    agent_id: AgentId | None = None
    offer_count: int = 0
    priority_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferRow:
    """An offer and how it ended, and of one that was answered what became of the participation.

    ``talk_ended_ms`` None: it still talks, or was not answered; ``hold_ms`` is no part of ``talk_ms``;
    ``was_held``: the customer was on hold when the participation ended.
    """

    attempt: int
    agent_id: AgentId
    queue_id: QueueId | None
    visit: int | None
    offered_ms: int
    rang_at_ms: int | None = None
    ended_ms: int | None = None
    outcome: str | None = None
    outcome_reason: str | None = None
    wait_ms: int = 0
    rang_ms: int | None = None
    talk_ended_ms: int | None = None
    wrap_up_ended_ms: int | None = None
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    talk_ended_by: str | None = None
    talk_end_reason: str | None = None
    was_held: bool = False
    explanation: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRow:
    """A channel of the interaction."""

    pbx_id: str
    boot_id: str
    leg_id: str
    party: str
    agent_id: AgentId | None
    started_ms: int
    answered_ms: int | None = None
    ended_ms: int | None = None
    hangup_cause: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonRow:
    """What the contact was about, as somebody said once."""

    ordinal: int
    tree_version: int
    reason_id: str
    set_by: str
    actor: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """A number outside was dialled for the interaction, behind the number gate.

    Attributes:
        attempt: Of the interaction; with its id it names the row.
        purpose: ``transfer`` or ``consult``.
        requested_by: The agent; empty: somebody else with the right to.
    """

    attempt: int
    purpose: str
    number: str
    requested_by: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionRow:
    """A contact."""

    medium: str
    direction: str
    entry_point: str
    caller_number: str
    caller_name: str
    attributes: Mapping[str, str]
    started_ms: int
    answered_ms: int | None
    ended_ms: int | None
    outcome: str | None
    ended_by: str | None
    end_reason: str | None
    hangup_cause: int | None
    queue_id: QueueId | None
    agent_id: AgentId | None
    visit_count: int
    offer_count: int
    wait_ms: int
    talk_ms: int
    hold_ms: int
    wrap_up_ms: int
    wrap_up_code: str | None
    grade: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """All rows of one interaction."""

    interaction_id: InteractionId
    interaction: InteractionRow
    segments: tuple[SegmentRow, ...]
    visits: tuple[VisitRow, ...]
    offers: tuple[OfferRow, ...]
    legs: tuple[LegRow, ...]
    reasons: tuple[ReasonRow, ...] = ()
    attempts: tuple[AttemptRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanRow:
    """A stretch of one displayed state of an agent; ``ended_ms`` None: it still runs."""

    agent_id: AgentId
    started_ms: int
    ended_ms: int | None
    state: str
    reason: str
    interaction_id: InteractionId | None
    queue_id: QueueId | None = None
    grade: str = LIVE
