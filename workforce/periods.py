"""The periods of a report in a zone: quarters of an hour to months, half-open, without a gap. Pure.

Boundaries are where the clock on the wall shows a multiple of the step, and where it jumps off that grid; so
a day has 23, 24 or 25 hours, each hour is counted once, and the hour that the clock shows twice is two.
A day begins with its first moment (01:00 where the clock skips midnight); a day that a zone left out is none.
Weeks begin on Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from workforce.errors import InputError
from workforce.series import zone_of

PERIODS_MAX = 10_000
_MS_PER_MIN = 60_000
_MS_PER_DAY = 86_400_000


class PeriodError(InputError):
    """No such periods: an unknown zone, an end before the start, too many."""

    error_id = "bad_period"


class PeriodStep(StrEnum):
    """How long a period is."""

    QUARTER = "15min"
    HALF_HOUR = "30min"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    RANGE = "range"  # all of it in one


_MINUTES = {PeriodStep.QUARTER: 15, PeriodStep.HALF_HOUR: 30, PeriodStep.HOUR: 60}


def period_bounds(zone: str, first: date, last: date, step: PeriodStep) -> tuple[int, ...]:
    """Return the bounds of the periods of the days *first* to *last*, both included.

    Args:
        zone: IANA name.

    Returns:
        Milliseconds since the epoch, ascending: period *i* is ``[bounds[i], bounds[i + 1])``. The first and
        the last week or month is cut at the range asked for.

    Raises:
        PeriodError: no zone is named, *last* is before *first*, there are more than 10,000 periods or none.
        SeriesError: the zone is unknown.

    >>> len(period_bounds("Europe/Berlin", date(2026, 10, 25), date(2026, 10, 25), PeriodStep.HOUR)) - 1
    25
    """
    info = zone_of(zone)
    if info is None:
        raise PeriodError("name the zone of the periods, for instance Asia/Taipei")
    if last < first:
        raise PeriodError(f"the last day, {last}, is before the first, {first}")
    days = (last - first).days + 1
    least_count = days * 24 * 60 // _MINUTES[step] if step in _MINUTES else days // 31
    if least_count > PERIODS_MAX:
        raise PeriodError(
            f"{days} days by {step} are over {PERIODS_MAX} periods: ask for fewer, or a longer step"
        )
    starts = _within_days(info, first, last, step) if step in _MINUTES else _of_days(info, first, last, step)
    end_ms = day_start_ms(info, last + timedelta(days=1))
    bounds = [*sorted({start_ms for start_ms in starts if start_ms < end_ms}), end_ms]
    if len(bounds) - 1 > PERIODS_MAX:
        raise PeriodError(f"more than {PERIODS_MAX} periods: ask for fewer days, or a longer step")
    if len(bounds) < 2:
        raise PeriodError(f"the clocks of {zone} left out {first}")
    return tuple(bounds)


def day_start_ms(zone: ZoneInfo, day: date) -> int:
    """Return the first moment of a local day, in milliseconds since the epoch."""
    return int(datetime.combine(day, time(), zone).astimezone(UTC).timestamp()) * 1000


def _of_days(zone: ZoneInfo, first: date, last: date, step: PeriodStep) -> Iterator[int]:
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        begins = {
            PeriodStep.DAY: True,
            PeriodStep.WEEK: day.weekday() == 0,
            PeriodStep.MONTH: day.day == 1,
            PeriodStep.RANGE: False,
        }[step]
        if begins or day == first:
            yield day_start_ms(zone, day)


def _within_days(zone: ZoneInfo, first: date, last: date, step: PeriodStep) -> Iterator[int]:
    start_ms, end_ms = day_start_ms(zone, first), day_start_ms(zone, last + timedelta(days=1))
    step_ms = _MINUTES[step] * _MS_PER_MIN
    for from_ms, to_ms, offset_ms in _stretches(zone, start_ms, end_ms):
        yield from_ms  # where the clock jumped, on the grid or not
        on_grid_ms = from_ms + (-(from_ms + offset_ms)) % step_ms
        yield from range(on_grid_ms, to_ms, step_ms)


def _stretches(zone: ZoneInfo, start_ms: int, end_ms: int) -> Iterator[tuple[int, int, int]]:
    """Stretches of time without a jump of the clock, each with its offset from UTC."""
    at_ms = start_ms
    while at_ms < end_ms:
        offset_ms = _offset_ms(zone, at_ms)
        until_ms = at_ms
        while until_ms < end_ms and _offset_ms(zone, until_ms) == offset_ms:
            at_most_ms = min(until_ms + _MS_PER_DAY, end_ms)
            if _offset_ms(zone, at_most_ms - 1) == offset_ms:
                until_ms = at_most_ms
                continue
            until_ms = _first_other(zone, until_ms, at_most_ms - 1, offset_ms)
        yield at_ms, until_ms, offset_ms
        at_ms = until_ms


def _first_other(zone: ZoneInfo, low_ms: int, high_ms: int, offset_ms: int) -> int:
    """The first moment with another offset; *low_ms* still has it, *high_ms* has not."""
    while high_ms - low_ms > 1:
        middle_ms = (low_ms + high_ms) // 2
        if _offset_ms(zone, middle_ms) == offset_ms:
            low_ms = middle_ms
        else:
            high_ms = middle_ms
    return high_ms


def _offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds()) * 1000
