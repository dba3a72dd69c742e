"""What the calls' endpoints take and give. The page's types come from here."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.calls.rules import REASON_LETTERS_MAX
from app.http.ids import INTERACTION_PATTERN, SLUG_PATTERN

CallPath = Annotated[
    str,
    Path(pattern=INTERACTION_PATTERN, description="The call's id, for instance pbx1-1763790000.7"),
]
Grade = Literal["live", "back_filled", "estimated", "unknown"]


class _Answer(BaseModel):
    """What we send: every field is there, those with a default too."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class TransferBody(BaseModel):
    """Blind transfer: exactly one target.

    Attributes:
        to_number: Outside, as anybody writes it; the number gate decides whether it is dialled.
    """

    model_config = ConfigDict(extra="forbid")

    to_queue_id: str | None = Field(default=None, pattern=SLUG_PATTERN)
    to_agent_id: str | None = Field(default=None, pattern=SLUG_PATTERN)
    to_number: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if [self.to_queue_id, self.to_agent_id, self.to_number].count(None) != 2:
            raise ValueError("name exactly one of to_queue_id, to_agent_id and to_number")
        return self


class ConsultBody(BaseModel):
    """Whom to ask while the customer hears music: exactly one target.

    Attributes:
        to_number: Outside, as anybody writes it; the number gate decides whether it is dialled.
    """

    model_config = ConfigDict(extra="forbid")

    to_agent_id: str | None = Field(default=None, pattern=SLUG_PATTERN)
    to_number: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if (self.to_agent_id is None) == (self.to_number is None):
            raise ValueError("name exactly one of to_agent_id and to_number")
        return self


class MatchCandidate(_Answer):
    """A party whom the caller's number may stand for."""

    party_id: UUID
    kind: str = ""
    label: str = ""
    extension: str = ""
    display_name: str = ""


class CallMatch(_Answer):
    """Who the caller was taken for when the call came; never rewritten later.

    Attributes:
        outcome: match, several, unknown, withheld or late.
        number: As the numbering plan reads it.
    """

    outcome: str = ""
    number: str = ""
    number_kind: str = ""
    candidates: list[MatchCandidate] = Field(default_factory=list)


class CallRow(_Answer):
    """One call of the list. Names are those that queue, agent and party have now.

    Attributes:
        outcome: answered, how the last queue visit ended, or left_before_queue; null while it goes on.
        ended_by: customer, agent, system, outside (the party behind a number) or unknown.
        wait_ms: Queued and ringing, all visits together.
        grade: How the row came to be: live, or back_filled from the PBX's own log.
    """

    interaction_id: str
    medium: str = "voice"
    direction: str = "in"
    kind: str = "contact"
    parent_id: str | None = None
    entry_point: str = ""
    caller_number: str = ""
    caller_name: str = ""
    party_id: UUID | None = None
    party_name: str | None = None
    match_method: str | None = None
    match_confidence: int | None = None
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    hangup_cause: int | None = None
    queue_id: str | None = None
    queue_name: str | None = None
    agent_id: str | None = None
    agent_name: str | None = None
    visit_count: int = 0
    offer_count: int = 0
    wait_ms: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    wrap_up_code: str | None = None
    grade: Grade = "live"


class CallList(_Answer):
    """One page of the call log, newest first.

    Attributes:
        next_cursor: Send it as ``cursor`` for the next page; null on the last.
    """

    calls: list[CallRow]
    next_cursor: str | None


class CallSegment(_Answer):
    """A stretch of one track: ``customer``, or ``<agent>#<attempt>``; ended_at null: it still runs.

    Attributes:
        exit_cause: How the queue visit ended that it ends.
        ended_by, end_reason: Who ended the agent's participation that it ends (customer, agent, system or
            unknown), and how: hangup, transfer, attended_transfer, consult_cancelled and others.
    """

    track: str
    ordinal: int
    kind: str
    started_at: datetime
    ended_at: datetime | None
    queue_id: str | None = None
    agent_id: str | None = None
    visit: int | None = None
    attempt: int | None = None
    exit_cause: str | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    grade: Grade = "live"


class CallVisit(_Answer):
    """A queue visit; exit_cause null: the caller still waits."""

    visit: int
    queue_id: str
    entered_at: datetime
    queued_at: datetime
    left_at: datetime | None = None
    exit_cause: str | None = None
    wait_ms: int | None = None
    agent_id: str | None = None
    offer_count: int = 0
    priority_ms: int = 0


