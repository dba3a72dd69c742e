"""The numbered bus: every event has a place ``(epoch, seq, ordinal)``; readers never talk back.

A reader who falls behind is cut and told, and never slows the engine. What was published last is
kept in a bounded ring, so that a reader who comes back with its cursor misses nothing, or is told
to take a snapshot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import takewhile
from types import TracebackType
from typing import NamedTuple, Self

from app.live.errors import Gone
from routing.events import Event

RING_EVENTS_MAX = 20_000
QUEUE_EVENTS_MAX = 2_000
_EPOCHS_MAX = 64
_ORDINAL_END = 1 << 30  # a cursor that names a whole step stands behind all of its events


class Cursor(NamedTuple):
    """A place in the stream; ``ordinal`` counts the events of one step from 0."""

    epoch: int
    seq: int
    ordinal: int = _ORDINAL_END


class Numbered(NamedTuple):
    """One event and its place; flat, because thousands are kept."""

    epoch: int
    seq: int
    ordinal: int
    event: Event

    @property
    def cursor(self) -> Cursor:
        """Its place."""
        return Cursor(self.epoch, self.seq, self.ordinal)


class Subscription:
    """A reader's own bounded queue. Iterate it, or take what is there at once with ``take``.

    Use it as a context manager, so that leaving unsubscribes. ``Gone`` ends it; what was queued
    before the cut is dropped, because a reader that was too slow needs a snapshot anyway.
    """

    def __init__(self, bus: Bus, queue_max: int) -> None:
        self._bus = bus
        self._queue: deque[Numbered] = deque()
        self._queue_max = queue_max
        self._gone: str | None = None
        self._arrived = asyncio.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[Numbered]:
        while True:
            for numbered in await self.take():
                yield numbered

    async def take(self) -> list[Numbered]:
        """Wait until something is there and return all of it, in order.

        Raises:
            Gone: the subscription is over.
        """
        while not self._queue and self._gone is None:
            self._arrived.clear()
            await self._arrived.wait()
        if self._gone is not None:
            raise Gone(self._gone)
        taken = list(self._queue)
        self._queue.clear()
        return taken

    @property
    def gone(self) -> str | None:
        """Why it ended; None while it runs."""
        return self._gone

    def close(self) -> None:
        """Unsubscribe. Harmless when repeated."""
        self._bus._forget(self)
        self._end("closed")

    def _offer(self, numbered: Iterable[Numbered]) -> bool:
        """Queue what was published; False when the reader had to be cut."""
        self._queue.extend(numbered)
        if len(self._queue) > self._queue_max:
            self._end("slow")
            return False
        self._arrived.set()
        return True

    def _end(self, reason: str) -> None:
        if self._gone is None:
            self._gone = reason
            self._queue.clear()
            self._arrived.set()


class Bus:
    """Publishes the events of each step to all subscribers, without waiting for any.

    Args:
        position: The last step that this bus does not carry; a cursor before it is too old.
    """

    def __init__(self, position: Cursor, ring_max: int = RING_EVENTS_MAX) -> None:
        self._ring: deque[Numbered] = deque()
        self._ring_max = ring_max
        self._floor = position
        self._position = position
        self._epoch_ends: dict[int, Cursor] = {}
        self._subscriptions: list[Subscription] = []
        self.cut_count = 0

    @property
    def position(self) -> Cursor:
        """The last step published, whether or not it had events."""
        return self._position

    @property
    def subscriber_count(self) -> int:
        """How many readers there are."""
        return len(self._subscriptions)

    def publish(self, epoch: int, seq: int, events: Iterable[Event]) -> None:
        """Publish the events of one step. Steps come in order, those without events too."""
        step = Cursor(epoch, seq)
        assert step > self._position, f"{step} published after {self._position}"
        if epoch != self._position.epoch:
            self._epoch_ends[self._position.epoch] = self._position
            self._epoch_ends = dict(list(self._epoch_ends.items())[-_EPOCHS_MAX:])
        self._position = step
        numbered = [Numbered(epoch, seq, n, event) for n, event in enumerate(events)]
        if not numbered:
            return
        self._ring.extend(numbered)
        while len(self._ring) > self._ring_max:
            self._floor = self._ring.popleft().cursor
        kept = [subscription for subscription in self._subscriptions if subscription._offer(numbered)]
        self.cut_count += len(self._subscriptions) - len(kept)
        self._subscriptions = kept

    def subscribe(self, after: Cursor | None = None, queue_max: int = QUEUE_EVENTS_MAX) -> Subscription:
        """Read on from *after*, or from now when it is None.

        Raises:
            Gone: what follows *after* is no longer kept, or *after* was never published; the
                reader takes a snapshot instead.
        """
        subscription = Subscription(self, queue_max)
        if after is not None:
            missed = self._missed(after)
            if not subscription._offer(missed):
                raise Gone("too_old")
        self._subscriptions.append(subscription)
        return subscription

    def close(self) -> None:
        """End all subscriptions (shutdown)."""
        for subscription in list(self._subscriptions):
            subscription.close()

    def _missed(self, after: Cursor) -> list[Numbered]:
        end = self._position if after.epoch == self._position.epoch else self._epoch_ends.get(after.epoch)
        if after > self._position or (end is not None and after > end):
            raise Gone("unknown_cursor")  # published by a process that died before it could write it
        if after < self._floor:
            raise Gone("too_old")
        missed = list(takewhile(lambda numbered: numbered.cursor > after, reversed(self._ring)))
        missed.reverse()
        return missed

    def _forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
