"""Today's figures and those of the last quarter of an hour, from additive cells. Pure.

A fact counts in the interval in which it happened (event view): the local day of the centre, which has 23 or
25 hours twice a year, and buckets of 15 s, of which the last 60 with the running one are the quarter of an
hour. Cells add, so a day is what the log held at the start plus what the bus told since. What is not known
to be whole says so in its grade, and "no calls" is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.figures.rules import FiguresGrade, LogGap, worst_of
from routing.ids import QueueId
from workforce.formulas import AHT, ASA, SERVICE_LEVELS
from workforce.measures import Cell, total

BUCKET_MS = 15_000
WINDOW_BUCKETS = 60
WINDOW_MS = WINDOW_BUCKETS * BUCKET_MS
SERVICE_LEVEL_FORMULA = "SL-C"
_DAYS_KEPT = 2  # yesterday is read no more, but a fact that is told late must not end up in today
_NOTHING = Cell()
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class Grade(StrEnum):
    """How complete a figure is; the worst that holds."""

    LIVE = "live"
    BACK_FILLED = "back_filled"  # the witness corrected a call in it
    ESTIMATED = "estimated"  # steps in it were never written, or could not be read
    UNKNOWN = "unknown"  # a part of it was not seen: the log was away when counting began, or the PBX unheard


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one queue, or of all, over one interval.

    Attributes:
        abandoned_count: The short abandons among them.
        service_level: In [0, 1] by the formula named; its inputs are the counts beside it. None: no calls.
        asa_s: Mean speed of answer; ``wait_max_s``: the longest wait that ended in an answer.
        aht_s: The sum of ``talk_s``, ``hold_s`` and ``wrap_up_s``, each a mean over ``handled_count``.
    """

    offered_count: int
    answered_count: int
    answered_within_count: int
    abandoned_count: int
    short_abandoned_count: int
    service_level: float | None
    service_level_formula: str
    asa_s: float | None
    wait_max_s: float | None
    handled_count: int
    aht_s: float | None
    talk_s: float | None
    hold_s: float | None
    wrap_up_s: float | None
    grade: Grade


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueFigures:
    """Both intervals."""

    today: Figures
    last_15_min: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """What is known of how whole the cells are; milliseconds since the epoch.

    Attributes:
        since_ms: From when on every fact was counted; 0: from before anything that is shown.
        estimated_until_ms: End of the last stretch with lost steps; 0: there is none.
        corrected_ms: When a call that the witness corrected was last queued, by queue.
        gaps: In the log, since before anything that is shown.
    """

    since_ms: int = 0
    estimated_until_ms: int = 0
    corrected_ms: Mapping[QueueId, int] | None = None
    gaps: Sequence[LogGap] = ()

    def grade(self, queue_id: QueueId | None, start_ms: int) -> Grade:
        """Return the grade of an interval that began at *start_ms*; queue None: of all queues."""
        if self.since_ms > start_ms:
            return Grade.UNKNOWN
        of_gaps = worst_of(gap.grade for gap in self.gaps if gap.ended_ms > start_ms)
        if of_gaps is FiguresGrade.UNKNOWN:
            return Grade.UNKNOWN
        if self.estimated_until_ms > start_ms or of_gaps is FiguresGrade.ESTIMATED:
            return Grade.ESTIMATED
        if of_gaps is FiguresGrade.BACK_FILLED:
            return Grade.BACK_FILLED
        corrected = self.corrected_ms or {}
        last_ms = max(corrected.values(), default=-1) if queue_id is None else corrected.get(queue_id, -1)
        return Grade.BACK_FILLED if last_ms >= start_ms else Grade.LIVE


