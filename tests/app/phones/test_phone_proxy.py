"""A page's way to the PBX, over real sockets: who is let in, what passes, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import uvicorn
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.auth.tickets import Tickets
from app.http.app import create_app
from app.phones.passwords import Passwords
from app.phones.proxy import FORBIDDEN, PBX_AWAY, REPLACED, SIGNED_OUT, PhoneProxy
from app.settings import HttpSettings, Settings
from routing.ids import AgentId
from tests.app.http.web import SmallServer

OWN_ORIGIN = "http://127.0.0.1:8080"
REGISTER = "REGISTER sip:holdless.invalid SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n"


class EchoPbx:
    """Takes SIP over WebSocket and answers each message with itself."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.connections: list[ServerConnection] = []

    async def talk(self, connection: ServerConnection) -> None:
        self.connections.append(connection)
        try:
            async for message in connection:
                assert isinstance(message, str)
                self.heard.append(message)
                await connection.send(f"SIP/2.0 200 OK\r\nX-Of: {message.split()[0]}\r\n\r\n")
        except ConnectionClosed:
            pass


class Door:
    """A server with browser phones, and pages that come to it."""

    def __init__(self, port: int, tickets: Tickets, proxy: PhoneProxy, pbx: EchoPbx) -> None:
        self.port, self.tickets, self.proxy, self.pbx = port, tickets, proxy, pbx

    async def open(
        self,
        agent_id: str | None = "a1001",
        *,
        role: Role = Role.AGENT,
        session_id: UUID | None = None,
        origin: str = OWN_ORIGIN,
        ticket: str | None = None,
        sip: bool = True,
    ) -> ClientConnection:
        principal = Principal(role=role, name="x", agent_id=AgentId(agent_id) if agent_id else None)
        shown = self.tickets.issue(principal, session_id) if ticket is None else ticket
        offered = [Subprotocol(name) for name in (*(["sip"] if sip else []), f"ticket.{shown}")]
        return await connect(
            f"ws://127.0.0.1:{self.port}/phone",
            subprotocols=offered,
            origin=Origin(origin),
            proxy=None,
        )


@asynccontextmanager
async def door(*, pbx_is_away: bool = False) -> AsyncIterator[Door]:
    pbx, registry = EchoPbx(), CollectorRegistry()
    async with serve(pbx.talk, "127.0.0.1", 0, subprotocols=[Subprotocol("sip")]) as listening:
        pbx_port = next(iter(listening.sockets)).getsockname()[1]
        server = SmallServer(settings=Settings(http=HttpSettings(port=8080)))
        passwords = Passwords(lambda: 0)
        proxy = PhoneProxy(
            f"ws://127.0.0.1:{9 if pbx_is_away else pbx_port}/ws",
            endpoint_of=lambda agent_id: (f"{agent_id}-web", "secret"),
            passwords_of=passwords.of,
            registry=registry,
        )
        tickets = Tickets(lambda: 0, lambda _session: True)
        server.faces.tickets = tickets  # type: ignore[attr-defined]
        server.faces.phones = SimpleNamespace(proxy=proxy, passwords=passwords)
        config = uvicorn.Config(create_app(server), port=0, log_level="error", ws="websockets-sansio")
        web = uvicorn.Server(config)
        running = asyncio.create_task(web.serve())
        while not web.started:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.01)
        try:
            yield Door(web.servers[0].sockets[0].getsockname()[1], tickets, proxy, pbx)
        finally:
            web.should_exit = True
            await running


async def closing_code(page: ClientConnection) -> int | None:
    async with asyncio.timeout(5):
        await page.wait_closed()
    return page.close_code


async def test_sip_passes_both_ways_and_ends_with_the_page() -> None:
    async with door() as at:
        page = await at.open()
        assert page.subprotocol == "sip"
        await page.send(REGISTER)
        assert await page.recv() == "SIP/2.0 200 OK\r\nX-Of: REGISTER\r\n\r\n"
        await page.close()
        async with asyncio.timeout(5):
            await at.pbx.connections[0].wait_closed()
        assert at.pbx.heard == [REGISTER]


@pytest.mark.parametrize(
    "how",
    [
        {"ticket": "wrong"},
        {"agent_id": None},
        {"role": Role.PLANNER},
        {"origin": "https://elsewhere.example"},
        {"sip": False},
    ],
)
async def test_who_is_not_entitled_is_not_let_in(how: dict[str, Any]) -> None:
    async with door() as at:
        with pytest.raises(InvalidStatus) as refused:
            await at.open(**how)
        assert refused.value.response.status_code == 403
        assert at.pbx.connections == []


async def test_a_ticket_opens_one_phone_once() -> None:
    async with door() as at:
        principal = Principal(role=Role.AGENT, name="x", agent_id=AgentId("a1001"))
        ticket = at.tickets.issue(principal)
        await at.open(ticket=ticket)
        with pytest.raises(InvalidStatus):
            await at.open(ticket=ticket)


async def test_the_newest_page_of_an_agent_takes_the_place_of_the_former() -> None:
    async with door() as at:
        former, other = await at.open(), await at.open("a1002")
        newest = await at.open()
        assert await closing_code(former) == REPLACED
        for page in (newest, other):
            await page.send(REGISTER)
            assert await page.recv()


async def test_a_session_that_ends_takes_its_phone_along() -> None:
    async with door() as at:
        session_id = uuid4()
        page, other = await at.open(session_id=session_id), await at.open("a1002", session_id=uuid4())
        at.proxy.end_sessions(frozenset({session_id}))
        assert await closing_code(page) == SIGNED_OUT
        await other.send(REGISTER)
        assert await other.recv()


@pytest.mark.parametrize("message", ["SUBSCRIBE sip:x SIP/2.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", b"binary"])
async def test_what_no_phone_sends_ends_the_connection_and_does_not_pass(message: str | bytes) -> None:
    async with door() as at:
        page = await at.open()
        await page.send(message)
        assert await closing_code(page) in (FORBIDDEN, 1001)
        assert at.pbx.heard == []


async def test_a_pbx_that_is_away_is_told_to_the_page() -> None:
    async with door(pbx_is_away=True) as at:
        assert await closing_code(await at.open()) == PBX_AWAY


async def test_a_pbx_that_goes_away_ends_the_page() -> None:
    async with door() as at:
        page = await at.open()
        await page.send(REGISTER)
        await page.recv()
        await at.pbx.connections[0].close()
        assert await closing_code(page) == 1001
