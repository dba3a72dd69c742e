"""The call log as a planner's source: what it has, its history, its patience, its forecast, and today."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from app.db.session import DEFAULT_TENANT, Database
from app.jobs.queries import cancel_job
from app.planner.log_answers import history_shown
from app.planner.log_history import _series, log_series
from tests.app.planner.logged import CALLS_A_DAY, log_calls, made, planner_served
from workforce.series import SeriesError

pytestmark = pytest.mark.db

SALES = {"kind": "queue", "queue_id": "sales"}


async def test_the_log_is_a_history_by_queue_by_reason_and_by_kind_of_customers(database: Database) -> None:
    moments = await log_calls(database, 42)
    span: dict[str, Any] = {
        "zone": "UTC",
        "since": moments[0] - timedelta(days=1),
        "until": moments[-1] + timedelta(days=1),
    }
    sources = (
        (SALES, 1),
        (SALES | {"party_kind": "organisation"}, 1 / 4),
        (SALES | {"party_kind": "unknown"}, 3 / 4),
        ({"kind": "reason", "reason_id": "refund"}, 1 / 3),
        ({"kind": "reason", "reason_id": "refund", "party_kind": "organisation"}, 1 / 12),
    )
    async with database.transaction(DEFAULT_TENANT) as connection:
        for source, share in sources:
            found = await log_series(connection, DEFAULT_TENANT, source, **span)
            assert found.calls.sum() == pytest.approx(share * len(moments))
            assert found.aht_s is not None
            assert set(found.aht_s[~np.isnan(found.aht_s)].tolist()) == {240.0}
        for absent in ({"kind": "queue", "queue_id": "billing"}, SALES | {"party_kind": "partner"}):
            with pytest.raises(SeriesError, match="no calls for queue"):
                await log_series(connection, DEFAULT_TENANT, absent, **span)


@pytest.mark.parametrize("interval_min", [15, 30, 60])
def test_a_quiet_interval_of_a_usual_day_is_no_gap(interval_min: int) -> None:
    dice = np.random.default_rng(2)
    day_s, first_s = 86_400, 1_760_486_400  # a midnight in Taipei is 16:00 in UTC
    moments = np.concatenate(
        [first_s + day * day_s + dice.uniform(0, 10.5 * 3600, 25) for day in range(70) if day % 7 < 6]
    )
    place, calls = np.unique(moments.astype(np.int64) // 900, return_counts=True)
    counted = np.stack([place, calls, calls, calls * 240_000], axis=1)
    series = _series(counted, "Asia/Taipei", datetime.fromtimestamp(first_s + 70 * day_s, UTC))
    assert series.calls.sum() == len(moments)
    shown = history_shown(series, interval_min)
    assert not [mark for mark in shown.marks if mark.kind == "gap"]
    night = (series.start_s - first_s) % day_s >= 10.5 * 3600
    assert not night.any(), "nothing is added outside the hours in which calls ever came"


async def test_a_planner_sees_what_the_log_has_its_days_and_its_patience(
    database: Database, tmp_path: Path
) -> None:
    moments = await log_calls(database, 56, patience_s=200.0)
    async with planner_served(database, tmp_path) as client:
        has = (await client.get("/plan/sources", params={"days": 90})).json()
        assert [(one["queue_id"], one["visit_count"]) for one in has["queues"]] == [("sales", len(moments))]
        assert (has["queues"][0]["target"], has["queues"][0]["threshold_s"]) == (0.8, 20)
        assert {one["reason_id"]: one["contact_count"] for one in has["reasons"]} == {
            "other": len(moments) * 2 // 3,
            "refund": len(moments) // 3,
        }
        assert {one["party_kind"] for one in has["groups"]} == {"organisation", "unknown"}
        assert has["first_day"] == moments[0].date().isoformat()

        asked = {"queue_id": "sales", "zone": "UTC", "days": 90, "interval_min": 60}
        shown = (await client.get("/plan/history", params=asked)).json()
        assert shown["call_count"] == len(moments)
        assert shown["aht_s"] == pytest.approx(240.0)
        assert shown["used_day_count"] == 40
        assert {one["observed"] for one in shown["days"]} == {CALLS_A_DAY, None}
        assert not [mark for mark in shown["marks"] if mark["kind"] in ("gap", "outage")]
        both = await client.get("/plan/history", params=asked | {"reason_id": "refund"})
        assert both.status_code == 422

        patience = (await client.get("/plan/patience", params={"queue_id": "sales", "days": 90})).json()
        assert patience["wait_count"] == len(moments)
        assert patience["low_s"] < 200 < patience["high_s"]
        assert patience["mean_s"] == pytest.approx(200.0, rel=0.1)
        assert patience["is_exponential"]
        assert all(point["low"] <= point["survival"] <= point["high"] for point in patience["curve"])
        unknown = await client.get("/plan/patience", params={"queue_id": "billing"})
        assert (unknown.status_code, unknown.json()["error_id"]) == (422, "bad_input")


async def test_a_queue_and_a_new_queue_like_it_are_forecast(database: Database, tmp_path: Path) -> None:
    await log_calls(database, 42)
    async with planner_served(database, tmp_path) as client:
        totals = []
        for source in (SALES, {"kind": "analogy", "like": SALES, "ratio": 0.25}):
            ask = {"source": source, "zone": "UTC", "horizon_days": 14}
            asked = (await client.post("/plan/forecasts", json=ask)).json()
            assert await made(client, database, asked, tmp_path) == "done"
            run = (await client.get(f"/plan/forecasts/{asked['run_id']}")).json()
            assert run["source"]["kind"] == source["kind"]
            found = (await client.get(f"/plan/forecasts/{asked['run_id']}/intervals")).json()["intervals"]
            assert found[3]["aht_s"] == pytest.approx(240.0, abs=1.0)
            totals.append(sum(one["mean"] for one in found))
        days = {one["start_ms"] // 86_400_000 for one in found}
        assert totals[0] / len(days) == pytest.approx(CALLS_A_DAY, rel=0.15)
        assert totals[1] == pytest.approx(totals[0] / 4)
        given = [note for note in run["outcome"]["notes"] if note["note_id"] == "scale_given"]
        assert [note["params"] for note in given] == [{"ratio": 0.25}]
        history = (await client.get(f"/plan/forecasts/{asked['run_id']}/history")).json()
        assert history["used_day_count"] == run["outcome"]["history"]["day_count"]
        unscaled = {"source": {"kind": "analogy", "like": SALES}, "zone": "UTC"}
        assert (await client.post("/plan/forecasts", json=unscaled)).status_code == 422


async def test_the_size_of_a_new_queue_is_measured_on_its_first_days(
    database: Database, tmp_path: Path
) -> None:
    await log_calls(database, 42)
    began = await log_calls(database, 12, queue_id="renewals", every=3)
    async with planner_served(database, tmp_path) as client:
        runs = []
        for source in (SALES, {"kind": "analogy", "like": SALES, "queue_id": "renewals"}):
            ask = {"source": source, "zone": "UTC", "horizon_days": 7}
            asked = (await client.post("/plan/forecasts", json=ask)).json()
            assert await made(client, database, asked, tmp_path) == "done"
            run = (await client.get(f"/plan/forecasts/{asked['run_id']}")).json()
            found = (await client.get(f"/plan/forecasts/{asked['run_id']}/intervals")).json()["intervals"]
            runs.append((run, found))
        (plain, other), (new, scaled) = runs
        assert plain["outcome"]["scale"] is None
        scale = new["outcome"]["scale"]
        first_day_left_out = len({moment.date() for moment in began}) - 1
        assert scale["days_count"] == first_day_left_out
        assert scale["ratio"] == pytest.approx(1 / 3, rel=0.01)
        assert 1 / np.sqrt(len(began)) < scale["uncertain"] < 0.2
        totals = [sum(one["mean"] for one in rows) for rows in (scaled, other)]
        assert totals[0] == pytest.approx(scale["ratio"] * totals[1])
        widths = [sum(one["p90"] - one["p10"] for one in rows) for rows in (scaled, other)]
        assert widths[0] > scale["ratio"] * widths[1], "what is not known of the size widens the band"

        unknown = {"source": {"kind": "analogy", "like": SALES, "queue_id": "nowhere"}, "zone": "UTC"}
        asked = (await client.post("/plan/forecasts", json=unknown)).json()
        assert await made(client, database, asked, tmp_path) == "failed"
        error = (await client.get(f"/jobs/{asked['job_id']}")).json()["error"]
        assert "no calls for queue nowhere" in error["params"]["detail"]


async def test_today_goes_on_from_what_came_and_keeps_what_people_laid_over(
    database: Database, tmp_path: Path
) -> None:
    await log_calls(database, 42, weekends=True)
    async with planner_served(database, tmp_path) as client:
        ask = {"source": SALES, "zone": "UTC", "horizon_days": 14, "interval_min": 60}
        asked = (await client.post("/plan/forecasts", json=ask)).json()
        assert await made(client, database, asked, tmp_path) == "done"
        run = f"/plan/forecasts/{asked['run_id']}"
        plain = (await client.get(f"{run}/today")).json()
        assert plain["calls_so_far"] == 0
        assert plain["total_planned"] == pytest.approx(CALLS_A_DAY, rel=0.2)
        assert plain["total_planned"] == pytest.approx(sum(one["planned"] for one in plain["intervals"]))
        rest = [one["mean"] for one in plain["intervals"] if one["calls"] is None]
        assert plain["total_expected"] == pytest.approx(sum(rest))
        begin_ms = plain["intervals"][0]["start_ms"]
        change = {"start_ms": begin_ms, "end_ms": begin_ms + 86_400_000, "factor": 2, "why": "mailing"}
        assert (await client.post(f"{run}/overlays", json=change)).status_code == 201
        laid = (await client.get(f"{run}/today")).json()
        assert laid["total_planned"] == pytest.approx(2 * plain["total_planned"])


async def test_a_forecast_that_nobody_wants_any_more_ends_within_its_stage(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log_calls(database, 120)
    monkeypatch.setattr("app.planner.forecast_job.ORIGINS", 400)  # a backtest that would take a long while
    monkeypatch.setattr("app.jobs.stage.REPORT_EVERY_S", 0.05)
    async with planner_served(database, tmp_path) as client:
        ask = {"source": SALES, "zone": "UTC", "horizon_days": 28}
        asked = (await client.post("/plan/forecasts", json=ask)).json()
        working = asyncio.create_task(made(client, database, asked, tmp_path))
        for _ in range(600):
            job = (await client.get(f"/jobs/{asked['job_id']}")).json()
            if job["progress"] and job["progress"] > 0.1:
                break
            await asyncio.sleep(0.02)
        assert job["state"] == "running"
        assert 0.1 < job["progress"] < 0.9
        async with database.transaction(DEFAULT_TENANT) as connection:
            await cancel_job(connection, DEFAULT_TENANT, UUID(asked["job_id"]))
        assert await working == "cancelled"
        assert (await client.get(f"/jobs/{asked['job_id']}")).json()["done_count"] < 90
        assert (await client.get(f"/plan/forecasts/{asked['run_id']}")).json()["outcome"] is None
        again = await client.post(f"/plan/forecasts/{asked['run_id']}/again")
        assert again.status_code == 202
