"""Parties as pages read them: rows of a list, one whole party, everything that person ever did with us."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, and_, exists, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.parties import ALIAS_DEPTH_MAX, stands_for
from app.db import tables as t
from app.db.session import TenantId

LIST_ROWS_MAX: Final = 100
TIMELINE_ROWS_MAX: Final = 100
_NUMBERS_SHOWN_MAX = 3
_MERGED_MAX = 200
_ROWS_MAX = 200  # of each thing that stands beside a party
_OWN_DAYS = timedelta(days=30)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = Mapping[str, Any]


async def list_party_ids(
    connection: AsyncConnection, tenant_id: TenantId, *, before: UUID | None, limit: int, kind: str | None
) -> tuple[list[UUID], UUID | None]:
    """Return the parties made last and the place to go on from; merged and erased ones are left out."""
    party, alias = t.party.c, t.party_alias.c
    is_merged = exists().where(
        alias.tenant_id == party.tenant_id,
        alias.merged_party_id == party.party_id,
        alias.undone_at.is_(None),
    )
    conditions = [party.tenant_id == tenant_id, party.erased_at.is_(None), ~is_merged]
    if before is not None:
        conditions.append(party.party_id < before)
    if kind is not None:
        conditions.append(party.kind == kind)
    query = select(party.party_id).where(*conditions).order_by(party.party_id.desc()).limit(limit + 1)
    found = list((await connection.execute(query)).scalars())
    return found[:limit], found[limit - 1] if len(found) > limit else None


async def own_party_ids(
    connection: AsyncConnection, tenant_id: TenantId, agent_id: str, *, now: datetime, limit: int
) -> list[UUID]:
    """Return whom the agent spoke to in the last 30 days, the last one first."""
    call = t.interaction.c
    query = (
        select(call.party_id)
        .where(
            call.tenant_id == tenant_id,
            call.agent_id == agent_id,
            call.party_id.is_not(None),
            call.started_at >= now - _OWN_DAYS,
            call.day >= (now - _OWN_DAYS).date(),
        )
        .order_by(call.started_at.desc())
        .limit(10 * limit)
    )
    spoken = dict.fromkeys((await connection.execute(query)).scalars())
    today = dict.fromkeys([await stands_for(connection, tenant_id, each) for each in list(spoken)[:limit]])
    return list(today)


async def party_rows(
    connection: AsyncConnection, tenant_id: TenantId, party_ids: Sequence[UUID]
) -> list[Row]:
    """Return what a list shows of *party_ids*, in their order, with up to three numbers each."""
    if not party_ids:
        return []
    party, link, name = t.party.c, t.party_identifier.c, t.identifier.c
    query = select(
        party.party_id, party.kind, party.display_name, party.language, party.external_ref, party.changed_at
    ).where(party.tenant_id == tenant_id, party.party_id.in_(party_ids), party.erased_at.is_(None))
    rows = {row["party_id"]: row for row in await _all(connection, query)}
    numbers = (
        select(link.party_id, name.normal)
        .join(t.identifier, and_(name.tenant_id == link.tenant_id, name.identifier_id == link.identifier_id))
        .where(link.tenant_id == tenant_id, link.party_id.in_(party_ids), link.valid_to.is_(None))
        .order_by(link.party_id, link.is_preferred.desc(), name.kind, name.normal)
    )
    held: dict[UUID, list[str]] = {}
    for row in await connection.execute(numbers):
        held.setdefault(row.party_id, []).append(row.normal)
    return [
        {**rows[party_id], "numbers": held.get(party_id, [])[:_NUMBERS_SHOWN_MAX]}
        for party_id in party_ids
        if party_id in rows
    ]


async def whole_party(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> Row | None:
    """Return the party that *party_id* reads as today, with all that stands beside it; None: nobody.

    ``identifiers``, ``merges``, ``relations``, ``consents``, ``do_not_contact``, ``promises``, ``fields``.
    """
    today = await stands_for(connection, tenant_id, party_id)
    party = t.party.c
    query = select(t.party).where(
        party.tenant_id == tenant_id, party.party_id == today, party.erased_at.is_(None)
    )
    found = await _all(connection, query)
    if not found:
        return None
    people = await persons(connection, tenant_id, today)
    identifiers = await _identifiers(connection, tenant_id, people)
    normals = [row["normal"] for row in identifiers]
    return {
        **found[0],
        "asked_party_id": party_id,
        "identifiers": identifiers,
        "merges": await _merges(connection, tenant_id, people),
        "relations": await _relations(connection, tenant_id, people),
        "consents": await _consents(connection, tenant_id, people, normals),
        "do_not_contact": await _do_not_contact(connection, tenant_id, normals),
        "promises": await _promises(connection, tenant_id, people),
        "fields": await custom_fields(connection, tenant_id),
    }


_PERSONS = text(
    """
    WITH RECURSIVE below AS (
        SELECT CAST(:party_id AS uuid) AS party_id, 0 AS depth
        UNION ALL
        SELECT a.merged_party_id, b.depth + 1
        FROM below b JOIN party_alias a ON a.party_id = b.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND b.depth < :depth_max
    )
    SELECT party_id FROM below ORDER BY depth, party_id LIMIT :merged_max
    """
)


async def persons(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> list[UUID]:
    """Return the party and everybody who was merged into it."""
    values = {
        "tenant_id": tenant_id,
        "party_id": party_id,
        "depth_max": ALIAS_DEPTH_MAX,
        "merged_max": _MERGED_MAX,
    }
    return list((await connection.execute(_PERSONS, values)).scalars())


async def timeline(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, *, limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Return the person's interactions, newest first, and the cursor of the next page.

    Raises:
        ValueError: the cursor is not one of ours.
    """
    people = await persons(connection, tenant_id, party_id)
    call, note = t.interaction.c, t.party_note.c
    first_note = (
        select(note.text)
        .where(
            note.tenant_id == call.tenant_id,
            note.party_id.in_(people),
            note.interaction_id == call.interaction_id,
            note.deleted_at.is_(None),
        )
        .order_by(note.at)
        .limit(1)
        .scalar_subquery()
    )
    columns = [call[name] for name in _TIMELINE_COLUMNS]
    conditions = [call.tenant_id == tenant_id, call.party_id.in_(people)]
    if cursor is not None:
        started_at, interaction_id = _read_cursor(cursor)
        conditions.append(tuple_(call.started_at, call.interaction_id) < tuple_(started_at, interaction_id))
    query = (
        select(*columns, first_note.label("note_preview"))
        .where(*conditions)
        .order_by(call.started_at.desc(), call.interaction_id.desc())
        .limit(limit + 1)
    )
    rows = await _all(connection, query)
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _write_cursor(last["started_at"], last["interaction_id"])


