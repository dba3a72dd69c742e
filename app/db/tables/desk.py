"""The desk: pops and whether they were seen; what an agent writes before it is said: drafts of wrap-ups."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Text
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import instant, tenant_table, words

pop = tenant_table(
    "pop",
    ("pop_id",),
    Column("pop_id", BigInteger, nullable=False),
    Column("interaction_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("queue_id", Text),
    words("outcome", default=None),  # match | several | unknown | withheld | late
    words("method", default=None),
    Column("confidence", Integer, nullable=False),  # per cent
    Column("party_id", UUID(as_uuid=True)),
    instant("made_at"),
    instant("acked_at", nullable=True),  # on the agent's screen
    instant("answered_at", nullable=True),
    Column("shown_before_answer", Boolean),  # null: not answered
    instant("ended_at", nullable=True),
    Column("end_reason", Text),  # done, or why it was withdrawn
    Index(None, "tenant_id", "interaction_id"),
    Index(None, "tenant_id", "agent_id", "made_at"),
)

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
