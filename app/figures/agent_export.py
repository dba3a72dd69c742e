"""Agents' figures to take away: CSV or an Excel workbook, the same rows, and their total as the last.

As ``app.figures.export``: moments are the zone's own, what there is no time or no call for is blank, and a
name that looks like a formula does not run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import xlsxwriter

from app.csv_safety import neutral
from app.figures.agent_reader import AgentsTable
from app.figures.export import TOTAL
from app.figures.rules import PeriodRow
from workforce.agent_cells import AgentCell
from workforce.formulas import Unit
from workforce.series import stamp

_FIRST: Final = ("start", "end", "key", "name")
_LAST: Final = ("grade", "is_running")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page
_XLSX_MOMENT: Final = "yyyy-mm-dd hh:mm"
_XLSX_UNITS: Final = {Unit.SHARE: "0.0%", Unit.SECONDS: "0.0", Unit.TOTAL: "0.0", Unit.PER_HOUR: "0.00"}


def agents_csv(table: AgentsTable, columns: Sequence[str] = ()) -> str:
    """Return the table as CSV; *columns*: terms and formula ids in their order, none: all."""
    shown = columns_of(table, columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow((*_FIRST, *shown, *_LAST))
    for row, key, name in _named(table):
        values = (table.value_of(row, column) for column in shown)
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


def agents_xlsx(table: AgentsTable, columns: Sequence[str] = ()) -> bytes:
    """Return the table as an Excel workbook; it blocks for about a second per 10,000 rows."""
    shown = columns_of(table, columns)
    zone = ZoneInfo(table.zone)
    written = io.BytesIO()
    book = xlsxwriter.Workbook(
        written,
        {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        | {"strings_to_numbers": False},
    )
    sheet = book.add_worksheet("agents")
    sheet.freeze_panes(1, len(_FIRST))
    moment = book.add_format({"num_format": _XLSX_MOMENT})
    units = {unit: book.add_format({"num_format": form}) for unit, form in _XLSX_UNITS.items()}
    sheet.write_row(0, 0, (*_FIRST, *shown, *_LAST), book.add_format({"bold": True}))
    for number, (row, key, name) in enumerate(_named(table), 1):
        for column, at_ms in enumerate((row.start_ms, row.end_ms)):
            local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
            sheet.write_datetime(number, column, local, moment)
        sheet.write_string(number, 2, key)
        sheet.write_string(number, 3, name)
        for place, each in enumerate(shown, len(_FIRST)):
            formula = table.formulas.get(each)
            if (value := table.value_of(row, each)) is not None:
                sheet.write_number(number, place, value, units[formula.unit] if formula else None)
        sheet.write_string(number, len(_FIRST) + len(shown), row.grade.value)
        sheet.write_boolean(number, len(_FIRST) + len(shown) + 1, row.is_running)
    book.close()
    return written.getvalue()


def columns_of(table: AgentsTable, columns: Sequence[str]) -> list[str]:
    """Return the columns to show: those asked for that this table has, else all."""
    known = [*table.terms, *table.formulas]
    return [column for column in columns if column in known] or known


def _named(table: AgentsTable) -> Iterator[tuple[PeriodRow[AgentCell], str, str]]:
    for row in table.rows:
        yield row, neutral(row.key), neutral(table.names.get(row.key, ""))
    yield table.whole, TOTAL, ""
