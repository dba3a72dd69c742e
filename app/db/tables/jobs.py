"""Long work as rows: who asked for what, how far it is, what came of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Text
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import document, instant, tenant_table, words

job = tenant_table(
    "job",
    ("job_id",),
    Column("job_id", UUID(as_uuid=True), nullable=False),
    words("kind", default=None),
    words("state", default="queued"),
    words("made_by"),
    Column("done_count", BigInteger, nullable=False, server_default="0"),
    Column("total_count", BigInteger),  # null: not known yet
    document("input"),
    document("result"),
    Column("error_id", Text),
    document("error_params"),
    Column("is_cancel_wanted", Boolean, nullable=False, server_default="false"),
    instant("made_at", default_now=True),
    instant("started_at", nullable=True),
    instant("ended_at", nullable=True),
    CheckConstraint("state IN ('queued','running','done','failed','cancelled')", name="state"),
    Index(None, "tenant_id", "state"),
)
