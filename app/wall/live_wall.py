"""Today's figures as a read model: what the log holds, what the journal holds beyond it, then the bus.

Law: every event counts once. The log is complete up to a place in the journal, the journal up to another, and
the bus goes on from wherever the subscription began; the place ``(epoch, seq)`` of an event alone decides who
counts it. The log away at the start: counting begins with the bus, the grade says so, and the log is asked
again. The figures are made anew as well when the witness corrects a call, or a threshold changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database, TenantId
from app.figures.rules import FiguresGrade, LogGap
from app.live.bus import Bus, Cursor, Numbered, Subscription
from app.live.clock import Clock
from app.live.errors import Gone, JournalError
from app.wall.queries import centre_zone, logged_day
from app.wall.rules import (
    BUCKET_MS,
    Completeness,
    QueueFigures,
    Tallies,
    day_bounds_ms,
    figures,
    window_start_ms,
)
from routing import events as ev
from routing.ids import QueueId
from workforce.measures import CellFold

EVENTS_MAX = 20_000  # so many may come while the log is read
RETRY_FIRST_S = 5.0
RETRY_MAX_S = 60.0
CORRECTED_AFTER_S = 10.0  # by then the drainer has written what the witness corrected
WITNESSED_AFTER_S = 15.0  # so soon after a gap the witness may have compared all calls in it
WITNESS_MS_MAX = 600_000  # a gap that nobody witnessed for so long is asked for no more
STEPS_AT_ONCE = 50  # then the loop's other tasks have their turn
_AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError, JournalError)

log = structlog.get_logger()


class Step(Protocol):
    """One journalled step."""

    @property
    def epoch(self) -> int:
        """Its epoch."""

    @property
    def seq(self) -> int:
        """Its number in it."""

    @property
    def at_ms(self) -> int:
        """When it was."""

    @property
    def events(self) -> tuple[ev.Event, ...] | None:
        """What it told; None: it cannot be read."""


class Tail(Protocol):
    """The journal beyond the log (``app.live.journal_tail``)."""

    def steps_after(self, epoch: int, seq: int) -> AsyncIterator[Step]:
        """Yield every committed step after ``(epoch, seq)``."""

    async def lost_until_ms(self, since_ms: int) -> int:
        """Return when the last stretch with lost steps ended; 0: there is none."""


@dataclass(slots=True)
class _Count:
    """One way of having counted: tallies, the fold that goes on, and the place up to which they count."""

    tallies: Tallies
    fold: CellFold
    place: Cursor
    completeness: Completeness
    threshold_ms: Mapping[QueueId, int]

    def take(self, event: ev.Event) -> frozenset[QueueId | None]:
        """Count one event; return whose figures it changed (None: the centre's)."""
        found = self.fold.added(event)
        if found is None:
            return frozenset()
        queue_id, cell = found
        self.tallies.add(queue_id, event.occurred_ms, cell)
        return frozenset((queue_id, None))


class LiveWall:
    """Counts what happens and tells the figures of today and of the last quarter of an hour.

    Args:
        threshold_ms: The thresholds in force, by queue; all of today is counted with them.
        fallback_zone: The centre's zone while the database has not told it.
    """

    def __init__(
        self,
        *,
        bus: Bus,
        clock: Clock,
        tail: Tail,
        database: Database,
        tenant_id: TenantId,
        threshold_ms: Callable[[], Mapping[QueueId, int]],
        fallback_zone: str = "UTC",
    ) -> None:
        self._bus, self._clock, self._tail = bus, clock, tail
        self._database, self._tenant_id = database, tenant_id
        self._threshold_ms = threshold_ms
        self._zone = ZoneInfo(fallback_zone)
        now_ms = clock.now_ms()
        self._count = _Count(
            Tallies(self._zone), CellFold(), Cursor(0, 0), Completeness(since_ms=now_ms), threshold_ms()
        )
        self._versions: dict[QueueId | None, int] = {}
        self._made: dict[QueueId | None, tuple[int, int, QueueFigures]] = {}
        self._renew_at_s: float | None = None
        self._retry_s = RETRY_FIRST_S

    # ------------------------------------------------------------ what others ask

    def figures_of(self, queue_id: QueueId | None) -> QueueFigures:
        """Return the figures of a queue; None: of the whole centre.

        They change with events and, every ``BUCKET_MS``, by themselves. As long as they do not, the same
        object comes back, at the cost of two look-ups.
        """
        now_ms = self._clock.now_ms()
        version, bucket = self._versions.get(queue_id, 0), now_ms // BUCKET_MS
        made = self._made.get(queue_id)
        if made is not None and made[:2] == (version, bucket):
            return made[2]
        tallies, completeness = self._count.tallies, self._count.completeness
        day_ms, window_ms = self.day_start_ms, window_start_ms(now_ms)
        found = QueueFigures(
            today=figures(tallies.today(queue_id, now_ms), completeness.grade(queue_id, day_ms)),
            last_15_min=figures(tallies.recent(queue_id, now_ms), completeness.grade(queue_id, window_ms)),
        )
        if made is not None and made[2] == found:
            found = made[2]
        self._made[queue_id] = (version, bucket, found)
        return found

    @property
    def day_start_ms(self) -> int:
        """The centre's local midnight, in milliseconds since the epoch."""
        return day_bounds_ms(self._clock.now_ms(), self._count.tallies.zone)[0]

    @property
    def zone(self) -> str:
        """The zone whose midnight that is (IANA)."""
        return self._count.tallies.zone.key

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Count for ever; when the bus cuts us, facts were missed, and all is counted anew."""
        while True:
            try:
                await self.follow()
            except Gone as gone:
                log.warning("the wall was cut from the bus and counts anew", reason=str(gone))

    async def follow(self) -> None:
        """Count the past, then what the bus carries.

        Raises:
            Gone: the subscription is over.
        """
        with self._bus.subscribe(queue_max=EVENTS_MAX) as subscription:
            place = self._bus.position
            if not await self._renew(place):
                now_ms = self._clock.now_ms()  # what was counted before, if anything, lacks something now
                self._count.completeness = replace(self._count.completeness, since_ms=now_ms)
                self._count.place = place
                self._count_changed()
            while True:
                for numbered in await self._arrived(subscription):
                    self._take(numbered)
                if self._renew_at_s is not None and _now_s() >= self._renew_at_s:
                    await self._renew(self._count.place)

    async def _arrived(self, subscription: Subscription) -> list[Numbered]:
        """What came; nothing when it is time to count anew."""
        try:
            async with asyncio.timeout_at(self._renew_at_s):
                return await subscription.take()
        except TimeoutError:
            return []

    def _take(self, numbered: Numbered) -> None:
        count = self._count
        if numbered.cursor <= count.place:
            return  # counted from the log or the journal
        count.place = numbered.cursor
        match numbered.event:
            case ev.FactCorrected() | ev.PbxLinkChanged():
                self._renew_in(CORRECTED_AFTER_S)
            case ev.ConfigApplied() if count.threshold_ms != self._threshold_ms():
                self._renew_in(0.0)
        for queue_id in count.take(numbered.event):
            self._versions[queue_id] = self._versions.get(queue_id, 0) + 1

    # ------------------------------------------------------------ counting anew

    async def _renew(self, seen: Cursor) -> bool:
        """Count anew from log and journal; False when they cannot be had, or lack what was *seen*."""
        self._renew_at_s = None
        try:
            count = await self._counted()
        except _AWAY as error:
            log.warning("today's figures cannot be read from the log yet", error=type(error).__name__)
        else:
            if count.place >= seen:
                self._count = count
                self._count_changed()
                self._retry_s = RETRY_FIRST_S
                return True
            log.warning("the journal is behind; today's figures are read from the log later")
        self._renew_in(self._retry_s)
        self._retry_s = min(self._retry_s * 2, RETRY_MAX_S)
        return False

    async def _counted(self) -> _Count:
        """Count what the log holds and what the journal holds beyond it."""
        now_ms, threshold_ms = self._clock.now_ms(), dict(self._threshold_ms())
        async with self._database.snapshot(self._tenant_id) as connection:
            self._zone = _known_zone(await centre_zone(connection, self._tenant_id), self._zone)
            window_ms = window_start_ms(now_ms)
            since_ms = min(day_bounds_ms(now_ms, self._zone)[0], window_ms)
            logged = await logged_day(
                connection,
                self._tenant_id,
                since_ms=since_ms,
                window_ms=window_ms,
                bucket_ms=BUCKET_MS,
                until_ms=now_ms,
                threshold_ms=threshold_ms,
            )
        tallies = Tallies(self._zone)
        for addition in logged.additions:
            tallies.add(addition.queue_id, addition.at_ms, addition.cell)
        fold = CellFold(threshold_ms, wrapping=logged.wrapping, offered=logged.offered)
        completeness = Completeness(corrected_ms=logged.corrected_ms, gaps=logged.gaps)
        if any(_may_yet_be_witnessed(gap, now_ms) for gap in logged.gaps):
            self._renew_in(WITNESSED_AFTER_S)
        count = _Count(tallies, fold, Cursor(*logged.drained), completeness, threshold_ms)
        unreadable_ms = await self._add_tail(count)
        estimated_until_ms = max(unreadable_ms, await self._tail.lost_until_ms(since_ms))
        count.completeness = replace(completeness, estimated_until_ms=estimated_until_ms)
        return count

    async def _add_tail(self, count: _Count) -> int:
        """Count the journal's steps beyond the log; return when the last unreadable one was, or 0."""
        unreadable_ms = step_count = 0
        async for step in self._tail.steps_after(count.place.epoch, count.place.seq):
            count.place = Cursor(step.epoch, step.seq)
            if step.events is None:
                unreadable_ms = step.at_ms
            for event in step.events or ():
                if isinstance(event, ev.FactCorrected):
                    self._renew_in(CORRECTED_AFTER_S)
                count.take(event)
            step_count += 1
            if step_count % STEPS_AT_ONCE == 0:
                await asyncio.sleep(0)
        return unreadable_ms

    def _count_changed(self) -> None:
        """Every figure may be another now."""
        for queue_id in {*self._versions, *self._made}:
            self._versions[queue_id] = self._versions.get(queue_id, 0) + 1

    def _renew_in(self, delay_s: float) -> None:
        at_s = _now_s() + delay_s
        self._renew_at_s = at_s if self._renew_at_s is None else min(at_s, self._renew_at_s)


def _may_yet_be_witnessed(gap: LogGap, now_ms: int) -> bool:
    return gap.grade is FiguresGrade.UNKNOWN and now_ms - gap.ended_ms < WITNESS_MS_MAX


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _known_zone(name: str | None, otherwise: ZoneInfo) -> ZoneInfo:
    """The zone of that name; *otherwise* when there is none."""
    if not name or name == otherwise.key:
        return otherwise
    try:
        return ZoneInfo(name)
    except (ValueError, ZoneInfoNotFoundError):
        log.error("the calendar's zone is not known on this machine", zone=name)
        return otherwise
