"""The journal's steps after a place, as events: what a read model folds that the record does not have yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

import structlog

from app.live.journal import Journal
from app.live.rows import events_of
from routing.events import Event

log = structlog.get_logger()


class JournalledStep(NamedTuple):
    """One step's events; None: a newer release wrote them, and this one cannot read them."""

    epoch: int
    seq: int
    at_ms: int
    events: tuple[Event, ...] | None


class JournalTail:
    """Reads on in the journal, from wherever the record ends."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    async def steps_after(self, epoch: int, seq: int) -> AsyncIterator[JournalledStep]:
        """Yield every committed step after ``(epoch, seq)``, in order.

        Raises:
            JournalError: the journal cannot be read.
        """
        async for row in self._journal.tail_after(epoch, seq):
            try:
                events: tuple[Event, ...] | None = tuple(events_of(row))
            except ValueError as error:
                log.error("journalled events cannot be read", epoch=row.epoch, seq=row.seq, error=str(error))
                events = None
            yield JournalledStep(row.epoch, row.seq, row.at_ms, events)

    async def lost_until_ms(self, since_ms: int) -> int:
        """Return when the last stretch ended in which steps were lost; 0: there is none since *since_ms*.

        Raises:
            JournalError: the journal cannot be read.
        """
        spans = await self._journal.degraded_spans(since_ms)
        return max((span.until_ms for span in spans if span.lost_count), default=0)
