"""``python -m app.customers.import_files SOURCE ROWS``: an uploaded list as one JSON array per line.

Runs as a process of its own, with bounded memory: it reads what strangers made. What it found (format,
encoding, delimiter, columns with samples) is printed as JSON, or ``{"error_id": …}``.
"""

from __future__ import annotations

import csv
import io
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
import python_calamine

from app.customers.text_encodings import decoded

ROWS_MAX: Final = 500_000
COLUMNS_MAX: Final = 200
CELL_CHARS_MAX: Final = 4_000
SAMPLES_MAX: Final = 5
MEMORY_BYTES_MAX: Final = 2 * 1024**3
UNPACKED_BYTES_MAX: Final = 768 * 1024**2
"""Of a workbook, which is a ZIP file: a small one may unpack to anything."""
_DELIMITERS = (",", "\t", ";", "|")
_SNIFFED_LINES = 50
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class UnreadableError(Exception):
    """The file cannot be read; its text is the ``error_id``."""


def main() -> None:
    """Read the file that the first argument names into the one that the second names."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    try:
        said = read_list(Path(sys.argv[1]), Path(sys.argv[2]))
    except UnreadableError as error:
        said = {"error_id": str(error)}
    except MemoryError:
        said = {"error_id": "import_too_large"}
    sys.stdout.buffer.write(orjson.dumps(said))


def read_list(source: Path, target: Path) -> dict[str, Any]:
    """Write *source*'s rows to *target*; return what is known of them.

    Raises:
        UnreadableError: it is no list that we read, or exceeds a limit.
    """
    with source.open("rb") as file:
        magic = file.read(8)
    if magic.startswith(_ZIP) or magic.startswith(_OLE):
        about, rows = _workbook(source)
    else:
        about, rows = _text(source.read_bytes())
    summary = _Summary()
    with target.open("wb") as out:
        for row in summary.counted(rows):
            out.write(orjson.dumps(row) + b"\n")
    if not summary.row_count or not summary.headers:
        raise UnreadableError("import_empty")
    return {**about, **summary.told()}


class _Summary:
    """Counts rows and keeps the first samples of each column."""

    def __init__(self) -> None:
        self.row_count = 0
        self.headers: list[str] = []
        self._samples: list[list[str]] = []

    def counted(self, rows: Iterable[list[str]]) -> Iterator[list[str]]:
        for row in rows:
            while row and not row[-1]:
                row.pop()
            if len(row) > COLUMNS_MAX:
                raise UnreadableError("import_too_many_columns")
            if not self.headers:
                if not row:
                    continue  # empty lines above the header
                self.headers = row
                self._samples = [[] for _ in row]
                yield row
                continue
            self.row_count += 1
            if self.row_count > ROWS_MAX:
                raise UnreadableError("import_too_many_rows")
            for at, cell in enumerate(row):
                if at == len(self.headers):
                    self.headers.append("")
                    self._samples.append([])
                if cell and len(self._samples[at]) < SAMPLES_MAX:
                    self._samples[at].append(cell[:100])
            yield row

    def told(self) -> dict[str, Any]:
        columns = [
            {"header": header[:200], "samples": samples}
            for header, samples in zip(self.headers, self._samples, strict=True)
        ]
        return {"row_count": self.row_count, "columns": columns}


def _text(data: bytes) -> tuple[dict[str, Any], Iterator[list[str]]]:
    found = decoded(data)
    if found is None:
        raise UnreadableError("import_no_text")
    text, encoding = found
    csv.field_size_limit(1_000_000)
    delimiter = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return {"format": "csv", "encoding": encoding, "delimiter": delimiter}, _csv_rows(reader)


def _csv_rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        for row in reader:
            yield [_cell(cell) for cell in row]
    except csv.Error as error:
        raise UnreadableError("import_bad_csv") from error


def _delimiter(text: str) -> str:
    """The one that cuts the first lines into the same number of columns, the more the better."""

    def score(delimiter: str) -> tuple[float, int]:
        try:
            lines = io.StringIO(text[:200_000], newline="")
            widths = [
                len(row) for row in islice(csv.reader(lines, delimiter=delimiter), _SNIFFED_LINES) if row
            ]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] == 1:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    return max(_DELIMITERS, key=score)


def _workbook(source: Path) -> tuple[dict[str, Any], Iterator[list[str]]]:
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > UNPACKED_BYTES_MAX:
                raise UnreadableError("import_too_large")
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(str(source))
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.height:
                rows = ([_cell(cell) for cell in row] for row in sheet.iter_rows())
                return {"format": "workbook", "encoding": "", "delimiter": "", "sheet": name[:200]}, rows
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise UnreadableError("import_bad_workbook") from error
    raise UnreadableError("import_empty")


def _cell(value: Any) -> str:
    """A cell as text: whole numbers without a point, moments as ISO 8601, no control characters."""
    match value:
        case str():
            text = value
        case bool():
            text = "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 1e15:
            text = str(int(value))
        case datetime() if value.time() == time(0):
            text = value.date().isoformat()
        case datetime() | date() | time():
            text = value.isoformat()
        case None:
            text = ""
        case _:
            text = str(value)
    kept = "".join(letter for letter in text[:CELL_CHARS_MAX] if letter.isprintable() or letter in "\n\t")
    return kept.strip()


if __name__ == "__main__":
    main()
