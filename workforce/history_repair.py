"""What was wrong with a history, found, marked and repaired: nothing is changed without a mark that says so.

The yardstick is what the queue usually does: the profile of the weekday (median of its shares) at the level
of the same weekdays around (median of their totals). A stretch far below it on a day that is otherwise like
itself is an outage; the stretch is filled with the day's own level. A day that is altogether unlike its
weekday is a special day: tagged, not filled, for it may be the only one of its kind to learn from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workforce.history import Bools, DayGrid, Mark, MarkKind, usual_hours, weekday_of
from workforce.series import Floats, Ints

_LEVEL_DAYS = 9
_OUTAGE_RATIO = 0.15
"""A stretch with fewer than this part of what is usual is an outage …"""
_OUTAGE_CALLS_MIN = 20.0
"""… if at least so many calls are usual in it (by chance: less than one in a million stretches)."""
_LOW_RATIO = 0.3
_SPIKE_RATIO, _SPIKE_SIGMAS, _SPIKE_CALLS_MIN = 3.0, 8.0, 10.0
_SPIKE_ALONE = 1.3
"""A spike stands so far above whatever this weekday ever had at that time of day."""
_REPAIRED_SHARE_MAX = 0.6
"""Of a day that lacks more than this part, the rest does not tell the whole: it is a special day."""
_SPECIAL_MADS, _SPECIAL_LOG_MIN = 4.0, 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A history that can be reckoned with: what was observed, what is used instead, and why.

    Attributes:
        grid: As observed.
        calls: Repaired; 0 where closed; NaN on days that are left out. Shape (D, S).
        open: Where the queue was open, by its rows or its usual hours; shape (D, S).
        usual: Its usual hours, shape (D, S).
        repaired_share: Part of a day's usual calls that was filled in, in [0, 1]; shape (D,).
        marks: All of them, by day and interval.
    """

    grid: DayGrid
    calls: Floats
    open: Bools
    usual: Bools
    repaired_share: Floats
    marks: Sequence[Mark]

    @property
    def used_rows(self) -> Ints:
        """Rows of the days that are learnt from."""
        return np.flatnonzero(~np.isnan(self.calls).any(axis=1))


def repair(grid: DayGrid) -> History:
    """Return the history with gaps and outages filled, spikes cut, odd days tagged; each change is marked."""
    usual = usual_hours(grid)
    marks = list(grid.marks)
    rows = _days_with_rows(grid, usual, marks)
    calls = np.where(grid.present, grid.calls, 0.0)
    calls[np.isnan(grid.calls) & (grid.present | usual)] = np.nan
    expected = _expected(grid, calls, rows)
    whole = np.zeros(len(grid.days), dtype=bool)
    whole[rows] = True
    outage = _outages(np.where(whole[:, None], calls, np.nan), expected)
    missing = whole[:, None] & np.isnan(calls)
    own = _own_level(calls, expected, missing | outage)
    share = _share(expected, missing | outage)
    used = np.full(calls.shape, np.nan)
    for row in rows:
        absent = missing[row] | outage[row]
        if share[row] > _REPAIRED_SHARE_MAX:
            outage[row] = False
            if missing[row].any():
                marks.append(_mark(grid, MarkKind.SPECIAL_DAY, row, why="too little of the day was measured"))
                continue
            absent, share[row] = missing[row], 0.0
        used[row] = np.where(absent, own[row] * expected[row], calls[row])
    _mark_cells(grid, marks, missing & ~np.isnan(used), used, MarkKind.GAP, "no row, though usually open")
    _mark_cells(grid, marks, outage, used, MarkKind.OUTAGE, "far below usual for a stretch")
    _cut_spikes(grid, used, expected, marks)
    _tag_special_days(grid, used, marks)
    marks.sort(key=lambda mark: (mark.day, -1 if mark.slot_min is None else mark.slot_min, mark.kind))
    return History(
        grid=grid,
        calls=used,
        open=grid.present | (usual & whole[:, None]),
        usual=usual,
        repaired_share=share,
        marks=tuple(marks),
    )


