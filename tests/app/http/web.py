"""A running server in small: the real inbox and engine, a call log of rows in a list."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from types import SimpleNamespace
from typing import Any

import httpx2
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.datastructures import State

from app.auth.tickets import Tickets
from app.calls.reader import CallPage
from app.calls.rules import CallFilter, Sight
from app.db.session import DEFAULT_TENANT, Database
from app.floor.live_floor import LiveFloor
from app.http.app import attach, create_app
from app.live.bus import Bus, Cursor
from app.live.clock import Clock
from app.live.inbox import Inbox
from app.settings import ApiKeySettings, Settings
from app.wall.links import WallLinks
from app.wall.live_wall import LiveWall
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.engine import Engine
from routing.floor import Floor
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId, SkillId
from routing.signals import ConfigChanged, PbxSnapshotTaken
from routing.step import Step

KEY = "key-of-the-crm"
KEYS = (ApiKeySettings(name="crm", sha256=hashlib.sha256(KEY.encode()).hexdigest()),)
CENTRE = CentreConfig(
    agents=(
        AgentConfig(agent_id=AgentId("a1001"), skills={SkillId("english"): 5}, device="PJSIP/a1001"),
        AgentConfig(agent_id=AgentId("a1002"), skills={SkillId("english"): 5}, device="PJSIP/a1002"),
    ),
    queues=(QueueConfig(queue_id=QueueId("support"), requires={SkillId("english"): 1}),),
    default_queue_id=QueueId("support"),
)


class RowLog:
    """A call log of rows in a list, with the index of the next row as the cursor."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.asked: list[tuple[CallFilter, Sight]] = []

    async def page(self, wanted: CallFilter, sight: Sight, *, limit: int, cursor: str | None) -> CallPage:
        start = int(cursor or "0")
        self.asked.append((wanted, sight))
        rows = [row for row in self.rows if wanted.queue_id in (None, row["queue_id"])]
        end = start + limit
        return CallPage(calls=rows[start:end], next_cursor=str(end) if end < len(rows) else None)

    async def count(self, wanted: CallFilter, sight: Sight, *, at_most: int) -> int:
        return min(len(self.rows), at_most)

    async def one(self, interaction_id: InteractionId, sight: Sight) -> Mapping[str, Any] | None:
        self.asked.append((CallFilter(), sight))
        return next((row for row in self.rows if row["interaction_id"] == interaction_id), None)

    async def choices(self) -> Mapping[str, Any]:
        return {name: [] for name in ("queues", "agents", "teams", "wrap_up_codes", "entry_points")}


class SmallFaces:
    """The parts behind the pages while the record is away."""

    def __init__(self) -> None:
        self.database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
        self.tenant_id = DEFAULT_TENANT
        self.phones = SmallPhones()
        self.core = SimpleNamespace(config=CENTRE)
        self.wall_links = WallLinks(self.database, DEFAULT_TENANT)
        self.tickets = Tickets(Clock().now_ms, self.wall_links.is_live)
        self.wall = LiveWall(  # nothing was counted yet: it does not run
            bus=Bus(Cursor(1, 0)),
            clock=Clock(),
            tail=SimpleNamespace(),
            database=self.database,
            tenant_id=DEFAULT_TENANT,
            threshold_ms=dict,
        )


class SmallPhones:
    """A PBX without a door for browsers."""

    proxy = None


@dataclass
class SmallServer:
    """What ``create_app`` needs, with an engine that is stepped by ``drive``."""

    settings: Settings = field(default_factory=lambda: Settings(api_keys=KEYS))
    calls: RowLog = field(default_factory=RowLog)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    waits_for: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.engine = Engine()
        self.fold = Floor()
        self.floor = LiveFloor(self.fold)
        self.inbox = Inbox(Clock())
        self.faces: Any = SmallFaces()  # the tests of what lies behind the pages set their own

    def not_ready(self) -> Mapping[str, str]:
        return self.waits_for

    async def drive(self) -> None:
        """Step the engine for ever."""
        while True:
            for posted in await self.inbox.batch(self.engine.next_deadline_ms(), 64):
                step = self.engine.step(posted.signal)
                self.steps.append(step)
                for event in step.events:
                    self.fold.apply(event)
                if posted.done is not None:
                    posted.done.set_result(step)


@cache
def _routed() -> FastAPI:
    return create_app(SmallServer())


def app_of(server: Any) -> FastAPI:
    """Return the application of *server*. All share their routes: to resolve them takes 0.2 s."""
    app = copy(_routed())
    app.state = State(dict(app.state._state))
    app.user_middleware = []
    attach(app, server)
    return app


@asynccontextmanager
async def serving(
    server: SmallServer | None = None, key: str | None = KEY
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve *server*, its centre configured and its PBX read, to a client that sends *key*."""
    server = server or SmallServer()
    async with asyncio.TaskGroup() as group:
        driving = group.create_task(server.drive())
        await server.inbox.put(ConfigChanged(version=1, config=CENTRE))
        await server.inbox.put(PbxSnapshotTaken(pbx_id=PbxId("pbx1"), boot_id=BootId("b1")))
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx2.ASGITransport(app=app_of(server))
        async with httpx2.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
            yield client
        driving.cancel()
