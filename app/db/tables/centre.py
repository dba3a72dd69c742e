"""The centre as it is configured: queues, skills, agents, codes, reasons, calendars, organisation.

Seconds, as people write them; the shell converts once to the engine's milliseconds. Slugs are ids,
display names stand apart. What changes over time is effective-dated: ``valid_from`` inclusive,
``valid_to`` exclusive, null without end.
"""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, Date, Double, Index, Integer, Numeric, Text

from app.db.tables.metadata import document, instant, tenant_table, within, words

_SLUG = "~ '^[a-z][a-z0-9_]{0,31}$'"


def _slug(name: str) -> Column[str]:
    return Column(name, Text, CheckConstraint(f"{name} {_SLUG}", name=f"{name}_slug"), nullable=False)


skill = tenant_table("skill", ("skill_id",), _slug("skill_id"), words("display_name"))

calendar = tenant_table(
    "calendar",
    ("calendar_id",),
    _slug("calendar_id"),
    words("display_name"),
    words("zone", default="UTC"),  # IANA name
    words("region"),
)

calendar_interval = tenant_table(
    "calendar_interval",
    ("calendar_id", "valid_from", "weekday", "starts_minute"),
    Column("calendar_id", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("weekday", Integer, CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"), nullable=False),
    Column("starts_minute", Integer, nullable=False),  # of the local day
    Column("ends_minute", Integer, nullable=False),  # exclusive, at most 1440
    CheckConstraint(
        "0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440", name="range"
    ),
    within(("calendar_id",), "calendar", ("calendar_id",)),
)

# A holiday and a closure shut the day (or the given minutes of it); a make-up workday and an opening
# open one.
calendar_day = tenant_table(
    "calendar_day",
    ("calendar_id", "day", "ordinal"),
    Column("calendar_id", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    words("kind", default=None),
    words("region"),  # empty: everywhere the calendar holds
    words("display_name"),
    words("source"),
    Column("as_weekday", Integer),  # the make-up workday follows that weekday's intervals
    Column("starts_minute", Integer),
    Column("ends_minute", Integer),
    CheckConstraint("kind IN ('holiday','make_up_workday','closure','opening')", name="kind"),
    within(("calendar_id",), "calendar", ("calendar_id",)),
)

queue = tenant_table(
    "queue",
    ("queue_id",),
    _slug("queue_id"),
    words("display_name"),
    words("medium", default="voice"),
    Column("threshold_s", Double, nullable=False, server_default="20"),
    Column("service_level_target", Double, nullable=False, server_default="0.8"),
    Column("weight", Double, nullable=False, server_default="1"),
    Column("boost_s", Double, nullable=False, server_default="0"),
    Column("max_wait_s", Double, nullable=False, server_default="600"),
    Column("ring_timeout_s", Double, nullable=False, server_default="15"),
    words("preset", default="strict"),
    words("wrap_up_mode", default="timed"),
    Column("wrap_up_s", Double, nullable=False, server_default="30"),
    Column("wrap_up_extendable", Boolean, nullable=False, server_default="true"),
    Column("short_abandon_s", Double, nullable=False, server_default="5"),
    Column("queue_timeout_s", Double),
    Column("queue_timeout_to", Text),  # a queue; null: the PBX's own fallback queue
    Column("overflow_after_s", Double),
    Column("overflow_to", Text),
    document("key_exits"),  # queue by key
    Column("calendar_id", Text),
    Column("is_default", Boolean, nullable=False, server_default="false"),
    document("settings"),
    CheckConstraint("wrap_up_mode IN ('none','optional','timed','manual')", name="wrap_up_mode"),
    CheckConstraint("service_level_target BETWEEN 0 AND 1", name="service_level_target"),
    within(("calendar_id",), "calendar", ("calendar_id",)),
)
Index("uq_queue_default", queue.c.tenant_id, unique=True, postgresql_where=queue.c.is_default)

queue_skill = tenant_table(
    "queue_skill",
    ("queue_id", "skill_id"),
    Column("queue_id", Text, nullable=False),
    Column("skill_id", Text, nullable=False),
    Column("level_min", Integer, CheckConstraint("level_min BETWEEN 1 AND 10", name="level"), nullable=False),
    within(("queue_id",), "queue", ("queue_id",)),
    within(("skill_id",), "skill", ("skill_id",)),
)

site = tenant_table(
    "site",
    ("site_id",),
    _slug("site_id"),
    words("display_name"),
    words("zone", default="UTC"),
    instant("retired_at", nullable=True),
)
employer = tenant_table(
    "employer",
    ("employer_id",),
    _slug("employer_id"),
    words("display_name"),
    instant("retired_at", nullable=True),
)
cost_centre = tenant_table("cost_centre", ("cost_centre_id",), _slug("cost_centre_id"), words("display_name"))
team = tenant_table(
    "team", ("team_id",), _slug("team_id"), words("display_name"), instant("retired_at", nullable=True)
)

agent = tenant_table(
    "agent",
    ("agent_id",),
    _slug("agent_id"),
    words("display_name"),
    words("device"),
    words("team_id", nullable=True),  # as it is now; as it was: agent_membership; so the next two
    words("site_id", nullable=True),
    words("employer_id", nullable=True),
    Column("voice_slots", Integer, nullable=False, server_default="1"),
    Column("wrap_up_s", Double),
    instant("created_at", default_now=True),
    instant("left_at", nullable=True),
    document("settings"),
    within(("team_id",), "team", ("team_id",)),
    within(("site_id",), "site", ("site_id",)),
    within(("employer_id",), "employer", ("employer_id",)),
)

agent_skill = tenant_table(
    "agent_skill",
    ("agent_id", "skill_id"),
    Column("agent_id", Text, nullable=False),
    Column("skill_id", Text, nullable=False),
    Column("level", Integer, CheckConstraint("level BETWEEN 1 AND 10", name="level"), nullable=False),
    within(("agent_id",), "agent", ("agent_id",)),
    within(("skill_id",), "skill", ("skill_id",)),
)

agent_membership = tenant_table(
    "agent_membership",
    ("agent_id", "valid_from"),
    Column("agent_id", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("team_id", Text),
    Column("site_id", Text),
    Column("employer_id", Text),
    Column("cost_centre_id", Text),
    CheckConstraint("valid_to > valid_from", name="range"),
    within(("agent_id",), "agent", ("agent_id",)),
    within(("team_id",), "team", ("team_id",)),
    within(("site_id",), "site", ("site_id",)),
    within(("employer_id",), "employer", ("employer_id",)),
    within(("cost_centre_id",), "cost_centre", ("cost_centre_id",)),
)

trunk = tenant_table(
    "trunk",
    ("trunk_id",),
    _slug("trunk_id"),
    words("pbx_id"),
    words("display_name"),
    words("region"),  # default region and area code for the numbers it brings
    words("area_code"),
)

entry_point = tenant_table(
    "entry_point",
    ("entry_point",),
    Column("entry_point", Text, nullable=False),  # the number dialled
    words("display_name"),
    Column("queue_id", Text),
    Column("calendar_id", Text),
    Column("trunk_id", Text),
    words("language"),
    Column("priority_s", Double, nullable=False, server_default="0"),
    within(("queue_id",), "queue", ("queue_id",)),
    within(("calendar_id",), "calendar", ("calendar_id",)),
    within(("trunk_id",), "trunk", ("trunk_id",)),
)

wrap_up_code = tenant_table(
    "wrap_up_code",
    ("code",),
    _slug("code"),
    words("display_name"),
    instant("retired_at", nullable=True),
)

queue_wrap_up_code = tenant_table(
    "queue_wrap_up_code",
    ("queue_id", "code"),
    Column("queue_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("ordinal", Integer, nullable=False, server_default="0"),
    within(("queue_id",), "queue", ("queue_id",)),
    within(("code",), "wrap_up_code", ("code",)),
)

not_ready_reason = tenant_table(
    "not_ready_reason",
    ("reason",),
    _slug("reason"),
    words("display_name"),
    Column("is_paid", Boolean, nullable=False, server_default="true"),
    Column("is_system", Boolean, nullable=False, server_default="false"),  # set by the engine, never by hand
    Column("limit_s", Double),
    Column("ordinal", Integer, nullable=False, server_default="0"),
)

reason_tree = tenant_table(
    "reason_tree",
    ("tree_version",),
    Column("tree_version", Integer, nullable=False),
    instant("valid_from"),
    instant("valid_to", nullable=True),
    words("note"),
)

contact_reason = tenant_table(
    "contact_reason",
    ("tree_version", "reason_id"),
    Column("tree_version", Integer, nullable=False),
    _slug("reason_id"),
    Column("parent_id", Text),
    words("display_name"),
    words("whose_cause"),  # customer, product, billing, delivery …
    Column("is_avoidable", Boolean, nullable=False, server_default="false"),  # should not have been needed
    Column("ordinal", Integer, nullable=False, server_default="0"),
    within(("tree_version",), "reason_tree", ("tree_version",)),
    within(("tree_version", "parent_id"), "contact_reason", ("tree_version", "reason_id")),
)

contact_reason_mapping = tenant_table(
    "contact_reason_mapping",
    ("from_version", "from_reason_id", "to_version", "to_reason_id"),
    Column("from_version", Integer, nullable=False),
    Column("from_reason_id", Text, nullable=False),
    Column("to_version", Integer, nullable=False),
    Column("to_reason_id", Text, nullable=False),
    Column("share", Numeric(6, 5), CheckConstraint("share > 0 AND share <= 1", name="share"), nullable=False),
    within(("from_version", "from_reason_id"), "contact_reason", ("tree_version", "reason_id")),
    within(("to_version", "to_reason_id"), "contact_reason", ("tree_version", "reason_id")),
)

config_version = tenant_table(
    "config_version",
    ("version",),
    Column("version", Integer, nullable=False),
    instant("made_at", default_now=True),
    words("made_by"),
    words("note"),
    document("centre"),  # the whole configuration as it was put in force
)
