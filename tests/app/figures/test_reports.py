"""Reports by API: saved, shared, changed and opened in every version; files that say what the table says."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.definitions import STANDARD
from app.figures.layout import column_name, value_text
from app.live.drainer import Drainer
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START

pytestmark = pytest.mark.db

DAY = f"{datetime.fromtimestamp(START / 1000, UTC):%Y-%m-%d}"
OWN = {"range": "own", "first": DAY, "last": DAY, "step": "hour", "columns": ["offered_count", "SL-C", "ASA"]}


async def _log(database: Database) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()


async def test_a_report_is_saved_version_by_version_and_each_is_computed_from_the_log_of_now(
    database: Database,
) -> None:
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    async with browser(app, token) as client:
        made = await client.post("/api/v1/reports", json={"name": "  Mine ", "definition": OWN})
        assert made.status_code == 201
        report = made.json()
        assert (report["name"], report["version"], report["is_own"], report["sharing"]) == (
            "Mine",
            1,
            True,
            "private",
        )
        path = f"/api/v1/reports/{report['report_id']}"
        before = (await client.get(f"{path}/run")).json()
        assert (before["first"], before["table"]["rows"]) == (DAY, [])
        await _log(database)
        saved = await client.put(
            path,
            json={"name": "Agents", "definition": OWN | {"by": "agent", "step": "range"}, "base_version": 1},
        )
        assert [one["version"] for one in saved.json()["versions"]] == [2, 1]
        new, old = [(await client.get(f"{path}/run", params={"version": number})).json() for number in (2, 1)]
        assert (new["name"], new["table"]["by"]) == ("Agents", "agent")
        assert (old["name"], old["table"]["by"], old["table"]["step"]) == ("Mine", "queue", "hour")
        assert old["table"]["total"]["terms"] == new["table"]["total"]["terms"]
        assert old["table"]["total"]["terms"]["offered_count"] == 1
        late = await client.put(path, json={"name": "x", "definition": OWN, "base_version": 1})
        assert (late.status_code, late.json()["error_id"]) == (409, "report_changed")
        missing = await client.get(f"{path}/run", params={"version": 3})
        assert missing.json()["error_id"] == "unknown_report"


async def test_only_those_with_whom_it_is_shared_see_it_and_only_its_owner_changes_it(
    database: Database,
) -> None:
    app, faces = people(database)
    pat = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    sue = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR, team_ids=("north",)))
    ada = await sign_in(faces, await add_account(database, "ada", Role.ADMINISTRATOR))
    ann = await sign_in(faces, await add_account(database, "ann", Role.AGENT, agent_id="a1001"))
    async with browser(app, pat) as mine, browser(app, sue) as other, browser(app, ada) as over:
        made = (await mine.post("/api/v1/reports", json={"name": "Mine", "definition": OWN})).json()
        path = f"/api/v1/reports/{made['report_id']}"
        body = {"name": "Theirs", "definition": OWN, "base_version": 1}

        async def listed(client: Any) -> list[str]:
            reports = (await client.get("/api/v1/reports")).json()["reports"]
            return [one["name"] for one in reports if not one["is_standard"]]

        assert (await listed(mine), await listed(other), await listed(over)) == (["Mine"], [], ["Mine"])
        for asked in (other.get(path), other.get(f"{path}/run"), other.put(path, json=body)):
            assert (await asked).status_code == 404
        for sharing, whom, seen in (
            ("roles", ["supervisor"], True),
            ("roles", ["planner"], False),
            ("teams", ["south"], False),
            ("teams", ["north"], True),
            ("all", [], True),
        ):
            shared = {"sharing": sharing, "shared_with": whom}
            assert (await mine.put(f"{path}/sharing", json=shared)).json()["sharing"] == sharing
            assert await listed(other) == (["Mine"] if seen else [])
            assert (await other.get(f"{path}/run")).status_code == (200 if seen else 404)
        refused = await other.put(path, json=body)
        assert (refused.status_code, refused.json()["error_id"]) == (403, "not_your_report")
        assert (await other.delete(path)).status_code == 403
        assert (await over.put(path, json=body)).json()["version"] == 2
        nobody = await mine.put(f"{path}/sharing", json={"sharing": "roles", "shared_with": []})
        assert nobody.status_code == 422
    async with browser(app, ann) as agent:
        assert (await agent.get("/api/v1/reports")).status_code == 403


async def test_a_deleted_report_comes_back_with_its_versions(database: Database) -> None:
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    async with browser(app, token) as client:
        made = (await client.post("/api/v1/reports", json={"name": "Mine", "definition": OWN})).json()
        path = f"/api/v1/reports/{made['report_id']}"
        await client.put(path, json={"name": "Mine", "definition": OWN | {"sort": "-ASA"}, "base_version": 1})
        assert (await client.post(f"{path}/restore")).status_code == 404
        assert (await client.delete(path)).status_code == 204
        assert (await client.get(path)).status_code == 404
        assert (await client.delete(path)).status_code == 404
        back = (await client.post(f"{path}/restore")).json()
        assert [one["definition"]["sort"] for one in back["versions"]] == ["-ASA", ""]


async def test_the_standard_set_runs_as_it_is_and_nobody_changes_it(database: Database) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "ada", Role.ADMINISTRATOR))
    async with browser(app, token) as client:
        listed = (await client.get("/api/v1/reports")).json()["reports"]
        assert [one["report_id"] for one in listed] == list(STANDARD)
        for report_id in STANDARD:
            path = f"/api/v1/reports/{report_id}"
            assert (await client.get(f"{path}/run")).status_code == 200
            body = {"name": "x", "definition": OWN, "base_version": 1}
            assert (await client.put(path, json=body)).json()["error_id"] == "standard_report"
            assert (await client.delete(path)).json()["error_id"] == "standard_report"


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
async def test_csv_workbook_and_pdf_say_what_the_table_says(database: Database, language: Any) -> None:
    await _log(database)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    columns = ["SL-C", "offered_count", "WAIT_P90", "AHT", "talk_ms", "AB", "exit.answered", "RONA"]
    definition = OWN | {"columns": columns, "sort": "-AHT"}
    async with browser(app, token) as client:
        made = (
            await client.post("/api/v1/reports", json={"name": "客服 = 1", "definition": definition})
        ).json()
        path = f"/api/v1/reports/{made['report_id']}"
        table = (await client.get(f"{path}/run")).json()["table"]
        files = {
            kind: await client.get(f"{path}/export.{kind}", params={"language": language})
            for kind in ("csv", "xlsx", "pdf")
        }
        assert all(answer.status_code == 200 for answer in files.values())
        assert 'filename="1-' in files["pdf"].headers["content-disposition"]
        query = {"first": DAY, "last": DAY, "step": "hour", "columns": columns, "language": language}
        same = await client.get("/api/v1/figures/export.csv", params=query | {"sort": "-AHT"})
        assert same.text == files["csv"].text
        assert (await client.get("/api/v1/figures/export.pdf", params=query)).content[:5] == b"%PDF-"
        wrong = await client.get("/api/v1/figures/export.csv", params=query | {"columns": ["SL-Z"]})
        assert wrong.status_code == 422
    rows = [*table["rows"], table["total"]]

    def value(row: dict[str, Any], column: str) -> float | None:
        return row["figures"][column] if column in row["figures"] else row["terms"].get(column, 0)

    taken = list(csv.DictReader(io.StringIO(files["csv"].text.removeprefix("\ufeff"))))
    head, *sheet = (
        CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].content)).get_sheet_by_index(0).to_python()
    )
    assert head[4:-2] == columns
    assert len(taken) == len(sheet) == len(rows) == 2
    for row, line, cells in zip(rows, taken, sheet, strict=True):
        for column, cell in zip(columns, cells[4:-2], strict=True):
            wanted = value(row, column)
            assert line[column] == ("" if wanted is None else str(wanted))
            assert cell == ("" if wanted is None else pytest.approx(wanted, abs=1e-9))
    page = pypdfium2.PdfDocument(files["pdf"].content)[0].get_textpage().get_text_bounded()
    words = page.split()
    for row in rows:
        for column in columns:
            shown = value_text(value(row, column), column)
            assert shown == "" or shown in words, (column, page)
    for column in columns:
        assert column_name(column, language).replace(" ", "") in page.replace("\r\n", "").replace(" ", "")
    assert "客服" in page
