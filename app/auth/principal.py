"""Who asks."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.auth.permissions import Role
from routing.ids import AgentId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, once known.

    Attributes:
        name: Stable and unique within the role (a key's name, an account's login); stands in the audit log.
        display_name: What people read.
        account_id: Whose session it is; None for keys.
        agent_id: Set for the role ``agent``, and for supervisors who answer calls themselves.
        team_ids: The teams that a supervisor leads.
    """

    role: Role
    name: str
    display_name: str = ""
    account_id: UUID | None = None
    agent_id: AgentId | None = None
    team_ids: frozenset[TeamId] = frozenset()
