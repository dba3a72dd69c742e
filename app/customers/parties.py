"""Parties and their identifiers as rows: create, link, end a link, merge and undo.

Every function works inside the caller's transaction of one tenant. Ids are minted here, not by the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import MergeError, PartyNotFoundError
from app.customers.numbers import Identifier
from app.customers.search import grams
from app.db import tables
from app.db.ids import id_at, new_id
from app.db.session import TenantId

ALIAS_DEPTH_MAX = 8
"""A chain of merges is at most so long; longer ones are refused when they are made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParty:
    """A party to be created; ``kind`` is ``person | organisation | household | partner | supplier``."""

    kind: str = "person"
    display_name: str = ""
    language: str = ""
    external_ref: str = ""
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How an identifier belongs to a party; None is without end."""

    label: str = ""
    source: str = ""
    extension: str = ""
    is_preferred: bool = False
    valid_from: datetime | None = None
    valid_to: datetime | None = None


party_id_at, new_party_id = id_at, new_id
"""Ids of parties and of what stands beside them."""


async def create_party(
    connection: AsyncConnection, tenant_id: TenantId, party: NewParty, *, party_id: UUID | None = None
) -> UUID:
    """Insert *party* with its search grams; return its id."""
    party_id = party_id or new_party_id()
    await connection.execute(
        insert(tables.party).values(
            tenant_id=tenant_id,
            party_id=party_id,
            kind=party.kind,
            display_name=party.display_name,
            language=party.language,
            external_ref=party.external_ref,
            custom=dict(party.custom),
        )
    )
    await index_party(connection, tenant_id, party_id, party.display_name)
    return party_id


async def rename_party(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, display_name: str
) -> None:
    """Give the party another name and index it.

    Raises:
        PartyNotFoundError: there is no such party.
    """
    done = await connection.execute(
        update(tables.party)
        .where(tables.party.c.tenant_id == tenant_id, tables.party.c.party_id == party_id)
        .values(display_name=display_name, changed_at=func.now())
    )
    if not done.rowcount:
        raise PartyNotFoundError(party_id)
    await index_party(connection, tenant_id, party_id, display_name)


async def index_party(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, searched_text: str
) -> None:
    """Replace the party's search grams by those of *searched_text*."""
    table = tables.party_gram
    await connection.execute(
        delete(table).where(table.c.tenant_id == tenant_id, table.c.party_id == party_id)
    )
    rows = [
        {"tenant_id": tenant_id, "party_id": party_id, "gram": gram} for gram in sorted(grams(searched_text))
    ]
    if rows:
        await connection.execute(insert(table), rows)


async def link_identifier(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    identifier: Identifier,
    *,
    link: Link | None = None,
    region: str = "",
    verified_at: datetime | None = None,
) -> UUID:
    """Link *identifier* to the party, new or again; return the identifier's id.

    Raises:
        ValueError: the identifier is withheld: nobody owns that.
    """
    if identifier.kind == "withheld":
        raise ValueError("a withheld number belongs to nobody and is never linked")
    link = link or Link()
    names = tables.identifier
    wanted = upsert(names).values(
        tenant_id=tenant_id,
        identifier_id=new_party_id(),
        kind=identifier.kind,
        raw=identifier.raw,
        normal=identifier.normal,
        region=region,
        verified_at=verified_at,
    )
    found = await connection.execute(
        wanted.on_conflict_do_update(
            index_elements=["tenant_id", "kind", "normal"],
            set_={"verified_at": func.coalesce(wanted.excluded.verified_at, names.c.verified_at)},
        ).returning(names.c.identifier_id)
    )
    identifier_id: UUID = found.scalar_one()
    facts = {
        "label": link.label,
        "source": link.source,
        "extension": link.extension or identifier.extension,
        "is_preferred": link.is_preferred,
        "valid_from": link.valid_from,
        "valid_to": link.valid_to,
    }
    await connection.execute(
        upsert(tables.party_identifier)
        .values(tenant_id=tenant_id, party_id=party_id, identifier_id=identifier_id, **facts)
        .on_conflict_do_update(index_elements=["tenant_id", "party_id", "identifier_id"], set_=facts)
    )
    return identifier_id


