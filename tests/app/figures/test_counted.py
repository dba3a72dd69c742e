"""Contacts per person and transfers by pair in SQL, against brute force over the very rows and events."""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert

from app.auth.permissions import Role
from app.customers.parties import NewParty, create_party, merge_parties, undo_merge
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from app.figures.counted import CountedTable, Subject, read_behind_counted, read_counted
from app.figures.dimensions import FiguresBy
from app.figures.queries import Narrowed
from app.figures.reader import DrillAsked, FiguresAsked
from app.figures.subjects import TRANSFERS, persons
from routing import events as ev
from routing import transfer_events as tr
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.command_line import holdless, said_by
from tests.app.figures.test_period_cells import ALL_DAYS, drained
from tests.routing.consult_day import ConsultDay
from workforce.contact_formulas import PersonContact, person_counts
from workforce.periods import PeriodStep

pytestmark = pytest.mark.db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
NOW_MS = round(NOW.timestamp() * 1000)
DAYS = (NOW - timedelta(days=25)).date(), NOW.date()
ASKED = FiguresAsked(first=DAYS[0], last=DAYS[1], step=PeriodStep.DAY, by=FiguresBy.QUEUE, zone="UTC")


async def _table(database: Database, subject: Subject, asked: FiguresAsked) -> CountedTable:
    return await read_counted(database, DEFAULT_TENANT, subject, asked, NOW_MS)


async def _parties(database: Database, count: int) -> list[UUID]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return [
            await create_party(connection, DEFAULT_TENANT, NewParty(display_name=f"P{number}"))
            for number in range(count)
        ]


async def _contacts(database: Database, rng: random.Random, parties: list[UUID]) -> list[dict[str, Any]]:
    """Random contacts of 40 days; some moments are equal, some exactly so many days apart."""
    numbers = ["", "anonymous", "+886911000001", "+886911000002", "+886911000003"]
    rows: list[dict[str, Any]] = []
    for number in range(150):
        at = NOW - timedelta(days=rng.randrange(40), hours=rng.choice((0, 0, rng.randrange(24))))
        rows.append(
            {
                "tenant_id": DEFAULT_TENANT,
                "day": at.date(),
                "interaction_id": f"pbx1-{number}",
                "started_at": at,
                "party_id": rng.choice([None, None, *parties]),
                "caller_number": rng.choice(numbers),
                "queue_id": rng.choice(["sales", "billing", None]),
                "direction": "out" if rng.random() < 0.1 else "in",
                "kind": "consult" if rng.random() < 0.1 else "contact",
            }
        )
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(insert(t.interaction), rows)
    return rows


def _brute(
    rows: list[dict[str, Any]], same: Mapping[UUID, UUID], within_days: int
) -> dict[tuple[int, str], Counter[str]]:
    def person(row: dict[str, Any]) -> str:
        if row["party_id"] is not None:
            return str(same.get(row["party_id"], row["party_id"]))
        return "" if row["caller_number"] in ("", "anonymous", "withheld") else row["caller_number"]

    ours = [row for row in rows if row["direction"] == "in" and row["kind"] == "contact"]
    counts = person_counts(
        [
            PersonContact(
                contact_id=row["interaction_id"],
                person=person(row),
                at_ms=round(row["started_at"].timestamp() * 1000),
            )
            for row in ours
        ],
        within_ms=within_days * 86_400_000,
        now_ms=NOW_MS,
    )
    found: dict[tuple[int, str], Counter[str]] = {}
    for row in ours:
        day = row["started_at"].date()
        if DAYS[0] <= day <= DAYS[1]:
            cell = found.setdefault(((day - DAYS[0]).days, row["queue_id"] or ""), Counter())
            cell.update(counts[row["interaction_id"]])
    return found


