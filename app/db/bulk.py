"""Many rows in one statement: ``INSERT … SELECT … FROM unnest(arrays)``.

COPY is not supported under row-level security, and one statement per row costs a round trip each.
Moments travel as whole milliseconds and become ``timestamptz`` in the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Date, DateTime, Integer, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.sql.sqltypes import BigInteger

_MOMENT_MS_MAX = 4_102_444_800_000  # the year 2100: nothing that a phone call reports lies beyond


def moment(value_ms: int | None) -> int | None:
    """Return *value_ms* within what a log can hold; a mad clock must not stop the log.

    >>> moment(-5), moment(10**18), moment(None)
    (0, 4102444800000, None)
    """
    return None if value_ms is None else max(0, min(value_ms, _MOMENT_MS_MAX))


@dataclass(frozen=True, slots=True)
class BulkStatement:
    """A prepared text and the columns whose arrays it takes, after the tenant as ``$1``."""

    sql: str
    columns: tuple[str, ...]

    def arguments(self, rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
        """Turn rows (in the order of ``columns``) into one list per column."""
        return [list(column) for column in zip(*rows, strict=True)]


def upsert(
    table: Table, columns: Sequence[str], *, update: bool, changed: Sequence[str] | None = None
) -> BulkStatement:
    """Insert rows of one tenant; an existing row is updated, or left alone.

    Args:
        columns: All but ``tenant_id``, in the order of the rows to come.
        update: False: an existing row stays, and the keys of the new ones are returned.
        changed: What of an existing row is updated; None: all but its key.
    """
    key = [column.name for column in table.primary_key.columns]
    arrays, values = [], []
    for number, name in enumerate(columns, 2):
        array, value = _passage(table, name)
        arrays.append(f"${number}::{array}[]")
        values.append(value)
    changed = changed or [name for name in columns if name not in key]
    # a row that says what is there already is not written again
    conflict = (
        "UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in changed)
        + " WHERE ("
        + ", ".join(f"{table.name}.{name}" for name in changed)
        + ") IS DISTINCT FROM ("
        + ", ".join(f"excluded.{name}" for name in changed)
        + ")"
        if update
        else "NOTHING"
    )
    returning = "" if update else " RETURNING " + ", ".join(key[1:])
    sql = (
        f"INSERT INTO {table.name} (tenant_id, {', '.join(columns)}) "  # noqa: S608 - names from the tables
        f"SELECT $1, {', '.join(values)} FROM unnest({', '.join(arrays)}) AS u({', '.join(columns)}) "
        f"ON CONFLICT ({', '.join(key)}) DO {conflict}{returning}"
    )
    return BulkStatement(sql, tuple(columns))


def delete(table: Table, columns: Sequence[str]) -> BulkStatement:
    """Delete the rows of one tenant that the given columns name."""
    arrays = ", ".join(f"${n}::{_passage(table, name)[0]}[]" for n, name in enumerate(columns, 2))
    same = " AND ".join(f"t.{name} = {_passage(table, name)[1]}" for name in columns)
    sql = (
        f"DELETE FROM {table.name} t USING unnest({arrays}) AS u({', '.join(columns)}) "  # noqa: S608
        f"WHERE t.tenant_id = $1 AND {same}"
    )
    return BulkStatement(sql, tuple(columns))


def _passage(table: Table, name: str) -> tuple[str, str]:
    """How a column travels: the array's element type, and the expression that makes the value."""
    match table.c[name].type:
        case DateTime():
            return "bigint", f"timestamptz 'epoch' + u.{name} * interval '1 millisecond'"
        case JSONB():
            return "text", f"u.{name}::jsonb"
        case UUID():
            return "uuid", f"u.{name}"
        case BigInteger():
            return "bigint", f"u.{name}"
        case Integer():
            return "integer", f"u.{name}"
        case Boolean():
            return "boolean", f"u.{name}"
        case Date():
            return "date", f"u.{name}"
        case UUID():
            return "uuid", f"u.{name}"
        case Text():
            return "text", f"u.{name}"
        case other:
            raise AssertionError(f"{table.name}.{name}: {other!r} does not travel in bulk")
