"""Forecasts over the API: asked for, made by a job, kept with their calls, laid over, made again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
import pytest
import python_calamine
from sqlalchemy import insert

from app.db import tables
from app.db.session import DEFAULT_TENANT, Database
from app.jobs.worker import do_job
from app.planner.log_history import queue_series, reason_series
from tests.app.customers.serving import Wakings, customers_served
from tests.workforce.series_made import made_series, made_totals
from workforce.series import SeriesError, stamp

pytestmark = pytest.mark.db


@asynccontextmanager
async def _served(
    database: Database, data_dir: Path, role: str = "planner"
) -> AsyncIterator[httpx2.AsyncClient]:
    async with customers_served(database, data_dir, role, jobs=Wakings()) as client:
        yield client


def _file(days: int) -> str:
    series = made_series(made_totals(days))
    rows = [f"{stamp(int(at), '')},{calls:g}" for at, calls in zip(series.start_s, series.calls, strict=True)]
    return "\n".join(["interval_start,calls", *rows])


async def _made(client: httpx2.AsyncClient, database: Database, made: dict[str, Any], data_dir: Path) -> str:
    url = database.engine.url.render_as_string(hide_password=False)
    await do_job(Database(url), DEFAULT_TENANT, UUID(made["job_id"]), data_dir=data_dir)
    return str((await client.get(f"/jobs/{made['job_id']}")).json()["state"])


async def test_a_file_becomes_a_forecast_that_is_kept_laid_over_and_made_again(
    database: Database, tmp_path: Path
) -> None:
    async with _served(database, tmp_path) as client:
        ask = {"interval_min": 30, "horizon_days": 14, "display_name": "Sales", "country": "TW"}
        made = (await client.post("/plan/forecasts/files", params=ask, content=_file(70))).json()
        run = f"/plan/forecasts/{made['run_id']}"
        early = await client.get(f"{run}/intervals")
        assert (early.status_code, early.json()["error_id"]) == (409, "job_not_done")
        assert await _made(client, database, made, tmp_path) == "done"

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
        laid = await client.put(f"{run}/overlays", json={"overlays": [change]})
        assert laid.json()["overlays"][0]["who"] == "the planner"
        after = (await client.get(f"{run}/intervals")).json()["intervals"]
        assert after[0]["mean"] == pytest.approx(1.5 * after[0]["forecast"])
        assert (after[0]["overlay"], after[20]["overlay"]) == (0, None)
        assert after[20] == before["intervals"][20]

        table = list(csv.DictReader(io.StringIO((await client.get(f"{run}/file")).text)))
        assert float(table[0]["mean"]) == pytest.approx(1.5 * float(table[0]["forecast"]), abs=0.002)
        workbook = await client.get(f"{run}/file", params={"format": "xlsx"})
        book = tmp_path / "forecast.xlsx"
        book.write_bytes(workbook.content)
        sheet = python_calamine.CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
        assert len(sheet) == 1 + 10 * 20
        assert isinstance(sheet[1][0], datetime)

        second = (await client.post(f"{run}/again")).json()
        assert await _made(client, database, second, tmp_path) == "done"
        again = (await client.get(f"/plan/forecasts/{second['run_id']}/intervals")).json()
        assert again["intervals"] == before["intervals"]
        page = (await client.get("/plan/forecasts", params={"limit": 1})).json()
        assert page["runs"][0]["again_of"] == made["run_id"]
        rest = (await client.get("/plan/forecasts", params={"cursor": page["next_cursor"]})).json()
        assert [one["run_id"] for one in rest["runs"]] == [made["run_id"]]


async def test_what_cannot_be_forecast_is_said_at_once_or_by_the_job(
    database: Database, tmp_path: Path
) -> None:
    async with _served(database, tmp_path) as client:
        bad = await client.post("/plan/forecasts/files", content="when,calls\n1,2\n")
        assert (bad.status_code, bad.json()["error_id"]) == (422, "bad_series")
        assert "interval_start" in bad.json()["detail"]
        made = (await client.post("/plan/forecasts/files", content=_file(4))).json()
        assert await _made(client, database, made, tmp_path) == "failed"
        error = (await client.get(f"/jobs/{made['job_id']}")).json()["error"]
        assert error["error_id"] == "history_too_short"
        assert "4 whole days" in error["params"]["detail"]
        zone = {"source": {"kind": "queue", "queue_id": "sales"}, "zone": "Mars/Olympus"}
        assert (await client.post("/plan/forecasts", json=zone)).status_code == 422
        absent = "/plan/forecasts/00000000-0000-7000-8000-000000000000"
        assert (await client.get(absent)).status_code == 404
        made = (await client.post("/plan/forecasts/files", content=_file(70))).json()
        overlays = {"overlays": [{"start_ms": 5, "end_ms": 5, "factor": 1, "why": "x"}]}
        refused = await client.put(f"/plan/forecasts/{made['run_id']}/overlays", json=overlays)
        assert (refused.status_code, refused.json()["error_id"]) == (422, "bad_overlay")


async def test_agents_see_no_plans_and_supervisors_make_none(database: Database, tmp_path: Path) -> None:
    async with _served(database, tmp_path, "agent") as client:
        assert (await client.get("/plan/forecasts")).status_code == 403
        supervisor = {"Authorization": "Bearer supervisor"}
        answer = await client.post("/plan/forecasts/files", content=_file(7), headers=supervisor)
        assert answer.status_code == 403


async def _log_calls(database: Database, days: int) -> list[datetime]:
    """Log sixty calls a weekday to the queue sales: every second answered, every third for a refund."""
    dice = np.random.default_rng(4)
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    moments = []
    for ahead in range(days):
        at = begin + timedelta(days=ahead)
        if at.weekday() < 5:
            moments += [at + timedelta(hours=8, seconds=float(s)) for s in dice.uniform(0, 10 * 3600, 60)]
    rows = [
        {
            "tenant_id": DEFAULT_TENANT,
            "day": at.date(),
            "interaction_id": f"pbx1-{int(at.timestamp())}.{number}",
            "number": number,
            "at": at,
        }
        for number, at in enumerate(sorted(moments))
    ]
    key = ("tenant_id", "day", "interaction_id")
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(tables.interaction),
            [
                {
                    **{name: row[name] for name in key},
                    "started_at": row["at"],
                    "answered_at": row["at"] if row["number"] % 2 else None,
                    "queue_id": "sales",
                    "talk_ms": 200_000,
                    "wrap_up_ms": 40_000,
                }
                for row in rows
            ],
        )
        await connection.execute(
            insert(tables.queue_visit),
            [
                {
                    **{name: row[name] for name in key},
                    "visit": 1,
                    "queue_id": "sales",
                    "entered_at": row["at"],
                    "queued_at": row["at"],
                    "agent_id": "a1001" if row["number"] % 2 else None,
                }
                for row in rows
            ],
        )
        await connection.execute(
            insert(tables.interaction_reason),
            [
                {
                    **{name: row[name] for name in key},
                    "ordinal": 0,
                    "tree_version": 1,
                    "reason_id": "refund" if row["number"] % 3 == 0 else "other",
                    "set_by": "agent",
                    "at": row["at"],
                }
                for row in rows
            ],
        )
    return [row["at"] for row in rows]


async def test_the_call_log_is_a_history_by_queue_and_by_reason(database: Database, tmp_path: Path) -> None:
    moments = await _log_calls(database, 42)
    since, until = moments[0] - timedelta(days=1), moments[-1] + timedelta(days=1)
    bounds: dict[str, Any] = {"zone": "UTC", "since": since, "until": until}
    async with database.transaction(DEFAULT_TENANT) as connection:
        by_queue = await queue_series(connection, DEFAULT_TENANT, "sales", **bounds)
        of_reason = await reason_series(connection, DEFAULT_TENANT, "refund", party_kind=None, **bounds)
        with pytest.raises(SeriesError, match="no calls for reason refund"):
            await reason_series(connection, DEFAULT_TENANT, "refund", party_kind="partner", **bounds)
        with pytest.raises(SeriesError, match="no calls for queue billing"):
            await queue_series(connection, DEFAULT_TENANT, "billing", **bounds)
    assert by_queue.calls.sum() == len(moments)
    assert of_reason.calls.sum() == len(moments) / 3
    assert by_queue.aht_s is not None
    assert set(by_queue.aht_s[~np.isnan(by_queue.aht_s)].tolist()) == {240.0}
    async with _served(database, tmp_path) as client:
        ask = {"source": {"kind": "queue", "queue_id": "sales"}, "zone": "UTC", "horizon_days": 14}
        made = (await client.post("/plan/forecasts", json=ask)).json()
        assert await _made(client, database, made, tmp_path) == "done"
        found = (await client.get(f"/plan/forecasts/{made['run_id']}/intervals")).json()
    by_day: dict[int, float] = {}
    for one in found["intervals"]:
        by_day[one["start_ms"] // 86_400_000] = by_day.get(one["start_ms"] // 86_400_000, 0.0) + one["mean"]
    assert 9 <= len(by_day) <= 11
    assert all(45 < calls < 75 for calls in by_day.values())
    assert found["intervals"][3]["aht_s"] == pytest.approx(240.0, abs=1.0)
