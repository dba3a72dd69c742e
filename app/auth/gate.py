"""``may(...)``, the line that every route carries: who asks, and may they? Else 401 or 403.

Who asks is told by an API key (``Authorization: Bearer``) or by the cookie of a session. A browser sends a
cookie for every page that asks, so that a request with one must come from a page of our own: the ``Origin``
says so, and for what changes something a header that no foreign page can send.

Nobody is let in by silence: a route without ``may`` or ``open_to_all`` fails a test, an unknown scope
is refused, and what cannot be shown to be one's own is not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import Request

from app.auth.foreign_log import ForeignLog
from app.auth.keys import KeyRing
from app.auth.origins import CSRF_HEADER, Origins
from app.auth.permissions import Permission, Reach, reach_of
from app.auth.principal import Principal
from app.auth.session_rows import Session
from app.auth.topics import reaches_agent
from app.http.errors import ApiError
from app.http.state import AppState, state_of
from routing.ids import AgentId, InteractionId

# What the path names, and so what "own" and "own team" are measured by. ``all``: the whole tenant;
# ``mine``: the endpoint itself narrows its answer to the reach that it is handed.
Scope = Literal["agent", "interaction", "all", "mine"]

COOKIE = "__Host-holdless"

_BEARER = "bearer "
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_ORIGIN_DETAILS = {
    "foreign_origin": "this page is none of ours: open the server's own address, or name it in http.origins",
    "insecure_origin": (
        "browsers keep no session over plain http: put TLS in front of the server, name its https address"
        " in http.origins, and open that"
    ),
}


def may(permission: Permission, *, scope: Scope) -> Callable[[Request], Awaitable[Principal]]:
    """Return the dependency that lets only those pass who may.

    It leaves ``principal``, ``reach`` and ``session`` (None for keys) in ``request.state``.

    Args:
        permission: A row of the table.
        scope: ``agent`` and ``interaction`` need the path parameters ``agent_id``, ``interaction_id``.
    """

    async def gate(request: Request) -> Principal:
        state = state_of(request)
        principal = await _principal(request, state)
        reach = reach_of(principal.role, permission)
        if reach is None or not _within(reach, principal, scope, request, state):
            raise ApiError(
                403, "not_allowed", "your role does not allow this", params={"permission": permission}
            )
        request.state.principal = principal
        request.state.reach = reach
        return principal

    gate.permission = permission  # type: ignore[attr-defined]  # both are read by the tests over all routes
    gate.scope = scope  # type: ignore[attr-defined]
    return gate


def open_to_all(why: str) -> Callable[[], Awaitable[None]]:
    """Return the dependency of a route that needs no right; *why* stands for the reader and the test."""

    async def gate() -> None:
        return None

    gate.open_because = why  # type: ignore[attr-defined]
    return gate


async def own_page(request: Request) -> None:
    """Let only what a page of our own asks pass (a dependency).

    Raises:
        ApiError: 403.
    """
    _refuse_foreign(request)


def _refuse_foreign(request: Request) -> None:
    sent = request.headers.get("origin")
    changes = request.method not in _SAFE_METHODS
    if sent is None and not changes:
        return
    if problem := origins_of(request).problem(sent):
        _note(request, problem, sent)
        raise ApiError(
            403, problem, _ORIGIN_DETAILS[problem], params={"origins": sorted(origins_of(request).allowed)}
        )
    if changes and request.headers.get(CSRF_HEADER) != "1":
        _note(request, "csrf_header_missing", sent)
        raise ApiError(403, "csrf_header_missing", "send X-Holdless: 1")


def _note(request: Request, problem: str, sent: str | None) -> None:
    foreign: ForeignLog = request.app.state.foreign
    foreign.note(problem, origin=sent, method=request.method, path=request.url.path)


def origins_of(request: Request) -> Origins:
    """Return the origins of our own pages."""
    origins: Origins = request.app.state.origins
    return origins


async def _principal(request: Request, state: AppState) -> Principal:
    request.state.session = None
    sent = request.headers.get("authorization", "")
    if sent[: len(_BEARER)].lower() == _BEARER:
        ring: KeyRing = request.app.state.keys
        if principal := ring.principal_of(sent[len(_BEARER) :].strip()):
            return principal
    elif token := request.cookies.get(COOKIE):
        _refuse_foreign(request)
        session: Session | None = await state.faces.sessions.of_token(token)
        if session is not None:
            request.state.session = session
            return session.principal
    raise ApiError(
        401,
        "not_signed_in",
        "sign in, or send Authorization: Bearer KEY",
        headers={"WWW-Authenticate": "Bearer"},
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
    return any(reaches_agent(reach, principal, agent, state.floor.team_of) for agent in agents)
