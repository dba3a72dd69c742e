"""What figures are parted and narrowed by: for each dimension how SQL finds its id, and what ids are called.

A fact that a dimension says nothing of stands under "": the arrival of a visit has no agent. So every
dimension parts all facts, and the parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FiguresBy(StrEnum):
    """What the figures are parted by, beside the period."""

    NOTHING = "nothing"
    QUEUE = "queue"
    ENTRY_POINT = "entry_point"
    AGENT = "agent"
    TEAM = "team"  # of the agent, as it was on that day
    TEAM_NOW = "team_now"
    SITE = "site"
    EMPLOYER = "employer"
    REASON = "reason"
    CUSTOMER_GROUP = "customer_group"  # the kind of party that the caller is
    WRAP_UP_CODE = "wrap_up_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One of them.

    Attributes:
        key: SQL of the id, over ``fact`` and what *join* adds.
        join: SQL after ``FROM fact``; keeps each fact once.
        names: SQL that gives ``id`` and ``name``; "" where there is nothing to name.
    """

    key: str
    join: str = ""
    names: str = ""


_NAMES = "SELECT {key} AS id, display_name AS name FROM {table} WHERE tenant_id = :tenant_id"


def _names(table: str, key: str) -> str:
    return _NAMES.format(table=table, key=key)


_MEMBERSHIP = """
LEFT JOIN agent_membership AS member ON member.tenant_id = :tenant_id AND member.agent_id = fact.agent_id
    AND (fact.at AT TIME ZONE :zone)::date >= member.valid_from
    AND (member.valid_to IS NULL OR (fact.at AT TIME ZONE :zone)::date < member.valid_to)
"""
_AGENT = "LEFT JOIN agent ON agent.tenant_id = :tenant_id AND agent.agent_id = fact.agent_id"
_REASON = """
LEFT JOIN (
    SELECT DISTINCT ON (day, interaction_id) day, interaction_id, reason_id FROM interaction_reason
    WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day
    ORDER BY day, interaction_id, ordinal DESC
) AS reason ON reason.day = fact.day AND reason.interaction_id = fact.interaction_id
"""

DIMENSIONS: Mapping[FiguresBy, Dimension] = {
    FiguresBy.NOTHING: Dimension(key="''"),
    FiguresBy.QUEUE: Dimension(key="fact.queue_id", names=_names("queue", "queue_id")),
    FiguresBy.ENTRY_POINT: Dimension(key="fact.entry_point", names=_names("entry_point", "entry_point")),
    FiguresBy.AGENT: Dimension(key="fact.agent_id", names=_names("agent", "agent_id")),
    FiguresBy.TEAM: Dimension(key="member.team_id", join=_MEMBERSHIP, names=_names("team", "team_id")),
    FiguresBy.TEAM_NOW: Dimension(key="agent.team_id", join=_AGENT, names=_names("team", "team_id")),
    FiguresBy.SITE: Dimension(key="member.site_id", join=_MEMBERSHIP, names=_names("site", "site_id")),
    FiguresBy.EMPLOYER: Dimension(
        key="member.employer_id", join=_MEMBERSHIP, names=_names("employer", "employer_id")
    ),
    FiguresBy.REASON: Dimension(
        key="reason.reason_id",
        join=_REASON,
        names="SELECT DISTINCT ON (reason_id) reason_id AS id, display_name AS name FROM contact_reason"
        " WHERE tenant_id = :tenant_id ORDER BY reason_id, tree_version DESC",
    ),
    FiguresBy.CUSTOMER_GROUP: Dimension(
        key="party.kind",
        join="LEFT JOIN party ON party.tenant_id = :tenant_id AND party.party_id = fact.party_id",
    ),
    FiguresBy.WRAP_UP_CODE: Dimension(key="fact.wrap_up_code", names=_names("wrap_up_code", "code")),
}


def joins_of(*dimensions: FiguresBy) -> str:
    """Return the joins that these dimensions need, each once."""
    return "\n".join(dict.fromkeys(DIMENSIONS[one].join for one in dimensions if DIMENSIONS[one].join))
