"""Staffing over HTTP: rows in, rows out, in their order; nonsense refused; a week while a slider moves."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import python_calamine

from tests.app.http.web import SmallServer, serving

PATH = "/api/v1/plan/staffing"
CASE = {"calls": 100, "aht_s": 180}


async def test_intervals_come_back_staffed_in_their_order() -> None:
    async with serving(SmallServer()) as client:
        answer = await client.post(
            PATH,
            json={
                "interval_s": 1800,
                "goals": {"shrinkage": 0.3},
                "cost_per_hour": 20,
                "cases": [CASE | {"calls_low": 80, "calls_high": 125}, {"calls": 0, "aht_s": 180}],
            },
        )
    assert answer.status_code == 200
    body = answer.json()
    first, second = body["intervals"]
    assert [first[name] for name in ("agents_low", "agents", "agents_high", "scheduled")] == [11, 14, 16, 20]
    assert first["service_level"] == pytest.approx(0.8883500191794669, rel=1e-12)
    assert (second["agents"], second["service_level"], second["note_id"]) == (0, None, "no_calls")
    assert (body["agents_max"], body["agent_hours"], body["scheduled_hours"], body["cost"]) == (
        14,
        7,
        10,
        200,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"interval_s": 0},
        {"goals": {"target": 80}},
        {"goals": {"target": 1}},
        {"goals": {"patience_s": 0}},
        {"goals": {"surprise": 1}},
        {"cases": []},
        {"cases": [{"calls": -1, "aht_s": 180}]},
        {"cases": [CASE] * 3_001},
    ],
)
async def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    async with serving(SmallServer()) as client:
        answer = await client.post(PATH, json={"interval_s": 1800, "cases": [CASE]} | wrong)
    assert answer.status_code == 422


async def test_who_may_not_plan_is_told_so() -> None:
    async with serving(SmallServer()) as client:
        answer = await client.post(
            PATH, json={"interval_s": 1800, "cases": [CASE]}, headers={"Authorization": "Bearer wrong"}
        )
    assert answer.status_code == 401


@pytest.mark.parametrize("form", ["csv", "xlsx"])
async def test_a_file_says_what_the_screen_says(form: str, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "interval_s": 1800,
        "goals": {"shrinkage": 0.3, "patience_s": 180},
        "cost_per_hour": 20,
        "currency": "TWD",
        "cases": [CASE | {"calls_low": 80, "calls_high": 125}, {"calls": 0, "aht_s": 180}],
    }
    as_file = asked | {"format": form, "zone": "Asia/Taipei", "starts_ms": [0, 1_800_000]}
    async with serving(SmallServer()) as client:
        screen = (await client.post(PATH, json=asked)).json()
        answer = await client.post(f"{PATH}/file", json=as_file)
        short = await client.post(f"{PATH}/file", json=as_file | {"starts_ms": [0]})
    assert short.status_code == 422
    if form == "csv":
        first, *rows = csv.reader(io.StringIO(answer.text))
        assert [row[0] for row in rows] == ["1970-01-01 08:00:00+08:00", "1970-01-01 08:30:00+08:00"]
    else:
        path = tmp_path / "requirement.xlsx"
        path.write_bytes(answer.content)
        book = python_calamine.CalamineWorkbook.from_path(str(path))
        first, *rows = book.get_sheet_by_name("requirement").to_python()
        assert [row[0] for row in rows] == [
            datetime.fromisoformat(f"1970-01-01 08:{minute}") for minute in ("00", "30")
        ]
        told = dict(row[:2] for row in book.get_sheet_by_name("goals").to_python())
        names = ("cost", "scheduled_hours", "agent_hours")
        assert [told[name] for name in names] == [screen[name] for name in names]
        assert (told["currency"], told["patience_s"]) == ("TWD", 180)
    for row, shown in zip(rows, screen["intervals"], strict=True):
        told = dict(zip(first, row, strict=True))
        for name in ("agents", "agents_low", "agents_high", "scheduled", "cost", "service_level", "asa_s"):
            if shown[name] is None:
                assert told[name] in ("", None)
            else:
                assert float(told[name]) == pytest.approx(shown[name], rel=1e-15)
    assert sum(row["cost"] for row in screen["intervals"]) == screen["cost"]
