"""Contacts per person and transfers by pair to take away: CSV or Excel, the total last."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import xlsxwriter

from app.csv_safety import neutral
from app.figures.counted import PAIR, CountedTable
from app.figures.export import TOTAL
from app.figures.rules import PeriodRow
from workforce.contact_formulas import Counts
from workforce.series import stamp

_FIRST: Final = ("start", "end", "key", "name")
_LAST: Final = ("grade", "is_running")
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page


def pair_name(table: CountedTable, key: str) -> str:
    """Return what a key is called now; of a pair both sides."""
    if not table.subject.key:
        return table.names.get(key, key)
    first, _, second = key.partition(PAIR)
    sides = (f"{table.asked.by.value}:{first}", second)
    return " → ".join(table.names.get(side, side.partition(":")[2] or side.rstrip(":")) for side in sides)


def counted_csv(table: CountedTable, columns: Sequence[str] = ()) -> str:
    """Return the table as CSV; *columns*: terms and formula ids in their order, none: all."""
    shown = _columns(table, columns)
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow((*_FIRST, *shown, *_LAST))
    for row, key, name in _named(table):
        values = (table.value_of(row, column) for column in shown)
        moments = (stamp(at_ms // 1000, table.zone) for at_ms in (row.start_ms, row.end_ms))
        told = ("" if value is None else value for value in values)
        writer.writerow([*moments, key, name, *told, row.grade.value, int(row.is_running)])
    return _BYTE_ORDER_MARK + written.getvalue()


def counted_xlsx(table: CountedTable, columns: Sequence[str] = ()) -> bytes:
    """Return the table as an Excel workbook; it blocks for about a second per 10,000 rows."""
    shown = _columns(table, columns)
    zone = ZoneInfo(table.zone)
    written = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(written, {"in_memory": True} | plain)
    sheet = book.add_worksheet(table.subject.name)
    sheet.freeze_panes(1, len(_FIRST))
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    share = book.add_format({"num_format": "0.0%"})
    sheet.write_row(0, 0, (*_FIRST, *shown, *_LAST), book.add_format({"bold": True}))
    for number, (row, key, name) in enumerate(_named(table), 1):
        for column, at_ms in enumerate((row.start_ms, row.end_ms)):
            local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).replace(tzinfo=None)
            sheet.write_datetime(number, column, local, moment)
        sheet.write_string(number, 2, key)
        sheet.write_string(number, 3, name)
        for place, each in enumerate(shown, len(_FIRST)):
            if (value := table.value_of(row, each)) is not None:
                sheet.write_number(number, place, value, share if each in table.subject.formulas else None)
        sheet.write_string(number, len(_FIRST) + len(shown), row.grade.value)
        sheet.write_boolean(number, len(_FIRST) + len(shown) + 1, row.is_running)
    book.close()
    return written.getvalue()


def _columns(table: CountedTable, columns: Sequence[str]) -> list[str]:
    known = table.subject.columns
    return [column for column in columns if column in known] or list(known)


def _named(table: CountedTable) -> Iterator[tuple[PeriodRow[Counts], str, str]]:
    for row in table.rows:
        yield row, neutral(row.key), neutral(pair_name(table, row.key))
    yield table.whole, TOTAL, ""
