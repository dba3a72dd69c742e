"""What the endpoints of parties take and give. Moments are milliseconds since the Unix epoch (UTC)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.customers.notes import NOTE_CHARS_MAX
from app.http.ids import INTERACTION_PATTERN

CUSTOM_FIELDS_MAX = 100
_MOMENTS = re.compile(r"(?:.+_)?at|valid_from|valid_to")
PartyKind = Literal["person", "organisation", "household", "partner", "supplier"]
FIELD_PATTERN = r"^[a-z][a-z0-9_]{0,31}$"
LANGUAGE_PATTERN = r"^([A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4})?$"


def ms(moment: datetime | None) -> int | None:
    """Return the moment as the pages take it."""
    return None if moment is None else round(moment.timestamp() * 1000)


def _one_line(text: str) -> str:
    kept = "".join(" " if letter.isspace() else letter for letter in text if _is_text(letter))
    return " ".join(kept.split())


def _lines(text: str) -> str:
    return "".join(letter for letter in text if letter in "\n\t" or _is_text(letter)).strip()


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("nothing that can be read is left of it")
    return text


def _is_text(letter: str) -> bool:
    # no column holds NUL or half a surrogate; other control characters only mislead readers
    return letter.isspace() or unicodedata.category(letter) not in ("Cc", "Cs")


Line = Annotated[str, AfterValidator(_one_line)]
Named = Annotated[str, Field(max_length=200), AfterValidator(_one_line), AfterValidator(_not_empty)]
Lines = Annotated[str, AfterValidator(_lines)]
CustomValue = str | int | float | bool | None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ---------------------------------------------------------------- lists


class PartyRow(BaseModel):
    """A party in a list.

    Attributes:
        numbers: Up to three, normal form, the preferred one first.
        found_by: Why a search gave it; null in a list without one.
        found_as: Under which name, when that is one merged into it.
    """

    party_id: UUID
    kind: PartyKind
    display_name: str
    language: str
    external_ref: str
    numbers: list[str]
    changed_ms: int
    found_by: Literal["number", "external_ref", "name"] | None = None
    found_as: str | None = None


class PartyList(BaseModel):
    """One page of parties.

    Attributes:
        next_cursor: Send it as ``cursor`` for the next page; null on the last, and for a search.
        is_complete: False: a search found more than it gives; more words narrow it.
    """

    parties: list[PartyRow]
    next_cursor: str | None
    is_complete: bool = True


# ---------------------------------------------------------------- one party


class IdentifierRow(BaseModel):
    """A number, address or other handle of a party.

    Attributes:
        party_id: Whose it is: the party itself, or one merged into it.
        is_current: It holds now.
    """

    party_id: UUID
    identifier_id: UUID
    kind: str
    raw: str
    normal: str
    label: str
    source: str
    extension: str
    is_preferred: bool
    is_current: bool
    verified_ms: int | None
    valid_from_ms: int | None
    valid_to_ms: int | None


class MergeRow(BaseModel):
    """A party that reads as this one."""

    alias_id: UUID
    merged_party_id: UUID
    display_name: str
    merged_ms: int
    merged_by: str


class RelationRow(BaseModel):
    """How this party stands to another one."""

    relation_id: UUID
    kind: str
    other_party_id: UUID
    display_name: str
    is_outward: bool


class ConsentRow(BaseModel):
    """What the person allowed or refused."""

    consent_id: UUID
    number_normal: str | None
    purpose: str
    medium: str
    state: Literal["granted", "refused", "withdrawn"]
    source: str
    recorded_ms: int
    valid_to_ms: int | None


class DoNotContactRow(BaseModel):
    """A number of this party that must not be called."""

    number_normal: str
    medium: str
    reason: str
    until_ms: int | None


class PromiseRow(BaseModel):
    """What was promised to this party."""

    promise_id: UUID
    kind: str
    state: Literal["open", "kept", "broken", "released"]
    made_ms: int
    due_ms: int | None
    made_in: str | None
    promised_by: str


class NoteRow(BaseModel):
    """What somebody wrote about the party."""

    note_id: UUID
    party_id: UUID
    text: str
    author: str
    interaction_id: str | None
    at_ms: int


class FieldRow(BaseModel):
    """A field that the centre added to parties."""

    field_id: str
    applies_to: str
    type: str
    display_name: str
    options: dict[str, Any]


class PartyPage(BaseModel):
    """One party whole.

    Attributes:
        asked_party_id: Differs from ``party_id`` when the one asked for was merged into this one.
        version: Send it back with an edit.
    """

    party_id: UUID
    asked_party_id: UUID
    version: str
    kind: PartyKind
    display_name: str
    language: str
    external_ref: str
    custom: dict[str, Any]
    created_ms: int
    changed_ms: int
    identifiers: list[IdentifierRow]
    notes: list[NoteRow]
    merges: list[MergeRow]
    relations: list[RelationRow]
    consents: list[ConsentRow]
    do_not_contact: list[DoNotContactRow]
    promises: list[PromiseRow]
    fields: list[FieldRow]


class TimelineEntry(BaseModel):
    """One interaction of the person.

    Attributes:
        party_id: The party as it was matched then; perhaps one merged since.
    """

    interaction_id: str
    party_id: UUID
    medium: str
    direction: str
    kind: str
    caller_number: str
    match_method: str | None
    match_confidence: int | None
    started_ms: int
    answered_ms: int | None
    ended_ms: int | None
    outcome: str | None
    queue_id: str | None
    agent_id: str | None
    wait_ms: int
    talk_ms: int
    hold_ms: int
    wrap_up_code: str | None
    note_preview: str | None


class Timeline(BaseModel):
    """One page of what a person did with us, newest first."""

    entries: list[TimelineEntry]
    next_cursor: str | None


class DuplicateRow(PartyRow):
    """Perhaps the same person; ``reasons`` are ``same_identifier`` and ``same_name``."""

    reasons: list[Literal["same_identifier", "same_name"]]


class DuplicateList(BaseModel):
    """Who might be the same person."""

    parties: list[DuplicateRow]


# ---------------------------------------------------------------- what is sent


class IdentifierBody(_Body):
    """A number, address or handle, as anybody writes it.

    Attributes:
        is_shared: Others have it too, and keep it.
        takes_over: Others had it until now: a recycled number.
    """

    raw: Line = Field(max_length=256)
    label: Line = Field(default="", max_length=64)
    is_preferred: bool = False
    is_shared: bool = False
    takes_over: bool = False


class NewPartyBody(_Body):
    """A party to be made, with its first identifiers."""

    kind: PartyKind = "person"
    display_name: Named
    language: str = Field(default="", pattern=LANGUAGE_PATTERN)
    external_ref: Line = Field(default="", max_length=128)
    custom: dict[Annotated[str, Field(pattern=FIELD_PATTERN)], CustomValue] = Field(
        default_factory=dict, max_length=CUSTOM_FIELDS_MAX
    )
    identifiers: list[IdentifierBody] = Field(default_factory=list, max_length=20)


class PartyChanges(_Body):
    """What to change; what is absent stays. ``custom``: null removes a field."""

    version: str = Field(pattern=r"^[0-9]{1,20}$")
    kind: PartyKind | None = None
    display_name: Named | None = None
    language: str | None = Field(default=None, pattern=LANGUAGE_PATTERN)
    external_ref: Line | None = Field(default=None, max_length=128)
    custom: dict[Annotated[str, Field(pattern=FIELD_PATTERN)], CustomValue] | None = Field(
        default=None, max_length=CUSTOM_FIELDS_MAX
    )


class NoteBody(_Body):
    """A note."""

    text: Annotated[str, Field(max_length=NOTE_CHARS_MAX), AfterValidator(_lines), AfterValidator(_not_empty)]
    interaction_id: str | None = Field(default=None, pattern=INTERACTION_PATTERN)


class MergeBody(_Body):
    """*merged* shall read as *into*."""

    merged_party_id: UUID
    into_party_id: UUID


class MergePreview(BaseModel):
    """What a merge would bring to ``into``; nothing is done yet.

    Attributes:
        differing: Facts of ``merged`` that ``into`` does not show: they stay with ``merged``.
    """

    merged: PartyRow
    into: PartyRow
    interaction_count: int
    identifier_count: int
    note_count: int
    promise_count: int
    earlier_merge_count: int
    differing: list[str]


class MergeDone(BaseModel):
    """A merge, and by what id it is undone."""

    alias_id: UUID
    merged_party_id: UUID
    party_id: UUID


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the database as its model takes it: moments become milliseconds.

    >>> plain({"made_at": datetime.fromisoformat("1970-01-01T00:00:01Z"), "valid_to": None, "at": None})
    {'made_ms': 1000, 'valid_to_ms': None, 'at_ms': None}
    """
    return {
        (_in_ms(name) if _MOMENTS.fullmatch(name) else name): ms(value)
        if isinstance(value, datetime)
        else value
        for name, value in row.items()
    }


def _in_ms(name: str) -> str:
    return "at_ms" if name == "at" else name.removesuffix("_at") + "_ms"
