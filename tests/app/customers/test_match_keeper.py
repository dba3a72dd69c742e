"""A match finds its call, whichever of the two reaches the database first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.customers.identify_rules import Candidate, Match
from app.customers.match_keeper import MatchKeeper
from app.customers.numbers import parse_number
from app.db.session import DEFAULT_TENANT, Database

pytestmark = pytest.mark.db

CALL = "pbx1-1763790000.7"
BEN = UUID(int=2)
_BOUND_S = 10.0


def _match(*parties: UUID) -> Match:
    candidates = tuple(Candidate(party_id=party, linked_party_id=party) for party in parties)
    return Match(
        outcome="match" if len(parties) == 1 else "several",
        identifier=parse_number("0912345678", "TW"),
        party_id=parties[0] if len(parties) == 1 else None,
        method="identifier" if len(parties) == 1 else "none",
        confidence=90 if len(parties) == 1 else 0,
        candidates=candidates,
    )


@asynccontextmanager
async def _running(keeper: MatchKeeper) -> AsyncIterator[None]:
    task = asyncio.create_task(keeper.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _log_call(database: Database) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            text(
                "INSERT INTO interaction (tenant_id, day, interaction_id, started_at)"
                " VALUES (:tenant, '2025-11-22', :call, now())"
            ),
            {"tenant": DEFAULT_TENANT, "call": CALL},
        )


async def _stored(database: Database) -> Any:
    query = text("SELECT party_id, match_method, match_confidence, match_candidates AS body FROM interaction")
    async with database.transaction(DEFAULT_TENANT) as connection:
        return (await connection.execute(query)).one_or_none()


async def _until_party(database: Database, party: UUID | None) -> Any:
    async with asyncio.timeout(_BOUND_S):
        while True:
            row = await _stored(database)
            if row is not None and row.body is not None and row.party_id == party:
                return row
            await asyncio.sleep(0.05)


async def test_a_match_waits_for_its_call_and_a_later_one_replaces_it(database: Database) -> None:
    keeper = MatchKeeper(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        amy = (
            await connection.execute(text("SELECT gen_random_uuid()"))
        ).scalar_one()  # the driver's own kind
    async with _running(keeper):
        keeper.keep(CALL, _match(amy))
        keeper.keep("somebody-elses-id", _match(BEN))
        await _log_call(database)
        row = await _until_party(database, amy)
        assert (row.match_method, row.match_confidence) == ("identifier", 90)
        assert (row.body["outcome"], row.body["number"]) == ("match", "+886912345678")

        keeper.keep(CALL, _match(amy, BEN))
        row = await _until_party(database, None)
        assert [each["party_id"] for each in row.body["candidates"]] == [str(amy), str(BEN)]
    assert keeper.dropped_count == 0