async def end_link(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, identifier_id: UUID, at: datetime
) -> None:
    """Let the link end at *at*: the number went to somebody else. History keeps what was true.

    Raises:
        PartyNotFoundError: there is no such link.
    """
    links = tables.party_identifier
    done = await connection.execute(
        update(links)
        .where(
            links.c.tenant_id == tenant_id,
            links.c.party_id == party_id,
            links.c.identifier_id == identifier_id,
        )
        .values(valid_to=at)
    )
    if not done.rowcount:
        raise PartyNotFoundError(party_id)


_STANDS_FOR = text(
    """
    WITH RECURSIVE chain AS (
        SELECT CAST(:party_id AS uuid) AS party_id, 0 AS depth
        UNION ALL
        SELECT a.party_id, c.depth + 1
        FROM chain c JOIN party_alias a ON a.merged_party_id = c.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND c.depth < :depth_max
    )
    SELECT party_id, depth FROM chain ORDER BY depth DESC LIMIT 1
    """
)
_DEPTH_BELOW = text(
    """
    WITH RECURSIVE below AS (
        SELECT CAST(:party_id AS uuid) AS party_id, 0 AS depth
        UNION ALL
        SELECT a.merged_party_id, b.depth + 1
        FROM below b JOIN party_alias a ON a.party_id = b.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND b.depth < :depth_max
    )
    SELECT max(depth) FROM below
    """
)


async def stands_for(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> UUID:
    """Return the party that *party_id* reads as today: itself unless merged."""
    return (await _chain(connection, tenant_id, party_id))[0]


async def merge_parties(
    connection: AsyncConnection, tenant_id: TenantId, merged: UUID, into: UUID, *, by: str
) -> UUID:
    """Let *merged* read as *into*; return the alias's id, by which it can be undone.

    No row of history changes: figures per person follow the alias.

    Raises:
        PartyNotFoundError: one of the two does not exist.
        MergeError: it is the same person already, *merged* is already merged, or the chain would be too long.
    """
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"merge:{tenant_id}"}
    )
    known = set(
        (
            await connection.execute(
                select(tables.party.c.party_id).where(
                    tables.party.c.tenant_id == tenant_id, tables.party.c.party_id.in_([merged, into])
                )
            )
        ).scalars()
    )
    for party_id in (merged, into):
        if party_id not in known:
            raise PartyNotFoundError(party_id)
    target, above = await _chain(connection, tenant_id, into)
    _, merged_above = await _chain(connection, tenant_id, merged)
    if target == merged or merged == into:
        raise MergeError("merge_same_party", "the two are one party already")
    if merged_above:
        raise MergeError("merge_already_merged", "undo the earlier merge first")
    values = {"tenant_id": tenant_id, "party_id": merged, "depth_max": ALIAS_DEPTH_MAX + 1}
    below = int((await connection.execute(_DEPTH_BELOW, values)).scalar_one())
    if below + 1 + above > ALIAS_DEPTH_MAX:
        raise MergeError("merge_chain_too_long", f"at most {ALIAS_DEPTH_MAX} merges follow on each other")
    alias_id = new_party_id()
    await connection.execute(
        insert(tables.party_alias).values(
            tenant_id=tenant_id, alias_id=alias_id, merged_party_id=merged, party_id=into, merged_by=by
        )
    )
    return alias_id


async def undo_merge(connection: AsyncConnection, tenant_id: TenantId, alias_id: UUID, *, by: str) -> None:
    """Let the merged party stand for itself again.

    Raises:
        MergeError: there is no such merge in force.
    """
    alias = tables.party_alias
    done = await connection.execute(
        update(alias)
        .where(alias.c.tenant_id == tenant_id, alias.c.alias_id == alias_id, alias.c.undone_at.is_(None))
        .values(undone_at=func.now(), undone_by=by)
    )
    if not done.rowcount:
        raise MergeError("merge_not_in_force", "there is no such merge, or it was undone before")


async def _chain(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> tuple[UUID, int]:
    values = {"tenant_id": tenant_id, "party_id": party_id, "depth_max": ALIAS_DEPTH_MAX}
    row = (await connection.execute(_STANDS_FOR, values)).one()
    return row.party_id, row.depth
