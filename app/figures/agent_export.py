"""Agents' figures as they are written to a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.figures.agent_reader import AgentsTable
from app.figures.files import TOTAL, FileRow, FileTable


def agents_file(table: AgentsTable, columns: Sequence[str] = ()) -> FileTable:
    """Return what is written; *columns*: terms and formula ids in their order, none: all."""
    known = [*table.terms, *table.formulas]
    shown = [column for column in columns if column in known] or known

    def rows() -> Iterator[FileRow]:
        for row in table.rows:
            values = [table.value_of(row, column) for column in shown]
            yield FileRow(row, row.key, table.names.get(row.key, ""), values)
        yield FileRow(table.whole, TOTAL, "", [table.value_of(table.whole, column) for column in shown])

    units = {column: table.formulas[column].unit for column in shown if column in table.formulas}
    return FileTable(sheet="agents", zone=table.zone, columns=shown, units=units, rows=rows())