def _days_with_rows(grid: DayGrid, usual: Bools, marks: list[Mark]) -> Ints:
    """Return rows of days to reckon with; mark those that were closed, and a last day that is not over."""
    some = np.asarray(grid.present.any(axis=1) & ~np.isnan(grid.calls).all(axis=1))
    for row in np.flatnonzero(usual.any(axis=1) & ~grid.present.any(axis=1)).tolist():
        marks.append(_mark(grid, MarkKind.CLOSED_DAY, row, why="no rows on a day that is usually open"))
    last = len(grid.days) - 1
    if some[last] and len(grid.days) > 1 and _is_unfinished(grid, usual):
        some[last] = False
        marks.append(_mark(grid, MarkKind.UNFINISHED_DAY, last, why="the series ends within the day"))
    return np.flatnonzero(some)


def _is_unfinished(grid: DayGrid, usual: Bools) -> bool:
    expected, there = np.flatnonzero(usual[-1]), np.flatnonzero(grid.present[-1])
    return len(expected) > 0 and there[-1] < expected[-1]


def _mark(grid: DayGrid, kind: MarkKind, row: int, *, why: str) -> Mark:
    observed = float(np.nansum(grid.calls[row])) if grid.present[row].any() else None
    used = observed if kind is MarkKind.SPECIAL_DAY else None
    return Mark(kind=kind, day=int(grid.days[row]), observed=observed, used=used, why=why)


def _expected(grid: DayGrid, calls: Floats, rows: Ints) -> Floats:
    """Return what is usual in each interval: weekday's median profile × median total of days around."""
    expected = np.zeros(calls.shape)
    weekdays = weekday_of(grid.days)
    total = np.nansum(calls, axis=1)
    for weekday in np.unique(weekdays[rows]):
        same = rows[weekdays[rows] == weekday]
        shares = calls[same] / np.maximum(total[same], 1e-9)[:, None]
        with np.errstate(all="ignore"):
            profile = np.nan_to_num(_median_of_known(shares))
        profile = profile / profile.sum() if profile.sum() > 0 else profile
        begin = np.clip(np.arange(len(same)) - _LEVEL_DAYS // 2, 0, max(0, len(same) - _LEVEL_DAYS))
        level = [float(np.median(total[same[a : a + _LEVEL_DAYS]])) for a in begin]
        expected[same] = np.outer(level, profile)
    return expected


def _median_of_known(shares: Floats) -> Floats:
    known = ~np.isnan(shares)
    if known.all():
        return np.asarray(np.median(shares, axis=0))
    return np.array(
        [
            np.median(column[there]) if there.any() else 0.0
            for column, there in zip(shares.T, known.T, strict=True)
        ]
    )


def _outages(calls: Floats, expected: Floats) -> Bools:
    """Return the stretches that are far below usual, shape (D, S)."""
    low = (calls < _LOW_RATIO * expected) | ((expected < 1.0) & (calls <= expected))
    found = np.zeros(calls.shape, dtype=bool)
    candidates = np.where(low, expected, 0.0).sum(axis=1) >= _OUTAGE_CALLS_MIN
    for row in np.flatnonzero(candidates):
        for begin, end in _stretches(low[row]):
            begin += int(
                np.argmax(expected[row, begin:end] >= 1.0)
            )  # the quiet hours before it are no outage
            usual = float(expected[row, begin:end].sum())
            seen = float(calls[row, begin:end].sum())
            if usual >= _OUTAGE_CALLS_MIN and seen < _OUTAGE_RATIO * usual:
                found[row, begin:end] = True
    return found


def _stretches(low: Bools) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], low, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _share(expected: Floats, absent: Bools) -> Floats:
    total = expected.sum(axis=1)
    absent_calls = np.where(absent, expected, 0.0).sum(axis=1)
    return np.asarray(np.divide(absent_calls, total, out=np.zeros(len(total)), where=total > 0))