class NotChosen(_Answer):
    """Another agent (or caller) who could have been chosen, and the word for why not."""

    id: str
    why: str


class Factors(_Answer):
    """What the decision went by.

    Attributes:
        ready_ms: How long the agent had been ready.
        priority_ms: The caller's head start.
    """

    ready_ms: int = 0
    priority_ms: int = 0
    effective_ms: int | None = None


class Explanation(_Answer):
    """Why this agent, as ids and parameters; the page makes the sentence.

    Attributes:
        kind: agent_for_interaction (an agent was chosen for a caller), interaction_for_agent (a caller for
            an agent who became free); empty: no reason was kept.
        candidate_count: How many could have been chosen.
    """

    kind: str = ""
    at_ms: int | None = None
    wait_ms: int = 0
    step: str | int | None = None
    chosen: str = ""
    runner_up: str | None = None
    candidate_count: int = 0
    factors: Factors = Factors()
    not_chosen: list[NotChosen] = Field(default_factory=list)


class CallOffer(_Answer):
    """An offer to one agent, and why to this one.

    Attributes:
        outcome: answered, no_answer, another failure, or withdrawn; null while it rings. Taken: no offer,
            but a customer handed over in a consult or shared in a conference.
        wait_ms: The caller's wait in this visit when the offer was made.
        rang_ms: How long the phone rang.
    """

    attempt: int
    agent_id: str
    queue_id: str | None = None
    visit: int | None = None
    offered_at: datetime
    rang_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    outcome_reason: str | None = None
    wait_ms: int = 0
    rang_ms: int | None = None
    explanation: Explanation = Explanation()


class CallLeg(_Answer):
    """One leg of the call at the PBX."""

    pbx_id: str
    leg_id: str
    party: str
    agent_id: str | None = None
    started_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_cause: int | None = None


class CallEvent(_Answer):
    """A fact of the call as it was journalled; body holds its fields."""

    epoch: int
    seq: int
    ordinal: int
    at: datetime
    occurred_at: datetime
    type: str
    v: int
    agent_id: str | None = None
    queue_id: str | None = None
    body: dict[str, Any]


class CallNote(_Answer):
    """A note that was written in this call; without a party while nobody knows who called."""

    note_id: UUID
    party_id: UUID | None
    text: str
    author: str
    at: datetime


class CallSettling(_Answer):
    """That somebody took the call off the list of those who gave up; undone_at null: it is off."""

    reason: str = ""
    settled_by: str = ""
    settled_at: datetime
    undone_by: str = ""
    undone_at: datetime | None = None


class SettleBody(BaseModel):
    """Why the caller needs no call back."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    reason: str = Field(min_length=1, max_length=REASON_LETTERS_MAX)


class CallStory(CallRow):
    """One call whole: both tracks, visits, offers and why, legs, events, notes, and settlings by hand."""

    attributes: dict[str, Any] = Field(default_factory=dict)
    match: CallMatch | None = None
    segments: list[CallSegment] = Field(default_factory=list)
    visits: list[CallVisit] = Field(default_factory=list)
    offers: list[CallOffer] = Field(default_factory=list)
    legs: list[CallLeg] = Field(default_factory=list)
    events: list[CallEvent] = Field(default_factory=list)
    notes: list[CallNote] = Field(default_factory=list)
    settlings: list[CallSettling] = Field(default_factory=list)


class QueueChoice(_Answer):
    """A queue, and the seconds within which it aims to answer."""

    id: str
    display_name: str
    threshold_s: float


class AgentChoice(_Answer):
    """An agent and the agent's team."""

    id: str
    display_name: str
    team_id: str | None = None


class EntryPointChoice(_Answer):
    """A number that callers dial."""

    id: str
    display_name: str
    queue_id: str | None = None


class Choice(_Answer):
    """Something by its id and name."""

    id: str
    display_name: str


class CallChoices(_Answer):
    """What calls can be asked for by."""

    queues: list[QueueChoice]
    agents: list[AgentChoice]
    teams: list[Choice]
    wrap_up_codes: list[Choice]
    entry_points: list[EntryPointChoice]
    outcomes: list[str]
