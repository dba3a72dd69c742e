"""How every table is declared: tenant first in every key, log tables partitioned by day.

A table with a ``tenant_id`` column is under row-level security; a table made by ``log_table`` is
range-partitioned by ``day``, the UTC date that the interaction's id carries (else that of the event).
Both facts are read from the metadata by the migration's test, so a table cannot forget them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql import text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

tenant = Table(
    "tenant",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("display_name", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)


def instant(name: str, *, nullable: bool = False, default_now: bool = False) -> Column[Any]:
    """A moment with a zone; the engine's milliseconds at the database's edge."""
    return Column(
        name,
        DateTime(timezone=True),
        nullable=nullable,
        server_default=text("now()") if default_now else None,
    )


def words(name: str, *, nullable: bool = False, default: str | None = "") -> Column[Any]:
    """A text column, empty unless told otherwise."""
    return Column(
        name,
        Text,
        nullable=nullable,
        server_default=None if nullable or default is None else text(f"'{default}'"),
    )


def document(name: str, *, default: str | None = "{}") -> Column[Any]:
    """A JSON column; ``default=None`` makes it nullable."""
    return Column(
        name, JSONB, nullable=default is None, server_default=text(f"'{default}'") if default else None
    )


def tenant_table(name: str, key: tuple[str, ...], *items: SchemaItem) -> Table:
    """A table of one tenant's rows; its primary key is the tenant and *key*."""
    return Table(
        name,
        metadata,
        Column("tenant_id", Text, ForeignKey("tenant.tenant_id"), nullable=False),
        *items,
        PrimaryKeyConstraint("tenant_id", *key),
    )


def log_table(name: str, key: tuple[str, ...], *items: SchemaItem) -> Table:
    """A table of the log: partitioned by day, which is therefore part of its key.

    There is no foreign key to ``tenant``: the log is written in bulk and outlives what it names.
    """
    return Table(
        name,
        metadata,
        Column("tenant_id", Text, nullable=False),
        Column("day", Date, nullable=False),
        *items,
        PrimaryKeyConstraint("tenant_id", "day", *key),
        postgresql_partition_by="RANGE (day)",
    )


def within(columns: tuple[str, ...], target: str, target_columns: tuple[str, ...]) -> ForeignKeyConstraint:
    """A foreign key that cannot leave the tenant."""
    return ForeignKeyConstraint(
        ["tenant_id", *columns], [f"{target}.tenant_id", *(f"{target}.{column}" for column in target_columns)]
    )
