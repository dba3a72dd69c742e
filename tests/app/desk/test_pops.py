"""Pops: on the screen as the phone rings, of the right person or of nobody, through reloads and restarts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.customers.identify_rules import late
from app.customers.numbers import parse_number
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import pop as table
from routing.ids import InteractionId
from tests.app.desk.small_centre import ANA, BEN, Page, SmallCentre, until

pytestmark = pytest.mark.db
NUMBER = "0912345678"


async def rows_of(database: Database, call: InteractionId) -> list[Any]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        found = await connection.execute(
            select(table).where(table.c.interaction_id == call).order_by(table.c.pop_id)
        )
        return list(found)


async def test_a_pop_is_shown_acknowledged_kept_and_gone_after_the_wrap_up(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        party_id = await centre.party("王小明", NUMBER)
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        call = await centre.arrive(NUMBER)
        pop = await until(lambda: page.pop)
        assert (pop["outcome"], pop["method"], pop["confidence"]) == ("match", "identifier", 70)
        assert (pop["party"]["party_id"], pop["party"]["display_name"]) == (str(party_id), "王小明")
        assert pop["number"] == "+886912345678"
        await until(lambda: page.pop["record"] == "complete" and page.pop["acked_ms"])
        assert page.pop["party"]["numbers"] == ["+886912345678"]
        assert page.document["call"]["phase"] == "offered"
        centre.ring(call)
        centre.answer(call)
        await until(lambda: page.document["call"]["phase"] == "talking")
        assert page.document["call"]["queue_name"] == "Support 客服"
        centre.hang_up(call)
        await until(lambda: page.document["call"]["phase"] == "wrap_up")
        assert page.document["me"]["wrap_up"]["interaction_id"] == call
        assert page.pop
        centre.finish(ANA)
        await until(lambda: page.pop is None and "call" not in page.document)
    (row,) = await rows_of(database, call)
    assert (row.party_id, row.shown_before_answer, row.end_reason) == (party_id, True, "done")
    assert row.made_at <= row.acked_at <= row.answered_at <= row.ended_at


async def test_the_pop_is_there_again_after_a_reload_in_mid_call(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        await centre.party("Ann", NUMBER)
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        call = await centre.arrive(NUMBER)
        first = await until(lambda: page.pop)
        centre.ring(call)
        centre.answer(call)
        page.reload()
        assert page.pop is not None
        assert page.pop["pop_id"] == first["pop_id"]
        assert page.document["call"]["interaction_id"] == call


async def test_a_pop_is_withdrawn_when_another_answers_or_the_caller_leaves(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        await centre.party("Ann", NUMBER)
        ana, ben = Page(centre, ANA), Page(centre, BEN)
        ana.connect()
        ben.connect()
        centre.sign_in(ANA, BEN)
        call = await centre.arrive(NUMBER)
        first = await until(lambda: ana.pop)
        centre.ring(call)
        centre.let_ring_out(call)
        second = await until(lambda: ben.pop)
        assert ana.pop is None
        assert second["pop_id"] > first["pop_id"]
        centre.hang_up(call)
        await until(lambda: ben.pop is None)
    reasons = [row.end_reason for row in await rows_of(database, call)]
    assert reasons == ["not_answered", "caller_left"]


async def test_a_late_match_completes_the_pop(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        await centre.party("Ann", NUMBER)
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        centre.pages._clerk.complete = lambda _pop: None  # type: ignore[method-assign]  # the record is slow
        call = await centre.arrive(NUMBER, looks_up=False)
        centre.pages.pops.learn(call, late(parse_number(NUMBER, "TW")))
        pop = await until(lambda: page.pop)
        assert (pop["outcome"], pop["party"], pop["number"]) == ("late", None, "+886912345678")
        centre.pages.pops.learn(call, await centre.look_up(NUMBER))
        await until(lambda: page.pop["outcome"] == "match")
        assert page.pop["pop_id"] == pop["pop_id"]
        assert page.pop["party"]["display_name"] == "Ann"


async def test_a_call_that_nobody_looked_up_is_looked_up_for_the_pop_and_kept(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        party_id = await centre.party("Ann", NUMBER)
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        call = await centre.arrive(NUMBER, looks_up=False)
        await until(lambda: page.pop and page.pop["outcome"] == "match")
        assert [(kept, match.party_id) for kept, match in centre.kept] == [(call, party_id)]


async def test_several_people_on_a_number_are_shown_as_several(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        people = {str(await centre.party(name, NUMBER)) for name in ("Ann", "Bob", "Cid")}
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        await centre.arrive(NUMBER)
        await until(lambda: page.pop and page.pop["record"] == "complete")
        assert (page.pop["outcome"], page.pop["party"]) == ("several", None)
        assert {card["party_id"] for card in page.pop["candidates"]} == people


@pytest.mark.parametrize("number", ["anonymous", "", "隱藏號碼"])
async def test_a_withheld_number_is_nobodys(database: Database, number: str) -> None:
    async with SmallCentre(database).open() as centre:
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        await centre.arrive(number)
        pop = await until(lambda: page.pop)
        assert (pop["outcome"], pop["party"], pop["candidates"], pop["number"]) == ("withheld", None, [], "")


async def test_a_pop_that_nobody_saw_is_counted_and_shown_to_the_supervisor(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        centre.sign_in(ANA)
        call = await centre.arrive(NUMBER)
        await until(lambda: centre.pages.pops.pops_of(call))
        centre.ring(call)
        centre.answer(call)
        board = centre.pages.pump.hub._topics["floor:all"]._shown

        def unseen() -> Any:
            return board["agent/a1001"].plain["unseen_pop_since_ms"]

        await until(unseen)
        registry = centre.core.metrics.registry
        assert registry.get_sample_value("holdless_pops_answered_total", {"seen": "unseen"}) == 1
        page = Page(centre, ANA)
        page.connect()
        await until(lambda: unseen() is None)


async def test_after_a_restart_the_pops_of_live_calls_are_there_with_their_numbers(
    database: Database,
) -> None:
    before = SmallCentre(database)
    async with before.open() as centre:
        await centre.party("Ann", NUMBER)
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA, BEN)
        call = await centre.arrive(NUMBER)
        first = await until(lambda: page.pop and page.pop["acked_ms"] and page.pop)
        centre.ring(call)
        centre.answer(call)
    again = SmallCentre(database, epoch=4)
    again.engine, again.seq, again._number = before.engine, 1, before._number
    async with again.open() as centre:
        page = Page(centre, ANA)
        page.connect()
        pop = await until(lambda: page.pop and page.pop["record"] == "complete" and page.pop)
        assert (pop["pop_id"], pop["acked_ms"]) == (first["pop_id"], first["acked_ms"])
        assert pop["party"]["display_name"] == "Ann"
        assert page.document["call"]["phase"] == "talking"
        other = await centre.arrive(NUMBER)
        await until(lambda: centre.pages.pops.pops_of(other))
        assert centre.pages.pops.pops_of(other)[0].pop_id > first["pop_id"]


async def test_a_number_that_changed_hands_shows_its_owner_of_today(database: Database) -> None:
    async with SmallCentre(database).open() as centre:
        now = datetime.now(UTC)
        await centre.party("Former", NUMBER, valid_to=now - timedelta(days=1))
        await centre.party("Today", NUMBER, valid_from=now - timedelta(days=1))
        page = Page(centre, ANA)
        page.connect()
        centre.sign_in(ANA)
        await centre.arrive(NUMBER)
        await until(lambda: page.pop and page.pop["record"] == "complete")
        assert page.pop["party"]["display_name"] == "Today"
        assert page.pop["candidates"] == []
