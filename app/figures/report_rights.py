"""Who sees a report and who may change it, by the one table of rights. Pure.

Whoever made a report owns it. Seen is one's own, what is shared with one's role, with a team that one leads,
or with all; administrators see and change everything. A report shows nothing that its reader could not ask
for: the figures themselves have their own right.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from app.auth.permissions import Reach
from app.auth.principal import Principal


class Sharing(StrEnum):
    """With whom a report is shared."""

    PRIVATE = "private"
    ROLES = "roles"
    TEAMS = "teams"
    ALL = "all"


def owner_of(principal: Principal) -> str:
    """Return by what a report knows its owner again: an account, whatever becomes of its name, or a key."""
    return f"account:{principal.account_id}" if principal.account_id else f"key:{principal.name}"


def is_seen(
    principal: Principal, reach: Reach, *, owner: str, sharing: Sharing, shared_with: Collection[str]
) -> bool:
    """Say whether somebody with *reach* of ``report.read`` sees a report."""
    if reach is Reach.ALL or owner == owner_of(principal):
        return True
    if reach is Reach.OWN:
        return False
    match sharing:
        case Sharing.ALL:
            return True
        case Sharing.ROLES:
            return principal.role.value in shared_with
        case Sharing.TEAMS:
            return any(team_id in shared_with for team_id in principal.team_ids)
        case _:
            return False


def may_change(principal: Principal, reach: Reach | None, *, owner: str) -> bool:
    """Say whether somebody with *reach* of ``report.write`` or ``report.send`` may change *owner*'s."""
    return reach is not None and (reach is Reach.ALL or owner == owner_of(principal))
