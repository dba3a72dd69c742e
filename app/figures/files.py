"""A table of figures as a file: CSV or an Excel workbook, the same rows, and their total as the last.

Moments are the zone's own (with their offset in the CSV; Excel knows no zones), what is blank on the page is
blank, and a name that looks like a formula does not run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from app.csv_safety import neutral
from app.figures.rules import PeriodRow
from workforce.formulas import Unit
from workforce.series import stamp

TOTAL: Final = "total"
_FIRST: Final = ("start", "end", "key", "name")
_LAST: Final = ("grade", "is_running")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page
_XLSX_MOMENT: Final = "yyyy-mm-dd hh:mm"
_XLSX_UNITS: Final = {Unit.SHARE: "0.0%", Unit.SECONDS: "0.0", Unit.TOTAL: "0.0", Unit.PER_HOUR: "0.00"}


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row: its period, what it is called, and a value for each column, None where it is blank."""

    row: PeriodRow[Any]
    key: str
    name: str
    values: Sequence[float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTable:
    """What is written.

    Attributes:
        sheet: Name of the workbook's sheet.
        zone: IANA name.
        columns: Terms and formula ids.
        units: Of the columns that are formulas.
        rows: In their order, the total last.
    """

    sheet: str
    zone: str
    columns: Sequence[str]
    units: Mapping[str, Unit]
    rows: Iterable[FileRow]


def write_file(table: FileTable, path: Path) -> None:
    """Write the table: an Excel workbook where the name ends in ``.xlsx``, else CSV."""
    path.write_bytes(xlsx_bytes(table) if path.suffix.lower() == ".xlsx" else csv_text(table).encode())


def csv_text(table: FileTable) -> str:
    """Return the table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*_FIRST, *table.columns, *_LAST))
    for each in table.rows:
        row = each.row
        moments = (stamp(at_ms // 1000, table.zone) for at_ms in (row.start_ms, row.end_ms))
        values = ("" if value is None else value for value in each.values)
        named = (neutral(each.key), neutral(each.name))
        writer.writerow([*moments, *named, *values, row.grade.value, int(row.is_running)])
    return _BYTE_ORDER_MARK + text.getvalue()


def xlsx_bytes(table: FileTable) -> bytes:
    """Return the table as an Excel workbook; it blocks for about a second per 10,000 rows."""
    zone = ZoneInfo(table.zone)
    written = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(written, {"in_memory": True} | plain)
    sheet = book.add_worksheet(table.sheet)
    sheet.freeze_panes(1, len(_FIRST))
    moment = book.add_format({"num_format": _XLSX_MOMENT})
    formats = {unit: book.add_format({"num_format": form}) for unit, form in _XLSX_UNITS.items()}
    forms = [formats.get(table.units[name]) if name in table.units else None for name in table.columns]
    sheet.write_row(0, 0, (*_FIRST, *table.columns, *_LAST), book.add_format({"bold": True}))
    behind = len(_FIRST) + len(forms)
    for number, each in enumerate(table.rows, 1):
        row = each.row
        for column, at_ms in enumerate((row.start_ms, row.end_ms)):
            local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
            sheet.write_datetime(number, column, local, moment)
        sheet.write_string(number, 2, neutral(each.key))
        sheet.write_string(number, 3, neutral(each.name))
        for place, (value, form) in enumerate(zip(each.values, forms, strict=True), len(_FIRST)):
            if value is not None:
                sheet.write_number(number, place, value, form)
        sheet.write_string(number, behind, row.grade.value)
        sheet.write_boolean(number, behind + 1, row.is_running)
    book.close()
    return written.getvalue()
