"""The command line over the log: what the database has is what is printed."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from app.db.session import DEFAULT_TENANT, Database
from app.live.drainer import Drainer
from routing.ids import InteractionId
from tests.app.command_line import holdless
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")


SINCE = _moment(datetime.fromtimestamp(START / 1000 - 60, UTC))
CALL = next(event.interaction_id for event in ANSWERED if hasattr(event, "interaction_id"))


async def _holdless(database: Database, folder: Path, *words: str, **more: str) -> tuple[int, str, str]:
    return await holdless(database, folder, "calls", *words, **more)


@pytest.mark.db
async def test_a_logged_call_is_listed_and_shown_whole(database: Database, tmp_path: Path) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()

    status, said, _ = await _holdless(database, tmp_path, "list", "--since", SINCE, "--json")
    assert status == 0
    assert [row["interaction_id"] for row in orjson.loads(said)] == [CALL]

    status, said, _ = await _holdless(database, tmp_path, "show", CALL, "--json")
    story: dict[str, Any] = orjson.loads(said)
    assert status == 0
    assert story["interaction_id"] == CALL
    assert story["segments"]
    assert len(story["events"]) == len(ANSWERED)

    status, said, _ = await _holdless(database, tmp_path, "show", CALL)
    assert status == 0
    assert CALL in said


@pytest.mark.db
async def test_what_is_missing_is_said_in_one_line(database: Database, tmp_path: Path) -> None:
    for words, told in (
        (("show", InteractionId("pbx1-1763790000.7")), "there is no call"),
        (("reconcile",), "HOLDLESS_CEL_PATH"),
    ):
        status, _, wrong = await _holdless(database, tmp_path, *words)
        assert status == 1
        assert told in wrong
        assert "Traceback" not in wrong


async def test_a_database_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    for url, told in (
        ("", "start the server once"),
        ("postgresql://holdless@127.0.0.1:1/holdless", "does not answer"),
        ("mysql://holdless@db/holdless", "only PostgreSQL"),
    ):
        process = await asyncio.create_subprocess_exec(
            *(Path(sys.executable).with_name("holdless"), "calls", "list", "--data-dir", tmp_path / "none"),
            cwd=tmp_path,
            env={**os.environ, "DATABASE_URL": url, "HOLDLESS_DATABASE_URL": url},
            stderr=asyncio.subprocess.PIPE,
        )
        _, wrong = await asyncio.wait_for(process.communicate(), 30)
        assert process.returncode == 1
        assert told in wrong.decode()
        assert wrong.count(b"\n") == 1
    assert not (tmp_path / "none").exists()


@pytest.mark.db
async def test_reconciling_fails_when_the_witness_lacks_a_call(database: Database, tmp_path: Path) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()
    (tmp_path / "holdless.csv").touch()
    where = {"HOLDLESS_CEL_PATH": str(tmp_path)}
    status, said, _ = await _holdless(database, tmp_path, "reconcile", "--since", SINCE, "--json", **where)
    assert status == 1
    assert orjson.loads(said)["log_minus_cel"] == [CALL]
    now = _moment(datetime.now(UTC))
    status, said, _ = await _holdless(database, tmp_path, "reconcile", "--since", now, "--json", **where)
    assert status == 0
    assert orjson.loads(said)["log_count"] == 0
