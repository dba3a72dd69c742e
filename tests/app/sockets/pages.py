"""A served socket and pages on it: the real web server, real clients, a door of lists."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.http.websockets import OPTIONS, WebSocketProtocol
from app.sockets.connection import Visitor
from app.sockets.endpoints import router
from app.sockets.gateway import Gateway
from app.sockets.hub import Hub
from app.sockets.pump import Pump
from app.sockets.rules import Json
from routing.ids import AgentId

WITHIN_S = 10.0
BUFFER_BYTES = 16_384  # a slow page is felt after little
SESSION = UUID(int=7)
ANA = Principal(role=Role.AGENT, name="ana", agent_id=AgentId("a1001"))


@dataclass
class ListedDoor:
    """Lets in whose ticket is listed, and lets them follow what is listed."""

    tickets: dict[str, Visitor] = field(
        default_factory=lambda: {"ana": Visitor(principal=ANA, session_id=SESSION)}
    )
    topics: set[str] = field(default_factory=lambda: {"floor:all", "agent:a1001", "unopened"})
    over: set[UUID] = field(default_factory=set)
    seen: list[UUID | None] = field(default_factory=list)

    def is_own_page(self, headers: Mapping[str, str]) -> bool:
        return headers.get("origin") in (None, "http://ours")

    def let_in(self, ticket: str) -> Visitor | None:
        return self.tickets.get(ticket)

    def again(self, visitor: Visitor, *, was_seen: bool) -> Visitor | None:
        if was_seen:
            self.seen.append(visitor.session_id)
        return None if visitor.session_id in self.over else visitor

    def may_follow(self, principal: Principal, topic: str) -> bool:
        return topic in self.topics


@dataclass
class Served:
    """A gateway behind a port."""

    url: str
    gateway: Gateway
    pump: Pump
    door: ListedDoor
    acks: list[tuple[Principal, int]]

    def show(self, key: str, value: Any, topic: str = "floor:all") -> None:
        self.pump.show(topic, key, Json(value))

    @asynccontextmanager
    async def page(self, ticket: str | None = "ana", **options: Any) -> AsyncIterator[ClientConnection]:
        """Connect, show the ticket, and take the greeting."""
        async with connect(self.url, **options) as page:
            if ticket is not None:
                await say(page, type="ticket", ticket=ticket)
                assert (await hear(page))["type"] == "hello"
            yield page


async def say(page: ClientConnection, **message: Any) -> None:
    """Send one message; ``after`` stands for ``from``."""
    if "after" in message:
        message["from"] = message.pop("after")
    await page.send(orjson.dumps(message).decode())


async def hear(page: ClientConnection) -> dict[str, Any]:
    """Return the next message."""
    message: dict[str, Any] = orjson.loads(await asyncio.wait_for(page.recv(), WITHIN_S))
    return message


async def last_words(page: ClientConnection) -> tuple[str | None, int | None]:
    """Read on to the end; return the reason told and the close code."""
    reason = None
    try:
        while True:
            message = await hear(page)
            if message["type"] == "gone":
                reason = message["reason"]
    except ConnectionClosed:
        return reason, page.close_code


@asynccontextmanager
async def listening(app: FastAPI, port: int = 0) -> AsyncIterator[str]:
    """Serve *app* in this loop, on a port of its own unless one is named; yields ``host:port``."""
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)  # those who come take it over
    door.bind(("127.0.0.1", port))
    door.listen()  # who comes early waits
    config = uvicorn.Config(
        app, log_config=None, ws=WebSocketProtocol, timeout_graceful_shutdown=1, **OPTIONS
    )
    web = uvicorn.Server(config)
    config.load()
    web.lifespan = config.lifespan_class(config)
    await web.startup(sockets=[door])  # its own loop looks only ten times a second whether to stop
    try:
        yield f"127.0.0.1:{door.getsockname()[1]}"
    finally:
        await web.shutdown(sockets=[door])


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """Serve ``/ws`` with an empty ``floor:all``."""
    loop = asyncio.get_running_loop()
    pump = Pump(Hub(epoch=5), lambda: int(loop.time() * 1000))
    pump.open("floor:all")
    door = ListedDoor()
    acks: list[tuple[Principal, int]] = []
    gateway = Gateway(
        pump,
        door,
        on_ack=lambda principal, pop_id: acks.append((principal, pop_id)),
        server_ms=lambda: 1_763_790_000_000,
        registry=CollectorRegistry(),
    )
    app = FastAPI()
    app.include_router(router)

    app.state.server = SimpleNamespace(faces=SimpleNamespace(gateway=gateway))
    parts = [asyncio.create_task(pump.run()), asyncio.create_task(gateway.run())]
    try:
        async with listening(app) as address:
            yield Served(f"ws://{address}/ws", gateway, pump, door, acks)
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