class Tallies:
    """The cells of today and of the last quarter of an hour.

    Args:
        zone: Whose midnight begins a day.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._days: dict[int, dict[QueueId | None, Cell]] = {}  # under None: everything, not the rest
        self._buckets: dict[QueueId | None, dict[int, Cell]] = {}
        self._day_ms = (0, 0)  # the day of the fact added last, half-open

    def add(self, queue_id: QueueId | None, at_ms: int, cell: Cell) -> None:
        """Count what happened at *at_ms*; queue None: a fact of no queue, which is in the total alone."""
        day = self._day_of(at_ms)
        bucket = at_ms // BUCKET_MS
        for key in {queue_id, None}:
            if day is not None:
                day[key] = day[key] + cell if key in day else cell
            buckets = self._buckets.setdefault(key, {})
            buckets[bucket] = buckets[bucket] + cell if bucket in buckets else cell
            if len(buckets) > 2 * WINDOW_BUCKETS:
                newest = max(buckets)
                self._buckets[key] = {
                    number: kept for number, kept in buckets.items() if number > newest - WINDOW_BUCKETS
                }

    def today(self, queue_id: QueueId | None, now_ms: int) -> Cell:
        """Return the cell of the local day of *now_ms*; queue None: of everything."""
        return self._days.get(day_bounds_ms(now_ms, self.zone)[0], {}).get(queue_id, _NOTHING)

    def recent(self, queue_id: QueueId | None, now_ms: int) -> Cell:
        """Return the cell of the last quarter of an hour; queue None: of everything."""
        first, last = window_start_ms(now_ms) // BUCKET_MS, now_ms // BUCKET_MS
        buckets = self._buckets.get(queue_id, {})
        return total(cell for number, cell in buckets.items() if first <= number <= last)

    def _day_of(self, at_ms: int) -> dict[QueueId | None, Cell] | None:
        """The cells of that day; None: of a day that is not kept any more."""
        if not self._day_ms[0] <= at_ms < self._day_ms[1]:
            self._day_ms = day_bounds_ms(at_ms, self.zone)
            self._days.setdefault(self._day_ms[0], {})
            for old in sorted(self._days)[:-_DAYS_KEPT]:
                del self._days[old]
        return self._days.get(self._day_ms[0])


def figures(cell: Cell, grade: Grade) -> Figures:
    """Return the figures of a cell.

    >>> nothing = figures(Cell(), Grade.LIVE)
    >>> (nothing.offered_count, nothing.service_level, nothing.asa_s, nothing.aht_s)
    (0, None, None, None)
    """
    handled = cell.handled_count
    return Figures(
        offered_count=cell.offered_count,
        answered_count=cell.answered_count,
        answered_within_count=cell.answered_within_count,
        abandoned_count=cell.abandoned_count,
        short_abandoned_count=cell.short_abandoned_count,
        service_level=_rounded(SERVICE_LEVELS[SERVICE_LEVEL_FORMULA](cell), 6),
        service_level_formula=SERVICE_LEVEL_FORMULA,
        asa_s=_rounded(ASA(cell), 3),
        wait_max_s=cell.wait_answered_max_ms / 1000 if cell.answered_count else None,
        handled_count=handled,
        aht_s=_rounded(AHT(cell), 3),
        talk_s=_mean_s(cell.talk_ms, handled),
        hold_s=_mean_s(cell.hold_ms, handled),
        wrap_up_s=_mean_s(cell.wrap_up_ms, handled),
        grade=grade,
    )


def day_bounds_ms(at_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """Return the start and the end of the local day of *at_ms*, in milliseconds since the epoch.

    >>> start_ms, end_ms = day_bounds_ms(1_774_780_000_000, ZoneInfo("Europe/Berlin"))  # 29 March 2026
    >>> (end_ms - start_ms) / 3_600_000
    23.0
    """
    day = (_EPOCH + at_ms * _MS).astimezone(zone).date()
    return _midnight_ms(day, zone), _midnight_ms(day + timedelta(days=1), zone)


def window_start_ms(now_ms: int) -> int:
    """Return where the quarter of an hour begins that ends with the running bucket."""
    return (now_ms // BUCKET_MS - WINDOW_BUCKETS + 1) * BUCKET_MS


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    """The day's first instant: that of the skip where midnight is skipped, the first where it is twice."""
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // _MS


def _mean_s(sum_ms: int, count: int) -> float | None:
    return round(sum_ms / 1000 / count, 3) if count else None


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
