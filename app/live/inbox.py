"""The one door in front of the engine: bounded, stamped, idempotent.

*Facts* (no ``request_id``) are what the PBX and the witness tell. *Requests* (with one) are what
somebody asked for by HTTP. A request that finds ``REQUESTS_MAX`` others waiting is refused with
``InboxFull``: its sender can ask again. A fact cannot be asked for again, so it is never refused
on behalf of requests: facts have a reserve of their own, worth many seconds of a PBX at full
speed. Only when the engine stands still for longer than that are facts lost, and then loudly: the
fact's future fails, ``lost_count`` rises and ``on_facts_lost`` is called once, upon which the PBX
adapter drops its link and reads the PBX anew, the same cure as for any other gap. Signals that
tell of that cure (``PbxLinkLost``, ``PbxSnapshotTaken``, ``ConfigChanged``) have a last reserve.

Belongs to the event loop's thread.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from app.live.clock import Clock
from app.live.errors import FactsLost, InboxFull, RequestIdReused
from app.live.pbx_offset import PbxOffset
from routing.signals import ConfigChanged, DeadlineReached, PbxLinkLost, PbxSnapshotTaken, Signal
from routing.step import Step

REQUESTS_MAX = 1_000
FACTS_MAX = 50_000
CURES_MAX = 1_000
REQUEST_IDS_MAX = 10_000  # more than REQUESTS_MAX, so that no waiting request is ever forgotten
_WAIT_MAX_S = 1.0  # a longer wait is cut, because the clock is slewed and the loop's timer is not
_CURES = (PbxLinkLost, PbxSnapshotTaken, ConfigChanged)


@dataclass(frozen=True, slots=True)
class Posted:
    """A stamped signal on its way to the engine.

    Attributes:
        done: Gets the engine's step once it is journalled; None for a deadline, which nobody awaits.
        put_ns: Monotonic time of the put, for latencies.
    """

    signal: Signal
    done: asyncio.Future[Step] | None
    put_ns: int


class Inbox:
    """Takes signals from everywhere and hands them to the dispatcher in order."""

    def __init__(
        self,
        clock: Clock,
        offset: PbxOffset | None = None,
        *,
        requests_max: int = REQUESTS_MAX,
        facts_max: int = FACTS_MAX,
        cures_max: int = CURES_MAX,
        on_facts_lost: Callable[[], None] = lambda: None,
    ) -> None:
        assert requests_max < REQUEST_IDS_MAX
        self._clock = clock
        self._offset = offset or PbxOffset()
        self._requests_max = requests_max
        self._facts_max = facts_max
        self._cures_max = cures_max
        self.on_facts_lost = on_facts_lost
        self._waiting: deque[Posted] = deque()
        self._request_count = 0
        self._losing = False
        self._answers: OrderedDict[str, tuple[Signal, asyncio.Future[Step]]] = OrderedDict()
        self._last_at_ms = 0
        self._sleeper: asyncio.Future[None] | None = None
        self._woken = False
        self.refused_count = 0
        self.lost_count = 0

    @property
    def waiting_count(self) -> int:
        """How many signals wait for the engine."""
        return len(self._waiting)

    def put(self, signal: Signal) -> asyncio.Future[Step]:
        """Stamp *signal* and queue it.

        Returns:
            A future of the engine's step, done once the step is journalled (never the PBX's
            answer). Cancelling it takes nothing back. It fails with ``StepFailed`` when the engine
            could not digest the signal, and with ``FactsLost`` when a fact found no room.

        Raises:
            InboxFull: too many requests wait.
            RequestIdReused: the request id is known with another content.
        """
        if signal.request_id is not None:
            return self._put_request(signal, signal.request_id)
        done: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
        facts_max = self._facts_max + (self._cures_max if isinstance(signal, _CURES) else 0)
        if len(self._waiting) - self._request_count >= facts_max:
            self._lose(done)
        else:
            self._queue(signal, done)
        return done

    def remember(self, steps: Iterable[Step]) -> None:
        """Know the requests that were answered before a restart, so that repeating one stays harmless."""
        for step in steps:
            if step.signal.request_id is not None:
                done: asyncio.Future[Step] = asyncio.get_running_loop().create_future()
                done.set_result(step)
                self._note(step.signal.request_id, step.signal, done)

    async def batch(self, until_ms: int | None, max_count: int) -> list[Posted]:
        """Wait for signals and return at most *max_count*, oldest first.

        When nothing has come by *until_ms* (milliseconds since the epoch; None: no deadline), the
        batch is one ``DeadlineReached``, stamped not before *until_ms*. Empty only after ``wake``.
        """
        while not self._waiting and not self._woken:
            wait_s = _WAIT_MAX_S
            if until_ms is not None:
                now_ms = self._clock.now_ms()
                if now_ms >= until_ms:
                    return [Posted(DeadlineReached(at_ms=self._stamp()), None, time.monotonic_ns())]
                wait_s = min(wait_s, (until_ms - now_ms) / 1_000)
            await self._sleep(None if until_ms is None else wait_s)
        self._woken = False
        count = min(max_count, len(self._waiting))
        taken = [self._waiting.popleft() for _ in range(count)]
        self._request_count -= sum(posted.signal.request_id is not None for posted in taken)
        if self._losing and len(self._waiting) <= self._facts_max // 2:
            self._losing = False
        return taken

    def wake(self) -> None:
        """Let a waiting ``batch`` return, possibly empty (shutdown, or a deadline that moved)."""
        self._woken = True
        self._rouse()

    def _put_request(self, signal: Signal, request_id: str) -> asyncio.Future[Step]:
        if known := self._answers.get(request_id):
            before, done = known
            if _content(before) != _content(signal):
                raise RequestIdReused(f"request id {request_id!r} was used for another request")
            return asyncio.shield(done)
        if self._request_count >= self._requests_max:
            self.refused_count += 1
            raise InboxFull(self._request_count)
        done = asyncio.get_running_loop().create_future()
        done.add_done_callback(_look_at_failure)
        self._note(request_id, signal, done)
        self._request_count += 1
        self._queue(signal, done)
        return asyncio.shield(done)

    def _note(self, request_id: str, signal: Signal, done: asyncio.Future[Step]) -> None:
        self._answers[request_id] = (signal, done)
        if len(self._answers) > REQUEST_IDS_MAX:
            self._answers.popitem(last=False)

    def _queue(self, signal: Signal, done: asyncio.Future[Step]) -> None:
        at_ms = self._stamp()
        occurred_ms = signal.occurred_ms
        if occurred_ms is not None:
            occurred_ms = min(at_ms, self._offset.correct(occurred_ms))
        stamped = replace(signal, at_ms=at_ms, occurred_ms=occurred_ms)
        self._waiting.append(Posted(stamped, done, time.monotonic_ns()))
        self._rouse()

    def _stamp(self) -> int:
        self._last_at_ms = max(self._last_at_ms, self._clock.now_ms())
        return self._last_at_ms

    def _lose(self, done: asyncio.Future[Step]) -> None:
        self.lost_count += 1
        done.add_done_callback(_look_at_failure)
        done.set_exception(FactsLost(f"{len(self._waiting)} signals wait, no room for another fact"))
        if not self._losing:
            self._losing = True
            self.on_facts_lost()

    async def _sleep(self, wait_s: float | None) -> None:
        loop = asyncio.get_running_loop()
        assert self._sleeper is None, "one dispatcher alone takes batches"
        self._sleeper = loop.create_future()
        timer = None if wait_s is None else loop.call_later(wait_s, self._rouse)
        try:
            await self._sleeper
        finally:
            self._sleeper = None
            if timer is not None:
                timer.cancel()

    def _rouse(self) -> None:
        if self._sleeper is not None and not self._sleeper.done():
            self._sleeper.set_result(None)


def _content(signal: Signal) -> Signal:
    return replace(signal, at_ms=0, occurred_ms=None)


def _look_at_failure(done: asyncio.Future[Step]) -> None:
    """Facts and repeated requests may have nobody who awaits them; that is not worth a warning."""
    if not done.cancelled():
        done.exception()
