"""Spans in a real PostgreSQL: the rows are the fold, in any cut, and over servers that lost their memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from app.db.session import DEFAULT_TENANT, Database
from app.live.drainer import Drainer
from app.live.engines import Engines
from app.live.record_spans import fold_spans
from app.live.rescue import Rescue
from app.live.rows import row_of
from routing import events as ev
from routing import signals as sig
from routing.engine import Engine
from routing.ids import AgentId
from routing.step import Step
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.routing.consult_day import ConsultDay
from tests.routing.day import Day
from tests.routing.desk import ANA, BEN, C1, C2, Desk, config
from tests.routing.phone_day import PhoneDay

pytestmark = pytest.mark.db

_ROWS = """
    SELECT agent_id, (extract(epoch FROM started_at) * 1000)::bigint AS started_ms,
        (extract(epoch FROM ended_at) * 1000)::bigint AS ended_ms, state, reason, interaction_id, queue_id,
        grade
    FROM agent_span ORDER BY 1, 2
"""
Row = tuple[Any, ...]


async def _rows(database: Database) -> list[Row]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return [tuple(row) for row in await connection.execute(text(_ROWS))]


def _expected(events: Sequence[ev.Event]) -> list[Row]:
    return sorted(
        (s.agent_id, s.started_ms, s.ended_ms, s.state, s.reason, s.interaction_id, s.queue_id, s.grade)
        for s in fold_spans(events).values()
    )


async def _drain(database: Database, steps: Sequence[Step], epoch: int = 1, page_rows: int = 200) -> None:
    told = [step for step in steps if step.events]
    journal = ListJournal([row_of(step, epoch, seq) for seq, step in enumerate(told, 1)])
    while True:
        drainer = Drainer(journal, database, DEFAULT_TENANT, page_rows_max=page_rows)
        if await drainer.drain_page() == 0:  # each page by a process that knows nothing of the one before
            return


@pytest.mark.parametrize(
    ("kind", "seed", "page_rows"), [(Day, 3, 200), (Day, 8, 1), (PhoneDay, 5, 7), (ConsultDay, 4, 30)]
)
async def test_the_rows_are_the_fold_of_the_events_however_they_were_drained(
    database: Database, kind: type[Day], seed: int, page_rows: int
) -> None:
    steps = list(kind(seed, explain=False).steps(250))
    await _drain(database, steps, page_rows=page_rows)
    rows = await _rows(database)
    assert rows == _expected([event for step in steps for event in step.events])
    assert {row[3] for row in rows} >= {"ready", "talking", "not_ready"}
    assert any(row[5] and row[6] and row[2] for row in rows), "a closed span knows its contact and queue"


async def test_a_server_whose_journal_is_gone_ends_the_spans_that_it_knows_nothing_of(
    database: Database,
) -> None:
    first = Engine(config())
    steps = [
        first.step(sig.AgentSignedIn(at_ms=1_000, agent_id=ANA)),
        first.step(sig.AgentReady(at_ms=2_000, agent_id=ANA)),
    ]
    await _drain(database, steps)
    again = Engine()
    steps = [
        again.step(sig.ConfigChanged(at_ms=9_000, version=1, config=config())),
        again.step(sig.AgentSignedIn(at_ms=12_000, agent_id=ANA)),
    ]
    await _drain(database, steps, epoch=2)
    assert [(row[1], row[2], row[3], row[7]) for row in await _rows(database)] == [
        (1_000, 2_000, "not_ready", "live"),
        (2_000, 9_000, "ready", "estimated"),
        (12_000, None, "not_ready", "live"),
    ]


async def test_an_engine_that_began_anew_leaves_no_gap_and_no_overlap(database: Database) -> None:
    """What fails on its past is built again and told who was there (``app.live.rescue``)."""
    steps, rescue = [], Rescue()
    first = Engine()
    for signal in (
        sig.ConfigChanged(at_ms=1_000, version=1, config=config()),
        sig.AgentSignedIn(at_ms=1_000, agent_id=ANA),
        sig.AgentReady(at_ms=2_000, agent_id=ANA),
        sig.AgentSignedIn(at_ms=3_000, agent_id=BEN),
    ):
        steps.append(first.step(signal))
        rescue.note(signal, steps[-1].events)
    anew = Engines().fresh()
    steps += [anew.step(replace(signal, at_ms=7_000)) for signal in rescue.signals()]
    steps.append(anew.step(sig.AgentSignedOut(at_ms=9_000, agent_id=ANA)))
    await _drain(database, steps, page_rows=3)
    rows = await _rows(database)
    assert [(row[0], row[1], row[2], row[3]) for row in rows] == [
        (ANA, 1_000, 2_000, "not_ready"),
        (ANA, 2_000, 7_000, "ready"),
        (ANA, 7_000, 9_000, "ready"),
        (BEN, 3_000, 7_000, "not_ready"),
        (BEN, 7_000, None, "not_ready"),
    ]


async def test_a_change_that_the_disk_lost_leaves_no_two_states_at_once(database: Database) -> None:
    state = ev.AgentState

    def changed(at_ms: int, since_ms: int, now: ev.AgentState, before: ev.AgentState) -> ev.Event:
        return ev.AgentStateChanged(
            at_ms=at_ms,
            occurred_ms=at_ms,
            agent_id=AgentId("a1001"),
            state=now,
            reason="",
            interaction_id=None,
            previous=before,
            previous_reason="",
            since_ms=since_ms,
        )

    told = [
        changed(1_000, 0, state.READY, state.SIGNED_OUT),
        changed(5_000, 3_000, state.WRAP_UP, state.TALKING),  # what made him talk at 3 s was never written
        changed(9_000, 5_000, state.READY, state.WRAP_UP),
    ]
    for page_rows in (1, 200):
        async with database.owner_transaction() as connection:
            for name in ("agent_span", "event", "drain_cursor"):
                await connection.execute(text(f"DELETE FROM {name}"))
        journal = ListJournal([row_of_events(seq, event) for seq, event in enumerate(told, 1)])
        await Drainer(journal, database, DEFAULT_TENANT, page_rows_max=page_rows).drain_all()
        assert [(row[1], row[2], row[3], row[7]) for row in await _rows(database)] == [
            (1_000, 3_000, "ready", "estimated"),
            (3_000, 5_000, "talking", "live"),
            (5_000, 9_000, "wrap_up", "live"),
            (9_000, None, "ready", "live"),
        ]


async def test_a_days_stories_as_spans(database: Database) -> None:
    """Rang out; wrap-up made longer, then ended by hand; the phone lost and signed out in a call."""
    desk = Desk(wrap_up_mode="timed", wrap_up_ms=10_000, ring_timeout_ms=15_000)
    steps = [
        desk.say(sig.AgentSignedIn(at_ms=0, agent_id=ANA)),
        desk.say(sig.AgentReady(at_ms=1_000, agent_id=ANA)),
        desk.wait(C1, 2_000),
        desk.ring(C1, ANA, 3_000),
        desk.fail(C1, ANA, 18_000, sig.OfferFailure.NO_ANSWER),
        desk.say(sig.AgentReady(at_ms=20_000, agent_id=ANA)),
        desk.ring(C1, ANA, 21_000, attempt=2),
        desk.answer(C1, ANA, 22_000, attempt=2),
        desk.say(sig.InteractionHeld(at_ms=30_000, interaction_id=C1, agent_id=ANA)),
        desk.say(sig.InteractionUnheld(at_ms=35_000, interaction_id=C1, agent_id=ANA)),
        desk.end(C1, 40_000),
        desk.say(sig.WrapUpExtended(at_ms=45_000, agent_id=ANA, extend_ms=30_000)),
        desk.say(sig.WrapUpEnded(at_ms=60_000, agent_id=ANA)),
        desk.wait(C2, 61_000),
        desk.ring(C2, ANA, 62_000),
        desk.answer(C2, ANA, 63_000),
        desk.say(sig.DeviceLost(at_ms=64_000, agent_id=ANA)),
        desk.say(sig.AgentSignedOut(at_ms=65_000, agent_id=ANA)),
        desk.end(C2, 70_000),
        desk.later(90_000),
    ]
    await _drain(database, steps, page_rows=1)
    rows = await _rows(database)
    assert [(row[3], row[4], row[1], row[2]) for row in rows] == [
        ("not_ready", "signed_in", 0, 1_000),
        ("ready", "", 1_000, 2_000),
        ("reserved", "", 2_000, 3_000),
        ("ringing", "", 3_000, 18_000),
        ("not_ready", "ring_no_answer", 18_000, 20_000),
        ("reserved", "", 20_000, 21_000),
        ("ringing", "", 21_000, 22_000),
        ("talking", "", 22_000, 30_000),
        ("holding", "", 30_000, 35_000),
        ("talking", "", 35_000, 40_000),
        ("wrap_up", "", 40_000, 60_000),
        ("ready", "", 60_000, 61_000),
        ("reserved", "", 61_000, 62_000),
        ("ringing", "", 62_000, 63_000),
        ("talking", "", 63_000, 70_000),
        ("wrap_up", "", 70_000, 80_000),
    ]
    assert sum(row[2] - row[1] for row in rows) == 80_000
