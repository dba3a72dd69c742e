"""Notes about a party: added, read newest first, taken out of sight."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import NoteNotFoundError, PartyNotFoundError
from app.customers.notes import NOTE_CHARS_MAX, delete_note
from app.customers.parties import NewParty, create_party
from app.customers.queries import add_note, notes_of
from app.db.session import DEFAULT_TENANT

pytestmark = pytest.mark.db
_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


async def test_the_newest_note_is_read_first_and_a_deleted_one_not_at_all(
    connection: AsyncConnection,
) -> None:
    wang = await create_party(connection, DEFAULT_TENANT, NewParty(display_name="王小明"))
    for minute, text in enumerate(("first", "<b>second</b>", "x" * (NOTE_CHARS_MAX + 9))):
        at = _NOW + timedelta(minutes=minute)
        await add_note(connection, DEFAULT_TENANT, wang, text, author="mei", interaction_id="pbx1-1.1", at=at)
    notes = await notes_of(connection, DEFAULT_TENANT, [wang])
    assert [note.text[:13] for note in notes] == ["x" * 13, "<b>second</b>", "first"]
    assert len(notes[0].text) == NOTE_CHARS_MAX
    assert (notes[1].author, notes[1].interaction_id) == ("mei", "pbx1-1.1")
    await delete_note(connection, DEFAULT_TENANT, wang, notes[0].note_id, by="lin")
    assert len(await notes_of(connection, DEFAULT_TENANT, [wang])) == 2
    with pytest.raises(NoteNotFoundError):
        await delete_note(connection, DEFAULT_TENANT, wang, notes[0].note_id, by="lin")


async def test_nobody_gets_no_note(connection: AsyncConnection) -> None:
    with pytest.raises(PartyNotFoundError):
        await add_note(connection, DEFAULT_TENANT, UUID(int=9), "lost", author="mei")
