"""A table of figures from cells: one row per period and key, its total, its grade. Pure.

What a row shows is computed from its own cell, and the total from the sum of all cells: figures do not add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from workforce.formulas import FORMULAS
from workforce.measures import Cell, total


class FiguresGrade(StrEnum):
    """How complete the figures of a period are; the worst that holds."""

    LIVE = "live"
    BACK_FILLED = "back_filled"  # the witness corrected or supplied a call in it
    UNKNOWN = "unknown"  # it begins before the log does


_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow:
    """One row.

    Attributes:
        start_ms, end_ms: The period, half-open, in milliseconds since the epoch.
        key: Id of the queue or entry point; "" for none.
        cell: What the row is computed from.
        figures: By formula id; None where there were no calls to compute it from.
        is_running: It is not over; all is said of it so far.
    """

    start_ms: int
    end_ms: int
    key: str
    cell: Cell
    figures: Mapping[str, float | None]
    grade: FiguresGrade
    is_running: bool


def figures_of(cell: Cell) -> dict[str, float | None]:
    """Return all figures of a cell, rounded here and nowhere else.

    >>> figures_of(Cell(answered_count=3, answered_within_count=2))["SL-A"], figures_of(Cell())["SL-C"]
    (0.666667, None)
    """
    found = ((name, formula(cell)) for name, formula in FORMULAS.items())
    return {name: None if value is None else round(value, _DIGITS) for name, value in found}


def figures_table(
    cells: Mapping[tuple[int, str], Cell],
    bounds_ms: Sequence[int],
    *,
    corrected: Set[tuple[int, str]] = frozenset(),
    since_ms: int | None,
    now_ms: int,
) -> list[FiguresRow]:
    """Return the rows that have a fact, by period and then by key, and last the total over all periods.

    Args:
        cells, corrected: By number of the period and key, as ``app.figures.queries.period_cells`` gives them.
        bounds_ms: Of the periods.
        since_ms: When the log begins; None: it is empty.
        now_ms: What ends later is running.
    """

    def grade(start_ms: int, end_ms: int, is_corrected: bool) -> FiguresGrade:
        if since_ms is None or start_ms < since_ms < end_ms:
            return FiguresGrade.UNKNOWN
        return FiguresGrade.BACK_FILLED if is_corrected else FiguresGrade.LIVE

    def row(start_ms: int, end_ms: int, key: str, cell: Cell, is_corrected: bool) -> FiguresRow:
        return FiguresRow(
            start_ms=start_ms,
            end_ms=end_ms,
            key=key,
            cell=cell,
            figures=figures_of(cell),
            grade=grade(start_ms, end_ms, is_corrected),
            is_running=end_ms > now_ms,
        )

    rows = [
        row(bounds_ms[number], bounds_ms[number + 1], key, cell, (number, key) in corrected)
        for (number, key), cell in sorted(cells.items())
    ]
    return [*rows, row(bounds_ms[0], bounds_ms[-1], "", total(cells.values()), bool(corrected))]
