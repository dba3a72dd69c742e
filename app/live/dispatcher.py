"""The only task that steps the engine: step, journal, send, publish, answer; in this order, for ever.

When the engine fails on a signal (a bug), callers must not pay for it: what was stepped before is
carried out; the signal is kept in a file that reproduces the fault; the engine is brought back to
its state before that signal (``rewind``) and goes on without it. In the journal stands, in its
place, a ``DeadlineReached`` with a ``SignalIgnored(engine_failed)``, so that a restart walks the same
way. When signal after signal fails, the engine begins anew with configuration and presence alone
(``rescue``) and the PBX is read again; when even that fails, ``EngineStuck`` ends the process, and
callers go to the PBX's fallback queue.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import orjson
import structlog

from app.live.bus import Bus
from app.live.errors import EngineStuck, JournalWriteFailed, LiveError, StepFailed
from app.live.inbox import Inbox, Posted
from app.live.journal import Journal, JournalRow
from app.live.metrics import LiveMetrics
from app.live.poison import keep_poison, where
from app.live.ports import EngineMaker, Pbx, SteppedEngine
from app.live.rescue import Rescue
from app.live.rewind import Rewind
from app.live.rows import row_of
from routing.commands import Command
from routing.events import SignalIgnored
from routing.signals import CommandRefused, DeadlineReached, PbxLinkLost, PbxSnapshotTaken, Signal
from routing.step import Step

BATCH_MAX = 64
BATCH_S_MAX = 0.003  # stepping stops here and carries out what it has: the loop's budget is 5 ms
SNAPSHOT_STEPS = 5_000
SNAPSHOT_S = 60.0
LAST_SNAPSHOT_S = 5.0  # a stop waits no longer for it
STALLED_MS = 2_000  # a deadline as late as that: the server stood still, and what it did not hear may matter
FAILURES_MAX = 3  # in a row; then the engine begins anew

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Done:
    """A signal, the engine's answer and its row."""

    posted: Posted
    step: Step
    row: JournalRow


