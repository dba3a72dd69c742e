"""The witness reads the channel event log behind the calls and tells what our log has otherwise."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.db import tables
from app.db.session import DEFAULT_TENANT, Database
from app.live.witness import Witness, moved
from routing.ids import AgentId
from routing.signals import CallFactCorrected, Signal
from telephony.cel import CelCall, CelTalk

pytestmark = pytest.mark.db

START_S = 1_763_790_000
CALL = f"pbx1-{START_S}.1"
BRIDGE = json.dumps({"bridge_id": "b1"})
_POLLS_MAX = 1_000


def _line(at_s: float, kind: str, uniqueid: str, channel: str, context: str, extra: str = "") -> str:
    quoted = extra.replace('"', '""')
    fields = (f"{START_S + at_s:.6f}", kind, uniqueid, CALL, channel, context, "8001", "0912", "", "", quoted)
    return ",".join(f'"{field}"' for field in fields) + "\n"


def _cel(path: Path, before: str = "") -> Path:
    """*before*, then a call that an agent answered at 5 s and that ended at 30 s."""
    customer, agent = (CALL, "PJSIP/trunk-1"), (f"pbx1-{START_S}.2", "PJSIP/a1001-1")
    path.write_text(
        before
        + _line(0, "CHAN_START", *customer, "from-trunk")
        + _line(0.5, "ANSWER", *customer, "cc-wait")
        + _line(3, "CHAN_START", *agent, "from-agent")
        + _line(5, "BRIDGE_ENTER", *agent, "from-agent", BRIDGE)
        + _line(5, "BRIDGE_ENTER", *customer, "cc-go", BRIDGE)
        + _line(30, "BRIDGE_EXIT", *agent, "from-agent", BRIDGE)
        + _line(30, "CHAN_END", *agent, "from-agent")
        + _line(30, "BRIDGE_EXIT", *customer, "cc-go", BRIDGE)
        + _line(30, "CHAN_END", *customer, "cc-go"),
        encoding="utf-8",
    )
    return path


async def _told(database: Database, path: Path, before: str = "") -> list[Signal]:
    """Return what the witness puts in the inbox when it has looked at the one call."""
    told: list[Signal] = []
    witness = Witness(
        _cel(path, before),
        database,
        DEFAULT_TENANT,
        pbx_id="pbx1",
        put=told.append,
        agent_of_device={"PJSIP/a1001": AgentId("a1001")}.get,
        is_behind=lambda: False,
        now_ms=lambda: (START_S + 3_600) * 1_000,
    )
    running = asyncio.create_task(witness.run())
    for _ in range(_POLLS_MAX):
        if witness.report.checked_count:
            break
        await asyncio.sleep(0.01)
    running.cancel()
    assert witness.report.checked_count == 1, witness.report
    return told


async def _log(database: Database, *, answered_s: float | None, ended_s: float | None) -> None:
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(START_S + seconds, UTC)

    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(tables.interaction).values(
                tenant_id=DEFAULT_TENANT,
                day=datetime.fromtimestamp(START_S, UTC).date(),
                interaction_id=CALL,
                medium="voice",
                direction="in",
                kind="contact",
                entry_point="8001",
                started_at=moment(0),
                answered_at=moment(answered_s),
                ended_at=moment(ended_s),
            )
        )


@pytest.mark.parametrize(
    ("answered_s", "ended_s"),
    [(5, None), (None, 30), (11.2, 30), (5, 36.4)],
    ids=["still open", "never answered", "answer noticed late", "end noticed late"],
)
async def test_a_call_that_the_log_has_otherwise_is_corrected(
    database: Database, tmp_path: Path, answered_s: float | None, ended_s: float | None
) -> None:
    await _log(database, answered_s=answered_s, ended_s=ended_s)
    (told,) = await _told(database, tmp_path / "holdless.csv")
    assert isinstance(told, CallFactCorrected)
    assert told.interaction_id == CALL
    assert (told.answered_ms, told.ended_ms) == ((START_S + 5) * 1_000, (START_S + 30) * 1_000)
    assert told.agent_id == "a1001"


async def test_a_call_that_the_log_lacks_is_told_whole(database: Database, tmp_path: Path) -> None:
    (told,) = await _told(database, tmp_path / "holdless.csv")
    assert isinstance(told, CallFactCorrected)
    assert (told.started_ms, told.entry_point, told.caller_number) == (START_S * 1_000, "8001", "0912")


async def test_a_call_whose_id_names_no_day_does_not_stop_the_others(
    database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "holdless.csv"
    stranger = ("somebodys-own-id", "Local/s@cc-in-1")
    before = _line(-9, "CHAN_START", *stranger, "cc-in") + _line(-8, "CHAN_END", *stranger, "cc-in")
    (told,) = await _told(database, path, before)
    assert isinstance(told, CallFactCorrected)
    assert told.interaction_id == CALL


async def test_moments_that_lie_a_breath_apart_are_the_same(database: Database, tmp_path: Path) -> None:
    await _log(database, answered_s=4.96, ended_s=30.02)
    assert await _told(database, tmp_path / "holdless.csv") == []


def test_the_witness_speaks_in_our_time_when_the_pbxs_clock_is_behind() -> None:
    talk = CelTalk("PJSIP/a1001", 2_000, 3_000)
    call = CelCall(
        "p-1763790000.1", "p-1763790000.1", "PJSIP/t-1", 1_000, 4_000, ended_ms=4_000, talks=[talk]
    )
    told = moved(call, lambda pbx_ms: pbx_ms + 700)
    assert (told.started_ms, told.answered_ms, told.ended_ms) == (1_700, 2_700, 4_700)
    assert told.talks[0].ended_ms == 3_700
    assert call.started_ms == 1_000
