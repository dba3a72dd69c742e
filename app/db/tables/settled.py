"""Calls of callers who gave up, taken off the list by hand; undone ones stay, with who and when."""

from __future__ import annotations

from sqlalchemy import Column, Index, Text, text
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import instant, tenant_table, words

settled_call = tenant_table(
    "settled_call",
    ("settled_id",),
    Column("settled_id", UUID(as_uuid=True), nullable=False),
    Column("interaction_id", Text, nullable=False),
    words("reason"),
    words("settled_by"),
    instant("settled_at", default_now=True),
    words("undone_by"),
    instant("undone_at", nullable=True),
    Index(None, "tenant_id", "interaction_id"),
    Index(
        "uq_settled_call_in_force",
        "tenant_id",
        "interaction_id",
        unique=True,
        postgresql_where=text("undone_at IS NULL"),
    ),
)
