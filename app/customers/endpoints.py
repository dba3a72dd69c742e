"""Customers: list, search, one whole, make, edit, their identifiers, notes and timeline.

An agent may look up and edit whoever calls, and so may search and open any party; the list without a
search shows them the people they spoke to, so that nobody leafs through all customers for nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from app.auth.gate import may
from app.auth.permissions import Reach
from app.auth.principal import Principal
from app.customers.editing import add_identifier, edit_party, make_party, touch_party
from app.customers.errors import PartyChangedError, PartyNotFoundError
from app.customers.finding import WORDS_CHARS_MAX, find_parties
from app.customers.notes import add_note, delete_note
from app.customers.numbers import parse_number
from app.customers.page import party_page
from app.customers.parties import Link, NewParty, end_link
from app.customers.reading import (
    LIST_ROWS_MAX,
    TIMELINE_ROWS_MAX,
    list_party_ids,
    own_party_ids,
    party_rows,
    timeline,
    whole_party,
)
from app.customers.schemas import (
    IdentifierBody,
    NewPartyBody,
    NoteBody,
    PartyChanges,
    PartyKind,
    PartyList,
    PartyPage,
    PartyRow,
    Timeline,
    TimelineEntry,
    plain,
)
from app.customers.web import number_plan, tenants
from app.http.errors import ApiError

router = APIRouter(prefix="/parties", tags=["customers"])

Reader = Annotated[Principal, Depends(may("party.read", scope="mine"))]
Writer = Annotated[Principal, Depends(may("party.write", scope="mine"))]


@router.get("")
async def list_parties(
    request: Request,
    principal: Reader,
    q: Annotated[str, Query(max_length=WORDS_CHARS_MAX)] = "",
    limit: Annotated[int, Query(ge=1, le=LIST_ROWS_MAX)] = 50,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
    kind: PartyKind | None = None,
) -> PartyList:
    """Search by name, number or reference as anybody writes them; without ``q`` list the newest first."""
    region, area_code = number_plan(request)
    now = datetime.now(UTC)
    async with tenants(request) as (connection, tenant_id):
        if q.strip():
            finding = await find_parties(
                connection, tenant_id, q, region=region, area_code=area_code, at=now, limit=limit
            )
            found = {each.party_id: each for each in finding.found}
            rows = [
                PartyRow(
                    **plain(row),
                    found_by=found[row["party_id"]].by,
                    found_as=_other_name(found[row["party_id"]].name, row["display_name"]),
                )
                for row in await party_rows(connection, tenant_id, list(found))
                if kind in (None, row["kind"])
            ]
            return PartyList(parties=rows, next_cursor=None, is_complete=finding.is_complete)
        if request.state.reach is Reach.OWN:
            agent_id = principal.agent_id
            ids = (
                await own_party_ids(connection, tenant_id, agent_id, now=now, limit=limit) if agent_id else []
            )
            following = None
        else:
            ids, following = await list_party_ids(
                connection, tenant_id, before=_place(cursor), limit=limit, kind=kind
            )
        rows = [PartyRow(**plain(row)) for row in await party_rows(connection, tenant_id, ids)]
    return PartyList(parties=rows, next_cursor=following.hex if following else None)


@router.post("", status_code=201)
async def create(request: Request, response: Response, _principal: Writer, body: NewPartyBody) -> PartyPage:
    """Make a party with its first identifiers, all or nothing."""
    async with tenants(request) as (connection, tenant_id):
        party_id = await make_party(
            connection,
            tenant_id,
            NewParty(
                kind=body.kind,
                display_name=body.display_name,
                language=body.language,
                external_ref=body.external_ref,
                custom={name: value for name, value in body.custom.items() if value is not None},
            ),
        )
        for each in body.identifiers:
            await _link(request, connection, tenant_id, party_id, each)
        page = await party_page(connection, tenant_id, party_id)
    response.headers["Location"] = f"{request.url.path}/{party_id}"
    return page


@router.get("/{party_id:uuid}")
async def show(request: Request, response: Response, _principal: Reader, party_id: UUID) -> PartyPage:
    """Show one party whole; one that was merged shows who it reads as today."""
    async with tenants(request) as (connection, tenant_id):
        page = await party_page(connection, tenant_id, party_id)
    response.headers["ETag"] = f'"{page.version}"'
    return page


@router.patch("/{party_id:uuid}")
async def edit(request: Request, _principal: Writer, party_id: UUID, body: PartyChanges) -> PartyPage:
    """Change some facts; 409 ``party_changed`` with both versions when somebody was faster."""
    changes = {name: getattr(body, name) for name in body.model_fields_set - {"version"}}
    if None in changes.values():
        raise ApiError(422, "invalid_request", "leave out what shall stay; null is no value here")
    async with tenants(request) as (connection, tenant_id):
        try:
            await edit_party(connection, tenant_id, party_id, changes, version=body.version)
        except PartyChangedError:
            theirs = await party_page(connection, tenant_id, party_id)
            shown = theirs.model_dump(mode="json")
            params = {
                "version": theirs.version,
                "yours": changes,
                "theirs": {name: shown[name] for name in changes},
            }
            raise ApiError(409, "party_changed", "it was changed meanwhile", params=params) from None
        return await party_page(connection, tenant_id, party_id)


@router.get("/{party_id:uuid}/timeline")
async def show_timeline(
    request: Request,
    _principal: Reader,
    party_id: UUID,
    limit: Annotated[int, Query(ge=1, le=TIMELINE_ROWS_MAX)] = 25,
    cursor: Annotated[str | None, Query(max_length=256)] = None,
) -> Timeline:
    """Show everything the person did with us, newest first, also as whom was merged since."""
    async with tenants(request) as (connection, tenant_id):
        whole = await whole_party(connection, tenant_id, party_id)
        if whole is None:
            raise PartyNotFoundError(party_id)
        try:
            rows, following = await timeline(
                connection, tenant_id, whole["party_id"], limit=limit, cursor=cursor
            )
        except ValueError:
            raise ApiError(422, "bad_cursor", "this cursor is not one of ours") from None
    return Timeline(entries=[TimelineEntry(**plain(row)) for row in rows], next_cursor=following)


@router.post("/{party_id:uuid}/identifiers", status_code=201)
async def link(request: Request, _principal: Writer, party_id: UUID, body: IdentifierBody) -> PartyPage:
    """Give the party a number or address; 409 ``identifier_in_use`` asks whether it is shared or recycled."""
    async with tenants(request) as (connection, tenant_id):
        await _link(request, connection, tenant_id, party_id, body)
        return await party_page(connection, tenant_id, party_id)


@router.delete("/{party_id:uuid}/identifiers/{identifier_id:uuid}")
async def end(request: Request, _principal: Writer, party_id: UUID, identifier_id: UUID) -> PartyPage:
    """Let it be the party's no more from now on; what was true stays in the history."""
    async with tenants(request) as (connection, tenant_id):
        await touch_party(connection, tenant_id, party_id)
        await end_link(connection, tenant_id, party_id, identifier_id, datetime.now(UTC))
        return await party_page(connection, tenant_id, party_id)


