"""What an agent writes at the desk before it is said: drafts of wrap-ups."""

from __future__ import annotations

from sqlalchemy import Column, Text

from app.db.tables.metadata import instant, tenant_table, words

# No foreign keys: a draft is there before the log has the call, and outlives an agent's renaming.
wrap_up_draft = tenant_table(
    "wrap_up_draft",
    ("agent_id", "interaction_id"),
    Column("agent_id", Text, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("code", Text),
    Column("reason_id", Text),
    words("note"),
    instant("changed_at", default_now=True),
)
