"""The log: events as they were journalled, and their folds. One writer: the recorder.

Every fold can be rebuilt from ``event`` alone. Moments are what happened (``occurred_ms``), durations
whole milliseconds. A value of ``exit_cause`` is one of ``routing.events.QueueExit``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Text
from sqlalchemy.dialects.postgresql import UUID

from app.db.tables.metadata import document, instant, log_table, tenant_table, words

event = log_table(
    "event",
    ("epoch", "seq", "ordinal"),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ordinal", Integer, nullable=False),
    instant("at"),
    instant("occurred_at"),
    words("type", default=None),
    Column("v", Integer, nullable=False),
    Column("interaction_id", Text),
    Column("agent_id", Text),
    Column("queue_id", Text),
    document("body"),
    Index(None, "tenant_id", "interaction_id", "day"),
    Index(None, "tenant_id", "at"),
)

# few and far between, and read at every start: which boot of the PBX was up when
Index(
    "ix_event_pbx_link",
    event.c.tenant_id,
    event.c.epoch,
    event.c.seq,
    postgresql_where=event.c.type == "PbxLinkChanged",
)

interaction = log_table(
    "interaction",
    ("interaction_id",),
    Column("interaction_id", Text, nullable=False),
    words("medium", default="voice"),
    words("direction", default="in"),  # in | out | internal
    words("kind", default="contact"),  # contact | consult | callback_attempt | spy
    Column("parent_id", Text),
    words("entry_point"),
    words("caller_number"),
    words("caller_name"),
    document("attributes"),
    # who it is: the match as it was made, never a guess rewritten later
    Column("party_id", UUID(as_uuid=True)),
    Column("match_method", Text),
    Column("match_confidence", Integer),  # per cent
    document("match_candidates", default=None),
    # what became of it
    instant("started_at"),
    instant("answered_at", nullable=True),  # first answer
    instant("ended_at", nullable=True),  # null: still going on
    Column("outcome", Text),  # answered, an exit, or left_before_queue; null: still open, not answered
    Column("ended_by", Text),  # customer | agent | system | unknown
    Column("end_reason", Text),
    Column("hangup_cause", Integer),
    Column("queue_id", Text),  # of the last visit
    Column("agent_id", Text),  # of the first answer
    Column("visit_count", Integer, nullable=False, server_default="0"),
    Column("offer_count", Integer, nullable=False, server_default="0"),
    Column("wait_ms", BigInteger, nullable=False, server_default="0"),  # queued and ringing, all visits
    Column("talk_ms", BigInteger, nullable=False, server_default="0"),  # the customer's, without hold
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("wrap_up_ms", BigInteger, nullable=False, server_default="0"),
    Column("wrap_up_code", Text),
    words("grade", default="live"),  # live | back_filled | estimated | unknown
    Index(None, "tenant_id", "started_at", "interaction_id"),
    Index(None, "tenant_id", "caller_number", "started_at"),
    Index(None, "tenant_id", "queue_id", "started_at"),
    Index(None, "tenant_id", "agent_id", "started_at"),
    Index(None, "tenant_id", "party_id", "started_at"),
)

leg = log_table(
    "leg",
    ("pbx_id", "boot_id", "leg_id"),
    words("pbx_id", default=None),
    words("boot_id", default=None),
    Column("leg_id", Text, nullable=False),  # the channel's Uniqueid
    Column("interaction_id", Text, nullable=False),
    words("party", default=None),  # customer | agent | external | supervisor
    Column("agent_id", Text),
    instant("started_at"),
    instant("answered_at", nullable=True),
    instant("ended_at", nullable=True),
    Column("hangup_cause", Integer),
    Index(None, "tenant_id", "interaction_id", "day"),
)

segment = log_table(
    "segment",
    ("interaction_id", "track", "ordinal"),
    Column("interaction_id", Text, nullable=False),
    words("track", default=None),  # customer, or <agent>#<participation>
    Column("ordinal", Integer, nullable=False),
    # customer: entry ivr queued ringing talking held conference external re_attach
    # agent: ring talk hold re_attach consult conference wrap_up
    words("kind", default=None),
    instant("started_at"),
    instant("ended_at", nullable=True),  # null: the segment still runs
    Column("queue_id", Text),
    Column("agent_id", Text),
    Column("visit", Integer),
    Column("attempt", Integer),
    Column("exit_cause", Text),  # on the last segment of a queue visit
    Column("ended_by", Text),  # on the last segment of an agent's participation: routing.signals.Party
    Column("end_reason", Text),  # hangup, transfer, attended_transfer, consult_<outcome>, phone_lost …
    words("grade", default="live"),
    Index(None, "tenant_id", "started_at"),
    Index(None, "tenant_id", "agent_id", "started_at"),
)

queue_visit = log_table(
    "queue_visit",
    ("interaction_id", "visit"),
    Column("interaction_id", Text, nullable=False),
    Column("visit", Integer, nullable=False),
    Column("queue_id", Text, nullable=False),
    instant("entered_at"),
    instant("queued_at"),  # the place kept; at most entered_at
    instant("left_at", nullable=True),
    Column("exit_cause", Text),  # null: still queued or offered
    Column("wait_ms", BigInteger),  # left_at - entered_at
    Column("agent_id", Text),  # who answered
    Column("offer_count", Integer, nullable=False, server_default="0"),
    Column("priority_ms", BigInteger, nullable=False, server_default="0"),
    Index(None, "tenant_id", "queue_id", "entered_at"),
)

offer = log_table(
    "offer",
    ("interaction_id", "attempt"),
    Column("interaction_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("agent_id", Text, nullable=False),
    Column("queue_id", Text),
    Column("visit", Integer),
    instant("offered_at"),
    instant("rang_at", nullable=True),
    instant("ended_at", nullable=True),
    Column("outcome", Text),  # answered, taken (no offer), an OfferFailure, or withdrawn; null: still out
    Column("outcome_reason", Text),
    Column("wait_ms", BigInteger, nullable=False, server_default="0"),
    Column("rang_ms", BigInteger),
    # what became of the participation, of an offer that was answered: so that figures need no segments
    instant("talk_ended_at", nullable=True),  # null: it still talks
    instant("wrap_up_ended_at", nullable=True),
    Column("talk_ms", BigInteger, nullable=False, server_default="0"),
    Column("hold_ms", BigInteger, nullable=False, server_default="0"),
    Column("wrap_up_ms", BigInteger, nullable=False, server_default="0"),
    Column("talk_ended_by", Text),  # who left first: customer, agent, system, outside, unknown
    Column("talk_end_reason", Text),  # hangup, transfer, attended_transfer and others
    Column("was_held", Boolean, nullable=False, server_default="false"),  # when it ended
    document("explanation"),
    Index(None, "tenant_id", "agent_id", "offered_at"),
)

agent_span = log_table(
    "agent_span",
    ("agent_id", "started_at"),
    Column("agent_id", Text, nullable=False),
    instant("started_at"),
    instant("ended_at", nullable=True),
    words("state", default=None),  # routing.events.AgentState
    words("reason"),
    Column("interaction_id", Text),
    Column("queue_id", Text),
    words("grade", default="live"),
    Index(None, "tenant_id", "agent_id", "ended_at"),
    Index(None, "tenant_id", "ended_at"),
)

interaction_reason = log_table(
    "interaction_reason",
    ("interaction_id", "ordinal"),
    Column("interaction_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("tree_version", Integer, nullable=False),
    Column("reason_id", Text, nullable=False),
    words("set_by", default=None),  # ivr | agent | rule
    words("actor"),
    instant("at"),
    Index(None, "tenant_id", "reason_id", "at"),
)

contact_attempt = log_table(
    "contact_attempt",
    ("attempt_id",),
    Column("attempt_id", UUID(as_uuid=True), nullable=False),
    instant("at"),
    words("purpose", default=None),  # callback, click_to_call, campaign …
    words("medium", default="voice"),
    words("number_kind", default=None),
    words("number_normal", default=None),
    Column("party_id", UUID(as_uuid=True)),
    Column("interaction_id", Text),
    words("requested_by"),
    words("refused_by"),  # the rule that refused; empty: the gate let it pass
    document("evidence"),
    Index(None, "tenant_id", "number_normal", "at"),
)

drain_cursor = tenant_table(
    "drain_cursor",
    ("journal_id",),
    Column("journal_id", Text, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    instant("moved_at", default_now=True),
)

journal_epoch = tenant_table(
    "journal_epoch",
    (),
    Column("epoch", BigInteger, nullable=False),
    instant("taken_at", default_now=True),
)

cel_offset = tenant_table(
    "cel_offset",
    ("pbx_id", "path"),
    Column("pbx_id", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("file_mark", Text, nullable=False),  # which file it was: device and inode
    Column("offset_bytes", BigInteger, nullable=False),
    instant("moved_at", default_now=True),
)
