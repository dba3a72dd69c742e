"""The session of who asks: sign in and out, language and appearance, a new password, a socket's ticket.

The cookie is ``__Host-`` (no other host or path can set it), ``Secure``, ``HttpOnly``, ``SameSite=Strict``.
Strict costs nothing here: pages are static and ask for everything themselves, so that a link from another
program opens its page without the cookie, and that page's own requests carry it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.auth import account_rows
from app.auth.gate import COOKIE, may, open_to_all, own_page
from app.auth.principal import Principal
from app.auth.schemas import (
    LinkBody,
    LinkOffer,
    PasswordBody,
    Session,
    SessionChoice,
    SignInBody,
    SocketTicket,
)
from app.auth.session_rows import Session as LiveSession
from app.auth.sign_in import Begun, Client, LinkAnswer
from app.auth.tickets import TICKET_LIFE_MS
from app.http.errors import ApiError
from app.http.state import state_of

router = APIRouter(prefix="/session", tags=["session"])

_nobody_yet = [Depends(open_to_all("nobody is signed in yet")), Depends(own_page)]
User = Annotated[Principal, Depends(may("session.use", scope="mine"))]


async def _client(request: Request) -> Client:
    """Return who asks, with the session that the browser came with, if it is one (a dependency)."""
    token = request.cookies.get(COOKIE)
    return Client(
        address=request.client.host if request.client is not None else "",
        user_agent=request.headers.get("user-agent", ""),
        session=await state_of(request).faces.sessions.of_token(token) if token else None,
    )


ClientDependency = Annotated[Client, Depends(_client)]


@router.post("", dependencies=_nobody_yet)
async def sign_in(
    body: SignInBody, request: Request, response: Response, client: ClientDependency
) -> Session:
    """Sign in by login and password, or by a link; the answer sets the cookie."""
    door = state_of(request).faces.sign_in
    if body.link is not None:
        chosen = LinkAnswer(
            login=body.login or "",
            display_name=body.display_name.strip(),
            password=body.password or "",
            language=body.language or "",
        )
        return _begun(response, await door.by_link(body.link, chosen, client))
    return _begun(response, await door.by_password(body.login or "", body.password or "", client))


@router.post("/link", dependencies=_nobody_yet)
async def look_at_link(body: LinkBody, request: Request, client: ClientDependency) -> LinkOffer:
    """Say what a link would do; it is not used up."""
    offer = await state_of(request).faces.sign_in.look_at_link(body.link, client)
    return LinkOffer(
        purpose=offer.purpose,
        expires_ms=offer.expires_ms,
        login=offer.login,
        display_name=offer.display_name,
    )


@router.get("")
async def show_session(request: Request, _user: User) -> Session:
    """Say who is signed in."""
    return Session.of(_session(request))


@router.patch("")
async def choose(body: SessionChoice, request: Request, _user: User) -> Session:
    """Keep language and appearance with the account."""
    faces, session = state_of(request).faces, _session(request)
    values = body.model_dump(exclude_none=True)
    if values:
        async with faces.database.transaction(faces.tenant_id) as connection:
            await account_rows.update_account(connection, faces.tenant_id, session.account_id, values)
        faces.sessions.choose(session.account_id, **values)
    return Session.of(faces.sessions.live(session.session_id) or session)


@router.delete("", status_code=204)
async def sign_out(
    request: Request,
    response: Response,
    _user: User,
    everywhere: Annotated[bool, Query(description="End every session of this account.")] = False,
) -> None:
    """Sign out here, or everywhere."""
    sessions, session = state_of(request).faces.sessions, _session(request)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    if everywhere:
        await sessions.end_all(session.account_id)
    else:
        await sessions.end(session.session_id)


@router.post("/password")
async def choose_password(
    body: PasswordBody, request: Request, response: Response, _user: User, client: ClientDependency
) -> Session:
    """Choose another password; every other session of this account ends, and this one begins anew."""
    door = state_of(request).faces.sign_in
    return _begun(response, await door.choose_password(body.old, body.new, _session(request), client))


@router.post("/ticket")
async def issue_ticket(request: Request, user: User) -> SocketTicket:
    """Give a ticket with which this session opens one socket."""
    faces = state_of(request).faces
    ticket = faces.tickets.issue(user, _session(request).session_id)
    return SocketTicket(ticket=ticket, expires_ms=faces.sessions.now_ms() + TICKET_LIFE_MS)


def _session(request: Request) -> LiveSession:
    session: LiveSession | None = request.state.session
    if session is None:  # a key has the right to nothing here, so that this is a slip of the table
        raise ApiError(403, "not_allowed", "a key has no session")
    return session


def _begun(response: Response, begun: Begun) -> Session:
    token, session = begun
    response.set_cookie(
        COOKIE,
        token,
        max_age=(session.ends_ms - session.made_ms) // 1000,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return Session.of(session)
