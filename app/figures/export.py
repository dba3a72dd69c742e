"""The figures of queues and their kin as they are written to a file."""

from __future__ import annotations

from collections.abc import Iterator

from app.figures.files import TOTAL, FileRow, FileTable
from app.figures.layout import WHOLE, Shape, sorted_rows, value_of
from app.figures.reader import FiguresTable
from workforce.formulas import FORMULAS


def figures_file(table: FiguresTable, shape: Shape = WHOLE) -> FileTable:
    """Return what is written, in the columns and the order of *shape*."""

    def rows() -> Iterator[FileRow]:
        for row in sorted_rows(table, shape.sort):
            values = [value_of(row, column) for column in shape.columns]
            yield FileRow(row, row.key, table.names.get(row.key, ""), values)
        yield FileRow(table.whole, TOTAL, "", [value_of(table.whole, column) for column in shape.columns])

    units = {column: FORMULAS[column].unit for column in shape.columns if column in FORMULAS}
    return FileTable(sheet="figures", zone=table.zone, columns=shape.columns, units=units, rows=rows())
