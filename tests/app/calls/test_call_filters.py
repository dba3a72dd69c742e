"""Filters and sight on rows that the drainer wrote from literal events: who sees which calls."""

from __future__ import annotations

import csv
import io
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import insert, update

from app.calls.export import HEADER, csv_of, write_xlsx
from app.calls.log_reader import LogReader
from app.calls.rules import WHOLE_SIGHT, CallFilter, Sight, number_forms
from app.customers.parties import NewParty, create_party
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.live.drainer import Drainer
from routing import events as ev
from routing.ids import AgentId, InteractionId, QueueId, TeamId
from tests.app.calls.test_queries import _abandoned, _answered, _call
from tests.app.live.test_drainer import ListJournal, row_of_events

pytestmark = pytest.mark.db

FRONT, CARE = TeamId("front"), TeamId("care")
TAIPEI = ZoneInfo("Asia/Taipei")
HOSTILE = '=HYPERLINK("http://x")'


def _named(story: Sequence[ev.Event], name: str, number: str) -> list[ev.Event]:
    start = story[0]
    assert isinstance(start, ev.ContactStarted)
    return [replace(start, caller_name=name, caller_number=number), *story[1:]]


async def _seed(database: Database) -> LogReader:
    """Two calls in one queue: one answered by a1001 of the front team, one abandoned."""
    stories = [_answered(0), _named(_abandoned(60), HOSTILE, "0223456789")]
    rows = [row_of_events(seq, *story) for seq, story in enumerate(stories, 1)]
    await Drainer(ListJournal(rows), database, DEFAULT_TENANT).drain_all()
    async with database.transaction(DEFAULT_TENANT) as connection:
        tenant = {"tenant_id": DEFAULT_TENANT}
        for table, made in (
            (t.skill, [{"skill_id": "selling", "display_name": "Selling"}]),
            (t.queue, [{"queue_id": "sales", "display_name": "Sales desk"}]),
            (t.queue_skill, [{"queue_id": "sales", "skill_id": "selling", "level_min": 5}]),
            (t.team, [{"team_id": team, "display_name": team} for team in (FRONT, CARE)]),
            (
                t.agent,
                [
                    {"agent_id": "a1001", "display_name": "Ana", "device": "x", "team_id": FRONT},
                    {"agent_id": "a1002", "display_name": "Ben", "device": "x", "team_id": CARE},
                ],
            ),
            (
                t.agent_skill,
                [
                    {"agent_id": "a1001", "skill_id": "selling", "level": 9},
                    {"agent_id": "a1002", "skill_id": "selling", "level": 4},
                ],
            ),
        ):
            await connection.execute(insert(table), [tenant | row for row in made])
    return LogReader(database, DEFAULT_TENANT)


async def _found(log: LogReader, wanted: CallFilter, sight: Sight = WHOLE_SIGHT) -> list[str]:
    page = await log.page(wanted, sight, limit=50, cursor=None)
    assert await log.count(wanted, sight, at_most=50) == len(page.calls)
    return [call["interaction_id"] for call in page.calls]


ANSWERED, ABANDONED = _call(0), _call(60)


async def test_filters_by_team_number_lengths_and_name(database: Database) -> None:
    log = await _seed(database)
    both = [ABANDONED, ANSWERED]
    for wanted, expected in (
        (CallFilter(team_id=FRONT), [ANSWERED]),
        (CallFilter(team_id=CARE), []),
        (CallFilter(numbers=number_forms("(02) 2345-6789", "TW")), [ABANDONED]),
        (CallFilter(numbers=number_forms("0912-345-678", "TW")), [ANSWERED]),
        (CallFilter(direction="in"), both),
        (CallFilter(direction="out"), []),
        (CallFilter(talk_min_ms=1), [ANSWERED]),
        (CallFilter(talk_max_ms=0), [ABANDONED]),
        (CallFilter(wait_min_ms=7_000), both),
        (CallFilter(wait_max_ms=1), []),
        (CallFilter(wrap_up_code="refund"), [ANSWERED]),
        (CallFilter(text="hyperlink"), [ABANDONED]),
        (CallFilter(text="%"), []),
        (CallFilter(text="_"), []),
    ):
        assert await _found(log, wanted) == expected, wanted


