"""Agents are rounded once: library, command line, API and file give the same whole numbers, the smallest."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.app.http.web import SmallServer, serving
from tests.app.planner.test_plan_cli import run
from workforce.requirement import Goals, required_agents
from workforce.staffing import Staffing
from workforce.uncertain_rate import mixed_figures

GOALS: tuple[dict[str, float], ...] = (
    {},
    {"target": 0.9, "threshold_s": 10.0, "shrinkage": 0.3},
    {"patience_s": 120.0, "shrinkage": 1 / 3},
    {"patience_s": 300.0, "rate_cv": 0.15, "shrinkage": 0.1},
    {"rate_cv": 0.2},
    {"occupancy_max": 0.8, "shrinkage": 0.25},
)
ROWS, COST = 40, 17.5
_OUTSIDE = {"occupancy_max": "max_occupancy"}


def _cases(seed: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    dice = np.random.default_rng(seed)
    return np.round(np.exp(dice.uniform(0.0, 7.0, ROWS)), 3), np.round(dice.uniform(30.0, 900.0, ROWS), 1)


def _is_smallest(plan: Staffing, calls: Any, aht_s: Any, goals: Goals) -> Any:
    """Return where one agent less would not do, by the figures of the model itself."""

    def met(agents: Any) -> Any:
        found = mixed_figures(
            np.maximum(agents, 0.0),
            calls * aht_s / 1_800.0,
            aht_s,
            goals.threshold_s,
            goals.rate_cv,
            patience_s=goals.patience_s,
        )
        busy = np.where(agents > 0, calls * aht_s / 1_800.0 / np.maximum(agents, 1e-9), np.inf)
        return (found.answered_within >= goals.target - 1e-12) & (
            (goals.occupancy_max == 1.0) | (busy <= goals.occupancy_max + 1e-12)
        )

    return met(plan.agents) & ~met(plan.agents - 1.0)


@pytest.mark.parametrize("goals", GOALS, ids=lambda goals: "-".join(goals) or "plain")
async def test_every_way_in_gives_the_same_whole_agents(
    goals: dict[str, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls, aht_s = _cases(len(goals) * 7 + 1)
    promised = Goals(**goals)
    need = required_agents(calls, 1_800.0, aht_s, promised, cost_per_hour=COST)
    plan = need.plan
    agents, scheduled = plan.agents.tolist(), plan.scheduled.tolist()
    assert all(value == int(value) for value in (*agents, *scheduled))
    assert _is_smallest(plan, calls, aht_s, promised).all()
    exact = [math.ceil(one / (1.0 - promised.shrinkage) - 1e-9) for one in agents]
    assert scheduled == exact
    assert need.scheduled_hours == sum(scheduled) / 2
    assert need.cost == pytest.approx(need.scheduled_hours * COST, rel=1e-15)

    asked_by_name = {_OUTSIDE.get(name, name): value for name, value in goals.items()}
    in_file, out_file = tmp_path / "cases.csv", tmp_path / "results.csv"
    with in_file.open("w", newline="") as file:
        columns = ["calls", "interval_s", "aht_s", *asked_by_name]
        rows = ([one, 1_800, long, *goals.values()] for one, long in zip(calls, aht_s, strict=True))
        csv.writer(file).writerows([columns, *rows])
    run(capsys, "staffing", "--in", str(in_file), "--out", str(out_file))
    with out_file.open() as file:
        told = list(csv.DictReader(file))
    assert [float(row["agents"]) for row in told] == agents
    assert [float(row["scheduled"]) for row in told] == scheduled

    asked = {
        "interval_s": 1_800,
        "goals": asked_by_name,
        "cost_per_hour": COST,
        "cases": [{"calls": one, "aht_s": long} for one, long in zip(calls, aht_s, strict=True)],
    }
    as_file = asked | {"format": "csv", "zone": "UTC", "starts_ms": [1_800_000 * at for at in range(ROWS)]}
    async with serving(SmallServer()) as client:
        shown = (await client.post("/api/v1/plan/staffing", json=asked)).json()
        written = (await client.post("/api/v1/plan/staffing/file", json=as_file)).text
    assert [row["agents"] for row in shown["intervals"]] == agents
    assert [row["scheduled"] for row in shown["intervals"]] == scheduled
    assert (shown["agents_max"], shown["scheduled_hours"]) == (max(agents), sum(scheduled) / 2)
    table = list(csv.DictReader(io.StringIO(written)))
    assert [float(row["agents"]) for row in table] == agents
    assert [float(row["scheduled"]) for row in table] == scheduled
