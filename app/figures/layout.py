"""A table of figures as it is seen: the columns chosen, in the order chosen, every cell as it reads. Pure.

Page, CSV, workbook, PDF and mail show one report alike because they are laid out by the same rules: blanks
stay last whichever way is sorted, a share has one digit, a length is m:ss.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from app.figures.dimensions import FiguresBy
from app.figures.facts import TERMS
from app.figures.reader import FiguresTable
from app.figures.rules import FiguresRow
from app.figures.words import Language, word
from workforce.formulas import FORMULAS, Unit, term
from workforce.periods import PeriodStep

ALL_COLUMNS: Final = (*TERMS, *FORMULAS)
_KEY: Final = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Which columns, and sorted by what: a column or ``key``, ``-`` before it for the largest first."""

    columns: Sequence[str] = ALL_COLUMNS
    sort: str = ""


WHOLE: Final = Shape()


def is_column(name: str) -> bool:
    """Say whether there is such a term or formula."""
    return name in FORMULAS or name in TERMS


def value_of(row: FiguresRow, column: str) -> float | int | None:
    """Return what a column holds in a row; None: no calls."""
    return row.figures[column] if column in FORMULAS else term(row.cell, column)


def value_text(value: float | int | None, column: str) -> str:
    """Return a value as it is read.

    >>> value_text(0.8525, "SL-C"), value_text(75.9, "ASA"), value_text(1234, "offered_count")
    ('85.3%', '1:15', '1,234')
    """
    if value is None:
        return ""
    formula = FORMULAS.get(column)
    if formula is not None and formula.unit is Unit.SHARE:
        share = (Decimal(repr(float(value))) * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
        return f"{share:,}%"
    if formula is not None:
        return _clock(value)
    return _clock(value / 1000) if column.endswith("_ms") else f"{value:,}"


def column_name(column: str, language: Language) -> str:
    """Return what a column is called in short: the field's own sign, or the term's word."""
    if column in FORMULAS:
        return column.replace("WAIT_P", "P").replace("WAIT_MAX", "MAX").replace("_", " ")
    return word(language, f"term.{column}", column)


def key_name(table: FiguresTable, key: str, language: Language) -> str:
    """Return what a key is called now."""
    if not key:
        return word(language, "key.none")
    if table.asked.by is FiguresBy.CUSTOMER_GROUP:
        return word(language, f"kind.{key}", key)
    return table.names.get(key) or key


def grade_text(row: FiguresRow, language: Language) -> str:
    """Return how complete a row is, in words."""
    said = word(language, f"grade.{row.grade.value}", row.grade.value)
    return f"{said}, {word(language, 'figures.so_far')}" if row.is_running else said


def period_text(table: FiguresTable, row: FiguresRow) -> str:
    """Return a period by the zone's clocks; an hour that the clock shows twice says its offset."""
    zone = ZoneInfo(table.zone)
    start, end = (datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone) for at_ms in _bounds(row))
    if table.asked.step in (PeriodStep.QUARTER, PeriodStep.HALF_HOUR, PeriodStep.HOUR):
        is_twice = start.replace(fold=0).utcoffset() != start.replace(fold=1).utcoffset()
        return f"{start:%Y-%m-%d %H:%M}{f' ({start:%z})' if is_twice else ''} – {end:%H:%M}"
    last = datetime.fromtimestamp(row.end_ms / 1000 - 1, UTC).astimezone(zone)
    first_day, last_day = f"{start:%Y-%m-%d}", f"{last:%Y-%m-%d}"
    return first_day if first_day == last_day else f"{first_day} – {last_day}"


def sorted_rows(table: FiguresTable, sort: str, language: Language = "en") -> list[FiguresRow]:
    """Return the rows in the order asked for; by time and key where none is."""
    column = sort.removeprefix("-")
    is_down = sort.startswith("-")
    if column == _KEY:
        return sorted(
            table.rows, key=lambda row: _natural(key_name(table, row.key, language)), reverse=is_down
        )
    if not is_column(column):
        return list(table.rows)
    known = [row for row in table.rows if value_of(row, column) is not None]
    blank = [row for row in table.rows if value_of(row, column) is None]
    sign = -1 if is_down else 1
    return [*sorted(known, key=lambda row: sign * (value_of(row, column) or 0)), *blank]


def has_period(table: FiguresTable) -> bool:
    """Say whether rows are told apart by their periods."""
    return table.asked.step is not PeriodStep.RANGE


def has_key(table: FiguresTable) -> bool:
    """Say whether rows are told apart by a key."""
    return table.asked.by is not FiguresBy.NOTHING


def texts(table: FiguresTable, shape: Shape, language: Language) -> list[list[str]]:
    """Return the table as it reads: its head, its rows, its total."""
    head = [word(language, "column.period")] if has_period(table) else []
    head += [word(language, f"by.{table.asked.by.value}")] if has_key(table) else []
    if not head:
        head = [""]
    head += [column_name(column, language) for column in shape.columns]
    lines = [
        _line(table, row, shape.columns, _named(table, row, language), language)
        for row in sorted_rows(table, shape.sort, language)
    ]
    first = [word(language, "figures.total")] + [""] * (has_period(table) and has_key(table))
    total = _line(table, table.whole, shape.columns, first, language)
    return [[*head, word(language, "column.grade")], *lines, total]


def _named(table: FiguresTable, row: FiguresRow, language: Language) -> list[str]:
    named = [period_text(table, row)] if has_period(table) else []
    named += [key_name(table, row.key, language)] if has_key(table) else []
    return named or [period_text(table, row)]


def _line(
    table: FiguresTable, row: FiguresRow, columns: Iterable[str], named: list[str], language: Language
) -> list[str]:
    cells = (value_text(value_of(row, column), column) for column in columns)
    return [*named, *cells, grade_text(row, language)]


def _bounds(row: FiguresRow) -> tuple[int, int]:
    return row.start_ms, row.end_ms


def _natural(name: str) -> list[tuple[int, int, str]]:
    """``2`` before ``10``, whatever the case."""
    parts = re.split(r"(\d+)", name.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]


def _clock(length_s: float) -> str:
    whole = max(0, int(length_s))
    hours, minutes, seconds = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
