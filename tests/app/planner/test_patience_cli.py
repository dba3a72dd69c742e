"""``holdless plan patience`` from the call log of a real database."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import program
from app.db.session import Database
from tests.app.planner.logged import log_calls
from workforce.errors import InputError

pytestmark = pytest.mark.db


async def _said(*words: str) -> tuple[int, str]:
    result = await asyncio.to_thread(CliRunner().invoke, program("plan"), ["plan", "patience", *words])
    if isinstance(result.exception, InputError):
        return 1, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def _zone_and_record(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOLDLESS_DATABASE_URL", database.engine.url.render_as_string(False))


async def test_the_call_log_tells_the_patience_of_a_queue_and_of_a_reason(database: Database) -> None:
    moments = await log_calls(database, 56, patience_s=200.0)
    status, said = await _said("--queue", "sales", "--json")
    found = json.loads(said)
    assert (status, found["wait_count"], found["source"]["queue_id"]) == (0, len(moments), "sales")
    assert found["exponential_low_s"] < 200 < found["exponential_high_s"]
    assert found["method"] == "kaplan-meier"

    refunds = json.loads((await _said("--reason", "refund", "--json"))[1])
    assert refunds["wait_count"] == len(moments[::3])
    both = json.loads((await _said("--reason", "refund", "--queue", "sales", "--json"))[1])
    assert both["wait_count"] == refunds["wait_count"]

    status, words = await _said("--queue", "sales")
    assert status == 0
    assert "95% band" in words
    assert "Kaplan-Meier" in words


async def test_from_and_to_bound_the_waits(database: Database) -> None:
    moments = await log_calls(database, 28)
    begin, end = moments[0] + timedelta(days=7), moments[0] + timedelta(days=20)
    spans = ("--from", _local(begin), "--to", _local(end))
    found = json.loads((await _said("--queue", "sales", *spans, "--json"))[1])
    edges = [moment.replace(microsecond=0) for moment in (begin, end)]
    assert found["wait_count"] == sum(edges[0] <= moment < edges[1] for moment in moments)


async def test_what_cannot_be_asked_is_said_in_words(database: Database, tmp_path: Path) -> None:
    status, said = await _said("--queue", "nowhere")
    assert (status, "no waits for queue nowhere" in said) == (1, True)
    assert (await _said())[0] == 2
    assert (await _said("--in", str(tmp_path / "calls.csv"), "--queue", "sales"))[0] == 2
    backwards = ("--from", "2026-02-01", "--to", "2026-01-01")
    assert (await _said("--queue", "sales", *backwards))[0] == 2


def _local(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%dT%H:%M:%S")