class Dispatcher:
    """Drives one engine in real time.

    Args:
        epoch: This leader's epoch; the journal has no row of it yet.
        poison_dir: Where signals that the engine failed on are kept.
        on_anew: Called when the engine began anew: read the PBX again.
        on_stalled: Called when the server had stood still: read the PBX again; what it returns is stepped
            first, so that no deadline decides about a call whose answer is not read yet.
    """

    def __init__(
        self,
        *,
        engine: SteppedEngine,
        maker: EngineMaker,
        rescue: Rescue,
        epoch: int,
        inbox: Inbox,
        journal: Journal,
        pbx: Pbx,
        bus: Bus,
        metrics: LiveMetrics,
        poison_dir: Path,
        on_anew: Callable[[], None] = lambda: None,
        on_stalled: Callable[[], Signal | None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._maker = maker
        self._rescue = rescue
        self._epoch = epoch
        self._inbox = inbox
        self._journal = journal
        self._pbx = pbx
        self._bus = bus
        self._metrics = metrics
        self._poison_dir = poison_dir
        self._on_anew = on_anew
        self._on_stalled = on_stalled
        self._rewind = Rewind(maker, snapshot_body(engine, rescue))
        self._snapshot_at_s = time.monotonic()
        self._snapshot_task: asyncio.Task[None] | None = None
        self._lost_seen = journal.lost_count
        self._failures_in_row = 0
        self._began_anew = False
        self._stopping = False
        self.degraded = False  # from a failed step until a snapshot after it is kept

    @property
    def engine(self) -> SteppedEngine:
        """The engine in force; look, and never touch."""
        return self._engine

    async def run(self) -> None:
        """Dispatch until ``stop``; a cancelled run may leave journalled commands unsent.

        Raises:
            EngineStuck: nothing can be stepped any more, even after beginning anew.
        """
        self._keep_snapshot(self._rewind.body)
        while not self._stopping:
            due_ms = self._engine.next_deadline_ms()
            posted = self._seen_to_be_late(due_ms, await self._inbox.batch(due_ms, BATCH_MAX))
            try:
                await self._dispatch(posted)
            except BaseException:
                _fail(posted, LiveError("the dispatcher ended before this signal was stepped"))
                raise
            await self._snapshot_when_due()
        try:
            async with asyncio.timeout(LAST_SNAPSHOT_S):
                await self._last_snapshot()
        except TimeoutError:  # a disk that refuses keeps nobody from stopping; the journal's tail is longer
            log.error("the last snapshot could not be kept in time", seconds=LAST_SNAPSHOT_S)

    async def _last_snapshot(self) -> None:
        if self._snapshot_task is not None:
            await self._snapshot_task
        await self._take_snapshot()
        if self._snapshot_task is not None:
            await self._snapshot_task

    def stop(self) -> None:
        """Let ``run`` finish its batch, keep a last snapshot and return."""
        self._stopping = True
        self._inbox.wake()

    def _seen_to_be_late(self, due_ms: int | None, posted: list[Posted]) -> list[Posted]:
        """Put in front what the engine must know before a deadline that comes much too late."""
        if due_ms is None or not posted or posted[0].signal.at_ms - due_ms <= STALLED_MS:
            return posted
        if isinstance(posted[0].signal, PbxLinkLost | PbxSnapshotTaken):
            return posted  # it says so itself, as after a restart
        first = self._on_stalled()
        if first is None:
            return posted
        log.warning("the server stood still; the PBX is read again", late_ms=posted[0].signal.at_ms - due_ms)
        told = replace(first, at_ms=posted[0].signal.at_ms)
        return [Posted(told, None, time.monotonic_ns()), *posted]

    async def _dispatch(self, posted: list[Posted]) -> None:
        index = 0
        while index < len(posted):
            done, error = self._step(posted[index:])
            await self._carry_out(done)
            index += len(done)
            if error is not None:
                await self._skip(posted[index], error)
                index += 1

    def _step(self, posted: list[Posted]) -> tuple[list[_Done], Exception | None]:
        """Step what fits the loop's budget; the error is that of the signal after the last one done."""
        done: list[_Done] = []
        seq = self._seq
        ends_s = time.perf_counter() + BATCH_S_MAX
        for one in posted:
            try:
                step = self._engine.step(one.signal)
                row = row_of(step, self._epoch, seq + 1)
            except Exception as error:  # noqa: BLE001 (the guard: whatever a bug raises, callers go on)
                return done, error
            seq += 1
            done.append(_Done(one, step, row))
            if time.perf_counter() > ends_s:
                break
        return done, None

    async def _carry_out(self, done: list[_Done]) -> None:
        """What was decided is on disk before it is done."""
        if not done:
            return
        began_s = time.perf_counter()
        durable = await self._journal.append([one.row for one in done])
        self._metrics.append.observe(time.perf_counter() - began_s)
        if not durable:
            self._metrics.undurable.inc(len(done))
        for one in done:
            for command in one.step.commands:
                self._send(command)
            if one.step.commands:
                self._metrics.commands.inc(len(one.step.commands))
                self._metrics.decision.observe((time.monotonic_ns() - one.posted.put_ns) / 1e9)
        for one in done:
            self._rewind.note(one.row.signal)
            self._rescue.note(one.step.signal, one.step.events)
            self._bus.publish(self._epoch, one.row.seq, one.step.events)
            if one.posted.done is not None and not one.posted.done.done():
                one.posted.done.set_result(one.step)
        self._metrics.events.inc(sum(len(one.step.events) for one in done))
        self._metrics.steps.inc(len(done))
        self._failures_in_row = 0

    def _send(self, command: Command) -> None:
        try:
            self._pbx.send(command, self._epoch)
        except Exception as error:  # noqa: BLE001 (the guard: one bad command takes no others along)
            self._metrics.send_failures.inc()
            log.error(
                "the PBX adapter failed on a command", command=type(command).__name__, fault=where(error)
            )
            self._inbox.put(
                CommandRefused(
                    command=type(command).__name__,
                    reason=f"adapter: {type(error).__name__}",
                    interaction_id=getattr(command, "interaction_id", None),
                    agent_id=getattr(command, "agent_id", None),
                    attempt=getattr(command, "attempt", 0),
                )
            )

    # ------------------------------------------------------------ when the engine fails

    async def _skip(self, posted: Posted, error: Exception) -> None:
        place = (self._epoch, self._seq)
        self._metrics.step_failures.inc()
        self._set_degraded(True)
        self._failures_in_row += 1
        log.error(
            "the engine failed on a signal; it is skipped and kept",
            signal=type(posted.signal).__name__,
            after=place,
            fault=where(error),
        )
        body, signals = self._rewind.body, self._rewind.signals
        path = await asyncio.to_thread(
            keep_poison, self._poison_dir, place, body, signals, posted.signal, error
        )
        _fail([posted], StepFailed(path))
        if self._failures_in_row >= FAILURES_MAX:
            await self._begin_anew(posted.signal.at_ms)
            return
        self._engine = await self._rewind.engine()
        await self._stand_in(posted.signal)
        await self._take_snapshot()

    async def _stand_in(self, poison: Signal) -> None:
        """Step the mere passing of time in the signal's place, and let readers see what happened."""
        passed = Posted(DeadlineReached(at_ms=poison.at_ms), None, time.monotonic_ns())
        done, error = self._step([passed])
        if error is not None:
            log.error("the engine fails even on the passing of time", fault=where(error))
            self._engine = await self._rewind.engine()
            return
        ignored = SignalIgnored(
            at_ms=poison.at_ms,
            occurred_ms=poison.at_ms,
            signal=type(poison).__name__,
            reason="engine_failed",
            interaction_id=getattr(poison, "interaction_id", None),
            agent_id=getattr(poison, "agent_id", None),
            request_id=poison.request_id,
        )
        step = Step(passed.signal, done[0].step.commands, (*done[0].step.events, ignored))
        failures = self._failures_in_row
        await self._carry_out([_Done(passed, step, row_of(step, self._epoch, done[0].row.seq))])
        self._failures_in_row = failures

    async def _begin_anew(self, at_ms: int) -> None:
        if self._began_anew:
            raise EngineStuck("the engine failed again and again, also after it began anew")
        self._began_anew = True
        self._failures_in_row = 0
        log.critical("the engine begins anew with configuration and presence; the PBX is read again")
        if self._snapshot_task is not None:
            await self._snapshot_task
        self._engine = self._maker.fresh()
        await self._take_snapshot()
        told = [replace(signal, at_ms=at_ms) for signal in self._rescue.signals()]
        await self._dispatch([Posted(signal, None, time.monotonic_ns()) for signal in told])
        self._on_anew()

    # ------------------------------------------------------------ snapshots

    async def _snapshot_when_due(self) -> None:
        steps = len(self._rewind.signals)
        age_s = time.monotonic() - self._snapshot_at_s
        if self._journal.lost_count > self._lost_seen and not self._journal.degraded:
            self._lost_seen = self._journal.lost_count  # a tail with a hole: begin a new one
            await self._take_snapshot()
        elif steps >= SNAPSHOT_STEPS or (steps and age_s >= SNAPSHOT_S):
            overdue = steps >= 2 * SNAPSHOT_STEPS or age_s >= 2 * SNAPSHOT_S
            if overdue or not self._inbox.waiting_count:
                self._began_anew = False  # it has worked long enough to be trusted again
                await self._take_snapshot()

    async def _take_snapshot(self) -> None:
        """Take a snapshot on a thread: signals wait for it, the loop does not."""
        if self._snapshot_task is not None and not self._snapshot_task.done():
            return
        began_s = time.perf_counter()
        self._rewind.mark(await asyncio.to_thread(snapshot_body, self._engine, self._rescue))
        self._metrics.snapshot.observe(time.perf_counter() - began_s)
        self._keep_snapshot(self._rewind.body)

    def _keep_snapshot(self, body: bytes | None) -> None:
        assert body is not None
        self._snapshot_at_s = time.monotonic()
        place = (self._epoch, self._seq)
        self._snapshot_task = asyncio.create_task(self._save_snapshot(place, body), name="save snapshot")

    async def _save_snapshot(self, place: tuple[int, int], body: bytes) -> None:
        try:
            await self._journal.save_snapshot(*place, body)
        except JournalWriteFailed as error:
            log.error("a snapshot of the engine could not be kept", place=place, error=str(error))
        else:
            self._set_degraded(False)

    def _set_degraded(self, degraded: bool) -> None:
        self.degraded = degraded
        self._metrics.engine_degraded.set(degraded)

    @property
    def _seq(self) -> int:
        """The last seq used in this epoch."""
        epoch, seq = self._journal.last
        return seq if epoch == self._epoch else 0


def snapshot_body(engine: SteppedEngine, rescue: Rescue) -> bytes:
    """Return what a restart begins from, JSON."""
    return orjson.dumps({"engine": engine.snapshot(), "rescue": rescue.to_json()})


def _fail(posted: list[Posted], error: BaseException) -> None:
    for one in posted:
        if one.done is not None and not one.done.done():
            one.done.set_exception(error)
            one.done.exception()  # nobody may be waiting for it
