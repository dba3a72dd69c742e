"""Work that can lie: e-mails and tickets, oldest first, by age. A fluid reckoning per interval.

What arrives in an interval can be worked on in that interval; agents always take the oldest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workforce.erlang_integrals import Floats

INTERVALS_MAX = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """Per interval, shape (intervals,).

    Attributes:
        left_count: Items left at the interval's end.
        oldest_age: Age of the oldest of them in intervals, 0: it arrived in this one; nan without any.
        on_time_count: Items that arrived in this interval and were done by their due time.
        late_count: ... and were not, among them those never done.
        by_age: Items left at the end by their age in intervals, the last column holding all that are as
            old or older; shape (intervals, age_max + 1).
    """

    left_count: Floats
    oldest_age: Floats
    on_time_count: Floats
    late_count: Floats
    by_age: Floats


def backlog(arrivals: ArrayLike, capacity: ArrayLike, *, due_intervals: int, age_max: int = 10) -> Backlog:
    """Work *arrivals* off by *capacity*, oldest first.

    Args:
        arrivals: Items per interval, >= 0; the first may hold what lies there already.
        capacity: Items that can be done per interval: agents * interval / AHT; 0 at night.
        due_intervals: An item is on time when done at most so many intervals after its own.
        age_max: Where ``by_age`` ends.

    Raises:
        ValueError: an argument is out of its range.

    >>> lies = backlog([10, 0, 4], [6, 6, 1], due_intervals=0)
    >>> lies.left_count.tolist(), lies.late_count.tolist()
    ([4.0, 0.0, 3.0], [4.0, 0.0, 3.0])
    """
    came, able = np.broadcast_arrays(
        np.atleast_1d(np.asarray(arrivals, dtype=np.float64)), np.asarray(capacity, dtype=np.float64)
    )
    if came.ndim != 1 or not len(came) or len(came) > INTERVALS_MAX:
        raise ValueError(f"from 1 to {INTERVALS_MAX} intervals")
    if not (np.all(came >= 0) and np.all(able >= 0)) or due_intervals < 0 or age_max < 0:
        raise ValueError("arrivals, capacity, due_intervals and age_max must not be negative")
    # First in, first out: what is done by the end of t is the first done_to[t] of all that came.
    came_to = np.cumsum(came)
    done_to = np.empty_like(came_to)
    done = 0.0
    for at, (total, can) in enumerate(zip(came_to, able, strict=True)):
        done_to[at] = done = min(total, done + can)
    left = came_to - done_to
    came_before = came_to - came
    due_at = np.minimum(np.arange(len(came)) + due_intervals, len(came) - 1)
    on_time = np.clip(done_to[due_at] - came_before, 0.0, came)
    padded = np.concatenate([np.zeros(age_max + 1), came_to])
    rows = np.arange(len(came))
    by_age = np.empty((len(came), age_max + 1))
    for age in range(age_max + 1):
        newest = padded[age_max + 1 + rows - age]
        before = padded[age_max + rows - age] if age < age_max else np.zeros(len(came))
        by_age[:, age] = np.maximum(newest - np.maximum(before, done_to), 0.0)
    oldest_row = np.searchsorted(came_to, done_to, side="right")
    oldest = np.where(left > 0, rows - oldest_row, np.nan)
    return Backlog(
        left_count=left, oldest_age=oldest, on_time_count=on_time, late_count=came - on_time, by_age=by_age
    )


def level_capacity(arrivals: ArrayLike, working: ArrayLike, *, due_intervals: int) -> float:
    """Return the smallest steady capacity per working interval at which nothing is late.

    For every span of intervals, what arrives and falls due within it must fit into its working intervals.

    Args:
        arrivals: Items per interval.
        working: Share of each interval in which somebody works, in [0, 1].
        due_intervals: As in ``backlog``.

    Returns:
        Items per interval; inf when something falls due before anybody works.

    >>> level_capacity([10, 0, 4], [1, 1, 1], due_intervals=1)
    5.0
    """
    came, works = np.broadcast_arrays(
        np.atleast_1d(np.asarray(arrivals, dtype=np.float64)), np.asarray(working, dtype=np.float64)
    )
    if came.ndim != 1 or not len(came) or len(came) > INTERVALS_MAX:
        raise ValueError(f"from 1 to {INTERVALS_MAX} intervals")
    if not (np.all(came >= 0) and np.all((works >= 0) & (works <= 1))) or due_intervals < 0:
        raise ValueError("arrivals must not be negative, working must be a share")
    came_to = np.concatenate([[0.0], np.cumsum(came)])
    works_to = np.concatenate([[0.0], np.cumsum(works)])
    last = len(came) - 1
    needed = 0.0
    for first in range(len(came)):
        ends = np.arange(first, len(came))
        items = came_to[ends + 1] - came_to[first]
        time = works_to[np.minimum(ends + due_intervals, last) + 1] - works_to[first]
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.where(items > 0, items / time, 0.0)
        needed = max(needed, float(rate.max()))
    return needed
