"""What days have in common: the covariances from which level and profile are forecast. Pure.

Every matrix is over the days learnt from, in order, followed by the days asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workforce.day_labels import HOLIDAY, MAKE_UP, DayLabels
from workforce.history import Bools, weekday_of
from workforce.series import Floats, Ints

_MONTH_DAYS = 30.0
MONTH_REACH_DAYS = 3.0
"""How near in the month days are alike, where nothing was learnt of it."""
_YEAR_DAYS = 365.25
_YEAR_REACH = 0.5
_WORKDAYS = 5


@dataclass(frozen=True, slots=True)
class DayRelations:
    """How alike two days are in each respect, shape (n + k, n + k) each.

    Attributes:
        days: Days since 1970-01-01: n learnt from, then k asked for.
        apart: Days between them.
        weekday: 1 for the same weekday; a make-up workday is a fifth of each workday.
        month_apart: Days between their places in the month, all months stretched to 30 days.
        year: The same for the season of the year.
        closure: 1 where both follow, or both precede, a closed day that is usually open; a holiday's
            neighbours besides.
        named: The number of labels (name and kind) that both have.
        kinds: The number of kinds of label that both have.
    """

    days: Ints
    apart: Floats
    weekday: Floats
    month_apart: Floats
    year: Floats
    closure: Floats
    named: Floats
    kinds: Floats

    def fading(self, reach_days: float) -> Floats:
        """Return how alike days are whose likeness fades with the time between them."""
        return np.asarray(np.exp(-self.apart / reach_days))

    def in_month(self, reach_days: float) -> Floats:
        """Return how alike days are by their place in the month (paydays, bills): 1 at the same one."""
        return np.asarray(np.exp(-((self.month_apart / reach_days) ** 2) / 2))


def relate(
    days: Ints, usually_open: Bools, is_open: Bools, first_day: int, labels: DayLabels
) -> DayRelations:
    """Return the relations of *days*.

    Args:
        days: Learnt from, then asked for; ascending.
        usually_open, is_open: By day, from *first_day* to the last asked for.
        first_day: Days since 1970-01-01.
        labels: Of the days and their neighbours.
    """
    apart = np.abs(days[:, None] - days[None, :]).astype(np.float64)
    weekday = np.eye(7)[weekday_of(days)]
    make_up = labels.is_kind(days, MAKE_UP) > 0
    weekday[make_up] = [1.0 / _WORKDAYS] * _WORKDAYS + [0.0] * (7 - _WORKDAYS)
    named, kinds = _label_columns(days, labels)
    closure = np.hstack(
        [
            _next_to_closed(days, usually_open, is_open, first_day),
            labels.is_kind(days - 1, HOLIDAY)[:, None],
            labels.is_kind(days + 1, HOLIDAY)[:, None],
        ]
    )
    return DayRelations(
        days=days,
        apart=apart,
        weekday=weekday @ weekday.T,
        month_apart=_apart_in_month(days),
        year=np.exp(-((np.sin(np.pi * apart / _YEAR_DAYS) / _YEAR_REACH) ** 2)),
        closure=closure @ closure.T,
        named=named @ named.T,
        kinds=kinds @ kinds.T,
    )


def _apart_in_month(days: Ints) -> Floats:
    """Return days between places in the month, all months stretched to 30 days and joined end to start."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    begin = month.astype("datetime64[D]")
    end = (month + 1).astype("datetime64[D]")
    passed = (date - begin).astype(np.float64)
    place = passed / (end - begin).astype(np.float64) * _MONTH_DAYS
    away = np.abs(place[:, None] - place[None, :])
    return np.asarray(np.minimum(away, _MONTH_DAYS - away))


def _next_to_closed(days: Ints, usually_open: Bools, is_open: Bools, first_day: int) -> Floats:
    """Return two columns: the working day before was closed, the working day after is; shape (n, 2)."""
    working = np.flatnonzero(usually_open)
    closed = ~is_open
    at = days - first_day
    columns = np.zeros((len(days), 2))
    before = np.searchsorted(working, at, side="left") - 1
    has_before = before >= 0
    columns[has_before, 0] = closed[working[before[has_before]]]
    after = np.searchsorted(working, at, side="right")
    has_after = after < len(working)
    columns[has_after, 1] = closed[working[after[has_after]]]
    return columns


def _label_columns(days: Ints, labels: DayLabels) -> tuple[Floats, Floats]:
    """Return a column per label and one per kind, shape (n, labels) and (n, kinds)."""
    own = [labels.of(int(day)) for day in days]
    names = sorted({label for found in own for label in found})
    kinds = sorted({label.kind for label in names})
    by_name, by_kind = np.zeros((len(days), len(names))), np.zeros((len(days), len(kinds)))
    for row, found in enumerate(own):
        for label in found:
            by_name[row, names.index(label)] = 1.0
            by_kind[row, kinds.index(label.kind)] = 1.0
    return by_name, by_kind
