"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass

from app.auth.permissions import Role
from routing.ids import AgentId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, once known.

    Attributes:
        name: Stable and unique within the role; stands in the audit log.
        agent_id: Set for the role ``agent``.
        team_ids: The teams that a supervisor leads.
    """

    role: Role
    name: str
    agent_id: AgentId | None = None
    team_ids: frozenset[TeamId] = frozenset()
