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
from app.figures.layout import WHOLE, Shape, sorted_rows, value_of
from app.figures.reader import FiguresTable
from app.figures.rules import FiguresRow
from workforce.formulas import FORMULAS, Unit
from workforce.series import stamp

TOTAL: Final = "total"
_FIRST: Final = ("start", "end", "key", "name")
_LAST: Final = ("grade", "is_running")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page
_XLSX_MOMENT: Final = "yyyy-mm-dd hh:mm"
_XLSX_UNITS: Final = {Unit.SHARE: "0.0%", Unit.SECONDS: "0.0"}


def csv_of(table: FiguresTable, shape: Shape = WHOLE) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*_FIRST, *shape.columns, *_LAST))
    for row, key, name in _named(table, shape):
        values = (value_of(row, column) for column in shape.columns)
        writer.writerow(
            [
                stamp(row.start_ms // 1000, table.zone),
                stamp(row.end_ms // 1000, table.zone),
                key,
                name,
                *("" if value is None else value for value in values),
                row.grade.value,
                int(row.is_running),
            ]
        )
    return _BYTE_ORDER_MARK + text.getvalue()


def xlsx_of(table: FiguresTable, shape: Shape = WHOLE) -> bytes:
    """Return the table as an Excel workbook; it blocks for about a second per 10,000 rows."""
    zone = ZoneInfo(table.zone)
    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        | {"strings_to_numbers": False},
    )
    sheet = book.add_worksheet("figures")
    sheet.freeze_panes(1, len(_FIRST))
    moment = book.add_format({"num_format": _XLSX_MOMENT})
    units = {unit: book.add_format({"num_format": shown}) for unit, shown in _XLSX_UNITS.items()}
    sheet.write_row(0, 0, (*_FIRST, *shape.columns, *_LAST), book.add_format({"bold": True}))
    for number, (row, key, name) in enumerate(_named(table, shape), 1):
        for column, at_ms in enumerate((row.start_ms, row.end_ms)):
            local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
            sheet.write_datetime(number, column, local, moment)
        sheet.write_string(number, 2, key)
        sheet.write_string(number, 3, name)
        _write_values(sheet, number, row, shape, units)
    book.close()
    return written.getvalue()


def _write_values(sheet: Any, number: int, row: FiguresRow, shape: Shape, units: dict[Unit, Any]) -> None:
    place = len(_FIRST)
    for column in shape.columns:
        value = value_of(row, column)
        if value is not None:
            sheet.write_number(
                number, place, value, units[FORMULAS[column].unit] if column in FORMULAS else None
            )
        place += 1
    sheet.write_string(number, place, row.grade.value)
    sheet.write_boolean(number, place + 1, row.is_running)


def _named(table: FiguresTable, shape: Shape) -> Iterator[tuple[FiguresRow, str, str]]:
    for row in sorted_rows(table, shape.sort):
        yield row, neutral(row.key), neutral(table.names.get(row.key, ""))
    yield table.whole, TOTAL, ""
