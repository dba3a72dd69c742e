"""Exports: everybody or what a search finds, harmless, once each."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from uuid import UUID

import pytest
import python_calamine

from app.customers.export_job import export_path
from app.customers.parties import NewParty, create_party
from app.db.session import DEFAULT_TENANT, Database
from app.jobs.worker import do_job
from tests.app.customers.serving import Wakings, customers_served

pytestmark = pytest.mark.db

_EVIL = '=HYPERLINK("http://evil","click")'


async def _people(database: Database, count: int) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        for number in range(count):
            await create_party(connection, DEFAULT_TENANT, NewParty(display_name=f"Person {number}"))
        await create_party(connection, DEFAULT_TENANT, NewParty(display_name=_EVIL, external_ref="@x"))


async def test_a_csv_holds_everybody_once_and_no_formula(database: Database, tmp_path: Path) -> None:
    await _people(database, 450)
    async with customers_served(database, tmp_path) as client:
        body = {"display_name": "王小明", "identifiers": [{"raw": "0912345678"}, {"raw": "ming@example.org"}]}
        await client.post("/parties", json=body)
        answer = await client.get("/parties/export.csv")
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
        assert len(rows) == 452 == len({row["display_name"] for row in rows})
        evil = next(row for row in rows if "HYPERLINK" in row["display_name"])
        assert (evil["display_name"], evil["external_ref"]) == ("'" + _EVIL, "'@x")
        ming = next(row for row in rows if row["display_name"] == "王小明")
        assert (ming["phone"], ming["email"]) == ("+886912345678", "ming@example.org")
        some = (await client.get("/parties/export.csv", params={"q": "小明"})).text
        assert len(some.splitlines()) == 2
        every = (await client.get("/parties/export.csv", params={"q": "person"})).text
        assert len(every.splitlines()) == 451


async def test_a_workbook_is_written_by_a_job(database: Database, tmp_path: Path) -> None:
    await _people(database, 5)
    async with customers_served(database, tmp_path, jobs=Wakings()) as client:
        job_id = (await client.post("/parties/exports", json={"format": "xlsx"})).json()["job_id"]
        early = await client.get(f"/parties/exports/{job_id}/file")
        assert (early.status_code, early.json()["error_id"]) == (409, "job_not_done")
        url = database.engine.url.render_as_string(hide_password=False)
        await do_job(Database(url), DEFAULT_TENANT, UUID(job_id), data_dir=tmp_path)
        assert (await client.get(f"/jobs/{job_id}")).json()["result"]["row_count"] == 6
        done = await client.get(f"/parties/exports/{job_id}/file")
        path = export_path(tmp_path, UUID(job_id), "xlsx")
        assert done.content == path.read_bytes()
        rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()
        assert len(rows) == 7
        assert rows[-1][1] == "'" + _EVIL
        planner = {"Authorization": "Bearer planner"}
        assert (await client.get(f"/parties/exports/{job_id}/file", headers=planner)).status_code == 403
        assert (await client.post("/parties/exports", json={}, headers=planner)).status_code == 403
        assert (await client.get("/parties/export.csv", headers=planner)).status_code == 403
