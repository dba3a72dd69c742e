"""The calls that were asked for as a table to take away: CSV in a stream, or an Excel workbook.

Cells are what a spreadsheet shows, never what it runs: text that a caller sent cannot become a formula.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from app.calls.reader import CallReader
from app.calls.rules import CallFilter, Sight
from app.csv_safety import neutral

CALLS_MAX: Final = 50_000
_PAGE: Final = 500
_BYTE_ORDER_MARK: Final = "\ufeff"  # without it Excel reads Chinese names in its own code page
_XLSX_MOMENT: Final = "yyyy-mm-dd hh:mm:ss"

_Cell = str | float | int | datetime | None


def _seconds(name: str) -> Callable[[Mapping[str, Any]], _Cell]:
    return lambda call: round(call[name] / 1000, 3)


def _text(name: str) -> Callable[[Mapping[str, Any]], _Cell]:
    return lambda call: str(call[name]) if call.get(name) is not None else ""


_COLUMNS: Final[Sequence[tuple[str, Callable[[Mapping[str, Any]], _Cell]]]] = (
    ("call", _text("interaction_id")),
    ("began", lambda call: call["started_at"]),
    ("answered", lambda call: call["answered_at"]),
    ("ended", lambda call: call["ended_at"]),
    ("direction", _text("direction")),
    ("entry_point", _text("entry_point")),
    ("number", _text("caller_number")),
    ("name", _text("caller_name")),
    ("party", _text("party_name")),
    ("party_id", _text("party_id")),
    ("queue", _text("queue_id")),
    ("agent", _text("agent_id")),
    ("agent_name", _text("agent_name")),
    ("outcome", _text("outcome")),
    ("ended_by", _text("ended_by")),
    ("wait_s", _seconds("wait_ms")),
    ("talk_s", _seconds("talk_ms")),
    ("hold_s", _seconds("hold_ms")),
    ("wrap_up_s", _seconds("wrap_up_ms")),
    ("wrap_up_code", _text("wrap_up_code")),
    ("offers", lambda call: call["offer_count"]),
    ("grade", _text("grade")),
)
HEADER: Final = tuple(name for name, _ in _COLUMNS)


async def csv_of(calls: CallReader, wanted: CallFilter, sight: Sight, zone: ZoneInfo) -> AsyncIterator[bytes]:
    """Yield the calls as CSV, page by page; moments with their offset from UTC."""
    yield (_BYTE_ORDER_MARK + _lines([HEADER])).encode()
    async for page in _pages(calls, wanted, sight):
        yield _lines([_shown(cell, zone) for cell in _cells(call)] for call in page).encode()


async def write_xlsx(calls: CallReader, wanted: CallFilter, sight: Sight, zone: ZoneInfo, path: Path) -> None:
    """Write the calls as an Excel workbook; moments are the zone's own, since Excel knows no zones."""
    with tempfile.TemporaryDirectory(dir=path.parent) as rows_directory:
        book = xlsxwriter.Workbook(
            str(path),
            {"constant_memory": True, "tmpdir": rows_directory, "strings_to_formulas": False}
            | {"strings_to_urls": False, "strings_to_numbers": False},
        )
        sheet = book.add_worksheet("calls")
        sheet.freeze_panes(1, 0)
        moment = book.add_format({"num_format": _XLSX_MOMENT})
        sheet.write_row(0, 0, HEADER, book.add_format({"bold": True}))
        at_row = 1
        async for page in _pages(calls, wanted, sight):
            rows = [_cells(call) for call in page]
            await asyncio.to_thread(_write_rows, sheet, at_row, rows, moment, zone)
            at_row += len(rows)
        await asyncio.to_thread(book.close)


async def _pages(
    calls: CallReader, wanted: CallFilter, sight: Sight
) -> AsyncIterator[Sequence[Mapping[str, Any]]]:
    cursor: str | None = None
    for _ in range(CALLS_MAX // _PAGE):
        page = await calls.page(wanted, sight, limit=_PAGE, cursor=cursor)
        yield page.calls
        cursor = page.next_cursor
        if cursor is None:
            return


def _cells(call: Mapping[str, Any]) -> list[_Cell]:
    return [value(call) for _, value in _COLUMNS]


def _shown(cell: _Cell, zone: ZoneInfo) -> str:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.astimezone(zone).isoformat(timespec="milliseconds")
        case str():
            return neutral(cell)
        case _:
            return str(cell)


def _lines(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def _write_rows(
    sheet: Any, at_row: int, rows: Sequence[Sequence[_Cell]], moment: Any, zone: ZoneInfo
) -> None:
    for number, cells in enumerate(rows, at_row):
        for column, cell in enumerate(cells):
            match cell:
                case None | "":
                    pass
                case datetime():
                    local = cell.astimezone(zone).replace(tzinfo=None)
                    sheet.write_datetime(number, column, local, moment)
                case str():
                    sheet.write_string(number, column, neutral(cell))
                case _:
                    sheet.write_number(number, column, cell)