_TIMELINE_COLUMNS = (
    "interaction_id",
    "party_id",
    "medium",
    "direction",
    "kind",
    "caller_number",
    "match_method",
    "match_confidence",
    "started_at",
    "answered_at",
    "ended_at",
    "outcome",
    "queue_id",
    "agent_id",
    "wait_ms",
    "talk_ms",
    "hold_ms",
    "wrap_up_code",
)


async def custom_fields(connection: AsyncConnection, tenant_id: TenantId) -> list[Row]:
    """Return the fields that the centre added to parties."""
    field = t.custom_field
    query = select(field).where(field.c.tenant_id == tenant_id).order_by(field.c.field_id).limit(_ROWS_MAX)
    return await _all(connection, query)


# ---------------------------------------------------------------- inside


async def _all(connection: AsyncConnection, query: Select[Any]) -> list[Row]:
    return [
        {str(name): value for name, value in row.items()}
        for row in (await connection.execute(query)).mappings()
    ]


async def _identifiers(connection: AsyncConnection, tenant_id: TenantId, people: Sequence[UUID]) -> list[Row]:
    link, name = t.party_identifier.c, t.identifier.c
    query = (
        select(
            link.party_id,
            name.identifier_id,
            name.kind,
            name.raw,
            name.normal,
            name.verified_at,
            link.label,
            link.source,
            link.extension,
            link.is_preferred,
            link.valid_from,
            link.valid_to,
        )
        .join(t.identifier, and_(name.tenant_id == link.tenant_id, name.identifier_id == link.identifier_id))
        .where(link.tenant_id == tenant_id, link.party_id.in_(people))
        .order_by(link.valid_to.is_not(None), link.is_preferred.desc(), name.kind, name.normal)
        .limit(_ROWS_MAX)
    )
    return await _all(connection, query)