@router.post("/{party_id:uuid}/notes", status_code=201)
async def write_note(request: Request, principal: Writer, party_id: UUID, body: NoteBody) -> PartyPage:
    """Write a note about the party."""
    async with tenants(request) as (connection, tenant_id):
        await add_note(
            connection,
            tenant_id,
            party_id,
            body.text,
            author=principal.name,
            interaction_id=body.interaction_id,
        )
        return await party_page(connection, tenant_id, party_id)


@router.delete("/{party_id:uuid}/notes/{note_id:uuid}")
async def remove_note(request: Request, principal: Writer, party_id: UUID, note_id: UUID) -> PartyPage:
    """Take a note out of sight. An agent removes their own."""
    async with tenants(request) as (connection, tenant_id):
        author = principal.name if request.state.reach is Reach.OWN else None
        await delete_note(connection, tenant_id, party_id, note_id, by=principal.name, author=author)
        return await party_page(connection, tenant_id, party_id)


# ---------------------------------------------------------------- inside


async def _link(
    request: Request, connection: Any, tenant_id: Any, party_id: UUID, body: IdentifierBody
) -> None:
    region, area_code = number_plan(request)
    identifier = parse_number(body.raw, region, area_code)
    if identifier.kind == "withheld":
        raise ApiError(422, "identifier_withheld", "a withheld number belongs to nobody")
    await add_identifier(
        connection,
        tenant_id,
        party_id,
        identifier,
        link=Link(label=body.label, source="person", is_preferred=body.is_preferred),
        region=region,
        is_shared=body.is_shared,
        takes_over=body.takes_over,
        at=datetime.now(UTC),
    )


def _place(cursor: str | None) -> UUID | None:
    try:
        return UUID(cursor) if cursor else None
    except ValueError:
        raise ApiError(422, "bad_cursor", "this cursor is not one of ours") from None


def _other_name(found: str, shown: str) -> str | None:
    return None if found == shown else found
