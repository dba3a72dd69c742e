"""The one table of socket topics: which right each needs, and how far it must go. Pure.

Deny by default: a topic that is not in the table does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from app.auth.permissions import Permission, Reach, reach_of
from app.auth.principal import Principal
from routing.ids import AgentId, TeamId

# What a topic shows: everything of the tenant; one team; one agent; what every colleague may know of another,
# or what names no person: both for everybody who holds the right at all.
Shown = Literal["all", "team", "agent", "colleagues", "nobody"]

TOPIC_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class TopicRight:
    """What a topic asks of who follows it.

    Attributes:
        shown_id: The team or the agent that the topic is about; empty where it is about neither.
    """

    permission: Permission
    shown: Shown
    shown_id: str = ""


TOPICS: Mapping[str, TopicRight] = {
    "floor:all": TopicRight("floor.read", "all"),
    "floor:team:*": TopicRight("floor.read", "team"),
    "wall:all": TopicRight("wall.read", "nobody"),
    "agent:*": TopicRight("agent.state", "agent"),
    "presence:all": TopicRight("presence.read", "colleagues"),
}
"""Every topic; ``*`` stands for one id."""

_ID = re.compile(r"[a-z][a-z0-9_]{0,31}")


def right_of_topic(topic: str) -> TopicRight | None:
    """Return what *topic* asks; None when there is no such topic.

    >>> right_of_topic("floor:team:north")
    TopicRight(permission='floor.read', shown='team', shown_id='north')
    >>> right_of_topic("agent:a1001").permission
    'agent.state'
    >>> right_of_topic("floor:team:") is right_of_topic("calls:all") is None
    True
    """
    if found := TOPICS.get(topic if "*" not in topic else ""):
        return found
    kind, _, shown_id = topic[: TOPIC_CHARS_MAX + 1].rpartition(":")
    right = TOPICS.get(f"{kind}:*")
    if right is None or not _ID.fullmatch(shown_id):
        return None
    return TopicRight(right.permission, right.shown, shown_id)


def may_follow(principal: Principal, topic: str, team_of: Callable[[AgentId], TeamId | None]) -> bool:
    """Say whether *principal* may follow *topic*; False also when there is none.

    Args:
        team_of: An agent's team now.
    """
    right = right_of_topic(topic)
    reach = reach_of(principal.role, right.permission) if right is not None else None
    if right is None or reach is None:
        return False
    match right.shown:
        case "nobody" | "colleagues":
            return True
        case "all":
            return reach is Reach.ALL
        case "team":
            own_team = reach is Reach.TEAMS and TeamId(right.shown_id) in principal.team_ids
            return reach is Reach.ALL or own_team
        case "agent":
            return reaches_agent(reach, principal, AgentId(right.shown_id), team_of)


def reaches_agent(
    reach: Reach, principal: Principal, agent_id: AgentId, team_of: Callable[[AgentId], TeamId | None]
) -> bool:
    """Say whether *reach* goes as far as to this agent: everybody, the teams one leads, or oneself."""
    if reach is Reach.ALL:
        return True
    if principal.agent_id is not None and agent_id == principal.agent_id:
        return True  # who leads a team and answers calls too
    return reach is Reach.TEAMS and team_of(agent_id) in principal.team_ids
