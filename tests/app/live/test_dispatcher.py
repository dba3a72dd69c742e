"""The dispatcher: disk before deed, order, deadlines, and what a fault of the engine costs (one signal)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest

from app.live import dispatcher as dispatcher_module
from app.live.clock import Clock
from app.live.dispatcher import Dispatcher
from app.live.errors import EngineStuck, Gone, StepFailed
from app.live.inbox import Inbox
from app.live.journal import Journal, JournalRow
from app.live.metrics import LiveMetrics
from app.live.restart import Restarted, restart
from app.live.rows import events_of, signal_of
from routing.commands import Command
from routing.config import CentreConfig
from routing.events import KeyNoted, SignalIgnored
from routing.ids import AgentId, InteractionId, PbxId
from routing.signals import (
    AgentNotReady,
    AgentSignedIn,
    CommandRefused,
    ConfigChanged,
    DeadlineReached,
    HangupRequested,
    KeyPressed,
    PbxLinkLost,
)
from tests.app.live.live_doubles import POISON, STUCK, TIMER, ListPbx, SmallEngineMaker

CALL = InteractionId("pbx1-1763790000.1")


def key(digit: str = "1") -> KeyPressed:
    return KeyPressed(interaction_id=CALL, digit=digit)


class Core:
    """A whole live core around the small engine."""

    task: asyncio.Task[None]

    def __init__(
        self, restarted: Restarted, maker: SmallEngineMaker, pbx: ListPbx, clock: Clock, path: Path
    ) -> None:
        self.journal = restarted.journal
        self.report = restarted.report
        self.bus = restarted.bus
        self.maker = maker
        self.pbx = pbx
        self.inbox = Inbox(clock)
        self.inbox.remember(restarted.requests)
        self.metrics = LiveMetrics()
        self.anew: list[str] = []
        self.epoch = restarted.epoch
        self.dispatcher = Dispatcher(
            engine=restarted.engine,
            maker=maker,
            rescue=restarted.rescue,
            epoch=restarted.epoch,
            inbox=self.inbox,
            journal=restarted.journal,
            pbx=pbx,
            bus=restarted.bus,
            metrics=self.metrics,
            poison_dir=path / "failed-signals",
            on_anew=lambda: self.anew.append("anew"),
            on_stalled=self.stalled,
        )
        self.metrics.watch(inbox=self.inbox, journal=self.journal, bus=self.bus, clock=clock)

    def stalled(self) -> PbxLinkLost:
        self.anew.append("stalled")
        return PbxLinkLost(pbx_id=PbxId("pbx1"), reason="stalled")

    def value(self, name: str) -> float:
        value = self.metrics.registry.get_sample_value(name)
        assert value is not None, name
        return value


@asynccontextmanager
async def core(path: Path, *, crash: bool = False, pbx: ListPbx | None = None) -> AsyncIterator[Core]:
    """Run a core; with *crash* it ends without a last snapshot, like a killed process."""
    maker, clock = SmallEngineMaker(), Clock()
    restarted = await restart(path / "journal.sqlite3", maker, clock)
    built = Core(restarted, maker, pbx or ListPbx(), clock, path)
    built.task = task = asyncio.create_task(built.dispatcher.run())
    try:
        yield built
    finally:
        if crash:
            task.cancel()
        else:
            built.dispatcher.stop()
        await asyncio.wait([task], timeout=5)
        await built.journal.close()
    if not crash:
        task.result()


async def until(condition: Callable[[], bool], bound_s: float = 5.0) -> None:
    ends_s = time.monotonic() + bound_s
    while not condition():
        assert time.monotonic() < ends_s, "did not happen within its bound"
        await asyncio.sleep(0.005)


async def test_a_signal_is_stepped_journalled_sent_published_and_answered(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        with live.bus.subscribe() as reader:
            step = await live.inbox.put(key("5"))
            await live.inbox.put(HangupRequested(interaction_id=CALL, request_id="r1"))
            (numbered,) = await reader.take()
        assert numbered.event == step.events[0]
        assert numbered.cursor[:2] == (live.epoch, 1)
        assert [epoch for _, epoch in live.pbx.sent] == [live.epoch]
        rows = await live.journal.read_after(0, 0)
        assert [(row.epoch, row.seq) for row in rows] == [(live.epoch, 1), (live.epoch, 2)]
        assert signal_of(rows[0]) == step.signal
        assert events_of(rows[0]) == list(step.events)
        assert live.value("holdless_steps_total") == 2
        assert live.value("holdless_decision_seconds_count") == 1


async def test_no_command_is_sent_before_its_step_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary: list[str] = []

    class DiaryPbx(ListPbx):
        def send(self, command: Command, epoch: int) -> None:
            diary.append(f"sent {command.interaction_id}")  # type: ignore[attr-defined]

    append = Journal.append

    async def noted_append(self: Journal, rows: Sequence[JournalRow]) -> bool:
        durable = await append(self, rows)
        diary.extend(f"committed {signal_of(row).interaction_id}" for row in rows)  # type: ignore[attr-defined]
        return durable

    monkeypatch.setattr(Journal, "append", noted_append)
    calls = [InteractionId(f"pbx1-1763790000.{n}") for n in range(300)]
    async with core(tmp_path, pbx=DiaryPbx()) as live:
        await asyncio.gather(*(live.inbox.put(HangupRequested(interaction_id=call)) for call in calls))
    for call in calls:
        assert diary.index(f"committed {call}") < diary.index(f"sent {call}")
    assert [line for line in diary if line.startswith("sent")] == [f"sent {call}" for call in calls]


async def test_a_deadline_is_stepped_at_its_time(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        step = await live.inbox.put(key(TIMER))
        await until(lambda: live.maker.last.state["rang"] == 1)
        await until(lambda: live.value("holdless_steps_total") == 2)
        rows = await live.journal.read_after(0, 0)
        assert isinstance(signal_of(rows[1]), DeadlineReached)
        assert 30 <= rows[1].at_ms - step.signal.at_ms < 60


async def test_after_a_standstill_the_engine_learns_of_it_before_a_deadline_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "STALLED_MS", 50)
    async with core(tmp_path) as live:
        await live.inbox.put(key(TIMER))
        time.sleep(0.15)  # the loop stands still, as under SIGSTOP, well past the deadline  # noqa: ASYNC251
        await until(lambda: live.value("holdless_steps_total") == 3)
        rows = await live.journal.read_after(0, 0)
        assert [type(signal_of(row)) for row in rows] == [KeyPressed, PbxLinkLost, DeadlineReached]
        assert live.anew == ["stalled"]


async def test_a_repeated_request_is_carried_out_once(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        hangup = HangupRequested(interaction_id=CALL, request_id="r1")
        first, second = await asyncio.gather(live.inbox.put(hangup), live.inbox.put(hangup))
        assert first is second
        assert len(live.pbx.sent) == 1


async def test_a_request_repeated_after_a_crash_is_carried_out_once(tmp_path: Path) -> None:
    hangup = HangupRequested(interaction_id=CALL, request_id="r1")
    async with core(tmp_path, crash=True) as live:
        await live.inbox.put(hangup)
    async with core(tmp_path) as live:
        assert (await live.inbox.put(hangup)).commands
        assert live.pbx.sent == []


async def test_a_restart_steps_the_tail_again_without_acting_again(tmp_path: Path) -> None:
    async with core(tmp_path, crash=True) as live:
        for _ in range(5):
            await live.inbox.put(key())
        await live.inbox.put(HangupRequested(interaction_id=CALL))
        before = live.maker.last.snapshot()
        epoch = live.epoch
    async with core(tmp_path, crash=True) as live:
        assert live.maker.last.snapshot() == before
        assert live.report.tail_count == 6
        assert live.report.gap_count == 0
        assert live.epoch == epoch + 1
        assert live.pbx.sent == []
        await live.inbox.put(key())
        before = live.maker.last.snapshot()
    async with core(tmp_path) as live:
        assert live.maker.last.snapshot() == before
        assert live.epoch == epoch + 2


async def test_a_clean_stop_leaves_nothing_to_step_again(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        await live.inbox.put(key())
    async with core(tmp_path) as live:
        assert live.report.tail_count == 0
        assert live.maker.last.state["keys"] == {CALL: 1}


async def test_a_readers_cursor_survives_a_restart(tmp_path: Path) -> None:
    async with core(tmp_path, crash=True) as live:
        with live.bus.subscribe() as reader:
            for digit in "123":
                await live.inbox.put(key(digit))
            cursor = (await reader.take())[0].cursor
    async with core(tmp_path) as live:
        await live.inbox.put(key("4"))
        with live.bus.subscribe(after=cursor) as reader:
            events = [numbered.event for numbered in await reader.take()]
    assert [event.digit for event in events if isinstance(event, KeyNoted)] == ["2", "3", "4"]


async def test_a_signal_the_engine_fails_on_costs_only_itself(tmp_path: Path) -> None:
    async with core(tmp_path, crash=True) as live:
        with live.bus.subscribe() as reader:
            futures = [live.inbox.put(key(digit)) for digit in ("1", "2", POISON, "3", POISON, "4")]
            answers = await asyncio.gather(*futures, return_exceptions=True)
            events = [numbered.event for numbered in await reader.take()]
        failed = [answer for answer in answers if isinstance(answer, StepFailed)]
        assert [isinstance(answer, StepFailed) for answer in answers] == [
            False,
            False,
            True,
            False,
            True,
            False,
        ]
        assert live.maker.last.state["keys"] == {CALL: 4}  # nothing half done stays behind
        shown = [
            e.digit if isinstance(e, KeyNoted) else e.reason
            for e in events
            if isinstance(e, KeyNoted | SignalIgnored)
        ]
        assert shown == ["1", "2", "engine_failed", "3", "engine_failed", "4"]
        assert live.value("holdless_step_failures_total") == 2
        await until(lambda: not live.dispatcher.degraded)  # a snapshot after the fault is kept
        assert failed[0].replay_path is not None
        lines = failed[0].replay_path.read_bytes().splitlines()
        assert "cannot digest" in orjson.loads(lines[0])["error"]
        assert orjson.loads(lines[-1])["digit"] == POISON
        assert len(lines) == 4  # the header, two good signals, the bad one
        before = live.maker.last.snapshot()
    async with core(tmp_path) as live:
        assert live.maker.last.snapshot() == before
        assert live.report.skipped_count == 0


async def test_an_engine_whose_state_is_broken_begins_anew_with_configuration_and_presence(
    tmp_path: Path,
) -> None:
    async with core(tmp_path) as live:
        await live.inbox.put(ConfigChanged(version=3, config=CentreConfig()))
        await live.inbox.put(AgentSignedIn(agent_id=AgentId("a1001")))
        await live.inbox.put(AgentSignedIn(agent_id=AgentId("a1002")))
        await live.inbox.put(AgentNotReady(agent_id=AgentId("a1002"), reason="lunch"))
        await live.inbox.put(key(STUCK))
        answers = await asyncio.gather(*(live.inbox.put(key()) for _ in range(4)), return_exceptions=True)
        assert [isinstance(answer, StepFailed) for answer in answers] == [True, True, True, False]
        assert live.anew == ["anew"]
        assert live.maker.last.state["version"] == 3
        assert live.maker.last.state["agents"] == {"a1001": ["ready", ""], "a1002": ["not_ready", "lunch"]}
        assert live.maker.last.state["keys"] == {CALL: 1}
        before = live.maker.last.snapshot()
    async with core(tmp_path) as live:
        assert live.maker.last.snapshot() == before


async def test_an_engine_that_fails_even_anew_ends_the_process(tmp_path: Path) -> None:
    async with core(tmp_path, crash=True) as live:
        futures = [live.inbox.put(key(POISON)) for _ in range(6)]
        answers = await asyncio.gather(*futures, return_exceptions=True)
        assert all(isinstance(answer, StepFailed) for answer in answers)
        await asyncio.wait([live.task], timeout=5)
        assert isinstance(live.task.exception(), EngineStuck)


async def test_a_command_the_adapter_refuses_comes_back_as_a_signal(tmp_path: Path) -> None:
    pbx = ListPbx()
    pbx.refuses = True
    async with core(tmp_path, pbx=pbx) as live:
        await live.inbox.put(HangupRequested(interaction_id=CALL))
        await until(lambda: live.value("holdless_steps_total") == 2)
        refused = signal_of((await live.journal.newest(1))[0])
        assert isinstance(refused, CommandRefused)
        assert (refused.command, refused.interaction_id) == ("EndInteraction", CALL)


async def test_routing_goes_on_while_the_disk_refuses(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        await live.inbox.put(key())
        await asyncio.wrap_future(live.journal._writer.submit(lambda c: c.execute("PRAGMA max_page_count=1")))
        while not live.journal.degraded:
            await live.inbox.put(KeyPressed(interaction_id=CALL, digit="9" * 20_000))
        began_s = time.monotonic()
        await live.inbox.put(HangupRequested(interaction_id=CALL))
        assert time.monotonic() - began_s < 0.2
        assert len(live.pbx.sent) == 1
        assert live.value("holdless_undurable_steps_total") >= 1
        assert live.value("holdless_journal_degraded") == 1
        live.journal._writer.submit(lambda c: c.execute("PRAGMA max_page_count=100000"), frees_room=True)
        await until(lambda: not live.journal.degraded)
        places = [row.seq for row in await live.journal.read_after(live.epoch, 0)]
        assert places == list(range(1, len(places) + 1))


async def test_a_slow_reader_does_not_slow_the_engine(tmp_path: Path) -> None:
    async with core(tmp_path) as live:
        reader = live.bus.subscribe(queue_max=10)
        await asyncio.gather(*(live.inbox.put(key()) for _ in range(200)))
        with pytest.raises(Gone):
            await reader.take()
