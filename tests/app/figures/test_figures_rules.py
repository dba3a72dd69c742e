"""The table: rows from their own cells, the whole from their sum, and the grade of each."""

from __future__ import annotations

import pytest

from app.figures.rules import FiguresGrade, figures_table
from workforce.measures import Cell

BOUNDS_MS = (0, 1_000, 2_000, 3_000)


def _cell(answered: int, within: int) -> Cell:
    return Cell(offered_count=answered, answered_count=answered, answered_within_count=within)


def test_the_whole_is_computed_from_the_sum_and_not_from_the_rows_figures() -> None:
    cells = {(0, "sales"): _cell(1, 1), (2, "sales"): _cell(9, 0), (2, "billing"): Cell(offered_count=1)}
    *rows, whole = figures_table(cells, BOUNDS_MS, since_ms=0, now_ms=3_000)
    assert [(row.start_ms, row.key, row.figures["SL-A"]) for row in rows] == [
        (0, "sales", 1.0),
        (2_000, "billing", None),
        (2_000, "sales", 0.0),
    ]
    assert (whole.start_ms, whole.end_ms, whole.figures["SL-A"], whole.cell.offered_count) == (
        0,
        3_000,
        0.1,
        11,
    )


@pytest.mark.parametrize(
    ("since_ms", "now_ms", "grades"),
    [
        (0, 3_000, ["live", "back_filled", "live", "back_filled"]),
        (0, 2_500, ["live", "back_filled", "live", "back_filled"]),  # the third period is running
        (500, 3_000, ["unknown", "back_filled", "live", "unknown"]),  # the log begins within the first
        (None, 3_000, ["unknown"] * 4),
    ],
)
def test_a_period_has_the_worst_grade_that_holds(
    since_ms: int | None, now_ms: int, grades: list[str]
) -> None:
    cells = {(number, "sales"): _cell(1, 1) for number in range(3)}
    rows = figures_table(cells, BOUNDS_MS, corrected={(1, "sales")}, since_ms=since_ms, now_ms=now_ms)
    assert [row.is_running for row in rows] == [row.end_ms > now_ms for row in rows]
    assert [row.grade for row in rows] == [FiguresGrade(grade) for grade in grades]
