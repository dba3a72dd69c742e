"""What the desk's endpoints take and give."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.customers.queries import NOTE_CHARS_MAX
from app.http.ids import SLUG_PATTERN

Slug = Annotated[str, Field(pattern=SLUG_PATTERN)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DraftBody(_Body):
    """What the agent has chosen and written so far; nothing of it is said yet."""

    code: Slug | None = None
    reason_id: Slug | None = None
    note: str = Field(default="", max_length=NOTE_CHARS_MAX)


class WrapUpForm(DraftBody):
    """The wrap-up as the agent says it.

    Attributes:
        finish: End the wrap-up as well; it may also end by itself later.
    """

    finish: bool = True


class WrappedUp(BaseModel):
    """What was kept of a wrap-up.

    Attributes:
        note_id: The note; null when none was written.
        is_finished: The wrap-up has ended.
    """

    note_id: UUID | None
    is_finished: bool


class CallPartyBody(_Body):
    """Who the caller is, as the agent knows it.

    Attributes:
        party_id: Null: nobody of those who are known.
        remember_number: Link the caller's number to the party, so that the next call knows it.
    """

    party_id: UUID | None
    remember_number: bool = False


class CallParty(BaseModel):
    """Who the call is with now."""

    party_id: UUID | None
    display_name: str


class DeskCode(BaseModel):
    """A wrap-up code."""

    code: str
    display_name: str


class DeskQueue(BaseModel):
    """A queue: where a call can go, and how a call of it may be wrapped up."""

    queue_id: str
    display_name: str
    wrap_up_codes: list[DeskCode]


class DeskReason(BaseModel):
    """A reason for not being ready."""

    reason: str
    display_name: str
    limit_s: float | None


class DeskContactReason(BaseModel):
    """A leaf of the reason tree in force; ``path`` names it from the root."""

    reason_id: str
    path: list[str]


class DeskAgent(BaseModel):
    """A colleague."""

    agent_id: str
    display_name: str
    team_id: str | None


class DeskTeam(BaseModel):
    """A team."""

    team_id: str
    display_name: str


class DeskCentre(BaseModel):
    """The centre's names and choices, as a desk needs them."""

    queues: list[DeskQueue]
    not_ready_reasons: list[DeskReason]
    contact_reasons: list[DeskContactReason]
    agents: list[DeskAgent]
    teams: list[DeskTeam]
