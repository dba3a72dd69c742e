"""``may(...)``, the line that every route carries: who asks, and may they? Else 401 or 403.

Nobody is let in by silence: a route without ``may`` or ``open_to_all`` fails a test, an unknown scope
is refused, and what cannot be shown to be one's own is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from fastapi import Request

from app.auth.keys import KeyRing
from app.auth.permissions import Permission, Reach, reach_of
from app.auth.principal import Principal
from app.http.errors import ApiError
from app.http.state import AppState, state_of
from routing.ids import AgentId, InteractionId

# What the path names, and so what "own" and "own team" are measured by. ``all``: the whole tenant;
# ``mine``: the endpoint itself narrows its answer to the reach that it is handed.
Scope = Literal["agent", "interaction", "all", "mine"]

_BEARER = "bearer "


def may(permission: Permission, *, scope: Scope) -> Callable[[Request], Principal]:
    """Return the dependency that lets only those pass who may.

    Args:
        permission: A row of the table.
        scope: ``agent`` and ``interaction`` need the path parameters ``agent_id``, ``interaction_id``.
    """

    def gate(request: Request) -> Principal:
        state = state_of(request)
        principal = _principal(request, state)
        reach = reach_of(principal.role, permission)
        if reach is None or not _within(reach, principal, scope, request, state):
            raise ApiError(
                403, "not_allowed", "your role does not allow this", params={"permission": permission}
            )
        request.state.principal = principal
        request.state.reach = reach
        return principal

    gate.permission = permission  # type: ignore[attr-defined]  # read by the test over all routes
    return gate


def open_to_all(why: str) -> Callable[[], None]:
    """Return the dependency of a route that needs no right; *why* stands for the reader and the test."""

    def gate() -> None:
        return None

    gate.open_because = why  # type: ignore[attr-defined]
    return gate


def _principal(request: Request, state: AppState) -> Principal:
    sent = request.headers.get("authorization", "")
    if sent[: len(_BEARER)].lower() == _BEARER:
        ring: KeyRing = request.app.state.keys
        if principal := ring.principal_of(sent[len(_BEARER) :].strip()):
            return principal
    raise ApiError(
        401, "not_signed_in", "send Authorization: Bearer KEY", headers={"WWW-Authenticate": "Bearer"}
    )


def _within(reach: Reach, principal: Principal, scope: Scope, request: Request, state: AppState) -> bool:
    if reach is Reach.ALL or scope == "mine":
        return True
    return _touches(reach, principal, _agents(scope, request.path_params, state), state)


def _agents(scope: Scope, path: dict[str, Any], state: AppState) -> frozenset[AgentId]:
    match scope:
        case "agent":
            return frozenset({AgentId(path["agent_id"])})
        case "interaction":
            return state.floor.agents_on(InteractionId(path["interaction_id"]))
        case _:
            return frozenset()


def _touches(reach: Reach, principal: Principal, agents: frozenset[AgentId], state: AppState) -> bool:
    if reach is Reach.OWN:
        return principal.agent_id in agents
    return any(state.floor.team_of(agent) in principal.team_ids for agent in agents)
