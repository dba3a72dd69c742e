"""The columns of the log that a day made quickly fills; what else there is stays at its default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_HEAD: Final = ("tenant_id", "day", "interaction_id")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "interaction": (
        *(*_HEAD, "medium", "direction", "entry_point", "caller_number", "caller_name", "attributes"),
        *("started_at", "answered_at", "ended_at", "outcome", "ended_by", "end_reason", "hangup_cause"),
        *("queue_id", "agent_id", "visit_count", "offer_count", "wait_ms", "talk_ms", "hold_ms"),
        *("wrap_up_ms", "wrap_up_code", "grade"),
        *("party_id", "match_method", "match_confidence", "match_candidates"),
    ),
    "queue_visit": (
        *(*_HEAD, "visit", "queue_id", "entered_at", "queued_at", "left_at", "exit_cause"),
        *("wait_ms", "agent_id", "offer_count", "priority_ms"),
    ),
    "offer": (
        *(*_HEAD, "attempt", "agent_id", "queue_id", "visit", "offered_at", "rang_at", "ended_at"),
        *("outcome", "outcome_reason", "wait_ms", "rang_ms", "talk_ended_at", "wrap_up_ended_at"),
        *("talk_ms", "hold_ms", "wrap_up_ms", "talk_ended_by", "talk_end_reason", "explanation"),
    ),
    "segment": (
        *(*_HEAD, "track", "ordinal", "kind", "started_at", "ended_at", "queue_id", "agent_id"),
        *("visit", "attempt", "exit_cause", "grade"),
    ),
    "interaction_reason": (*_HEAD, "ordinal", "tree_version", "reason_id", "set_by", "actor", "at"),
}
"""The order of a line's values, by table."""
NULL: Final = r"\N"
"""As COPY reads it."""
