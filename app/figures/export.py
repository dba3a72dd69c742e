"""A table of figures to take away: CSV or an Excel workbook, the same rows, and their total as the last.

Moments are the zone's own (with their offset in the CSV; Excel knows no zones), no calls are blank, and a
name that looks like a formula does not run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from app.csv_safety import neutral
from app.figures.facts import TERMS
from app.figures.reader import FiguresTable
from app.figures.rules import FiguresRow
from workforce.formulas import FORMULAS, Unit, term
from workforce.series import stamp

TOTAL: Final = "total"
HEADER: Final = ("start", "end", "key", "name", *TERMS, *FORMULAS, "grade", "is_running")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page
_XLSX_MOMENT: Final = "yyyy-mm-dd hh:mm"
_XLSX_UNITS: Final = {Unit.SHARE: "0.0%", Unit.SECONDS: "0.0"}


def csv_of(table: FiguresTable) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row, key, name in _named(table):
        writer.writerow(
            [
                stamp(row.start_ms // 1000, table.zone),
                stamp(row.end_ms // 1000, table.zone),
                key,
                name,
                *(term(row.cell, each) for each in TERMS),
                *("" if value is None else value for value in row.figures.values()),
                row.grade.value,
                int(row.is_running),
            ]
        )
    return _BYTE_ORDER_MARK + text.getvalue()


def xlsx_of(table: FiguresTable) -> bytes:
    """Return the table as an Excel workbook; it blocks for about a second per 10,000 rows."""
    zone = ZoneInfo(table.zone)
    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        | {"strings_to_numbers": False},
    )
    sheet = book.add_worksheet("figures")
    sheet.freeze_panes(1, 4)
    moment = book.add_format({"num_format": _XLSX_MOMENT})
    units = {unit: book.add_format({"num_format": shape}) for unit, shape in _XLSX_UNITS.items()}
    sheet.write_row(0, 0, HEADER, book.add_format({"bold": True}))
    for number, (row, key, name) in enumerate(_named(table), 1):
        for column, at_ms in enumerate((row.start_ms, row.end_ms)):
            local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
            sheet.write_datetime(number, column, local, moment)
        sheet.write_string(number, 2, key)
        sheet.write_string(number, 3, name)
        sheet.write_row(number, 4, [term(row.cell, each) for each in TERMS])
        _write_figures(sheet, number, row, units)
    book.close()
    return written.getvalue()


def _write_figures(sheet: Any, number: int, row: FiguresRow, units: dict[Unit, Any]) -> None:
    column = 4 + len(TERMS)
    for figure_id, value in row.figures.items():
        if value is not None:
            sheet.write_number(number, column, value, units[FORMULAS[figure_id].unit])
        column += 1
    sheet.write_string(number, column, row.grade.value)
    sheet.write_boolean(number, column + 1, row.is_running)


def _named(table: FiguresTable) -> Iterator[tuple[FiguresRow, str, str]]:
    for row in table.rows:
        yield row, neutral(row.key), neutral(table.names.get(row.key, ""))
    yield table.whole, TOTAL, ""
