"""The server is killed again and again while customers call: nobody is dropped, every call is logged once.

The oracle is set algebra over what the callers saw, what Asterisk's channel event log says, and our log.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.calls.reconciliation import Reconciliation, reconcile
from app.db.session import DEFAULT_TENANT
from app.demo.centre import DemoCentre, open_centre
from telephony.cel import read_calls
from telephony.synthetic.tally import CrowdTally

pytestmark = pytest.mark.chaos

KILLS = 6
BETWEEN_S = 8.0
SETTLE_S = 60.0
DRAIN_S = 60.0


async def _kill_and_restart(centre: DemoCentre) -> int:
    """Kill the server KILLS times, each time starting it again; return how many died."""
    killed = 0
    for _ in range(KILLS):
        await asyncio.sleep(BETWEEN_S)
        pid = centre.server.pid
        centre.server.kill()
        await centre.server.start()
        killed += centre.server.pid != pid
    return killed


async def _settled(centre: DemoCentre, since: datetime, count: int) -> Reconciliation:
    deadline = asyncio.get_running_loop().time() + SETTLE_S
    while True:
        calls = read_calls(centre.sandbox.cel_path)
        async with centre.database.transaction(DEFAULT_TENANT) as connection:
            found = await reconcile(connection, DEFAULT_TENANT, calls.values(), since, datetime.now(UTC))
        if (found.is_clean and found.log_count == count) or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(0.5)


@pytest.mark.timeout(600)
async def test_a_server_killed_under_load_drops_nobody_and_logs_every_call_once(tmp_path: Path) -> None:
    said: list[str] = []
    async with open_centre(tmp_path, said.append) as centre:
        async with centre.crowd(seed=7, drain_s=DRAIN_S, rush=3.0) as crowd:
            await centre.sign_in_all()
            since = datetime.now(UTC)
            playing = asyncio.create_task(crowd.play(KILLS * (BETWEEN_S + 3.0)))
            killed = await _kill_and_restart(centre)
            tally: CrowdTally = await playing
        found = await _settled(centre, since, len(tally.calls))
        floor = await centre.server.require("GET", "/api/v1/floor")
    assert killed == KILLS, "a chaos run that injected no fault proves nothing"
    assert len(tally.calls) > 30
    outcomes = tally.outcomes()
    assert outcomes.get("failed", 0) == 0, outcomes
    assert found.cel_minus_log == ()
    assert found.log_minus_cel == ()
    assert found.twice == ()
    assert found.log_count == len(tally.calls)
    assert found.differing == ()
    stuck = {
        name: agent for name, agent in floor["agents"].items() if agent["state"] in ("ringing", "talking")
    }
    assert stuck == {}
