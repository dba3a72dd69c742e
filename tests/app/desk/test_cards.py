"""What a pop shows of a party, of an agent's choice and of a day: from the record, over all merged names."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app.customers.parties import merge_parties
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.desk.cards import party_cards
from app.desk.topic_values import Draft
from routing.ids import AgentId, InteractionId, day_of
from tests.app.desk.small_centre import ANA, Page, SmallCentre, until

pytestmark = pytest.mark.db
NUMBER = "0912345678"


async def _past_call(database: Database, party_id: UUID, ordinal: int, note: str) -> InteractionId:
    now = datetime.now(UTC)
    call = InteractionId(f"pbx1-{int(now.timestamp()) - 1_000 + ordinal}.{ordinal}")
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(t.interaction).values(
                tenant_id=DEFAULT_TENANT,
                day=day_of(call),
                interaction_id=call,
                party_id=party_id,
                started_at=datetime.fromtimestamp(now.timestamp() - 1_000 + ordinal, UTC),
                outcome="answered",
                agent_id="a1002",
                queue_id="support",
                wrap_up_code="sold",
            )
        )
        await connection.execute(
            insert(t.party_note).values(
                tenant_id=DEFAULT_TENANT,
                note_id=UUID(int=ordinal),
                party_id=party_id,
                text=note,
                author="ben",
                interaction_id=call,
            )
        )
    return call


async def test_a_card_tells_of_all_that_a_party_stands_for(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        merged = await centre.party("Ann", "0911000111")
        into = await centre.party("Anna", NUMBER)
        older = await _past_call(database, merged, 1, "asked for a refund")
        newer = await _past_call(database, into, 2, "refund sent")
        async with database.transaction(DEFAULT_TENANT) as connection:
            await merge_parties(connection, DEFAULT_TENANT, merged, into, by="test")
            await connection.execute(
                insert(t.promise).values(
                    tenant_id=DEFAULT_TENANT, promise_id=UUID(int=9), kind="callback", to_party_id=merged
                )
            )
            cards = await party_cards(connection, DEFAULT_TENANT, [into])
        card = cards[into]
        assert [contact["interaction_id"] for contact in card["last_contacts"]] == [newer, older]
        assert card["last_contacts"][1]["note_preview"] == "asked for a refund"
        assert {note["text"] for note in card["notes"]} == {"asked for a refund", "refund sent"}
        assert set(card["numbers"]) == {"+886912345678", "+886911000111"}
        assert [promise["kind"] for promise in card["promises"]] == ["callback"]
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        await centre.arrive("0911000111")
        await until(lambda: page.pop and page.pop["record"] == "complete")
        assert page.pop["party"] == card | {"label": ""}


async def test_whom_the_agent_names_is_shown_and_no_late_look_up_takes_it_back(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        people = [await centre.party(name, NUMBER) for name in ("Ann", "Bob")]
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        call = await centre.arrive(NUMBER)
        await until(lambda: page.pop and page.pop["outcome"] == "several")
        centre.pages.desk.party_linked(call, people[1], "agent:ana")
        await until(lambda: page.pop["party"] and page.pop["record"] == "complete")
        assert (page.pop["method"], page.pop["confidence"]) == ("agent", 100)
        assert page.pop["party"]["display_name"] == "Bob"
        assert [card["display_name"] for card in page.pop["candidates"]] == ["Ann"]
        centre.pages.pops.learn(call, await centre.look_up(NUMBER))
        assert centre.pages.pops.pops_of(call)[0].match.method == "agent"  # type: ignore[union-attr]


async def test_a_draft_is_shown_on_every_page_until_it_is_said(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        pages = [Page(centre, ANA), Page(centre, ANA)]
        for page in pages:
            page.connect()
        call = InteractionId("pbx1-1763790000.7")
        draft = Draft(code="sold", reason_id=None, note="退費", changed_ms=5)
        centre.pages.desk.draft_changed(ANA, call, draft)
        for page in pages:
            await until(lambda page=page: page.document.get(f"draft/{call}") == draft.model_dump())
        centre.pages.desk.draft_changed(ANA, call, None)
        for page in pages:
            await until(lambda page=page: f"draft/{call}" not in page.document)


async def test_my_day_counts_what_was_done(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        page = Page(centre, ANA)
        page.connect()
        await until(lambda: centre.bus.subscriber_count == 2)  # the floor and the day
        centre.sign_in(ANA)
        async with database.transaction(DEFAULT_TENANT) as connection:  # the log has all of before: nothing
            await connection.execute(
                insert(t.drain_cursor).values(
                    tenant_id=DEFAULT_TENANT, journal_id="test", epoch=centre.epoch, seq=1_000
                )
            )
        call = await centre.arrive(NUMBER)
        await until(lambda: page.pop)
        centre.ring(call)
        centre.answer(call)
        centre.hang_up(call)
        centre.finish(ANA)

        def handled() -> Any:
            return page.document.get("day", {}).get("handled_count") == 1

        await until(handled)
        day = page.document["day"]
        assert day["signed_in_since_ms"] is not None
        assert day["rona_count"] == 0
        other = await centre.arrive(NUMBER)
        assert centre.agent_of(other) == AgentId("a1001")
        centre.ring(other)
        centre.let_ring_out(other)
        await until(lambda: page.document["day"]["rona_count"] == 1)
