"""The figures by API, by CSV and on the command line: the same rows, and refusals in words."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.dimensions import FiguresBy
from app.figures.facts import TERMS
from app.live.drainer import Drainer
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.command_line import said_by
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START
from workforce.formulas import FORMULAS

pytestmark = pytest.mark.db

DAY = f"{datetime.fromtimestamp(START / 1000, UTC):%Y-%m-%d}"
ASKED = {"first": DAY, "last": DAY, "zone": "UTC", "step": "hour"}


async def _log(database: Database) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()


async def test_a_supervisor_reads_the_figures_and_takes_the_same_rows_away(database: Database) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    async with browser(app, token) as client:
        shown: dict[str, Any] = (await client.get("/api/v1/figures", params=ASKED)).json()
        book = await client.get("/api/v1/figures/export.xlsx", params=ASKED)
        taken = await client.get("/api/v1/figures/export.csv", params=ASKED)
    (row,) = shown["rows"]
    assert (row["key"], row["terms"]["offered_count"], row["terms"]["exit.answered"]) == ("sales", 1, 1)
    assert "rona_count" not in row["terms"]
    assert row["figures"]["SL-C"] == 1.0
    assert shown["total"]["terms"] == row["terms"]
    first, total = list(csv.DictReader(io.StringIO(taken.text.removeprefix("\ufeff"))))
    assert total["key"] == "total"
    for name, value in row["figures"].items():
        assert first[name] == ("" if value is None else str(value))
    assert {name: int(first[name]) for name in TERMS if first[name] != "0"} == row["terms"]
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0)
    header, first_row, total_row = sheet.to_python()
    workbook = dict(zip(header, first_row, strict=True))
    assert {name: workbook[name] for name in TERMS} == {name: int(first[name]) for name in TERMS}
    assert {name: workbook[name] for name in FORMULAS if workbook[name] != ""} == {
        name: value for name, value in row["figures"].items() if value is not None
    }
    assert total_row[2] == "total"
    assert datetime.fromisoformat(first["start"]) == datetime.fromisoformat(row["start"])


async def test_what_can_be_asked_for_has_names(database: Database) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    async with browser(app, token) as client:
        choices = (await client.get("/api/v1/figures/choices")).json()
    assert datetime.fromisoformat(choices["since"]).timestamp() * 1000 == START
    assert choices["names"].keys() == set(FiguresBy)
    assert choices["zone"]


async def test_an_agent_may_not_read_them_and_nonsense_is_refused_in_words(database: Database) -> None:
    app, faces = people(database)
    agent = await sign_in(faces, await add_account(database, "ann", Role.AGENT, agent_id="a1001"))
    planner = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    async with browser(app, agent) as client:
        assert (await client.get("/api/v1/figures", params=ASKED)).status_code == 403
    async with browser(app, planner) as client:
        for changed, error_id in (
            ({"zone": "Mars/Olympus"}, "bad_series"),
            ({"last": "2020-01-01"}, "bad_period"),
            ({"last": "2035-01-01", "step": "15min"}, "bad_period"),
        ):
            refused = await client.get("/api/v1/figures", params=ASKED | changed)
            assert (refused.status_code, refused.json()["error_id"]) == (422, error_id)


async def test_the_command_line_says_the_same(database: Database, tmp_path: Path) -> None:
    await _log(database)

    async def holdless(*words: str) -> str:
        return await said_by(database, tmp_path, *words)

    drawn = await holdless("figures", "--zone", "UTC", "--first", DAY)
    assert "sales" in drawn
    assert "100.0 %" in drawn
    assert "2 rows" not in await holdless("figures", "--zone", "UTC", "--first", DAY, "--out", "figures.csv")
    rows = list(csv.DictReader((tmp_path / "figures.csv").open(encoding="utf-8-sig")))
    assert [row["key"] for row in rows] == ["sales", "total"]
    assert "no calls" in await holdless("figures", "--zone", "UTC", "--first", "2020-01-01")

    listed = await holdless("reports", "list")
    assert "service_levels" in listed
    written = await holdless("reports", "run", "queue_day")
    assert written.splitlines()[0].endswith("AHT,RONA,grade,is_running")
    said = await holdless(
        "reports", "run", "queue_day", "--format", "pdf", "--language", "zh-Hant", "--out", "day.pdf"
    )
    assert "version 1" in said
    assert (tmp_path / "day.pdf").read_bytes().startswith(b"%PDF-")
