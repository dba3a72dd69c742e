"""Forecasts over the API: asked for, made by a job, kept with their calls, laid over, made again."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest
import python_calamine

from app.db.session import Database
from tests.app.planner.logged import made as is_made
from tests.app.planner.logged import planner_served
from tests.workforce.series_made import made_series, made_totals
from workforce.series import stamp

pytestmark = pytest.mark.db


def _file(days: int) -> str:
    series = made_series(made_totals(days))
    rows = [f"{stamp(int(at), '')},{calls:g}" for at, calls in zip(series.start_s, series.calls, strict=True)]
    return "\n".join(["interval_start,calls", *rows])


async def test_a_file_becomes_a_forecast_that_is_kept_laid_over_and_made_again(
    database: Database, tmp_path: Path
) -> None:
    async with planner_served(database, tmp_path) as client:
        ask = {"interval_min": 30, "horizon_days": 14, "display_name": "Sales", "country": "TW"}
        made = (await client.post("/plan/forecasts/files", params=ask, content=_file(70))).json()
        run = f"/plan/forecasts/{made['run_id']}"
        early = await client.get(f"{run}/intervals")
        assert (early.status_code, early.json()["error_id"]) == (409, "job_not_done")
        assert await is_made(client, database, made, tmp_path) == "done"

        told = (await client.get(run)).json()
        assert told["source"] == {"kind": "file"}
        assert {one["horizon_days"] for one in told["outcome"]["accuracy"]["horizons"]} == {1, 7}
        assert told["outcome"]["history"]["day_count"] == 50
        before = (await client.get(f"{run}/intervals")).json()
        assert len(before["intervals"]) == 10 * 20
        assert len(before["history_calls"]) == 50 * 20
        assert all(one["forecast"] == one["mean"] for one in before["intervals"])

        begin, end = before["intervals"][0]["start_ms"], before["intervals"][20]["start_ms"]
        change = {"start_ms": begin, "end_ms": end, "factor": 1.5, "why": "mailing"}
        slip = change | {"factor": None, "calls": 9_000, "why": "slip of the hand"}
        assert (await client.post(f"{run}/overlays", json=slip)).status_code == 201
        await client.post(f"{run}/overlays", json=change)
        assert (await client.post(f"{run}/overlays/0/undo")).status_code == 200
        again = (await client.post(f"{run}/overlays/0/undo")).json()["overlays"]
        assert [(one["who"], one["undone_by"], one["why"]) for one in again] == [
            ("the planner", "the planner", "slip of the hand"),
            ("the planner", None, "mailing"),
        ]
        assert again[0]["at_ms"] <= again[1]["at_ms"] <= again[0]["undone_ms"]
        after = (await client.get(f"{run}/intervals")).json()["intervals"]
        assert after[0]["mean"] == pytest.approx(1.5 * after[0]["forecast"])
        assert (after[0]["overlay"], after[20]["overlay"]) == (1, None)
        assert after[20] == before["intervals"][20]

        table = list(csv.DictReader(io.StringIO((await client.get(f"{run}/file")).text)))
        assert float(table[0]["mean"]) == pytest.approx(1.5 * float(table[0]["forecast"]), abs=0.002)
        workbook = await client.get(f"{run}/file", params={"format": "xlsx"})
        book = tmp_path / "forecast.xlsx"
        book.write_bytes(workbook.content)
        sheet = python_calamine.CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
        assert len(sheet) == 1 + 10 * 20
        assert isinstance(sheet[1][0], datetime)

        taken = (await client.post(f"{run}/again")).json()
        assert await is_made(client, database, taken, tmp_path) == "done"
        taken_run = f"/plan/forecasts/{taken['run_id']}"
        carried = (await client.get(taken_run)).json()["overlays"]
        (laid,) = [one for one in (await client.get(run)).json()["overlays"] if not one["undone_ms"]]
        assert carried == [laid | {"carried_from": made["run_id"]}]  # who, when and why as they were
        over = (await client.get(f"{taken_run}/intervals")).json()["intervals"]
        assert [one["mean"] for one in over] == [one["mean"] for one in after]
        assert over[0]["overlay"] == 0
        assert (await client.post(f"{taken_run}/overlays/0/undo")).status_code == 200
        assert (await client.get(f"{run}/intervals")).json()["intervals"] == after  # the first keeps its own
        third = (await client.post(f"{taken_run}/again")).json()
        assert (await client.get(f"/plan/forecasts/{third['run_id']}")).json()["overlays"] == []

        second = (await client.post(f"{run}/again", params={"carry_overlays": False})).json()
        assert await is_made(client, database, second, tmp_path) == "done"
        again = (await client.get(f"/plan/forecasts/{second['run_id']}/intervals")).json()
        assert again["intervals"] == before["intervals"]
        page = (await client.get("/plan/forecasts", params={"limit": 1})).json()
        assert page["runs"][0]["again_of"] == made["run_id"]
        rest = (await client.get("/plan/forecasts", params={"cursor": page["next_cursor"]})).json()
        ids = [third["run_id"], taken["run_id"], made["run_id"]]
        assert [one["run_id"] for one in rest["runs"]] == ids


async def test_what_cannot_be_forecast_is_said_at_once_or_by_the_job(
    database: Database, tmp_path: Path
) -> None:
    async with planner_served(database, tmp_path) as client:
        bad = await client.post("/plan/forecasts/files", content="when,calls\n1,2\n")
        assert (bad.status_code, bad.json()["error_id"]) == (422, "bad_series")
        assert "interval_start" in bad.json()["detail"]
        made = (await client.post("/plan/forecasts/files", content=_file(4))).json()
        assert await is_made(client, database, made, tmp_path) == "failed"
        error = (await client.get(f"/jobs/{made['job_id']}")).json()["error"]
        assert error["error_id"] == "history_too_short"
        assert "4 whole days" in error["params"]["detail"]
        zone = {"source": {"kind": "queue", "queue_id": "sales"}, "zone": "Mars/Olympus"}
        assert (await client.post("/plan/forecasts", json=zone)).status_code == 422
        absent = "/plan/forecasts/00000000-0000-7000-8000-000000000000"
        assert (await client.get(absent)).status_code == 404
        made = (await client.post("/plan/forecasts/files", content=_file(70))).json()
        overlays = f"/plan/forecasts/{made['run_id']}/overlays"
        change = {"start_ms": 5, "end_ms": 5, "factor": 1, "why": "x"}
        early = await client.post(overlays, json=change)
        assert (early.status_code, early.json()["error_id"]) == (409, "job_not_done")
        assert await is_made(client, database, made, tmp_path) == "done"
        for wrong in (change, change | {"end_ms": 6}, change | {"end_ms": 4e12, "calls": 3}):
            refused = await client.post(overlays, json=wrong)
            assert (refused.status_code, refused.json()["error_id"]) == (422, "bad_overlay")
        assert (await client.post(f"{overlays}/0/undo")).json()["error_id"] == "unknown_overlay"
        today = await client.get(f"/plan/forecasts/{made['run_id']}/today")
        assert (today.status_code, today.json()["error_id"]) == (409, "not_from_the_log")


async def test_agents_see_no_plans_and_supervisors_make_none(database: Database, tmp_path: Path) -> None:
    async with planner_served(database, tmp_path, "agent") as client:
        assert (await client.get("/plan/forecasts")).status_code == 403
        supervisor = {"Authorization": "Bearer supervisor"}
        answer = await client.post("/plan/forecasts/files", content=_file(7), headers=supervisor)
        assert answer.status_code == 403