async def test_those_who_gave_up_are_listed_until_somebody_reaches_them(database: Database) -> None:
    """Against the definition itself, on random calls of a few people with one or two numbers each."""
    dice = random.Random(7)
    numbers = ("0911000001", "0911000002", "0911000003", "0911000004", "anonymous", "")
    stories, begun_s = [], 0
    for _ in range(60):
        begun_s += dice.randint(1, 40)
        story = _answered(begun_s) if dice.random() < 0.3 else _abandoned(begun_s)
        stories.append(_named(story, "", dice.choice(numbers)))
    rows = [row_of_events(seq, *story) for seq, story in enumerate(stories, 1)]
    await Drainer(ListJournal(rows), database, DEFAULT_TENANT).drain_all()
    log = LogReader(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        one = await create_party(connection, DEFAULT_TENANT, NewParty(display_name="王小明"))

    async def link() -> None:
        """One person with two numbers, sometimes withheld."""
        mine = t.interaction.c.caller_number.in_(["0911000001", "0911000002", "anonymous"])
        async with database.transaction(DEFAULT_TENANT) as connection:
            await connection.execute(update(t.interaction).where(mine).values(party_id=one))

    await link()
    calls = (await log.page(CallFilter(), limit=100, cursor=None)).calls

    def same(call: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        if call["party_id"] is not None and call["party_id"] == other["party_id"]:
            return True
        shown = call["caller_number"] not in ("anonymous", "")
        return shown and call["caller_number"] == other["caller_number"]

    def is_open(call: Mapping[str, Any]) -> bool:
        if call["outcome"] != "abandoned":
            return False
        if call["party_id"] is None and call["caller_number"] in ("anonymous", ""):
            return False
        others = [other for other in calls if other is not call and same(call, other)]
        reached = any(other["answered_at"] and other["answered_at"] > call["started_at"] for other in others)
        newer = any(
            other["outcome"] == "abandoned" and other["started_at"] > call["started_at"] for other in others
        )
        return not reached and not newer

    expected = [call["interaction_id"] for call in calls if is_open(call)]
    assert expected
    assert await _found(log, CallFilter(unreached=True)) == expected
    # One answered call each, and the list is empty.
    late = [_named(_answered(begun_s + 100 + at), "", number) for at, number in enumerate(numbers[:4])]
    more = [row_of_events(seq, *story) for seq, story in enumerate(late, len(rows) + 1)]
    await Drainer(ListJournal([*rows, *more]), database, DEFAULT_TENANT).drain_all()
    await link()
    assert await _found(log, CallFilter(unreached=True)) == []


async def test_a_call_is_found_by_the_party_it_was_taken_for_and_by_what_that_one_is_merged_into(
    database: Database,
) -> None:
    log = await _seed(database)
    async with database.transaction(DEFAULT_TENANT) as connection:
        old, new = [
            await create_party(connection, DEFAULT_TENANT, NewParty(display_name=name))
            for name in ("王小明", "Wang Ming")
        ]
        call = t.interaction
        await connection.execute(update(call).where(call.c.interaction_id == ANSWERED).values(party_id=old))
        await connection.execute(
            insert(t.party_alias).values(
                tenant_id=DEFAULT_TENANT, alias_id=old, merged_party_id=old, party_id=new
            )
        )
    assert await _found(log, CallFilter(party_id=old)) == [ANSWERED]
    assert await _found(log, CallFilter(party_id=new)) == [ANSWERED]
    assert await _found(log, CallFilter(text="小明")) == [ANSWERED]
    [row] = (await log.page(CallFilter(party_id=new), limit=5, cursor=None)).calls
    assert (row["party_name"], row["queue_name"], row["agent_name"]) == ("王小明", "Sales desk", "Ana")


async def test_an_agent_sees_their_own_and_a_supervisor_what_the_teams_touched(database: Database) -> None:
    log = await _seed(database)
    for sight, expected in (
        (Sight(agent_id=AgentId("a1001")), [ANSWERED]),
        (Sight(agent_id=AgentId("a1002")), []),
        (Sight(team_ids=frozenset({FRONT})), [ABANDONED, ANSWERED]),  # they serve the queue
        (Sight(team_ids=frozenset({CARE})), []),  # their level does not suffice for it
        (Sight(team_ids=frozenset()), []),
    ):
        assert await _found(log, CallFilter(), sight) == expected, sight
        for interaction_id in (ANSWERED, ABANDONED):
            story = await log.one(InteractionId(interaction_id), sight)
            assert (story is not None) == (interaction_id in expected), (sight, interaction_id)


async def test_choices_have_names_and_ids(database: Database) -> None:
    found = await (await _seed(database)).choices()
    assert found["queues"] == [{"id": "sales", "display_name": "Sales desk", "threshold_s": 20}]
    assert [agent["id"] for agent in found["agents"]] == ["a1001", "a1002"]


async def test_an_export_holds_what_is_asked_for_and_no_formula(database: Database, tmp_path: Path) -> None:
    log = await _seed(database)
    wanted = CallFilter(queue_id=QueueId("sales"))
    text = b"".join([part async for part in csv_of(log, wanted, WHOLE_SIGHT, TAIPEI)]).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["call"] for row in rows] == [ABANDONED, ANSWERED]
    assert rows[0]["name"] == f"'{HOSTILE}"
    assert rows[1]["number"] == "+886912345678"
    assert rows[0]["began"].endswith("+08:00")

    await write_xlsx(log, wanted, WHOLE_SIGHT, TAIPEI, tmp_path / "calls.xlsx")
    header, first, *_ = CalamineWorkbook.from_path(tmp_path / "calls.xlsx").get_sheet_by_index(0).to_python()
    assert tuple(header) == HEADER
    assert dict(zip(header, first, strict=True))["name"] == f"'{HOSTILE}"
    assert os.listdir(tmp_path) == ["calls.xlsx"]
