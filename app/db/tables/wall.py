"""The links that show the wall on a TV. Of a link's token only the SHA-256 is kept."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import instant, tenant_table, words

wall_link = tenant_table(
    "wall_link",
    ("link_id",),
    Column("link_id", UUID, nullable=False),
    Column("token_sha256", LargeBinary, nullable=False),
    words("name"),
    words("made_by"),
    instant("made_at", default_now=True),
    instant("revoked_at", nullable=True),
    words("revoked_by"),
    instant("last_seen_at", nullable=True),
    CheckConstraint("octet_length(token_sha256) = 32", name="token"),
    Index("uq_wall_link_token", "tenant_id", "token_sha256", unique=True),
)
