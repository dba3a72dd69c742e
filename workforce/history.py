"""History: a series as days × intervals of the local clock, marked with what was wrong and what was done.

Rows are days, columns are intervals after local midnight, so that a day compares with a day. An hour that the
clocks repeat is counted as the mean of its two, one that they skip is absent; both are marked. What a queue's
days look like when nothing happens is learnt from the days themselves; ``history_repair`` marks the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from workforce.series import DAY_S, MINUTE_S, Floats, Ints, Series, utc_offset_s

Bools = NDArray[np.bool_]

_OPEN_WEEKS = 9
_OPEN_SHARE = 0.5


class MarkKind(StrEnum):
    """Why an interval (or a day) is not taken as it is."""

    GAP = "gap"
    OUTAGE = "outage"
    SPIKE = "spike"
    REPEATED_HOUR = "repeated_hour"
    SKIPPED_HOUR = "skipped_hour"
    CLOSED_DAY = "closed_day"
    SPECIAL_DAY = "special_day"
    UNFINISHED_DAY = "unfinished_day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One interval, or a whole day, and what was done about it.

    Attributes:
        day: Days since 1970-01-01, local.
        slot_min: Minutes after local midnight; None: the whole day.
        observed: What the source said; None: nothing.
        used: What is reckoned with; None: left out.
        why: A sentence for the planner.
    """

    kind: MarkKind
    day: int
    slot_min: int | None = None
    observed: float | None = None
    used: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DayGrid:
    """A series by local day and interval.

    Attributes:
        zone: As in ``Series``.
        interval_min: Length of a column.
        days: Days since 1970-01-01, every one from the first to the last, shape (D,).
        slots_min: Minutes after local midnight at which a column begins, shape (S,).
        calls: Calls, NaN where the series has no row or no measurement, shape (D, S).
        present: Where the series has a row, shape (D, S).
        aht_s: Mean handle time, NaN where unknown, or None; shape (D, S).
        marks: Hours repeated by the clocks.
    """

    zone: str
    interval_min: int
    days: Ints
    slots_min: Ints
    calls: Floats
    present: Bools
    aht_s: Floats | None = None
    marks: Sequence[Mark] = ()


def weekday_of(days: Ints) -> Ints:
    """Return weekdays, Monday 0 to Sunday 6.

    >>> weekday_of(np.array([0])).tolist()  # 1970-01-01 was a Thursday
    [3]
    """
    return (days + 3) % 7


def day_grid(series: Series) -> DayGrid:
    """Return the series by local day and interval, at its own interval length."""
    local_s = series.start_s + utc_offset_s(series.zone, series.start_s)
    day, minute = local_s // DAY_S, (local_s % DAY_S) // MINUTE_S
    slots_min, column = np.unique(minute, return_inverse=True)
    days = np.arange(day.min(), day.max() + 1)
    cell = (day - days[0]) * len(slots_min) + column
    shape, size = (len(days), len(slots_min)), len(days) * len(slots_min)
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, weights=series.calls, minlength=size).astype(np.float64)
    mean = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    calls = mean.reshape(shape)
    return DayGrid(
        zone=series.zone,
        interval_min=series.interval_min,
        days=days,
        slots_min=slots_min,
        calls=calls,
        present=(count > 0).reshape(shape),
        aht_s=None if series.aht_s is None else _mean_aht(series, cell, shape),
        marks=_repeated(days, slots_min, count.reshape(shape), total.reshape(shape), calls),
    )


def _mean_aht(series: Series, cell: Ints, shape: tuple[int, int]) -> Floats:
    assert series.aht_s is not None
    known = ~np.isnan(series.aht_s) & ~np.isnan(series.calls)
    weight = np.where(known, series.calls, 0.0)
    size = shape[0] * shape[1]
    handled_s = np.bincount(cell, weights=weight * np.where(known, series.aht_s, 0.0), minlength=size)
    count = np.bincount(cell, weights=weight, minlength=size)
    mean = np.divide(handled_s, count, out=np.full(size, np.nan), where=count > 0)
    return np.asarray(mean.reshape(shape))


def _repeated(days: Ints, slots_min: Ints, count: Ints, total: Floats, calls: Floats) -> list[Mark]:
    return [
        Mark(
            kind=MarkKind.REPEATED_HOUR,
            day=int(days[row]),
            slot_min=int(slots_min[column]),
            observed=float(total[row, column]),
            used=float(calls[row, column]),
            why="the clocks were put back: the mean of the two intervals of this name",
        )
        for row, column in np.argwhere(count > 1)
    ]


def usual_hours(grid: DayGrid) -> Bools:
    """Return where the queue is usually open, shape (D, S): what most of nine same weekdays around have.

    Each weekday for itself, so that shorter Saturdays and closed Sundays are learnt, and so is a change of
    hours, half of nine weeks late.
    """
    usual = np.zeros(grid.present.shape, dtype=bool)
    weekdays = weekday_of(grid.days)
    for weekday in np.unique(weekdays):
        rows = np.flatnonzero(weekdays == weekday)
        seen = np.vstack([np.zeros(len(grid.slots_min)), np.cumsum(grid.present[rows], axis=0)])
        # The last weeks look back further instead, so that one holiday at the end does not close a weekday.
        begin = np.clip(np.arange(len(rows)) - _OPEN_WEEKS // 2, 0, max(0, len(rows) - _OPEN_WEEKS))
        end = np.minimum(begin + _OPEN_WEEKS, len(rows))
        usual[rows] = (seen[end] - seen[begin]) > _OPEN_SHARE * (end - begin)[:, None]
    return usual


def hours_ahead(grid: DayGrid, usual: Bools) -> Bools:
    """Return the hours expected by weekday, shape (7, S): those of the last such day in the history."""
    ahead = np.zeros((7, len(grid.slots_min)), dtype=bool)
    weekdays = weekday_of(grid.days)
    for weekday in range(7):
        rows = np.flatnonzero(weekdays == weekday)
        if len(rows):
            ahead[weekday] = usual[rows[-1]]
    return ahead
