"""The wall over restarts: the log, the journal and the bus, cut anywhere, count every event once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.db.session import DEFAULT_TENANT, Database
from app.figures.queries import queue_cells
from app.live.bus import Bus, Cursor
from app.live.clock import Clock
from app.live.drainer import Drainer
from app.live.journal import Journal
from app.live.journal_tail import JournalTail
from app.live.rows import row_of
from app.wall import live_wall
from app.wall.live_wall import LiveWall
from app.wall.rules import Grade, QueueFigures, Tallies
from routing import events as ev
from routing.ids import InteractionId, QueueId
from routing.step import Step
from tests.routing.day import START_MS, Day
from workforce.measures import CellFold, total

pytestmark = pytest.mark.db

STEPS = 700


@dataclass
class Past:
    """A simulated day's steps, the thresholds they were made under, and the time at their end."""

    steps: Sequence[Step]
    threshold_ms: Mapping[QueueId, int]

    @property
    def now_ms(self) -> int:
        return self.steps[-1].signal.at_ms

    @property
    def events(self) -> list[ev.Event]:
        return [event for step in self.steps for event in step.events]


def _past(seed: int, count: int = STEPS) -> Past:
    day = Day(seed, explain=False)
    threshold_ms = {queue.queue_id: queue.threshold_ms for queue in day.config.queues}
    steps = [replace(step, events=_uncorrected(step.events)) for step in day.steps(count)]
    return Past(steps, threshold_ms)


def _uncorrected(events: Sequence[ev.Event]) -> tuple[ev.Event, ...]:
    """Without the witness and with a PBX that is always heard; both have tests of their own."""
    left_out = (ev.FactCorrected, ev.PbxLinkChanged)
    return tuple(event for event in events if not isinstance(event, left_out))


def _clock(now_ms: int) -> Clock:
    return Clock(wall_ns=lambda: now_ms * 1_000_000, monotonic_ns=lambda: 0)


@asynccontextmanager
async def _journal(path: Path, steps: Sequence[Step]) -> AsyncIterator[Journal]:
    journal = await Journal.open(path / "journal.db")
    await journal.append([row_of(step, 1, seq) for seq, step in enumerate(steps, 1)])
    yield journal
    await journal.close()


