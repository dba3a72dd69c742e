"""What a forecast must beat: seasonal naive and the industry's way. Pure.

Both see the observed counts of the days before the origin, repaired as little as the one who uses them would.
"""

from __future__ import annotations

import numpy as np

from workforce.history import weekday_of
from workforce.history_repair import History
from workforce.series import Floats, Ints

LEVEL_WEEKS = 4


def seasonal_naive(history: History, days: Ints) -> Floats:
    """Return for each day the counts of the last same weekday, shape (k, S)."""
    rows = history.used_rows
    weekdays = weekday_of(history.grid.days[rows])
    found = np.zeros((len(days), history.calls.shape[1]))
    for at, weekday in enumerate(weekday_of(days)):
        same = rows[weekdays == weekday]
        if len(same):
            found[at] = history.calls[same[-1]]
    return found


def industry(history: History, days: Ints, level_weeks: int = LEVEL_WEEKS) -> Floats:
    """Return the weekday's mean profile × its mean total of the last four weeks, shape (k, S).

    Args:
        level_weeks: Another number of weeks; 0: all there are.
    """
    rows = history.used_rows
    weekdays = weekday_of(history.grid.days[rows])
    found = np.zeros((len(days), history.calls.shape[1]))
    for at, weekday in enumerate(weekday_of(days)):
        same = rows[weekdays == weekday]
        calls = history.calls[same]
        if len(same) and calls.sum() > 0:
            found[at] = calls.sum(axis=0) / calls.sum() * calls[-level_weeks:].sum(axis=1).mean()
    return found
