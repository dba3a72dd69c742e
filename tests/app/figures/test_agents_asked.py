"""Agents' figures by API, by CSV and Excel and on the command line: the same rows, and refusals in words."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.agent_reader import agents_line
from app.live.drainer import Drainer
from routing import signals as sig
from routing.ids import InteractionId
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.command_line import said_by
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.routing.desk import ANA, BEN, Desk
from workforce.agent_cells import AGENT_TERMS
from workforce.agent_formulas import AGENT_FORMULAS

pytestmark = pytest.mark.db

START_MS = 1_763_790_000_000 - 1_763_790_000_000 % 3_600_000
DAY = f"{datetime.fromtimestamp(START_MS / 1000, UTC):%Y-%m-%d}"
ASKED = {"first": DAY, "last": DAY, "zone": "UTC", "step": "hour"}
CALL = InteractionId(f"pbx1-{START_MS // 1000}.1")


async def _log(database: Database) -> None:
    """Ana: 10 min lunch, 2 min ready, rings 10 s, talks 3 min of which 1 held, 50 s wrap-up of 30 allowed."""
    desk = Desk(wrap_up_mode="manual", wrap_up_ms=30_000)

    def at(minutes: float) -> int:
        return START_MS + round(minutes * 60_000)

    steps = [
        desk.say(sig.AgentSignedIn(at_ms=at(0), agent_id=ANA)),
        desk.say(sig.AgentNotReady(at_ms=at(0), agent_id=ANA, reason="lunch")),
        desk.say(sig.AgentReady(at_ms=at(10), agent_id=ANA)),
        desk.wait(CALL, at(12)),
        desk.ring(CALL, ANA, at(12)),
        desk.answer(CALL, ANA, at(12) + 10_000),
        desk.say(sig.InteractionHeld(at_ms=at(13), interaction_id=CALL, agent_id=ANA)),
        desk.say(sig.InteractionUnheld(at_ms=at(14), interaction_id=CALL, agent_id=ANA)),
        desk.end(CALL, at(15) + 10_000),
        desk.say(sig.WrapUpEnded(at_ms=at(16), agent_id=ANA)),
        desk.say(sig.AgentSignedOut(at_ms=at(20), agent_id=ANA)),
        desk.say(sig.AgentSignedIn(at_ms=at(30), agent_id=BEN)),
        desk.say(sig.AgentSignedOut(at_ms=at(31), agent_id=BEN)),
    ]
    rows = [row_of_events(seq, *step.events) for seq, step in enumerate(steps, 1) if step.events]
    await Drainer(ListJournal(rows), database, DEFAULT_TENANT).drain_all()


async def test_a_supervisor_reads_agents_and_takes_the_same_rows_away(database: Database) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    async with browser(app, token) as client:
        shown: dict[str, Any] = (await client.get("/api/v1/figures/agents", params=ASKED)).json()
        book = await client.get("/api/v1/figures/agents/export.xlsx", params=ASKED)
        taken = await client.get("/api/v1/figures/agents/export.csv", params=ASKED)
    ana, ben = shown["rows"]
    assert (ana["key"], ben["key"], ana["grade"], ana["is_running"]) == ("ana", "ben", "live", False)
    assert ana["terms"] == {
        "state.ready_ms": 360_000,
        "state.ringing_ms": 10_000,
        "state.talking_ms": 120_000,
        "state.holding_ms": 60_000,
        "state.wrap_up_ms": 50_000,
        "state.wrap_up_capped_ms": 30_000,
        "state.not_ready_ms": 600_000,
        "reason.lunch_ms": 600_000,
        "handled_count": 1,
        "talk_ms": 120_000,
        "hold_ms": 60_000,
        "wrap_up_ms": 50_000,
        "wrap_up_capped_ms": 30_000,
        "offer_count": 1,
    }
    figures = ana["figures"]
    assert (figures["SIGNED_IN"], figures["TIME_NOT_READY.lunch"], figures["AHT"]) == (1200, 600, 230)
    assert figures["OCCUPANCY"] == round(230 / 590, 6)
    assert figures["CALLS_PER_HOUR"] == 3
    assert (ben["figures"]["AHT"], ben["figures"]["OCCUPANCY"]) == (None, None)
    assert [one["formula_id"] for one in shown["formulas"]] == [
        *AGENT_FORMULAS,
        "TIME_NOT_READY.lunch",
        "TIME_NOT_READY.signed_in",
    ]
    first, _, total = list(csv.DictReader(io.StringIO(taken.text.removeprefix("\ufeff"))))
    assert total["key"] == "total"
    assert {name: first[name] for name in figures} == {
        name: "" if value is None else str(value) for name, value in figures.items()
    }
    assert {name: int(first[name]) for name in AGENT_TERMS if first[name] != "0"} == {
        name: value for name, value in ana["terms"].items() if not name.startswith("reason.")
    }
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    workbook = dict(zip(sheet[0], sheet[1], strict=True))
    assert {name: workbook[name] for name in figures if workbook[name] != ""} == {
        name: value for name, value in figures.items() if value is not None
    }


async def test_a_number_opens_down_to_its_spans_and_their_calls(database: Database) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    async with browser(app, token) as client:

        async def behind(figure: str, **more: str) -> dict[str, Any]:
            asked = ASKED | {"figure": figure} | more
            found: dict[str, Any] = (await client.get("/api/v1/figures/agents/spans", params=asked)).json()
            return found

        occupancy = await behind("OCCUPANCY", key="ana")
        lunch = await behind("TIME_NOT_READY.lunch")
        handle_time = await behind("AHT")
        nobody = await behind("state.talking_ms", key="ben")
        refused = [
            (await client.get("/api/v1/figures/agents/spans", params=ASKED | wrong)).status_code
            for wrong in (
                {"figure": "SL-C"},
                {"figure": "reason.'; DROP TABLE agent_ms"},
                {"figure": "reason.Lunch_ms"},
                {"figure": "AHT", "only": "queue:sales"},
                {"figure": "AHT", "start": "2026-01-01T00:00:00Z"},
                {},
            )
        ]
    assert (occupancy["over_sum"], occupancy["under_sum"]) == (230_000, 590_000)
    assert [(row["state"], row["over"], row["under"]) for row in occupancy["rows"]] == [
        ("ready", 0, 120_000),
        ("talking", 50_000, 50_000),
        ("holding", 60_000, 60_000),
        ("talking", 70_000, 70_000),
        ("wrap_up", 50_000, 50_000),
        ("ready", 0, 240_000),
    ]
    assert {row["interaction_id"] for row in occupancy["rows"]} == {CALL, None}
    talk = occupancy["rows"][1]
    assert datetime.fromisoformat(talk["until"]) - datetime.fromisoformat(talk["at"]) == timedelta(seconds=50)
    (span,) = lunch["rows"]
    assert (span["agent_id"], span["state"], span["reason"], span["over"]) == (
        "ana",
        "not_ready",
        "lunch",
        600_000,
    )
    (call,) = handle_time["rows"]
    assert (call["interaction_id"], call["until"], call["state"]) == (CALL, None, None)
    assert (call["over"], call["under"], call["queue_id"]) == (230_000, 1, "support")
    assert nobody["rows"] == []
    assert refused == [422] * 6


async def test_an_agent_may_not_read_them_and_nonsense_is_refused_in_words(database: Database) -> None:
    app, faces = people(database)
    agent = await sign_in(faces, await add_account(database, "ann", Role.AGENT, agent_id="a1001"))
    planner = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    async with browser(app, agent) as client:
        for path in ("", "/spans", "/export.csv", "/export.xlsx"):
            reply = await client.get(f"/api/v1/figures/agents{path}", params=ASKED)
            assert reply.status_code == 403
    async with browser(app, planner) as client:
        for changed, error_id in (
            ({"zone": "Mars/Olympus"}, "bad_series"),
            ({"last": "2020-01-01"}, "bad_period"),
        ):
            refused = await client.get("/api/v1/figures/agents", params=ASKED | changed)
            assert (refused.status_code, refused.json()["error_id"]) == (422, error_id)


def test_a_figure_is_known_by_its_id_alone() -> None:
    for name in (*AGENT_FORMULAS, *AGENT_TERMS, "TIME_NOT_READY.lunch", "reason.lunch_ms"):
        assert agents_line(name) is not None, name
    for name in ("", "reason.", "reason._ms", "TIME_NOT_READY.", "TIME_NOT_READY.a'b", "state.signed_out_ms"):
        assert agents_line(name) is None, name


async def test_the_command_line_says_the_same(database: Database, tmp_path: Path) -> None:
    await _log(database)

    async def holdless(*words: str) -> str:
        return await said_by(database, tmp_path, "figures", "agents", "--zone", "UTC", *words)

    drawn = await holdless("--first", DAY)
    assert "ana" in drawn
    assert "0:20:00" in drawn
    assert "39.0 %" in drawn
    assert "2 rows" in await holdless("--first", DAY, "--out", "agents.csv")
    rows = list(csv.DictReader((tmp_path / "agents.csv").open(encoding="utf-8-sig")))
    assert [row["key"] for row in rows] == ["ana", "ben", "total"]
    await holdless("--first", DAY, "--by", "not_ready_reason", "--out", "agents.xlsx")
    assert (tmp_path / "agents.xlsx").read_bytes()[:2] == b"PK"
    assert "nobody" in await holdless("--first", "2020-01-01")
