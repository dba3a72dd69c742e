"""Notes about a party, written by people; the newest first. A deleted note stays in the table, unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import NoteNotFoundError, PartyNotFoundError
from app.customers.parties import new_party_id
from app.db import tables
from app.db.session import TenantId

NOTE_CHARS_MAX: Final = 4_000
NOTES_SHOWN_MAX: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One note.

    Attributes:
        author: The name of the principal who wrote it.
        interaction_id: In which it was written; None: outside any.
    """

    note_id: UUID
    party_id: UUID
    text: str
    author: str
    interaction_id: str | None
    at: datetime


async def add_note(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    text: str,
    *,
    author: str,
    interaction_id: str | None = None,
    at: datetime | None = None,
) -> UUID:
    """Add a note; return its id.

    Raises:
        PartyNotFoundError: there is no such party, or it was erased.
    """
    party = tables.party.c
    known = await connection.execute(
        select(party.party_id).where(
            party.tenant_id == tenant_id, party.party_id == party_id, party.erased_at.is_(None)
        )
    )
    if known.one_or_none() is None:
        raise PartyNotFoundError(party_id)
    note_id = new_party_id()
    values = {
        "tenant_id": tenant_id,
        "note_id": note_id,
        "party_id": party_id,
        "text": text[:NOTE_CHARS_MAX],
        "author": author,
        "interaction_id": interaction_id,
    }
    if at is not None:
        values["at"] = at
    await connection.execute(insert(tables.party_note).values(**values))
    return note_id


async def notes_of(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_ids: Sequence[UUID],
    *,
    limit: int = NOTES_SHOWN_MAX,
) -> list[Note]:
    """Return the notes of *party_ids* (a person and who was merged into them), newest first."""
    note = tables.party_note.c
    rows = await connection.execute(
        select(note.note_id, note.party_id, note.text, note.author, note.interaction_id, note.at)
        .where(note.tenant_id == tenant_id, note.party_id.in_(party_ids), note.deleted_at.is_(None))
        .order_by(note.at.desc(), note.note_id.desc())
        .limit(min(limit, NOTES_SHOWN_MAX))
    )
    return [Note(**row) for row in rows.mappings()]


async def delete_note(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    note_id: UUID,
    *,
    by: str,
    author: str | None = None,
) -> None:
    """Take a note out of sight.

    Args:
        author: Only if they wrote it.

    Raises:
        NoteNotFoundError: the party has no such note (of theirs).
    """
    note = tables.party_note
    conditions = [
        note.c.tenant_id == tenant_id,
        note.c.party_id == party_id,
        note.c.note_id == note_id,
        note.c.deleted_at.is_(None),
    ]
    if author is not None:
        conditions.append(note.c.author == author)
    done = await connection.execute(
        update(note).where(*conditions).values(deleted_at=func.now(), deleted_by=by)
    )
    if not done.rowcount:
        raise NoteNotFoundError(note_id)
