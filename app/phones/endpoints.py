"""Which phone an agent is rung on, what a page registers with, and the page's way to the PBX."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, WebSocket

from app.auth.gate import may
from app.auth.permissions import reach_of
from app.auth.principal import Principal
from app.http.ask import InboxDependency, RequestId, ask
from app.http.errors import ApiError
from app.http.ids import AgentPath
from app.http.state import AppState, state_of
from app.phones.proxy import FORBIDDEN, PBX_AWAY, SUBPROTOCOL
from app.phones.queries import save_phone
from app.phones.rules import ChosenPhone, PhoneRefused, inside_phone, outside_phone
from app.phones.schemas import InsidePhone, Kind, PhoneBody, PhoneCredentials, PhoneView
from routing.floor import AgentFloor
from routing.ids import AgentId
from routing.phone_signals import PhoneChosen, PhoneKind
from telephony.phones import outside_number, web_endpoint

router = APIRouter(prefix="/agents/{agent_id}/phone", tags=["phones"])
socket_router = APIRouter()

SIP_DOMAIN = "holdless.invalid"  # the PBX goes by the name before it
WEBSOCKET_PATH = "/phone"
TICKET_PREFIX = "ticket."


@router.get("", dependencies=[Depends(may("agent.phone", scope="agent"))])
async def read_phone(agent_id: AgentPath, request: Request) -> PhoneView:
    """Say where an agent is rung."""
    return _view(state_of(request), AgentId(agent_id))


@router.put("", dependencies=[Depends(may("agent.phone", scope="agent"))])
async def choose_phone(
    agent_id: AgentPath, body: PhoneBody, request: Request, request_id: RequestId, inbox: InboxDependency
) -> PhoneView:
    """Ring the agent elsewhere from now on. 409 while on a call: a call stays where it is."""
    state, agent = state_of(request), AgentId(agent_id)
    principal: Principal = request.state.principal
    _seen(state, agent)
    phone = _wanted(state, agent, body)
    faces = state.faces
    # What the engine refuses is not kept: the row is committed behind its answer.
    async with faces.database.transaction(faces.tenant_id) as connection:
        await save_phone(connection, faces.tenant_id, agent, phone, f"{principal.role}:{principal.name}")
        signal = PhoneChosen(agent_id=agent, kind=phone.kind, device=phone.device, request_id=request_id)
        await ask(inbox, signal)
    return _view(state, agent, phone)


@router.post("/credentials", dependencies=[Depends(may("agent.phone", scope="agent"))])
async def issue_credentials(agent_id: AgentPath, request: Request) -> PhoneCredentials:
    """Give the agent's own page what its phone registers with; nobody else's."""
    principal: Principal = request.state.principal
    if principal.agent_id != agent_id:
        raise ApiError(403, "not_your_phone", "only the agent's own session registers the agent's phone")
    faces = state_of(request).faces
    if faces.phones.proxy is None:
        raise ApiError(409, "browser_phones_off", "set phones.websocket_url and phones.secret")
    session = request.state.session
    session_id = session.session_id if session is not None else None
    password, expires_ms = faces.phones.passwords.issue(AgentId(agent_id), session_id)
    endpoint = web_endpoint(agent_id)
    return PhoneCredentials(
        sip_uri=f"sip:{endpoint}@{SIP_DOMAIN}",
        username=endpoint,
        password=password,
        websocket_path=WEBSOCKET_PATH,
        expires_ms=expires_ms,
    )


@socket_router.websocket(WEBSOCKET_PATH)
async def phone_socket(page: WebSocket) -> None:
    """Carry the SIP of an agent's own page to the PBX: a page of ours, a ticket, and the right to a phone.

    The ticket comes among the subprotocols (``sip``, ``ticket.<ticket>``): addresses stand in logs.
    """
    state: AppState = page.app.state.server
    if not page.app.state.origins.allow_handshake(page.headers):
        sent = page.headers.get("origin")
        page.app.state.foreign.note("foreign_origin", origin=sent, method="WEBSOCKET", path=WEBSOCKET_PATH)
        await page.close(FORBIDDEN)
        return
    offered: list[str] = page.scope.get("subprotocols", [])
    tickets = [each.removeprefix(TICKET_PREFIX) for each in offered if each.startswith(TICKET_PREFIX)]
    shown = state.faces.tickets.redeem(tickets[0]) if len(tickets) == 1 else None
    if shown is None or SUBPROTOCOL not in offered:
        await page.close(FORBIDDEN)
        return
    principal = shown.principal
    if principal.agent_id is None or reach_of(principal.role, "agent.phone") is None:
        await page.close(FORBIDDEN)
        return
    proxy = state.faces.phones.proxy
    if proxy is None:
        await page.close(PBX_AWAY)
        return
    await proxy.serve(page, principal.agent_id, shown.session_id)


def _wanted(state: AppState, agent_id: AgentId, body: PhoneBody) -> ChosenPhone:
    if isinstance(body, InsidePhone):
        kind = PhoneKind(body.kind)
        if kind is PhoneKind.BROWSER and state.faces.phones.proxy is None:
            raise ApiError(409, "browser_phones_off", "set phones.websocket_url and phones.secret")
        return inside_phone(kind, agent_id)
    settings = state.settings
    found = outside_phone(
        "".join(letter for letter in body.number if letter not in " -()."),
        region=settings.region,
        area_code=settings.area_code,
        prefixes_allowed=settings.phones.prefixes_allowed,
        at=datetime.now(UTC),
    )
    if isinstance(found, PhoneRefused):
        raise ApiError(422, found.reason, "this number cannot be an agent's phone")
    return found


def _view(state: AppState, agent_id: AgentId, chosen: ChosenPhone | None = None) -> PhoneView:
    """The floor's word, or what was chosen just now: the floor hears of it a moment later."""
    seen = _seen(state, agent_id)
    fresh = chosen is not None and (chosen.kind, chosen.device) != (seen.phone_kind, seen.phone_device)
    kind = chosen.kind if chosen is not None else seen.phone_kind
    device = chosen.device if chosen is not None else seen.phone_device
    reachable = kind is not PhoneKind.BROWSER if fresh else seen.phone_reachable
    number = outside_number(device)
    since_ms = seen.phone_since_ms if reachable and not fresh and seen.phone_since_ms else None
    return PhoneView(
        kind=kind.value,
        address=number or device or f"PJSIP/{agent_id}",
        number=number,
        reachable=reachable,
        registered_since_ms=since_ms,
        available_kinds=_available(state),
    )


def _seen(state: AppState, agent_id: AgentId) -> AgentFloor:
    seen = state.floor.agent(agent_id)
    if seen is None:
        raise ApiError(404, "unknown_agent", "there is no such agent")
    return seen


def _available(state: AppState) -> list[Kind]:
    kinds: list[Kind] = ["desk"]
    if state.faces.phones.proxy is not None:
        kinds.append("browser")
    if state.settings.phones.prefixes_allowed:
        kinds.append("external")
    return kinds
