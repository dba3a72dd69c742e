"""No cell that leaves or enters is a formula to a spreadsheet."""

from __future__ import annotations

import csv
import io
import re

from hypothesis import example, given
from hypothesis import strategies as st

from app.csv_safety import is_formula, neutral
from app.customers.export_rows import csv_lines

_TRIGGERS = st.sampled_from(
    ["=", "+", "-", "@", "\t=", " =", "\r", "\n+", "|", "%", "＝", "\u200b=", "\ufeff@"]
)
_CELLS = st.one_of(st.text(), st.builds(str.__add__, _TRIGGERS, st.text()))


@given(_CELLS)
@example("=cmd|' /C calc'!A0")
@example("\u202e=1")
def test_no_neutral_cell_begins_as_a_formula_does(cell: str) -> None:
    begun = neutral(cell).lstrip()
    is_number = re.fullmatch(r"\+?[0-9][0-9 ]*|-?[0-9]+(\.[0-9]+)?", neutral(cell))
    assert is_number or not begun.startswith(tuple("=+-@|%＝＋－＠"))


@given(_CELLS)
def test_neutralising_is_done_once_and_loses_nothing(cell: str) -> None:
    once = neutral(cell)
    assert neutral(once) == once
    assert not is_formula(once)
    assert once.removeprefix("'") == cell.removeprefix("'") or once == cell


@given(st.lists(st.lists(_CELLS, min_size=1, max_size=5), max_size=5))
def test_a_list_is_read_as_it_was_written(rows: list[list[str]]) -> None:
    safe = [[neutral(cell.replace("\x00", "")) for cell in row] for row in rows]
    assert list(csv.reader(io.StringIO(csv_lines(safe), newline=""))) == safe
