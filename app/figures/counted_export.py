"""Contacts per person and transfers by pair as they are written to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.figures.counted import PAIR, CountedTable
from app.figures.files import TOTAL, FileRow, FileTable


def pair_name(table: CountedTable, key: str) -> str:
    """Return what a key is called now; of a pair both sides."""
    if not table.subject.key:
        return table.names.get(key, key)
    first, _, second = key.partition(PAIR)
    sides = (f"{table.asked.by.value}:{first}", second)
    return " → ".join(table.names.get(side, side.partition(":")[2] or side.rstrip(":")) for side in sides)


def counted_file(table: CountedTable, columns: Sequence[str] = ()) -> FileTable:
    """Return what is written; *columns*: terms and formula ids in their order, none: all."""
    subject = table.subject
    shown = [column for column in columns if column in subject.columns] or list(subject.columns)

    def rows() -> Iterator[FileRow]:
        for row in table.rows:
            values = [table.value_of(row, column) for column in shown]
            yield FileRow(row, row.key, pair_name(table, row.key), values)
        yield FileRow(table.whole, TOTAL, "", [table.value_of(table.whole, column) for column in shown])

    units = {column: subject.formulas[column].unit for column in shown if column in subject.formulas}
    return FileTable(sheet=subject.name, zone=table.zone, columns=shown, units=units, rows=rows())