def _cells(table: CountedTable) -> dict[tuple[int, str], Counter[str]]:
    first_ms = round(datetime(DAYS[0].year, DAYS[0].month, DAYS[0].day, tzinfo=UTC).timestamp() * 1000)
    return {
        ((row.start_ms - first_ms) // 86_400_000, row.key): Counter({k: v for k, v in row.cell.items() if v})
        for row in table.rows
    }


def _plain(cells: Mapping[tuple[int, str], Counter[str]]) -> dict[tuple[int, str], dict[str, int]]:
    return {key: {name: count for name, count in cell.items() if count} for key, cell in cells.items()}


@pytest.mark.parametrize(("seed", "within_days"), [(1, 7), (2, 1), (3, 14), (4, 7)])
async def test_contacts_per_person_are_brute_force_and_follow_a_merge_and_its_undo(
    database: Database, seed: int, within_days: int
) -> None:
    rng = random.Random(seed)
    parties = await _parties(database, 5)
    rows = await _contacts(database, rng, parties)
    subject = persons(within_days, NOW_MS)
    plain = _plain(_cells(await _table(database, subject, ASKED)))
    assert plain == _plain(_brute(rows, {}, within_days))
    async with database.transaction(DEFAULT_TENANT) as connection:
        await merge_parties(connection, DEFAULT_TENANT, merged=parties[1], into=parties[2], by="t")
        alias = await merge_parties(connection, DEFAULT_TENANT, merged=parties[2], into=parties[3], by="t")
    same = {parties[1]: parties[3], parties[2]: parties[3]}
    merged = _plain(_cells(await _table(database, subject, ASKED)))
    assert merged == _plain(_brute(rows, same, within_days))
    assert merged != plain or within_days == 14  # everybody comes again in so long
    async with database.transaction(DEFAULT_TENANT) as connection:
        await undo_merge(connection, DEFAULT_TENANT, alias, by="t")
    undone = _plain(_cells(await _table(database, subject, ASKED)))
    assert undone == _plain(_brute(rows, {parties[1]: parties[2]}, within_days))


async def test_behind_each_number_of_contacts_are_as_many_rows(database: Database) -> None:
    rows = await _contacts(database, random.Random(9), await _parties(database, 3))
    subject = persons(7, NOW_MS)
    for by in FiguresBy:
        asked = FiguresAsked(first=DAYS[0], last=DAYS[1], step=PeriodStep.RANGE, by=by, zone="UTC")
        table = await _table(database, subject, asked)
        assert table.whole.cell["contact_count"] == sum(
            cell["contact_count"] for cell in _brute(rows, {}, 7).values()
        )
        for row, key in (*((row, row.key) for row in table.rows), (table.whole, None)):
            for term in subject.terms:
                line = subject.line(term)
                assert line is not None
                drilled = await read_behind_counted(
                    database, DEFAULT_TENANT, subject, asked, DrillAsked(line=line, key=key, limit=500)
                )
                assert len(drilled.rows) == drilled.row_count == drilled.over_sum == row.cell[term]


def _transfers(events: list[ev.Event], by: FiguresBy) -> Counter[tuple[str, str]]:
    queue_of: dict[tuple[str, str], str | None] = {}
    left: dict[str, str] = {}
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        match event:
            case ev.InteractionAnswered() | tr.InteractionTaken() if event.agent_id is not None:
                queue_of[event.interaction_id, event.agent_id] = event.queue_id
            case ev.QueueLeft():
                left[event.interaction_id] = event.queue_id
            case ev.InteractionTransferred():
                giver = event.from_agent_id
                if giver is None:
                    queue_id: str | None = left.get(event.interaction_id)
                else:
                    queue_id = queue_of.get((event.interaction_id, giver))
                to = f"queue:{event.to_queue_id}" if event.to_queue_id else "outside"
                to = f"agent:{event.to_agent_id}" if event.to_agent_id and not event.to_queue_id else to
                key = queue_id if by is FiguresBy.QUEUE else giver
                found[f"{key or ''}>{to}", f"{event.kind}_count"] += 1
            case tr.ConsultEnded() if event.outcome not in tr.GIVEN_ON:
                to = f"agent:{event.to_agent_id}" if event.to_agent_id else "outside"
                asker: str | None = queue_of.get((event.interaction_id, event.agent_id))
                key = asker if by is FiguresBy.QUEUE else event.agent_id
                found[f"{key or ''}>{to}", "cancelled_count"] += 1
    return found


@pytest.mark.parametrize("seed", [3, 8])
async def test_transfers_by_pair_are_brute_force_over_the_events(
    database: Database, tmp_path: Path, seed: int
) -> None:
    events = await drained(seed, 1_200, database, tmp_path, ConsultDay)
    for by in (FiguresBy.QUEUE, FiguresBy.AGENT):
        asked = FiguresAsked(first=ALL_DAYS[0], last=ALL_DAYS[1], step=PeriodStep.RANGE, by=by, zone="UTC")
        table = await _table(database, TRANSFERS, asked)
        found = {
            (row.key, name): row.cell[name]
            for row in table.rows
            for name in TRANSFERS.terms
            if row.cell[name]
        }
        assert found == dict(_transfers(events, by))
        assert {name for _, name in found} >= {"blind_count", "cancelled_count"}
        assert seed == 3 or any(name == "attended_count" for _, name in found)
        for row, key in (*((row, row.key) for row in table.rows), (table.whole, None)):
            for name in TRANSFERS.terms:
                line = TRANSFERS.line(name)
                assert line is not None
                drilled = await read_behind_counted(
                    database, DEFAULT_TENANT, TRANSFERS, asked, DrillAsked(line=line, key=key, limit=500)
                )
                assert len(drilled.rows) == drilled.row_count == drilled.over_sum == row.cell[name]
        ended = sum(isinstance(event, ev.TalkEnded) for event in events)
        assert table.whole.cell["handled_count"] == ended
        one = table.rows[0].key.partition(">")[0]
        narrowed = Narrowed(ids={by: [one]})
        few = await _table(
            database,
            TRANSFERS,
            FiguresAsked(
                first=ALL_DAYS[0],
                last=ALL_DAYS[1],
                step=PeriodStep.RANGE,
                by=by,
                zone="UTC",
                narrowed=narrowed,
            ),
        )
        assert [row.cell for row in few.rows] == [
            row.cell for row in table.rows if row.key.startswith(f"{one}>")
        ]


async def test_a_supervisor_reads_them_and_takes_them_away_and_wrong_questions_are_refused(
    database: Database,
) -> None:
    await _contacts(database, random.Random(5), await _parties(database, 2))
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    days = {"first": str(DAYS[0]), "last": str(DAYS[1]), "zone": "UTC"}
    async with browser(app, token) as client:
        shown = (await client.get("/api/v1/figures/persons", params=days | {"within_days": 3})).json()
        taken = await client.get("/api/v1/figures/persons/export.csv", params=days)
        book = await client.get("/api/v1/figures/persons/export.xlsx", params=days)
        none = (await client.get("/api/v1/figures/transfers", params=days)).json()
        asked = days | {"figure": "FCR", "limit": 5}
        behind = (await client.get("/api/v1/figures/persons/calls", params=asked)).json()
        refused = [
            (await client.get(f"/api/v1/figures/{path}", params=days | wrong)).status_code
            for path, wrong in (
                ("persons", {"within_days": 0}),
                ("persons", {"within_days": 91}),
                ("persons/calls", {"figure": "SL-C"}),
                ("transfers", {"by": "reason"}),
                ("transfers/calls", {"figure": "handled_count"}),
            )
        ]
    assert [one["formula_id"] for one in shown["formulas"]] == ["REPEAT", "FCR"]
    assert shown["total"]["terms"]["contact_count"] > 50
    assert len(taken.text.splitlines()) > 3
    assert book.content[:2] == b"PK"
    assert none["rows"] == []
    assert behind["row_count"] == behind["under_sum"] > len(behind["rows"]) == 5
    assert refused == [422] * 5


async def test_the_command_line_says_the_same(database: Database, tmp_path: Path) -> None:
    await _contacts(database, random.Random(5), await _parties(database, 2))
    days = ("--first", str(DAYS[0]), "--last", str(DAYS[1]), "--zone", "UTC")
    asked = replace(ASKED, step=PeriodStep.RANGE)
    table = await _table(database, persons(3, NOW_MS), asked)
    told = json.loads(
        await said_by(database, tmp_path, "figures", "persons", *days, "--within-days", "3", "--json")
    )
    # What is known by now depends on when one asks: the command asks later than the test's clock.
    assert told["total"]["terms"]["repeat_count"] == table.whole.cell["repeat_count"] > 0
    assert {row["key"] for row in told["rows"]} == {row.key for row in table.rows}
    drawn = await said_by(database, tmp_path, "figures", "persons", *days)
    assert "sales" in drawn
    assert "rows and their total" in await said_by(
        database, tmp_path, "figures", "persons", *days, "--out", "persons.csv"
    )
    with (tmp_path / "persons.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["key"] == "total"
    assert {row["key"] for row in rows[:-1]} == {row.key for row in table.rows}
    assert "nothing from" in await said_by(database, tmp_path, "figures", "transfers", *days)
    code, _, wrong = await holdless(database, tmp_path, "figures", "transfers", *days, "--only", "moon:1")
    assert (code, "--only" in wrong) == (2, True)
