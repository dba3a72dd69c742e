"""A table of figures from cells: one row per period and key, its total, its grade. Pure.

What a row shows is computed from its own cell, and the total from the sum of all cells: figures do not add.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from workforce.formulas import FORMULAS
from workforce.measures import Cell, total


class FiguresGrade(StrEnum):
    """How complete the figures of a period are; the worst that holds."""

    LIVE = "live"
    BACK_FILLED = "back_filled"  # the witness corrected or supplied a call in it
    ESTIMATED = "estimated"  # part of it is known only as far as it can be: steps of it were lost
    UNKNOWN = "unknown"  # it begins before the log does, or not all of it was heard


class GapCause(StrEnum):
    """Why facts may be missing from a stretch of the log."""

    SERVER_DOWN = "server_down"
    PBX_UNHEARD = "pbx_unheard"
    STEPS_LOST = "steps_lost"  # the disk refused, and there was no room in memory
    UNREADABLE = "unreadable"  # a newer version wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGap:
    """Such a stretch, half-open, in milliseconds since the epoch.

    Attributes:
        is_running: It goes on; *ended_ms* is now.
        is_witnessed: All calls in it were compared with the PBX's own log since.
    """

    started_ms: int
    ended_ms: int
    cause: GapCause
    is_running: bool = False
    is_witnessed: bool = False

    @property
    def grade(self) -> FiguresGrade:
        """How complete what lies in it is. The witness has calls, but no offers, no wrap-up and no agents."""
        if self.cause in (GapCause.STEPS_LOST, GapCause.UNREADABLE):
            return FiguresGrade.ESTIMATED
        return FiguresGrade.BACK_FILLED if self.is_witnessed else FiguresGrade.UNKNOWN


def worst_of(grades: Iterable[FiguresGrade]) -> FiguresGrade:
    """Return the worst of the grades; live, where there is none.

    >>> worst_of([FiguresGrade.BACK_FILLED, FiguresGrade.ESTIMATED, FiguresGrade.LIVE])
    <FiguresGrade.ESTIMATED: 'estimated'>
    """
    return max(grades, key=list(FiguresGrade).index, default=FiguresGrade.LIVE)


def gap_grade(gaps: Iterable[LogGap], start_ms: int, end_ms: int) -> FiguresGrade:
    """Return the worst grade of the gaps that reach into the period."""
    return worst_of(gap.grade for gap in gaps if gap.started_ms < end_ms and gap.ended_ms > start_ms)


_DIGITS = 6
C = TypeVar("C")
"""The cell: a queue's or an agent's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRow(Generic[C]):
    """One row.

    Attributes:
        start_ms, end_ms: The period, half-open, in milliseconds since the epoch.
        key: Id of the queue, agent …; "" for none.
        cell: What the row is computed from.
        figures: By formula id; None where there were no calls to compute it from.
        is_running: It is not over; all is said of it so far.
    """

    start_ms: int
    end_ms: int
    key: str
    cell: C
    figures: Mapping[str, float | None]
    grade: FiguresGrade
    is_running: bool


FiguresRow: TypeAlias = PeriodRow[Cell]
"""A row of the figures of queues."""


def figures_of(cell: Cell) -> dict[str, float | None]:
    """Return all figures of a cell, rounded here and nowhere else.

    >>> figures_of(Cell(answered_count=3, answered_within_count=2))["SL-A"], figures_of(Cell())["SL-C"]
    (0.666667, None)
    """
    return rounded({name: formula(cell) for name, formula in FORMULAS.items()})


def rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return figures as they are shown.

    >>> rounded({"AHT": 1 / 3, "ASA": None})
    {'AHT': 0.333333, 'ASA': None}
    """
    return {name: None if value is None else round(value, _DIGITS) for name, value in figures.items()}


def figures_table(
    cells: Mapping[tuple[int, str], Cell],
    bounds_ms: Sequence[int],
    *,
    corrected: Set[tuple[int, str]] = frozenset(),
    since_ms: int | None,
    now_ms: int,
    gaps: Sequence[LogGap] = (),
) -> list[FiguresRow]:
    """Return ``rows_of`` the cells that ``app.figures.queries.period_cells`` gives."""
    return rows_of(
        cells,
        bounds_ms,
        grades=dict.fromkeys(corrected, FiguresGrade.BACK_FILLED),
        since_ms=since_ms,
        now_ms=now_ms,
        gaps=gaps,
        figures=figures_of,
        add_up=total,
    )


def rows_of(
    cells: Mapping[tuple[int, str], C],
    bounds_ms: Sequence[int],
    *,
    grades: Mapping[tuple[int, str], FiguresGrade],
    since_ms: int | None,
    now_ms: int,
    figures: Callable[[C], Mapping[str, float | None]],
    add_up: Callable[[Iterable[C]], C],
    gaps: Sequence[LogGap] = (),
) -> list[PeriodRow[C]]:
    """Return the rows that have a fact, by period and then by key, and last the total over all periods.

    Args:
        cells, grades: By number of the period and key; what has no grade is live.
        bounds_ms: Of the periods.
        since_ms: When the log begins; None: it is empty.
        now_ms: What ends later is running.
        gaps: In the log.
    """

    def graded(start_ms: int, end_ms: int, grade: FiguresGrade) -> FiguresGrade:
        if since_ms is None or start_ms < since_ms < end_ms:
            return FiguresGrade.UNKNOWN
        return worst_of((grade, gap_grade(gaps, start_ms, end_ms))) if gaps else grade

    def row(start_ms: int, end_ms: int, key: str, cell: C, grade: FiguresGrade) -> PeriodRow[C]:
        return PeriodRow(
            start_ms=start_ms,
            end_ms=end_ms,
            key=key,
            cell=cell,
            figures=figures(cell),
            grade=graded(start_ms, end_ms, grade),
            is_running=end_ms > now_ms,
        )

    rows = [
        row(bounds_ms[number], bounds_ms[number + 1], key, cells[number, key], found)
        for number, key in sorted(cells)
        for found in [grades.get((number, key), FiguresGrade.LIVE)]
    ]
    worst = worst_of(grades.values())
    return [*rows, row(bounds_ms[0], bounds_ms[-1], "", add_up(cells.values()), worst)]
