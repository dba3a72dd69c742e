"""Editing a party without overwriting what somebody else did meanwhile; giving numbers away.

The version of a party is the moment of its last change; who edits says which version they saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import (
    ExternalRefTakenError,
    IdentifierInUseError,
    PartyChangedError,
    PartyNotFoundError,
)
from app.customers.numbers import Identifier
from app.customers.parties import Link, NewParty, create_party, end_link, index_party, link_identifier
from app.db import tables as t
from app.db.session import TenantId

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OWNERS_MAX = 20


def version_of(changed_at: datetime) -> str:
    """Return the version that *changed_at* stands for: microseconds since the epoch.

    >>> version_of(datetime(2026, 1, 1, tzinfo=UTC))
    '1767225600000000'
    """
    return str((changed_at - _EPOCH) // timedelta(microseconds=1))


async def make_party(connection: AsyncConnection, tenant_id: TenantId, party: NewParty) -> UUID:
    """Create *party*; return its id.

    Raises:
        ExternalRefTakenError: another one has its reference.
    """
    await _check_ref(connection, tenant_id, party.external_ref, None)
    return await create_party(connection, tenant_id, party)


async def edit_party(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    changes: Mapping[str, Any],
    *,
    version: str,
) -> None:
    """Write *changes* if the party is still at *version*.

    Args:
        changes: Columns to new values; ``custom`` holds the fields to set, None removes one.

    Raises:
        PartyNotFoundError: there is no such party, or it was erased.
        PartyChangedError: it is at another version by now.
        ExternalRefTakenError: another one has the new reference.
    """
    party = t.party
    found = await connection.execute(
        select(party.c.changed_at, party.c.custom, party.c.external_ref)
        .where(party.c.tenant_id == tenant_id, party.c.party_id == party_id, party.c.erased_at.is_(None))
        .with_for_update()
    )
    row = found.one_or_none()
    if row is None:
        raise PartyNotFoundError(party_id)
    if version_of(row.changed_at) != version:
        raise PartyChangedError(party_id)
    values = dict(changes)
    if "external_ref" in values and values["external_ref"] != row.external_ref:
        await _check_ref(connection, tenant_id, values["external_ref"], party_id)
    if "custom" in values:
        custom = {**row.custom, **values["custom"]}
        values["custom"] = {name: value for name, value in custom.items() if value is not None}
    await connection.execute(
        update(party)
        .where(party.c.tenant_id == tenant_id, party.c.party_id == party_id)
        .values(**values, changed_at=func.clock_timestamp())
    )
    if "display_name" in values:
        await index_party(connection, tenant_id, party_id, values["display_name"])


async def touch_party(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> None:
    """Note that something beside the party's own row has changed.

    Raises:
        PartyNotFoundError: there is no such party, or it was erased.
    """
    party = t.party
    done = await connection.execute(
        update(party)
        .where(party.c.tenant_id == tenant_id, party.c.party_id == party_id, party.c.erased_at.is_(None))
        .values(changed_at=func.clock_timestamp())
    )
    if not done.rowcount:
        raise PartyNotFoundError(party_id)


async def add_identifier(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    identifier: Identifier,
    *,
    link: Link,
    region: str,
    is_shared: bool = False,
    takes_over: bool = False,
    at: datetime,
) -> UUID:
    """Link *identifier* to the party; return its id.

    Args:
        is_shared: Others may have it too (a family, a switchboard).
        takes_over: Who has it now loses it at *at*: a recycled number. Their history stays theirs.

    Raises:
        PartyNotFoundError: there is no such party.
        IdentifierInUseError: somebody has it, and neither was said.
        ValueError: it is withheld.
    """
    await touch_party(connection, tenant_id, party_id)
    owners = await owners_of(connection, tenant_id, identifier, at)
    others = {owner: held for owner, held in owners.items() if owner != party_id}
    if others and takes_over:
        for owner, identifier_id in others.items():
            await end_link(connection, tenant_id, owner, identifier_id, at)
            await touch_party(connection, tenant_id, owner)
        link = Link(
            label=link.label,
            source=link.source,
            extension=link.extension,
            is_preferred=link.is_preferred,
            valid_from=at,
        )
    elif others and not is_shared:
        raise IdentifierInUseError(tuple(others))
    return await link_identifier(connection, tenant_id, party_id, identifier, link=link, region=region)


async def owners_of(
    connection: AsyncConnection, tenant_id: TenantId, identifier: Identifier, at: datetime
) -> dict[UUID, UUID]:
    """Return who has *identifier* at *at*: party to identifier id; at most 20."""
    name, link, party = t.identifier.c, t.party_identifier.c, t.party.c
    rows = await connection.execute(
        select(link.party_id, link.identifier_id)
        .join(t.identifier, (name.tenant_id == link.tenant_id) & (name.identifier_id == link.identifier_id))
        .join(t.party, (party.tenant_id == link.tenant_id) & (party.party_id == link.party_id))
        .where(
            name.tenant_id == tenant_id,
            name.kind == identifier.kind,
            name.normal == identifier.normal,
            party.erased_at.is_(None),
            link.valid_to.is_(None) | (link.valid_to > at),
        )
        .order_by(link.party_id)
        .limit(_OWNERS_MAX)
    )
    return {row.party_id: row.identifier_id for row in rows}


async def _check_ref(
    connection: AsyncConnection, tenant_id: TenantId, external_ref: str, party_id: UUID | None
) -> None:
    if not external_ref:
        return
    party = t.party.c
    query = select(party.party_id).where(
        party.tenant_id == tenant_id, party.external_ref == external_ref, party.erased_at.is_(None)
    )
    if party_id is not None:
        query = query.where(party.party_id != party_id)
    taken = (await connection.execute(query.limit(1))).scalar_one_or_none()
    if taken is not None:
        raise ExternalRefTakenError(taken)
