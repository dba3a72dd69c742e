"""Five hundred calls at ten a second: sipp, Asterisk's own log and ours tell of the same ones, each once."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from telephony.cel import read_calls
from telephony.sandbox.install import Programs
from telephony.sandbox.instance import Sandbox
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from tests.calls.centre import CallCentre
from tests.pbx.sipp import Caller, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db, pytest.mark.long]

CALLS = 500
RATE_PER_S = 10
AGENTS = {f"a{number}": ("sales",) for number in range(2001, 2041)}
TALK_MS = 1_000
PREFIX = "0931600"
_SETTLE_S = 40
_ROWS = text(
    "SELECT interaction_id, caller_number, outcome, grade FROM interaction"
    " WHERE tenant_id = :tenant AND started_at >= :since"
)
_LATENCIES = text(
    "SELECT (extract(epoch FROM at) * 1000)::float - (body ->> 'offered_at_ms')::float AS ms FROM event"
    " WHERE tenant_id = :tenant AND type = 'AgentRang' AND at >= :since"
)


@contextmanager
def phones(sandbox: Sandbox) -> Iterator[None]:
    """Every agent's phone, answering after 200 ms and hanging up a second later, on a loop of their own."""
    ready, stop = threading.Event(), threading.Event()
    failed: list[BaseException] = []

    async def ring() -> None:
        plan = CallPlan(pick_up_ms=200, talk_ms=TALK_MS)
        made = [
            Phone(
                agent, sandbox.agent_secrets[agent], sandbox.host, sandbox.sip_port, behaviour=lambda _: plan
            )
            for agent in AGENTS
        ]
        try:
            for phone in made:
                await phone.register()
            ready.set()
            await asyncio.to_thread(stop.wait)
        finally:
            for phone in made:
                phone.close()

    def work() -> None:
        try:
            asyncio.run(ring())
        except BaseException as error:
            failed.append(error)
            ready.set()
            raise

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        assert ready.wait(30)
        assert not failed, failed
        yield
    finally:
        stop.set()
        thread.join(10)


@pytest.fixture
def large_centre(programs: Programs, tmp_path: Path) -> Iterator[CallCentre]:
    """A centre of forty agents for one queue."""
    opened = CallCentre.opened(tmp_path / "centre", programs, AGENTS)
    yield opened
    opened.close()


def rows_since(centre: CallCentre, query: Any, since: datetime) -> list[Any]:
    async def read(database: Database) -> list[Any]:
        async with database.transaction(DEFAULT_TENANT) as connection:
            return list(await connection.execute(query, {"tenant": DEFAULT_TENANT, "since": since}))

    found: list[Any] = centre.in_database(read)
    return found


def test_five_hundred_calls_are_the_same_set_at_sipp_in_asterisks_log_and_in_ours(
    large_centre: CallCentre, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    centre = large_centre
    since = datetime.now(UTC) - timedelta(seconds=1)
    with Sipp(centre.sandbox, tmp_path) as sipp, phones(centre.sandbox):
        centre.ready(*AGENTS)
        run = sipp.call(
            Caller(entry="8001", number=PREFIX), count=CALLS, rate_per_s=RATE_PER_S, numbered=True
        )
        assert run.wait(CALLS / RATE_PER_S + 60) == 0, run.errors()[-2000:]
        poll(lambda: centre.reconciled(since).is_clean, _SETTLE_S, lambda: str(centre.reconciled(since)))
        centre.sign_out_all()

    ended = Counter(moment.call_id for moment in run.all("received", "BYE"))
    at_sipp = {PREFIX + call_id.partition("-")[0] for call_id in ended}
    in_cel = {call.uniqueid: call for call in read_calls(centre.sandbox.cel_path).values()}
    rows = rows_since(centre, _ROWS, since)
    assert len(at_sipp) == CALLS
    assert {call.caller_number for call in in_cel.values()} == at_sipp
    assert len(in_cel) == CALLS
    assert Counter(row.interaction_id for row in rows) == Counter(dict.fromkeys(in_cel, 1))
    assert Counter(row.caller_number for row in rows) == Counter(dict.fromkeys(at_sipp, 1))
    assert Counter(row.outcome for row in rows) == {"answered": CALLS}
    latencies = [row.ms for row in rows_since(centre, _LATENCIES, since)]
    assert len(latencies) >= CALLS
    p50, p99 = np.quantile(latencies, [0.5, 0.99])
    grades = dict(Counter(row.grade for row in rows))
    with capsys.disabled():
        print(  # noqa: T201 (a measurement)
            f"\n{CALLS} calls at {RATE_PER_S}/s: decision to ring p50 {p50:.1f} ms, p99 {p99:.1f} ms;"
            f" {len(latencies)} offers; grades {grades}"
        )
