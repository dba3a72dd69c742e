"""Every table, cut by subject: the log, the people on the line, the centre's configuration."""

from __future__ import annotations

from app.db.tables.accounts import account, sign_in_link, web_session
from app.db.tables.centre import (
    agent,
    agent_membership,
    agent_skill,
    calendar,
    calendar_day,
    calendar_interval,
    config_version,
    contact_reason,
    contact_reason_mapping,
    cost_centre,
    employer,
    entry_point,
    not_ready_reason,
    queue,
    queue_skill,
    queue_wrap_up_code,
    reason_tree,
    site,
    skill,
    team,
    trunk,
    wrap_up_code,
)
from app.db.tables.customers import party_import, party_import_row, party_note
from app.db.tables.desk import pop, wrap_up_draft
from app.db.tables.jobs import job
from app.db.tables.log import (
    agent_span,
    cel_offset,
    contact_attempt,
    drain_cursor,
    event,
    interaction,
    interaction_reason,
    journal_epoch,
    leg,
    offer,
    queue_visit,
    segment,
)
from app.db.tables.metadata import metadata, tenant
from app.db.tables.people import (
    consent,
    custom_field,
    do_not_contact,
    identifier,
    party,
    party_alias,
    party_gram,
    party_identifier,
    promise,
    relation,
)
from app.db.tables.phones import agent_phone
from app.db.tables.planner import forecast_interval, forecast_run
from app.db.tables.reports import report, report_schedule, report_sending, report_version
from app.db.tables.rollups import log_gap, rollup_cell, rollup_day
from app.db.tables.settled import settled_call
from app.db.tables.wall import wall_link

LOG_TABLES = tuple(
    table for table in metadata.sorted_tables if table.dialect_options["postgresql"]["partition_by"]
)
"""The tables partitioned by day."""

TENANT_TABLES = tuple(table for table in metadata.sorted_tables if "tenant_id" in table.c)
"""The tables under row-level security (``tenant`` itself too: a tenant sees its own row)."""

__all__ = [
    "LOG_TABLES",
    "TENANT_TABLES",
    "account",
    "agent",
    "agent_membership",
    "agent_phone",
    "agent_skill",
    "agent_span",
    "calendar",
    "calendar_day",
    "calendar_interval",
    "cel_offset",
    "config_version",
    "consent",
    "contact_attempt",
    "contact_reason",
    "contact_reason_mapping",
    "cost_centre",
    "custom_field",
    "do_not_contact",
    "drain_cursor",
    "employer",
    "entry_point",
    "event",
    "forecast_interval",
    "forecast_run",
    "identifier",
    "interaction",
    "interaction_reason",
    "job",
    "journal_epoch",
    "leg",
    "log_gap",
    "metadata",
    "not_ready_reason",
    "offer",
    "party",
    "party_alias",
    "party_gram",
    "party_identifier",
    "party_import",
    "party_import_row",
    "party_note",
    "pop",
    "promise",
    "queue",
    "queue_skill",
    "queue_visit",
    "queue_wrap_up_code",
    "reason_tree",
    "relation",
    "report",
    "report_schedule",
    "report_sending",
    "report_version",
    "rollup_cell",
    "rollup_day",
    "segment",
    "settled_call",
    "sign_in_link",
    "site",
    "skill",
    "team",
    "tenant",
    "trunk",
    "wall_link",
    "web_session",
    "wrap_up_code",
    "wrap_up_draft",
]
