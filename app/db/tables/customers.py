"""What grows around parties: notes, and imports with what they did row by row, for undoing."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Text
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import document, instant, tenant_table, within, words

party_note = tenant_table(
    "party_note",
    ("note_id",),
    Column("note_id", UUID(as_uuid=True), nullable=False),
    Column("party_id", UUID(as_uuid=True)),  # null: written in a call whose caller is not known (yet)
    words("text", default=None),
    words("author"),  # the name of a principal
    Column("interaction_id", Text),  # in which it was written
    instant("at", default_now=True),
    instant("deleted_at", nullable=True),
    words("deleted_by"),
    within(("party_id",), "party", ("party_id",)),
    Index(None, "tenant_id", "party_id", "at"),
)

party_import = tenant_table(
    "party_import",
    ("import_id",),
    Column("import_id", UUID(as_uuid=True), nullable=False),
    words("file_name"),
    # read → previewing → previewed → running → done | cancelled | failed → undoing → undone
    words("state", default="read"),
    words("made_by"),
    instant("made_at", default_now=True),
    document("source"),  # format, encoding, delimiter, sheet, columns with samples
    Column("row_count", Integer, nullable=False, server_default="0"),
    document("plan"),  # mapping and choices
    document("preview"),
    document("counts"),  # of what was done, committed with each batch
    Column("done_row_count", Integer, nullable=False, server_default="0"),
    Column("job_id", UUID(as_uuid=True)),  # the last job of this import
    instant("ended_at", nullable=True),
    document("undo"),  # what an undoing did and could not do
    Index(None, "tenant_id", "made_at"),
)

party_import_row = tenant_table(
    "party_import_row",
    ("import_id", "ordinal"),
    Column("import_id", UUID(as_uuid=True), nullable=False),
    Column("ordinal", Integer, nullable=False),  # of the row in the file, from 0
    Column("party_id", UUID(as_uuid=True), nullable=False),
    words("action", default=None),
    document("before"),  # of an updated party: what the row replaced
    document("links"),  # identifiers that the row linked
    instant("party_changed_at"),  # as the row left it: later is touched
    within(("import_id",), "party_import", ("import_id",)),
    CheckConstraint("action IN ('created','updated')", name="action"),
    Index(None, "tenant_id", "party_id"),
)
