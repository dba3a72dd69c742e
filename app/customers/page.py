"""One party as its page shows it: everything beside it in one answer."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.editing import version_of
from app.customers.errors import PartyNotFoundError
from app.customers.notes import notes_of
from app.customers.reading import Row, persons, whole_party
from app.customers.schemas import NoteRow, PartyPage, ms, plain
from app.db.session import TenantId

_LISTS = ("merges", "relations", "consents", "do_not_contact", "promises", "fields")
_FACTS = ("party_id", "asked_party_id", "kind", "display_name", "language", "external_ref", "custom")


async def party_page(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> PartyPage:
    """Return the party that *party_id* reads as today.

    Raises:
        PartyNotFoundError: there is none, or it was erased.
    """
    whole = await whole_party(connection, tenant_id, party_id)
    if whole is None:
        raise PartyNotFoundError(party_id)
    now = datetime.now(UTC)
    people = await persons(connection, tenant_id, whole["party_id"])
    return PartyPage.model_validate(
        {
            **{name: whole[name] for name in _FACTS},
            **{name: [plain(row) for row in whole[name]] for name in _LISTS},
            "version": version_of(whole["changed_at"]),
            "created_ms": ms(whole["created_at"]),
            "changed_ms": ms(whole["changed_at"]),
            "identifiers": [{**plain(row), "is_current": _holds(row, now)} for row in whole["identifiers"]],
            "notes": [
                NoteRow(
                    note_id=note.note_id,
                    party_id=note.party_id,
                    text=note.text,
                    author=note.author,
                    interaction_id=note.interaction_id,
                    at_ms=ms(note.at) or 0,
                )
                for note in await notes_of(connection, tenant_id, people)
            ],
        }
    )


def _holds(row: Row, now: datetime) -> bool:
    has_begun = row["valid_from"] is None or row["valid_from"] <= now
    return has_begun and (row["valid_to"] is None or now < row["valid_to"])
