"""What follows from the log and is kept beside it: cells of the figures rolled up, and gaps in the log.

A cell can be computed again from the log of its day as long as that is there. They are no tables of the log:
the log's partitions may be dropped, and these stay.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from app.db.tables.metadata import document, instant, metadata, tenant_table, words

rollup_day = tenant_table(
    "rollup_day",
    ("day",),
    Column("day", Date, nullable=False),  # of the log
    Column("version", BigInteger, nullable=False, server_default="0"),  # one more with every change of it
    instant("changed_at", default_now=True),
    Column("rolled_version", BigInteger),  # that its cells tell; null: it has none
    Column("form", Integer),  # in which they are written
    document("thresholds"),  # milliseconds by queue, that they count with
    instant("rolled_at", nullable=True),
    instant("log_dropped_at", nullable=True),  # not null: of this day the cells alone are left
)

# Written in bulk, and therefore without a foreign key, as the log is.
rollup_cell = Table(
    "rollup_cell",
    metadata,
    Column("tenant_id", Text, nullable=False),
    Column("view", Text, nullable=False),  # event | cohort
    Column("grain", Text, nullable=False),  # queue: of a quarter of an hour; agent: of an hour
    Column("day", Date, nullable=False),  # of the log, whatever the moment
    instant("at"),  # where the interval begins
    words("queue_id"),
    words("entry_point"),
    words("agent_id"),
    Column("kind", Text, nullable=False),  # as in app.figures.facts
    words("exit"),
    Column("facts", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False),
    Column("second_ms", BigInteger, nullable=False),
    Column("longest_ms", BigInteger, nullable=False),
    Column("within", BigInteger, nullable=False),
    Column("is_back_filled", Boolean, nullable=False),
    Column("buckets", ARRAY(Integer)),  # of the waits of the answered, and how many fell into each
    Column("bucket_facts", ARRAY(BigInteger)),
    PrimaryKeyConstraint(
        *("tenant_id", "view", "grain", "day", "at", "queue_id", "entry_point", "agent_id", "kind", "exit")
    ),
)

log_gap = tenant_table(
    "log_gap",
    ("started_at", "cause"),
    instant("started_at"),
    instant("ended_at", nullable=True),  # null: it goes on
    Column("cause", Text, nullable=False),  # server_down | pbx_unheard | steps_lost | unreadable
    Column("lost_count", BigInteger, nullable=False, server_default="0"),
    instant("witnessed_at", nullable=True),  # since when the witness has compared all calls in it
)
