"""Who might be the same person twice, and what a merge of two would bring together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import PartyNotFoundError
from app.customers.finding import find_parties
from app.customers.parties import stands_for
from app.customers.reading import party_rows, persons
from app.customers.search import folded
from app.db import tables as t
from app.db.session import TenantId

SUGGESTIONS_MAX: Final = 20

_SAME_IDENTIFIER = text(
    """
    SELECT DISTINCT other.party_id, i.normal
    FROM party_identifier own
    JOIN party_identifier other
      ON other.tenant_id = own.tenant_id AND other.identifier_id = own.identifier_id
     AND other.party_id <> ALL(CAST(:people AS uuid[])) AND other.valid_to IS NULL
    JOIN identifier i ON i.tenant_id = own.tenant_id AND i.identifier_id = own.identifier_id
    WHERE own.tenant_id = :tenant_id AND own.party_id = ANY(CAST(:people AS uuid[]))
      AND own.valid_to IS NULL
    LIMIT :limit
    """
)


async def duplicates_of(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, *, at: Any
) -> list[Mapping[str, Any]]:
    """Return parties with the same identifier or the same name: rows of a list with ``reasons``."""
    people = await persons(connection, tenant_id, party_id)
    values = {"tenant_id": tenant_id, "people": people, "limit": SUGGESTIONS_MAX}
    reasons: dict[UUID, set[str]] = {}
    for row in await connection.execute(_SAME_IDENTIFIER, values):
        other = await stands_for(connection, tenant_id, row.party_id)
        reasons.setdefault(other, set()).add("same_identifier")
    name = (
        await connection.execute(
            select(t.party.c.display_name).where(
                t.party.c.tenant_id == tenant_id, t.party.c.party_id == party_id
            )
        )
    ).scalar_one_or_none()
    if name and len(folded(name)) > 1:
        finding = await find_parties(connection, tenant_id, name, at=at)
        for each in finding.found:
            if each.by == "name" and folded(each.name) == folded(name):
                reasons.setdefault(each.party_id, set()).add("same_name")
    for own in people:
        reasons.pop(own, None)
    likely = sorted(reasons, key=lambda each: (-len(reasons[each]), min(reasons[each]), each))
    rows = await party_rows(connection, tenant_id, likely[:SUGGESTIONS_MAX])
    return [{**row, "reasons": sorted(reasons[row["party_id"]])} for row in rows]


async def merge_preview(
    connection: AsyncConnection, tenant_id: TenantId, merged: UUID, into: UUID
) -> Mapping[str, Any]:
    """Return what *into* would show besides its own once *merged* reads as it. Nothing is changed.

    Raises:
        PartyNotFoundError: one of the two does not exist.
    """
    rows = {row["party_id"]: row for row in await party_rows(connection, tenant_id, [merged, into])}
    for party_id in (merged, into):
        if party_id not in rows:
            raise PartyNotFoundError(party_id)
    people = await persons(connection, tenant_id, merged)
    return {
        "merged": rows[merged],
        "into": rows[into],
        "interaction_count": await _count(connection, tenant_id, t.interaction.c.party_id, people),
        "identifier_count": await _count(connection, tenant_id, t.party_identifier.c.party_id, people),
        "note_count": await _count(connection, tenant_id, t.party_note.c.party_id, people),
        "promise_count": await _count(connection, tenant_id, t.promise.c.to_party_id, people),
        "earlier_merge_count": len(people) - 1,
        "differing": [
            name
            for name in ("display_name", "kind", "language", "external_ref")
            if rows[merged][name] and rows[merged][name] != rows[into][name]
        ],
    }


async def _count(
    connection: AsyncConnection, tenant_id: TenantId, column: Any, people: Sequence[UUID]
) -> int:
    query = select(func.count()).where(column.table.c.tenant_id == tenant_id, column.in_(people))
    return int((await connection.execute(query)).scalar_one())