async def _merges(connection: AsyncConnection, tenant_id: TenantId, people: Sequence[UUID]) -> list[Row]:
    alias, party = t.party_alias.c, t.party.c
    query = (
        select(alias.alias_id, alias.merged_party_id, party.display_name, alias.merged_at, alias.merged_by)
        .join(t.party, and_(party.tenant_id == alias.tenant_id, party.party_id == alias.merged_party_id))
        .where(alias.tenant_id == tenant_id, alias.party_id.in_(people), alias.undone_at.is_(None))
        .order_by(alias.merged_at.desc())
        .limit(_ROWS_MAX)
    )
    return await _all(connection, query)


async def _relations(connection: AsyncConnection, tenant_id: TenantId, people: Sequence[UUID]) -> list[Row]:
    relation, party = t.relation, t.party.c
    query = (
        select(relation, party.party_id.label("other_party_id"), party.display_name)
        .join(
            t.party,
            and_(
                party.tenant_id == relation.c.tenant_id,
                or_(
                    and_(relation.c.from_party_id.in_(people), party.party_id == relation.c.to_party_id),
                    and_(relation.c.to_party_id.in_(people), party.party_id == relation.c.from_party_id),
                ),
            ),
        )
        .where(
            relation.c.tenant_id == tenant_id,
            or_(relation.c.from_party_id.in_(people), relation.c.to_party_id.in_(people)),
            party.erased_at.is_(None),
        )
        .limit(_ROWS_MAX)
    )
    rows = await _all(connection, query)
    return [{**row, "is_outward": row["from_party_id"] in set(people)} for row in rows]


async def _consents(
    connection: AsyncConnection, tenant_id: TenantId, people: Sequence[UUID], normals: Sequence[str]
) -> list[Row]:
    consent = t.consent
    query = (
        select(consent)
        .where(
            consent.c.tenant_id == tenant_id,
            or_(consent.c.party_id.in_(people), consent.c.number_normal.in_(normals)),
        )
        .order_by(consent.c.recorded_at.desc())
        .limit(_ROWS_MAX)
    )
    return await _all(connection, query)


async def _do_not_contact(
    connection: AsyncConnection, tenant_id: TenantId, normals: Sequence[str]
) -> list[Row]:
    entry = t.do_not_contact
    query = select(entry).where(entry.c.tenant_id == tenant_id, entry.c.number_normal.in_(normals))
    return await _all(connection, query.limit(_ROWS_MAX))


async def _promises(connection: AsyncConnection, tenant_id: TenantId, people: Sequence[UUID]) -> list[Row]:
    promise = t.promise
    query = (
        select(promise)
        .where(promise.c.tenant_id == tenant_id, promise.c.to_party_id.in_(people))
        .order_by(promise.c.state != "open", promise.c.due_at, promise.c.promise_id)
        .limit(_ROWS_MAX)
    )
    return await _all(connection, query)


def _write_cursor(started_at: datetime, interaction_id: str) -> str:
    place_us = (started_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{place_us}|{interaction_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place_us, bar, interaction_id = packed.decode().partition("|")
        if not bar or "\0" in interaction_id:
            raise ValueError("no interaction in it")
        return _EPOCH + timedelta(microseconds=int(place_us)), interaction_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ValueError("this cursor is not one of ours") from error
