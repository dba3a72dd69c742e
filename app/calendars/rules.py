"""When a calendar is open: zone, split and overnight shifts, holidays, make-up workdays, closures. Pure.

Shifts are wall-clock times of the calendar's zone; everything is computed on instants, so that days of 23 and
25 hours come out right: a boundary that the clock skips falls on the moment of the jump, one that the clock
shows twice falls on its first showing. What decides, strongest first: openings and closures (the later listed
wins), make-up workdays, holidays, the week. Read by IVR, promises, callbacks, forecast and calling windows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

OpenReason = Literal[
    "shift", "make_up_workday", "opening", "outside_hours", "day_off", "holiday", "closure", "no_calendar"
]

NEXT_CHANGE_DAYS_MAX = 62
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Shift:
    """Open from *start_minute* to *end_minute* of the local day, half-open; beyond 1440 it is after midnight.

    It holds on days in ``[valid_from, valid_to)``; None is without end.

    >>> Shift.parse("09:00-12:30").end_minute, Shift.parse("22:00-06:00").end_minute
    (750, 1800)
    """

    start_minute: int
    end_minute: int
    valid_from: date | None = None
    valid_to: date | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.start_minute < _DAY_MINUTES:
            raise ValueError(f"a shift starts within its day, not at minute {self.start_minute}")
        if not self.start_minute < self.end_minute <= self.start_minute + _DAY_MINUTES:
            raise ValueError("a shift ends after it starts and lasts at most 24 hours")

    @classmethod
    def parse(cls, text: str) -> Shift:
        """Read ``HH:MM-HH:MM``; an end at or before the start is on the next day.

        Raises:
            ValueError: the text is not of this form.
        """
        start, dash, end = text.partition("-")
        if not dash:
            raise ValueError(f"{text!r} is not a shift: write HH:MM-HH:MM")
        start_minute, end_minute = _minute(start), _minute(end)
        return cls(start_minute, end_minute if end_minute > start_minute else end_minute + _DAY_MINUTES)

    def holds_on(self, day: date) -> bool:
        """Return whether the shift is in force on *day*."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )

    def __str__(self) -> str:
        end = self.end_minute if self.end_minute <= _DAY_MINUTES else self.end_minute - _DAY_MINUTES
        return f"{_clock(self.start_minute)}-{_clock(end)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DayException:
    """A one-off opening or closure, of the whole centre or of some regions (a typhoon day).

    Attributes:
        start: Aware; the exception holds in ``[start, end)``.
        open: True for an opening, False for a closure.
        regions: Only calendars of one of these regions; empty: all.
    """

    name: str
    start: datetime
    end: datetime
    open: bool = False
    regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """One calendar.

    Attributes:
        zone: IANA name.
        week: Shifts by weekday, Monday 0 to Sunday 6; a missing day is a day off.
        holidays: Name by local date.
        make_up: The weekday whose shifts a make-up workday has, by local date (usually 0, Monday).
        exceptions: In order of entry; the later wins where two overlap.
        region: A tag such as ``TW-TPE``, for regional closures.
    """

    zone: str
    week: Mapping[int, tuple[Shift, ...]] = field(default_factory=dict)
    holidays: Mapping[date, str] = field(default_factory=dict)
    make_up: Mapping[date, int] = field(default_factory=dict)
    exceptions: tuple[DayException, ...] = ()
    region: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenState:
    """Whether it is open, why, and until when.

    Attributes:
        detail: The name of the holiday or exception, else "".
        next_change: When ``open`` turns (aware, UTC); None: not within 62 days.
    """

    open: bool
    reason: OpenReason
    detail: str = ""
    next_change: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open stretch of time, UTC."""

    start: datetime
    end: datetime
    reason: OpenReason = "shift"
    detail: str = ""


def is_open(calendar: Calendar, at: datetime) -> OpenState:
    """Return the state of *calendar* at the aware instant *at*."""
    at = at.astimezone(UTC)
    zone = ZoneInfo(calendar.zone)
    day = at.astimezone(zone).date()
    current = _state_at(calendar, at, day, zone)
    change = None
    for moment in _boundaries(calendar, at, day, zone):
        if _state_at(calendar, moment, moment.astimezone(zone).date(), zone).open != current.open:
            change = moment
            break
    return OpenState(open=current.open, reason=current.reason, detail=current.detail, next_change=change)


def open_seconds(calendar: Calendar, start: datetime, end: datetime) -> float:
    """Return how many seconds of ``[start, end)`` are open: the unit of promises and service clocks.

    Raises:
        ValueError: more than 62 days.
    """
    if end - start > timedelta(days=NEXT_CHANGE_DAYS_MAX):
        raise ValueError(f"at most {NEXT_CHANGE_DAYS_MAX} days at once")
    at, end, total = start.astimezone(UTC), end.astimezone(UTC), 0.0
    while at < end:
        state = is_open(calendar, at)
        until = min(end, state.next_change or end)
        total += (until - at).total_seconds() if state.open else 0.0
        at = until
    return total


def day_spans(calendar: Calendar, day: date) -> tuple[Span, ...]:
    """Return the shifts that begin on local *day*, before openings and closures."""
    return tuple(_day_spans(calendar, day, ZoneInfo(calendar.zone)))


def _day_spans(calendar: Calendar, day: date, zone: ZoneInfo) -> Iterator[Span]:
    weekday, reason = _plan_of(calendar, day)
    if weekday is None:
        return
    for shift in calendar.week.get(weekday, ()):
        if not shift.holds_on(day):
            continue
        start, end = _instant(day, shift.start_minute, zone), _instant(day, shift.end_minute, zone)
        if start < end:
            yield Span(start, end, reason)


def _plan_of(calendar: Calendar, day: date) -> tuple[int | None, OpenReason]:
    if day in calendar.make_up:
        return calendar.make_up[day], "make_up_workday"
    if day in calendar.holidays:
        return None, "holiday"
    return day.weekday(), "shift"


def _state_at(calendar: Calendar, at: datetime, day: date, zone: ZoneInfo) -> OpenState:
    for exception in reversed(calendar.exceptions):
        if _applies(exception, calendar) and exception.start <= at < exception.end:
            reason: OpenReason = "opening" if exception.open else "closure"
            return OpenState(open=exception.open, reason=reason, detail=exception.name)
    for began in (day, day - timedelta(days=1)):
        for span in _day_spans(calendar, began, zone):
            if span.start <= at < span.end:
                return OpenState(open=True, reason=span.reason)
    if day in calendar.holidays and day not in calendar.make_up:
        return OpenState(open=False, reason="holiday", detail=calendar.holidays[day])
    weekday, _ = _plan_of(calendar, day)
    works = weekday is not None and any(shift.holds_on(day) for shift in calendar.week.get(weekday, ()))
    return OpenState(open=False, reason="outside_hours" if works else "day_off")


def _boundaries(calendar: Calendar, at: datetime, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Every moment after *at* where the state may turn, in order, at most 62 days ahead."""
    sides = sorted(
        side.astimezone(UTC)
        for exception in calendar.exceptions
        if _applies(exception, calendar)
        for side in (exception.start, exception.end)
    )
    limit = at + timedelta(days=NEXT_CHANGE_DAYS_MAX)
    for ahead in range(-1, NEXT_CHANGE_DAYS_MAX + 1):
        began = day + timedelta(days=ahead)
        midnight, next_midnight = (_instant(began + timedelta(days=more), 0, zone) for more in (0, 1))
        moments = {
            edge
            for before in (began - timedelta(days=1), began)
            for span in _day_spans(calendar, before, zone)
            for edge in (span.start, span.end)
        }
        moments.update(sides)
        for moment in sorted(moments):
            if moment > at and midnight <= moment < next_midnight and moment <= limit:
                yield moment


def _applies(exception: DayException, calendar: Calendar) -> bool:
    return not exception.regions or calendar.region in exception.regions


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Return the UTC instant of a wall-clock minute; a skipped minute is the moment of the jump."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    first = wall.replace(tzinfo=zone).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) == wall:
        return first
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), first
    before = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low).total_seconds() // 2)
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def _minute(text: str) -> int:
    hours, colon, minutes = text.strip().partition(":")
    if not (colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit()):
        raise ValueError(f"{text!r} is not a time of day: write HH:MM")
    minute = int(hours) * 60 + int(minutes)
    if not (0 <= minute <= _DAY_MINUTES and int(minutes) < 60):
        raise ValueError(f"{text!r} is not a time of day between 00:00 and 24:00")
    return minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
