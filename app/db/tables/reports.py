"""Reports by name: who owns them, who sees them, every version; schedules by mail, and each sending."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, Text
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.sql import text

from app.db.tables.metadata import document, instant, tenant_table, within, words

report = tenant_table(
    "report",
    ("report_id",),
    Column("report_id", UUID, nullable=False),
    words("display_name"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    words("owner", default=None),  # account:UUID or key:NAME
    words("owner_name"),
    words("sharing", default="private"),
    document("shared_with", default="[]"),  # roles or teams
    instant("made_at", default_now=True),
    instant("changed_at", default_now=True),
    instant("deleted_at", nullable=True),
    CheckConstraint("sharing IN ('private', 'roles', 'teams', 'all')", name="sharing"),
)

report_version = tenant_table(
    "report_version",
    ("report_id", "version"),
    Column("report_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    words("display_name"),
    document("definition"),
    words("made_by"),
    instant("made_at", default_now=True),
    within(("report_id",), "report", ("report_id",)),
)

report_schedule = tenant_table(
    "report_schedule",
    ("schedule_id",),
    Column("schedule_id", UUID, nullable=False),
    Column("report_id", Text, nullable=False),  # of a report, or the name of one of the standard set
    words("every", default=None),
    Column("at_minute", Integer, nullable=False),  # of the centre's day
    Column("weekday", Integer),  # 1 is Monday
    Column("month_day", Integer),
    document("recipients", default="[]"),
    words("file_format", default=None),
    words("language", default="en"),
    Column("is_on", Boolean, nullable=False, server_default=text("true")),
    instant("next_at", nullable=True),
    words("owner", default=None),
    words("made_by"),
    instant("made_at", default_now=True),
    instant("deleted_at", nullable=True),
    CheckConstraint("every IN ('day', 'week', 'month')", name="every"),
)

report_sending = tenant_table(
    "report_sending",
    ("sending_id",),
    Column("sending_id", UUID, nullable=False),
    Column("schedule_id", UUID, nullable=False),
    instant("due_at"),
    Column("is_test", Boolean, nullable=False, server_default=text("false")),
    words("state", default="waiting"),
    Column("try_count", Integer, nullable=False, server_default=text("0")),
    instant("next_try_at"),
    document("recipients", default="[]"),
    words("reason"),
    words("made_by"),
    instant("ended_at", nullable=True),
    CheckConstraint("state IN ('waiting', 'sending', 'sent', 'failed')", name="state"),
    within(("schedule_id",), "report_schedule", ("schedule_id",)),
    Index(
        "uq_report_sending_due",
        "tenant_id",
        "schedule_id",
        "due_at",
        unique=True,
        postgresql_where=text("NOT is_test"),
    ),
)
