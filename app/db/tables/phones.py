"""Which phone an agent chose to be rung on."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Text

from app.db.tables.metadata import instant, tenant_table, words

# No foreign key to agent: a choice outlives an agent who is taken out of the centre and put back.
agent_phone = tenant_table(
    "agent_phone",
    ("agent_id",),
    Column("agent_id", Text, nullable=False),
    words("kind", default=None),
    Column("number", Text),  # as it is dialled (E.164); external phones only
    instant("changed_at", default_now=True),
    words("changed_by"),
    CheckConstraint("kind IN ('desk','browser','external')", name="kind"),
    CheckConstraint("(kind = 'external') = (number IS NOT NULL)", name="number"),
)
