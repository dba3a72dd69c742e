"""A running server with somebody of every role in it, for tests of who is let in where."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from app.auth.links import make_link
from app.auth.permissions import Role
from app.centre.demo import demo_centre
from app.centre.rows import save_centre
from app.db.session import DEFAULT_TENANT, Database
from app.settings import ApiKeySettings
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId
from routing.signals import InteractionArrived, InteractionWaiting, OfferAnswered, OfferRang, PbxSnapshotTaken
from tests.app.auth.people import add_account, browser, cookie, token_of
from tests.app.running import Running, running

OWN, FOREIGN = "a1001", "a1004"  # of the teams front and care
CALLS = {OWN: "pbx1-1763790000.1", FOREIGN: "pbx1-1763790000.2"}
QUEUES = {OWN: "sales", FOREIGN: "support"}
KEY = "key-of-the-crm"
KEYS = (ApiKeySettings(name="crm", sha256=hashlib.sha256(KEY.encode()).hexdigest()),)
PEOPLE: dict[Role, dict[str, Any]] = {
    Role.AGENT: {"agent_id": OWN},
    Role.SUPERVISOR: {"team_ids": ("front",)},
    Role.PLANNER: {},
    Role.ADMINISTRATOR: {},
}


@dataclass
class Someone:
    """Who asks: a person with a session, a program with a key, a screen with its link, or nobody.

    Attributes:
        role: None: nobody.
        headers: What is sent with every request; a person's cookie is renewed when their session is over.
    """

    house: House
    role: Role | None
    headers: dict[str, str] = field(default_factory=dict)
    account_id: UUID | None = None

    async def ask(self, method: str, path: str) -> tuple[int, str, str]:
        """Send a request that changes nothing; return status, ``error_id`` and the right that was missing."""
        if self.account_id is not None and not await self._is_signed_in():
            await self.sign_in()
        body = None if method in ("GET", "HEAD") else b"{}"
        answer = await self.house.page.request(method, path, content=body, headers=self._sent())
        is_problem = answer.headers.get("content-type") == "application/problem+json"
        told = answer.json() if is_problem else {}
        return answer.status_code, told.get("error_id", ""), told.get("params", {}).get("permission", "")

    async def sign_in(self) -> None:
        """Begin a session, by a link as the command line makes it."""
        assert self.account_id is not None
        faces = self.house.running.server.faces
        async with faces.database.transaction(faces.tenant_id) as connection:
            token, _ = await make_link(
                connection,
                faces.tenant_id,
                "session",
                now_ms=faces.sessions.now_ms(),
                made_by="a test",
                account_id=self.account_id,
            )
        answer = await self.house.page.post("/api/v1/session", json={"link": token})
        assert answer.status_code == 200, answer.text
        self.headers = cookie(token_of(answer))

    async def ticket(self) -> str:
        """Get a ticket for a socket, as the page would."""
        if self.role is Role.WALL:
            token = self.headers["Authorization"].split()[1]
            answer = await self.house.page.post("/api/v1/wall/ticket", json={"token": token})
        else:
            answer = await self.house.page.post("/api/v1/session/ticket", headers=self._sent())
        assert answer.status_code == 200, answer.text
        ticket: str = answer.json()["ticket"]
        return ticket

    async def _is_signed_in(self) -> bool:
        token = self.headers["Cookie"].partition("=")[2]
        return await self.house.running.server.faces.sessions.of_token(token) is not None

    def _sent(self) -> dict[str, str]:
        return {"Content-Type": "application/json", **self.headers}


@dataclass
class House:
    """A running server with somebody of every role, and an agent of either team in a call."""

    running: Running
    page: httpx2.AsyncClient
    someone: dict[Role | None, Someone] = field(default_factory=dict)
    link_id: UUID | None = None

    async def fill(self) -> None:
        """Let them come in."""
        faces = self.running.server.faces
        self.someone[None] = Someone(self, None)
        for role, more in PEOPLE.items():
            account_id = await add_account(faces.database, str(role), role, centre=False, **more)
            self.someone[role] = Someone(self, role, account_id=account_id)
            await self.someone[role].sign_in()
        self.someone[Role.INTEGRATION] = Someone(self, Role.INTEGRATION, {"Authorization": f"Bearer {KEY}"})
        link = await faces.wall_links.make("Lobby", "a test")
        token = link.path.partition("#token=")[2]
        self.link_id = link.link_id
        self.someone[Role.WALL] = Someone(
            self, Role.WALL, {"Authorization": f"Bearer {token}", **cookie(token)}
        )

    async def call(self, agent_id: str) -> None:
        """Bring the agent into a call."""
        program = self.someone[Role.INTEGRATION].headers
        for state in ("signed_in", "ready"):
            path = f"/api/v1/agents/{agent_id}/state"
            answer = await self.page.post(path, json={"state": state}, headers=program)
            assert answer.status_code == 200, answer.text
        call = InteractionId(CALLS[agent_id])
        told = {"interaction_id": call, "agent_id": AgentId(agent_id), "attempt": 1}
        answered_at_once = (  # in one batch: the PBX, which is away, answers the offer after that
            InteractionArrived(interaction_id=call),
            InteractionWaiting(interaction_id=call, queue_id=QueueId(QUEUES[agent_id])),
            OfferRang(**told),  # type: ignore[arg-type]
            OfferAnswered(**told),  # type: ignore[arg-type]
        )
        await asyncio.gather(*map(self.running.server.core.inbox.put, answered_at_once))
        for _ in range(1_000):
            if self.running.server.floor.agents_on(call) == {agent_id}:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("the floor does not show the call")


@asynccontextmanager
async def opened(database_url: str, folder: Path) -> AsyncIterator[House]:
    """Open a house with the demo's centre, somebody of every role, and two calls."""
    database = Database(database_url)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await save_centre(connection, DEFAULT_TENANT, demo_centre(), made_by="a test", note="")
    await database.close()
    async with running(database_url, folder, KEYS) as up, browser(up.app, origin=up.origin) as page:
        house = House(up, page)
        await up.server.core.inbox.put(PbxSnapshotTaken(pbx_id=PbxId("pbx1"), boot_id=BootId("b1")))
        await house.fill()
        for agent_id in CALLS:
            await house.call(agent_id)
        yield house
