"""Who is on the line: parties, identifiers, relations; what was promised; what is allowed.

A merge is an alias and is reversible; history is never rewritten. One identifier may belong to
several parties, so they meet in ``party_identifier``.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Computed, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import document, instant, tenant_table, within, words

party = tenant_table(
    "party",
    ("party_id",),
    Column("party_id", UUID(as_uuid=True), nullable=False),
    words("kind", default="person"),
    words("display_name"),
    words("language"),
    document("custom"),
    words("external_ref"),
    instant("created_at", default_now=True),
    instant("changed_at", default_now=True),
    instant("erased_at", nullable=True),
    CheckConstraint("kind IN ('person','organisation','household','partner','supplier')", name="kind"),
)

Index(
    "ix_party_external_ref_prefix",
    party.c.tenant_id,
    party.c.external_ref,
    postgresql_ops={"external_ref": "text_pattern_ops"},
)

# Grams (app/customers/search.py) stand in a table of their own: under row-level security only leakproof
# operators reach an index. Equality and order of text are leakproof, containment of arrays is not.
party_gram = tenant_table(
    "party_gram",
    ("gram", "party_id"),
    Column("gram", Text, nullable=False),
    Column("party_id", UUID(as_uuid=True), nullable=False),
    within(("party_id",), "party", ("party_id",)),
    Index(None, "tenant_id", "party_id"),
)

identifier = tenant_table(
    "identifier",
    ("identifier_id",),
    Column("identifier_id", UUID(as_uuid=True), nullable=False),
    words("kind", default=None),
    words("raw"),
    words("normal", default=None),
    words("region"),
    instant("verified_at", nullable=True),
    instant("valid_from", nullable=True),
    instant("valid_to", nullable=True),
    # the last digits are what people remember; a column, because a function is not leakproof (see party_gram)
    Column("reversed", Text, Computed("reverse(normal)", persisted=True)),
    UniqueConstraint("tenant_id", "kind", "normal"),
    CheckConstraint(
        "kind IN ('e164','short','extension','sip','withheld','email','line','wechat','web','external')",
        name="kind",
    ),
)

for _column in ("normal", "reversed"):
    Index(
        f"ix_identifier_{_column}_prefix",
        identifier.c.tenant_id,
        identifier.c[_column],
        postgresql_ops={_column: "text_pattern_ops"},
    )

party_identifier = tenant_table(
    "party_identifier",
    ("party_id", "identifier_id"),
    Column("party_id", UUID(as_uuid=True), nullable=False),
    Column("identifier_id", UUID(as_uuid=True), nullable=False),
    words("label"),
    words("source"),
    words("extension"),  # behind a shared switchboard number
    Column("is_preferred", Boolean, nullable=False, server_default="false"),
    instant("valid_from", nullable=True),
    instant("valid_to", nullable=True),
    within(("party_id",), "party", ("party_id",)),
    within(("identifier_id",), "identifier", ("identifier_id",)),
    Index(None, "tenant_id", "identifier_id"),
)

party_alias = tenant_table(
    "party_alias",
    ("alias_id",),
    Column("alias_id", UUID(as_uuid=True), nullable=False),
    Column("merged_party_id", UUID(as_uuid=True), nullable=False),  # reads as …
    Column("party_id", UUID(as_uuid=True), nullable=False),  # … this one
    instant("merged_at", default_now=True),
    words("merged_by"),
    instant("undone_at", nullable=True),
    words("undone_by"),
    within(("merged_party_id",), "party", ("party_id",)),
    within(("party_id",), "party", ("party_id",)),
    CheckConstraint("merged_party_id <> party_id", name="not_itself"),
)
Index(
    "uq_party_alias_in_force",
    party_alias.c.tenant_id,
    party_alias.c.merged_party_id,
    unique=True,
    postgresql_where=party_alias.c.undone_at.is_(None),
)

relation = tenant_table(
    "relation",
    ("relation_id",),
    Column("relation_id", UUID(as_uuid=True), nullable=False),
    Column("from_party_id", UUID(as_uuid=True), nullable=False),
    Column("to_party_id", UUID(as_uuid=True), nullable=False),
    words("kind", default=None),
    instant("valid_from", nullable=True),
    instant("valid_to", nullable=True),
    within(("from_party_id",), "party", ("party_id",)),
    within(("to_party_id",), "party", ("party_id",)),
    Index(None, "tenant_id", "from_party_id"),
    Index(None, "tenant_id", "to_party_id"),
)

custom_field = tenant_table(
    "custom_field",
    ("field_id",),
    Column("field_id", Text, nullable=False),
    words("applies_to", default="person"),
    words("type", default="text"),
    words("display_name"),
    document("options"),
    Column("is_personal", Boolean, nullable=False, server_default="true"),
)

promise = tenant_table(
    "promise",
    ("promise_id",),
    Column("promise_id", UUID(as_uuid=True), nullable=False),
    words("kind", default=None),  # wait_range, callback, voicemail_reply …
    Column("to_party_id", UUID(as_uuid=True)),
    words("promised_by"),  # an agent, or the system
    Column("made_in", Text),  # the interaction
    instant("made_at", default_now=True),
    instant("due_at", nullable=True),
    Column("calendar_id", Text),
    words("state", default="open"),
    document("evidence"),
    CheckConstraint("state IN ('open','kept','broken','released')", name="state"),
    Index(None, "tenant_id", "state", "due_at"),
)

consent = tenant_table(
    "consent",
    ("consent_id",),
    Column("consent_id", UUID(as_uuid=True), nullable=False),
    Column("party_id", UUID(as_uuid=True)),
    Column("number_normal", Text),
    words("purpose", default=None),
    words("medium", default="voice"),
    words("state", default=None),
    words("source"),
    instant("recorded_at", default_now=True),
    instant("valid_from", nullable=True),
    instant("valid_to", nullable=True),
    document("evidence"),
    CheckConstraint("state IN ('granted','refused','withdrawn')", name="state"),
    CheckConstraint("party_id IS NOT NULL OR number_normal IS NOT NULL", name="somebody"),
    Index(None, "tenant_id", "number_normal"),
    Index(None, "tenant_id", "party_id"),
)

do_not_contact = tenant_table(
    "do_not_contact",
    ("number_normal", "medium"),
    Column("number_normal", Text, nullable=False),
    words("medium", default="voice"),
    words("reason"),
    words("source"),
    instant("added_at", default_now=True),
    instant("until_at", nullable=True),
)