def _own_level(calls: Floats, expected: Floats, absent: Bools) -> Floats:
    """Return each day's level against what is usual, by its good intervals; shape (D,)."""
    seen = np.where(absent, 0.0, np.nan_to_num(calls)).sum(axis=1)
    usual = np.where(absent, 0.0, expected).sum(axis=1)
    return np.asarray(np.divide(seen, usual, out=np.ones(len(seen)), where=usual > 0))


def _mark_cells(
    grid: DayGrid, marks: list[Mark], where: Bools, used: Floats, kind: MarkKind, why: str
) -> None:
    for row, column in np.argwhere(where):
        observed = float(grid.calls[row, column])
        marks.append(
            Mark(
                kind=kind,
                day=int(grid.days[row]),
                slot_min=int(grid.slots_min[column]),
                observed=None if np.isnan(observed) else observed,
                used=float(used[row, column]),
                why=f"{why}: filled with the weekday's profile at this day's level",
            )
        )


def _cut_spikes(grid: DayGrid, used: Floats, usual: Floats, marks: list[Mark]) -> None:
    # The day's level without its busiest interval, which may be the spike.
    rows_of = np.arange(len(used))
    busiest = np.argmax(np.nan_to_num(used), axis=1)
    rest = np.nan_to_num(used).sum(axis=1) - np.nan_to_num(used)[rows_of, busiest]
    usual_rest = usual.sum(axis=1) - usual[rows_of, busiest]
    expected = usual * np.divide(rest, usual_rest, out=np.ones(len(rest)), where=usual_rest > 0)[:, None]
    limit = np.maximum(
        _SPIKE_RATIO * expected, expected + _SPIKE_SIGMAS * np.sqrt(expected) + _SPIKE_CALLS_MIN
    )
    weekdays = weekday_of(grid.days)
    for row, column in np.argwhere((expected > 0) & (used > limit)):
        others = (weekdays == weekdays[row]) & (np.arange(len(used)) != row)
        near = used[others, max(0, column - 1) : column + 2]
        if near.size and used[row, column] < _SPIKE_ALONE * np.nanmax(near):
            continue
        marks.append(
            Mark(
                kind=MarkKind.SPIKE,
                day=int(grid.days[row]),
                slot_min=int(grid.slots_min[column]),
                observed=float(used[row, column]),
                used=float(limit[row, column]),
                why="far above usual: cut to what might happen by chance",
            )
        )
        used[row, column] = limit[row, column]


def _tag_special_days(grid: DayGrid, used: Floats, marks: list[Mark]) -> None:
    rows = np.flatnonzero(~np.isnan(used).any(axis=1))
    level = np.log(used[rows].sum(axis=1) + 0.5)
    weekdays = weekday_of(grid.days[rows])
    away = np.zeros(len(rows))
    for weekday in np.unique(weekdays):
        same = np.flatnonzero(weekdays == weekday)
        begin = np.clip(np.arange(len(same)) - _LEVEL_DAYS // 2, 0, max(0, len(same) - _LEVEL_DAYS))
        away[same] = [
            level[at] - np.median(level[same[a : a + _LEVEL_DAYS]]) for at, a in zip(same, begin, strict=True)
        ]
    spread = 1.4826 * float(np.median(np.abs(away))) if len(away) else 0.0
    for at in np.flatnonzero(np.abs(away) > max(_SPECIAL_MADS * spread, _SPECIAL_LOG_MIN)):
        share = 100.0 * (float(np.exp(away[at])) - 1.0)
        marks.append(
            _mark(
                grid,
                MarkKind.SPECIAL_DAY,
                int(rows[at]),
                why=f"{share:+.0f} % against the same weekdays around",
            )
        )
