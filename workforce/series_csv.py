"""A series from CSV text, and a sentence for whatever is wrong with it. Pure: text in, series out.

Columns ``interval_start`` and ``calls``, ``aht_s`` if there is one; others are left alone. Comma, semicolon
or tab. A stamp is ISO 8601, with or without seconds; one with an offset needs no zone. An empty ``calls``
cell is an interval that was open, but not measured.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from workforce.series import Floats, Ints, Series, SeriesError, local_to_utc_s, series_from_arrays

CHARACTERS_MAX = 200_000_000
START, CALLS, AHT = "interval_start", "calls", "aht_s"
_PLAIN_STAMP = re.compile(r"\d{4}[-0-9]*(?:[T ][0-9:.]*)?")


def read_series(text: str, *, zone: str = "") -> Series:
    """Return the series that a CSV text holds.

    Args:
        text: The file's text; a byte order mark is ignored.
        zone: IANA name of the stamps' clock. Stamps with offsets need one too, to know where midnight is;
            without it they are kept in UTC.

    Raises:
        SeriesError: a column is missing, a row cannot be read (it is named, counted below the
            header), or the series is none.
    """
    if len(text) > CHARACTERS_MAX:
        raise SeriesError(f"the file is longer than {CHARACTERS_MAX} characters")
    lines = text.lstrip("\ufeff").splitlines()
    if not lines:
        raise SeriesError("the file is empty; it begins with the line interval_start,calls")
    delimiter = max(",;\t", key=lines[0].count)
    header = [name.strip().lower() for name in next(csv.reader([lines[0]], delimiter=delimiter))]
    missing = [name for name in (START, CALLS) if name not in header]
    if missing:
        raise SeriesError(
            f"column {' and '.join(missing)} not found; the first line is {lines[0].strip()[:120]!r},"
            " wanted is interval_start,calls"
        )
    rows = [row for row in csv.reader(lines[1:], delimiter=delimiter) if any(cell.strip() for cell in row)]
    if not rows:
        raise SeriesError("the file has no rows below its header")
    start_s, has_offsets = _instants(_column(rows, header.index(START), START), zone)
    calls = _numbers(_column(rows, header.index(CALLS), CALLS), CALLS)
    aht_s = _numbers(_column(rows, header.index(AHT), AHT), AHT) if AHT in header else None
    if aht_s is not None and np.any(aht_s < 0):
        raise SeriesError(f"row {int(np.flatnonzero(aht_s < 0)[0]) + 1}: a handle time below 0")
    return series_from_arrays(start_s, calls, zone=zone or ("UTC" if has_offsets else ""), aht_s=aht_s)


def _column(rows: Sequence[Sequence[str]], index: int, name: str) -> list[str]:
    try:
        return [row[index].strip() for row in rows]
    except IndexError:
        short = next(at for at, row in enumerate(rows) if len(row) <= index)
        raise SeriesError(f"row {short + 1} has no {name}") from None


def _numbers(cells: Sequence[str], name: str) -> Floats:
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells], dtype=np.float64)
    except ValueError:
        for at, cell in enumerate(cells):
            try:
                float(cell or "nan")
            except ValueError:
                raise SeriesError(f"row {at + 1}: {name} is {cell[:40]!r}, not a number") from None
        raise


def _instants(cells: Sequence[str], zone: str) -> tuple[Ints, bool]:
    """Return instants in seconds, and whether the stamps carried offsets."""
    if cells[0].endswith(("Z", "z")) or "+" in cells[0][10:] or "-" in cells[0][10:]:
        return np.array([_aware_s(cell, at) for at, cell in enumerate(cells)], dtype=np.int64), True
    for at, cell in enumerate(cells):
        if not _PLAIN_STAMP.fullmatch(cell):
            raise _bad_stamp(cell, at)
    try:
        local_s = np.array(cells, dtype="datetime64[s]").astype(np.int64)
    except ValueError:
        local_s = np.array([_naive_s(cell, at) for at, cell in enumerate(cells)], dtype=np.int64)
    if np.any(local_s == np.datetime64("NaT", "s").astype(np.int64)):
        at = int(np.flatnonzero(local_s == np.datetime64("NaT", "s").astype(np.int64))[0])
        raise _bad_stamp(cells[at], at)
    return local_to_utc_s(zone, local_s), False


def _aware_s(cell: str, at: int) -> int:
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        raise _bad_stamp(cell, at) from None
    if moment.tzinfo is None:
        raise SeriesError(f"row {at + 1}: {cell[:40]!r} has no offset, the rows above have one")
    return int(moment.timestamp())


def _naive_s(cell: str, at: int) -> int:
    try:
        moment = np.datetime64(cell, "s")
    except ValueError:
        raise _bad_stamp(cell, at) from None
    return int(moment.astype(np.int64))


def _bad_stamp(cell: str, at: int) -> SeriesError:
    return SeriesError(f"row {at + 1}: {cell[:40]!r} is no date and time; an example is 2026-03-02 07:30:00")