@asynccontextmanager
async def _running(wall: LiveWall, bus: Bus) -> AsyncIterator[None]:
    task = asyncio.create_task(wall.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _until(holds: Callable[[], object]) -> None:
    """Poll until it holds, at most 10 s."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


def _wall(past: Past, bus: Bus, journal: Journal, database: Database) -> LiveWall:
    return LiveWall(
        bus=bus,
        clock=_clock(past.now_ms),
        tail=JournalTail(journal),
        database=database,
        tenant_id=DEFAULT_TENANT,
        threshold_ms=lambda: past.threshold_ms,
    )


def _recounted(past: Past) -> dict[QueueId | None, QueueFigures]:
    """The figures of all events, folded in one go."""
    fold, tallies = CellFold(past.threshold_ms), Tallies(live_wall.ZoneInfo("UTC"))
    for event in past.events:
        if (found := fold.added(event)) is not None:
            tallies.add(found[0], event.occurred_ms, found[1])
    return {
        queue_id: QueueFigures(
            today=live_wall.figures(tallies.today(queue_id, past.now_ms), Grade.LIVE),
            last_15_min=live_wall.figures(tallies.recent(queue_id, past.now_ms), Grade.LIVE),
        )
        for queue_id in (*past.threshold_ms, None)
    }


@pytest.mark.parametrize(
    ("drained", "journalled"), [(0, STEPS), (STEPS, STEPS), (250, 480), (333, 334), (0, 0)]
)
async def test_before_and_after_a_restart_the_figures_are_equal(
    database: Database, tmp_path: Path, drained: int, journalled: int
) -> None:
    past = _past(seed=drained + 7)
    async with _journal(tmp_path, past.steps[:drained]) as journal:
        await Drainer(journal, database, DEFAULT_TENANT).drain_all()
        later = [row_of(step, 1, seq) for seq, step in enumerate(past.steps, 1)]
        await journal.append(later[drained:journalled])
        bus = Bus(Cursor(1, journalled) if journalled else Cursor(0, 0))
        wall = _wall(past, bus, journal, database)
        async with _running(wall, bus):
            await _until(lambda: bus.subscriber_count)
            for seq, step in enumerate(past.steps[journalled:], journalled + 1):
                bus.publish(1, seq, step.events)
            expected = _recounted(past)
            await _until(lambda: wall.figures_of(None).today == expected[None].today)
            assert {queue_id: wall.figures_of(queue_id) for queue_id in expected} == expected
    assert expected[None].today.offered_count > 5


async def test_what_the_bus_and_the_journal_both_carry_counts_once(
    database: Database, tmp_path: Path
) -> None:
    past = _past(seed=3)
    async with _journal(tmp_path, past.steps) as journal:
        bus = Bus(Cursor(1, 100))
        wall = _wall(past, bus, journal, database)
        async with _running(wall, bus):
            await _until(lambda: bus.subscriber_count)
            for seq, step in enumerate(past.steps[100:], 101):  # all of it stands in the journal already
                bus.publish(1, seq, step.events)
            expected = _recounted(past)
            await _until(lambda: wall.figures_of(None) == expected[None])
            await asyncio.sleep(0.05)
            assert {queue_id: wall.figures_of(queue_id) for queue_id in expected} == expected


async def test_the_figures_are_those_of_the_call_log(database: Database, tmp_path: Path) -> None:
    """Over a whole day in which every visit ended, event view and cohort view agree."""
    past = _past(seed=11, count=1_500)
    async with _journal(tmp_path, past.steps) as journal:
        await Drainer(journal, database, DEFAULT_TENANT).drain_all()
        bus = Bus(Cursor(1, len(past.steps)))
        wall = _wall(past, bus, journal, database)
        async with _running(wall, bus):
            await _until(lambda: wall.figures_of(None).today.grade is Grade.LIVE)
            mine = wall._count.tallies
    since = datetime.fromtimestamp(START_MS / 1000, UTC) - timedelta(hours=1)
    async with database.transaction(DEFAULT_TENANT) as connection:
        logged = await queue_cells(connection, DEFAULT_TENANT, since, since + timedelta(hours=20))
    for queue_id in past.threshold_ms:
        today, row = mine.today(queue_id, past.now_ms), logged[queue_id]
        assert (today.offered_count, today.exit_counts) == (row.offered_count, dict(row.exit_counts))
        assert (today.wait_answered_ms, today.wait_answered_max_ms) == (
            row.wait_answered_ms,
            row.wait_answered_max_ms,
        )
        assert today.answered_within_count == row.answered_within_count
        assert today.abandoned_within_count == row.abandoned_within_count
        assert (today.offer_count, today.rona_count) == (row.offer_count, row.rona_count)
    assert total(logged.values()).offered_count > 20


async def test_without_the_database_counting_begins_now_and_says_so(tmp_path: Path) -> None:
    past = _past(seed=5)
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    async with _journal(tmp_path, past.steps[:100]) as journal:
        bus = Bus(Cursor(1, 100))
        wall = _wall(past, bus, journal, away)
        async with _running(wall, bus):
            await _until(lambda: wall._renew_at_s is not None)
            for seq, step in enumerate(past.steps[100:], 101):
                bus.publish(1, seq, step.events)
            entered = sum(
                isinstance(event, ev.QueueEntered) for step in past.steps[100:] for event in step.events
            )
            await _until(lambda: wall.figures_of(None).today.offered_count == entered)
            assert wall.figures_of(None).today.grade is Grade.UNKNOWN
    await away.close()


async def test_a_database_that_comes_back_makes_the_day_whole(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_wall, "RETRY_FIRST_S", 0.05)
    past = _past(seed=6)
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    async with _journal(tmp_path, past.steps[:300]) as journal:
        bus = Bus(Cursor(1, 100))
        wall = _wall(past, bus, journal, away)
        wall._retry_s = 0.05
        async with _running(wall, bus):
            await _until(lambda: wall._renew_at_s is not None)
            for seq, step in enumerate(past.steps[100:300], 101):
                bus.publish(1, seq, step.events)
            told = [seq for seq, step in enumerate(past.steps[:300], 1) if step.events]
            await _until(lambda: wall._count.place >= Cursor(1, told[-1], 0))
            assert wall.figures_of(None).today.grade is Grade.UNKNOWN
            wall._database = database
            await _until(lambda: wall.figures_of(None).today.grade is Grade.LIVE)
            expected = _recounted(replace(past, steps=past.steps[:300]))
            assert wall.figures_of(None).today == expected[None].today
    await away.close()


async def test_a_threshold_that_changes_holds_for_the_whole_day(database: Database, tmp_path: Path) -> None:
    past = _past(seed=8)
    strict = replace(past, threshold_ms=dict.fromkeys(past.threshold_ms, 100))
    in_force = dict(past.threshold_ms)
    async with _journal(tmp_path, past.steps) as journal:
        bus = Bus(Cursor(1, STEPS))
        wall = _wall(past, bus, journal, database)
        wall._threshold_ms = lambda: in_force
        async with _running(wall, bus):
            await _until(lambda: wall.figures_of(None) == _recounted(past)[None])
            in_force.update(strict.threshold_ms)
            changed = ev.ConfigApplied(
                at_ms=past.now_ms, occurred_ms=past.now_ms, version=2, agent_count=1, queue_count=1
            )
            step = replace(past.steps[-1], events=(changed,))
            await journal.append([row_of(step, 1, STEPS + 1)])
            bus.publish(1, STEPS + 1, [changed])
            await _until(lambda: wall.figures_of(None) == _recounted(strict)[None])
    assert (
        _recounted(strict)[None].today.answered_within_count
        < _recounted(past)[None].today.answered_within_count
    )


async def test_a_correction_of_the_witness_is_told_by_the_grade(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_wall, "CORRECTED_AFTER_S", 0.1)
    past = _past(seed=9)
    entries = [event for event in past.events if isinstance(event, ev.QueueEntered)]

    def elsewhere(entered: ev.QueueEntered) -> set[QueueId]:
        """Return the queues that this call never saw."""
        own = {event.queue_id for event in entries if event.interaction_id == entered.interaction_id}
        return past.threshold_ms.keys() - own

    entered = next(event for event in entries if elsewhere(event))
    correction = ev.FactCorrected(
        at_ms=past.now_ms,
        occurred_ms=past.now_ms,
        interaction_id=InteractionId(entered.interaction_id),
        started_ms=entered.occurred_ms,
        ended_ms=None,
        answered_ms=None,
        agent_id=None,
        entry_point="",
        caller_number="",
        evidence="cel",
    )
    steps = [*past.steps, replace(past.steps[-1], events=(correction,))]
    async with _journal(tmp_path, steps) as journal:
        await Drainer(journal, database, DEFAULT_TENANT).drain_all()
        bus = Bus(Cursor(1, STEPS))
        wall = _wall(past, bus, journal, database)
        async with _running(wall, bus):
            await _until(lambda: wall.figures_of(entered.queue_id).today.grade is Grade.BACK_FILLED)
            others = {wall.figures_of(queue_id).today.grade for queue_id in elsewhere(entered)}
            assert others == {Grade.LIVE}
