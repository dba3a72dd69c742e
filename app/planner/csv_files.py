"""CSV in and out of the planner: bounded, whatever the delimiter, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from workforce.errors import InputError

FILE_BYTES_MAX = 200_000_000
ROWS_MAX = 1_000_000
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?\s*")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Table:
    """A file's header and rows, as text; every row is as long as the header."""

    columns: tuple[str, ...]
    rows: list[list[str]]

    def column(self, name: str) -> list[str] | None:
        """Return the cells of one column; None when there is none of this name."""
        if name not in self.columns:
            return None
        at = self.columns.index(name)
        return [row[at] for row in self.rows]


def read_table(path: Path, *, required: Sequence[str]) -> Table:
    """Read a CSV file with a header; comma, semicolon or tab.

    Raises:
        InputError: it cannot be read, is too large, is not UTF-8, or lacks a required column.
    """
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise InputError(f"{path} is larger than {FILE_BYTES_MAX // 1_000_000} MB; split it")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as CSV UTF-8") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    first_line = text.partition("\n")[0]
    delimiter = max(",;\t", key=first_line.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=delimiter) if any(line)]
    except csv.Error as error:
        raise InputError(f"{path} is not a CSV file: {error}") from None
    if not lines:
        raise InputError(f"{path} is empty; its first line names the columns: {', '.join(required)}")
    columns = tuple(name.strip().lower() for name in lines[0])
    missing = [name for name in required if name not in columns]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}; it has {', '.join(columns)}")
    if len(lines) - 1 > ROWS_MAX:
        raise InputError(f"{path} has more than {ROWS_MAX} rows; split it")
    width = len(columns)
    return Table(columns, [(line + [""] * width)[:width] for line in lines[1:]])


def write_table(path: Path | None, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file, whole or not at all; to standard output without a path.

    Raises:
        InputError: the file cannot be written.
    """
    if path is None:
        _write(sys.stdout, columns, rows)
        return
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            try:
                _write(file, columns, rows)
                file.flush()
                os.chmod(file.name, 0o644)
                os.replace(file.name, path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; numbers stay as they are.

    >>> harmless("=1+1"), harmless("-5"), harmless("sales")
    ("'=1+1", '-5', 'sales')
    """
    if cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _write(file: io.TextIOBase | object, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    writer = csv.writer(file, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow([harmless(name) for name in columns])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
