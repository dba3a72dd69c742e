"""Merging two parties that are one person, looking first, and undoing it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request

from app.auth.gate import may
from app.auth.principal import Principal
from app.customers.duplicates import duplicates_of, merge_preview
from app.customers.parties import merge_parties, undo_merge
from app.customers.schemas import (
    DuplicateList,
    DuplicateRow,
    MergeBody,
    MergeDone,
    MergePreview,
    PartyRow,
    plain,
)
from app.customers.web import tenants

router = APIRouter(prefix="/parties", tags=["customers"])

Merger = Annotated[Principal, Depends(may("party.merge", scope="mine"))]


@router.get("/merges/preview")
async def preview(
    request: Request, _principal: Merger, merged_party_id: UUID, into_party_id: UUID
) -> MergePreview:
    """Show what a merge would bring together; nothing is changed."""
    async with tenants(request) as (connection, tenant_id):
        found = await merge_preview(connection, tenant_id, merged_party_id, into_party_id)
    rows = {name: PartyRow(**plain(found[name])) for name in ("merged", "into")}
    return MergePreview(**{**found, **rows})


@router.post("/merges", status_code=201)
async def merge(request: Request, principal: Merger, body: MergeBody) -> MergeDone:
    """Let one party read as another. History is not rewritten; the merge can be undone."""
    async with tenants(request) as (connection, tenant_id):
        alias_id = await merge_parties(
            connection, tenant_id, body.merged_party_id, body.into_party_id, by=principal.name
        )
    return MergeDone(alias_id=alias_id, merged_party_id=body.merged_party_id, party_id=body.into_party_id)


@router.delete("/merges/{alias_id:uuid}", status_code=204)
async def undo(request: Request, principal: Merger, alias_id: UUID) -> None:
    """Let the merged party stand for itself again."""
    async with tenants(request) as (connection, tenant_id):
        await undo_merge(connection, tenant_id, alias_id, by=principal.name)


@router.get("/{party_id:uuid}/duplicates")
async def duplicates(request: Request, _principal: Merger, party_id: UUID) -> DuplicateList:
    """Suggest who might be the same person."""
    async with tenants(request) as (connection, tenant_id):
        rows = await duplicates_of(connection, tenant_id, party_id, at=datetime.now(UTC))
    return DuplicateList(parties=[DuplicateRow(**plain(row)) for row in rows])
