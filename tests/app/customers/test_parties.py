"""Parties, links, merges and look-ups on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import MergeError, PartyNotFoundError
from app.customers.identify_rules import Match, match
from app.customers.numbers import parse_number
from app.customers.parties import (
    ALIAS_DEPTH_MAX,
    Link,
    NewParty,
    create_party,
    end_link,
    link_identifier,
    merge_parties,
    party_id_at,
    rename_party,
    stands_for,
    undo_merge,
)
from app.customers.queries import candidates, identify, party_fact, search_parties
from app.db.session import DEFAULT_TENANT, Database

pytestmark = pytest.mark.db

_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_HOSTILE = "Robert'); DROP TABLE party;--\r\nAction: Originate"


async def _person(connection: AsyncConnection, name: str, number: str = "", link: Link | None = None) -> UUID:
    party_id = await create_party(connection, DEFAULT_TENANT, NewParty(display_name=name))
    if number:
        await link_identifier(
            connection, DEFAULT_TENANT, party_id, parse_number(number, "TW", "02"), link=link
        )
    return party_id


async def _who(connection: AsyncConnection, number: str, at: datetime = _NOW) -> Match:
    identifier = parse_number(number, "TW", "02")
    return match(identifier, await candidates(connection, DEFAULT_TENANT, identifier, at), at)


async def test_a_number_is_found_however_it_is_written(connection: AsyncConnection) -> None:
    wang = await _person(connection, "王小明", "0912-345-678")
    for written in ("0912345678", "+886912345678", "００886912345678", "sip:0912345678@10.0.0.5"):
        found = await _who(connection, written)
        assert (found.outcome, found.party_id) == ("match", wang), written
    assert (await _who(connection, "0912345679")).outcome == "unknown"
    assert (await _who(connection, "anonymous")).outcome == "withheld"


async def test_a_shared_number_offers_a_choice(connection: AsyncConnection) -> None:
    pair = {await _person(connection, name, "0222334455") for name in ("王爸", "王媽")}
    found = await _who(connection, "0222334455")
    assert found.outcome == "several"
    assert {candidate.party_id for candidate in found.candidates} == pair


async def test_an_extension_behind_a_switchboard_finds_its_person(connection: AsyncConnection) -> None:
    acme = await create_party(connection, DEFAULT_TENANT, NewParty(kind="organisation", display_name="Acme"))
    await link_identifier(connection, DEFAULT_TENANT, acme, parse_number("02-2771-2345", "TW"))
    chen = await _person(connection, "陳美玲", "02-2771-2345轉123")
    assert (await _who(connection, "02-2771-2345")).party_id == acme
    assert (await _who(connection, "02-2771-2345 ext. 123")).party_id == chen


async def test_a_recycled_number_follows_its_new_owner_and_history_keeps_the_old(
    connection: AsyncConnection,
) -> None:
    old = await _person(connection, "Old", "0912000111")
    identifier_id = (await connection.execute(text("SELECT identifier_id FROM identifier"))).scalar_one()
    await end_link(connection, DEFAULT_TENANT, old, identifier_id, _NOW)
    new = await _person(connection, "New", "0912000111", Link(valid_from=_NOW))
    assert (await _who(connection, "0912000111")).party_id == new
    assert (await _who(connection, "0912000111", _NOW - timedelta(days=1))).party_id == old
    with pytest.raises(PartyNotFoundError):
        await end_link(connection, DEFAULT_TENANT, UUID(int=7), identifier_id, _NOW)


async def test_linking_twice_keeps_one_identifier_and_a_verification(connection: AsyncConnection) -> None:
    wang = await create_party(connection, DEFAULT_TENANT, NewParty(display_name="Wang"))
    number = parse_number("0912000222", "TW")
    first = await link_identifier(connection, DEFAULT_TENANT, wang, number, verified_at=_NOW)
    again = await link_identifier(connection, DEFAULT_TENANT, wang, number, link=Link(label="work"))
    assert first == again
    found = await _who(connection, "0912000222")
    assert found.candidates[0].is_verified
    assert found.candidates[0].label == "work"
    with pytest.raises(ValueError, match="nobody"):
        await link_identifier(connection, DEFAULT_TENANT, wang, parse_number("anonymous", "TW"))


async def test_a_merge_makes_one_of_two_and_its_undoing_two_again(connection: AsyncConnection) -> None:
    one, two = await _person(connection, "Wang", "0912000333"), await _person(connection, "王", "0912000333")
    assert (await _who(connection, "0912000333")).outcome == "several"
    before = (await connection.execute(text("SELECT count(*) FROM party_identifier"))).scalar_one()
    alias_id = await merge_parties(connection, DEFAULT_TENANT, two, one, by="tester")
    merged = await _who(connection, "0912000333")
    assert (merged.outcome, merged.party_id) == ("match", one)
    assert await stands_for(connection, DEFAULT_TENANT, two) == one
    await undo_merge(connection, DEFAULT_TENANT, alias_id, by="tester")
    assert (await _who(connection, "0912000333")).outcome == "several"
    assert (await connection.execute(text("SELECT count(*) FROM party_identifier"))).scalar_one() == before
    with pytest.raises(MergeError):
        await undo_merge(connection, DEFAULT_TENANT, alias_id, by="tester")
    await merge_parties(connection, DEFAULT_TENANT, two, one, by="again")


async def test_a_merge_never_makes_a_circle_nor_an_endless_chain(connection: AsyncConnection) -> None:
    chain = [await _person(connection, f"p{number}") for number in range(ALIAS_DEPTH_MAX + 2)]
    await merge_parties(connection, DEFAULT_TENANT, chain[0], chain[1], by="t")
    for merged, into in ((chain[1], chain[0]), (chain[1], chain[1]), (chain[0], chain[2])):
        with pytest.raises(MergeError):
            await merge_parties(connection, DEFAULT_TENANT, merged, into, by="t")
    for at in range(1, ALIAS_DEPTH_MAX):
        await merge_parties(connection, DEFAULT_TENANT, chain[at], chain[at + 1], by="t")
    assert await stands_for(connection, DEFAULT_TENANT, chain[0]) == chain[ALIAS_DEPTH_MAX]
    with pytest.raises(MergeError, match="at most"):
        await merge_parties(connection, DEFAULT_TENANT, chain[ALIAS_DEPTH_MAX], chain[-1], by="t")
    with pytest.raises(PartyNotFoundError):
        await merge_parties(connection, DEFAULT_TENANT, UUID(int=5), chain[0], by="t")


async def test_search_finds_two_chinese_letters_a_part_of_a_name_and_a_number(
    connection: AsyncConnection,
) -> None:
    wang = await _person(connection, "王小明 Wang Xiaoming", "0912000444")
    await _person(connection, "王大明")
    await _person(connection, "Mingxiao Li")

    async def found(words: str) -> list[UUID]:
        rows = await search_parties(connection, DEFAULT_TENANT, words, region="TW", area_code="02", at=_NOW)
        return [party_id for party_id, _ in rows]

    assert await found("小明") == [wang]
    assert await found("xiaoming") == [wang]
    assert await found("0912-000-444") == [wang]
    assert await found("") == []
    await rename_party(connection, DEFAULT_TENANT, wang, "林小華")
    assert await found("小明") == []
    assert await found("林小華") == [wang]


async def test_hostile_names_and_numbers_are_only_text(connection: AsyncConnection) -> None:
    party_id = await _person(connection, _HOSTILE, "'; DROP TABLE party; --")
    assert (await _who(connection, "'; DROP TABLE party; --")).party_id == party_id
    assert await party_fact(connection, DEFAULT_TENANT, party_id, "display_name") == _HOSTILE
    assert await party_fact(connection, DEFAULT_TENANT, party_id, "custom") is None
    assert await party_fact(connection, DEFAULT_TENANT, UUID(int=9), "display_name") is None


async def test_identify_answers_in_time_and_a_late_result_still_arrives(database: Database) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        wang = await _person(connection, "Wang", "0912000555")
    in_time = await identify(database, DEFAULT_TENANT, "0912000555", region="TW", box_s=5)
    assert in_time.party_id == wang
    arrived: asyncio.Queue[Match] = asyncio.Queue()
    async with database.owner_transaction() as blocker:
        await blocker.execute(text("LOCK TABLE identifier IN ACCESS EXCLUSIVE MODE"))
        began = time.monotonic()
        answer = await identify(
            database, DEFAULT_TENANT, "0912000555", region="TW", on_late=arrived.put_nowait
        )
        assert time.monotonic() - began < 1.0
        assert (answer.outcome, answer.party_id) == ("late", None)
    async with asyncio.timeout(10):
        assert (await arrived.get()).party_id == wang


async def test_identify_without_a_database_lets_the_caller_go_on() -> None:
    nowhere = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    answer = await identify(nowhere, DEFAULT_TENANT, "0912000555", region="TW", box_s=5)
    assert answer.outcome == "late"
    assert (await identify(nowhere, DEFAULT_TENANT, "", region="TW")).outcome == "withheld"
    await nowhere.close()


def test_a_party_id_carries_its_moment() -> None:
    made = party_id_at(1_763_790_000_123)
    assert made.version == 7
    assert made.int >> 80 == 1_763_790_000_123
