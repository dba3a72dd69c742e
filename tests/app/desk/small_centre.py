"""A small centre whose pages are real: real engine, bus, floor, hub and PostgreSQL; callers by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
from prometheus_client import CollectorRegistry

from app.centre.document import AgentPart, Centre, EntryPointPart, QueuePart, SkillPart, WrapUpCodePart
from app.centre.rules import engine_config
from app.customers.identify_rules import Attestation, Match
from app.customers.numbers import parse_number
from app.customers.parties import Link, NewParty, create_party, link_identifier
from app.customers.queries import identify
from app.db.session import DEFAULT_TENANT, Database
from app.desk.agent_board import topic_of
from app.floor.live_floor import LiveFloor
from app.floor.rules import NO_FIGURES
from app.live.bus import Bus, Cursor
from app.live.clock import Clock
from app.live_pages import LivePages
from app.sockets.rules import Frame, SocketCursor
from routing.engine import Engine, Step
from routing.floor_of import floor_of
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId
from routing.signals import (
    AgentReady,
    AgentSignedIn,
    ConfigChanged,
    DeviceSeen,
    InteractionArrived,
    InteractionEnded,
    InteractionWaiting,
    OfferAnswered,
    OfferFailed,
    OfferFailure,
    OfferRang,
    Party,
    PbxSnapshotTaken,
    Signal,
    WrapUpEnded,
)
from tests.app.sockets.pages import ListedDoor
from tests.app.topic_check import assert_as_described

ANA, BEN = AgentId("a1001"), AgentId("a1002")
WITHIN_S = 10.0


@dataclass(frozen=True)
class _Figures:
    today: dict[str, Any]
    last_15_min: dict[str, Any]


class _NoWall:
    """Figures that nobody counts."""

    day_start_ms = 0
    _figures = _Figures(dict(NO_FIGURES), dict(NO_FIGURES))

    def figures_of(self, _queue: QueueId | None) -> _Figures:
        return self._figures


class Page:
    """An agent's page: its document from frames; acknowledges every pop as soon as it has it."""

    def __init__(self, centre: SmallCentre, agent_id: AgentId, *, acknowledges: bool = True) -> None:
        self.centre, self.agent_id = centre, agent_id
        self.document: dict[str, Any] = {}
        self.cursor: SocketCursor | None = None
        self.shown: dict[int, dict[str, Any]] = {}
        self.acknowledges = acknowledges
        self.is_up = False

    def offer(self, frame: Frame) -> None:
        message = orjson.loads(frame.text)
        changes = message.get("data", message.get("changes", {}))
        assert_as_described(message["topic"], changes)
        if message["type"] == "snapshot":
            self.document = {}
        for key, value in changes.items():
            if value is None:
                self.document.pop(key, None)
            else:
                self.document[key] = value
                if key.startswith("pop/"):
                    self.shown[value["pop_id"]] = value
                    if self.acknowledges:
                        loop = asyncio.get_running_loop()
                        loop.call_soon(self.acknowledge, value["pop_id"])
        self.cursor = SocketCursor(message["epoch"], message["seq"])

    def acknowledge(self, pop_id: int) -> None:
        if self.is_up:
            self.centre.pages.pops.acknowledge(self.agent_id, pop_id)

    def connect(self) -> None:
        assert not self.is_up
        self.is_up = True
        assert self.centre.pages.pump.follow(topic_of(self.agent_id), self, self.cursor)

    def cut(self) -> None:
        if self.is_up:
            self.is_up = False
            self.centre.pages.pump.leave(topic_of(self.agent_id), self)

    def reload(self) -> None:
        """The page is loaded anew: it has forgotten everything."""
        self.cut()
        self.cursor, self.document = None, {}
        self.connect()

    @property
    def pop(self) -> dict[str, Any] | None:
        """The pop that is on the screen."""
        return next((value for key, value in self.document.items() if key.startswith("pop/")), None)


class SmallCentre:
    """The centre and its pages."""

    def __init__(self, database: Database, *, agent_count: int = 2, epoch: int = 3) -> None:
        self.database, self.epoch, self.seq = database, epoch, 0
        self.clock = Clock()
        self.engine = Engine()
        self.bus = Bus(Cursor(epoch, 0))
        self.kept: list[tuple[str, Match]] = []
        self.document = Centre(
            skill=(SkillPart(skill_id="english"),),
            wrap_up_code=(
                WrapUpCodePart(code="sold", display_name="Sold"),
                WrapUpCodePart(code="lost", display_name="Lost"),
                WrapUpCodePart(code="other"),
            ),
            queue=(
                QueuePart(
                    queue_id="support",
                    display_name="Support 客服",
                    requires={"english": 1},
                    is_default=True,
                    wrap_up_s=600,
                    wrap_up_codes=("sold", "lost"),
                ),
            ),
            agent=tuple(
                AgentPart(
                    agent_id=f"a{1001 + n}", display_name=f"Agent {n}", skills={"english": 5}, team_id=None
                )
                for n in range(agent_count)
            ),
            entry_point=(EntryPointPart(entry_point="0225550100", display_name="Main line"),),
        )
        self._number = 0

    @property
    def agent_ids(self) -> list[AgentId]:
        return [AgentId(agent.agent_id) for agent in self.document.agent]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SmallCentre]:
        """Let the centre work."""
        config = engine_config(self.document)
        self.core = SimpleNamespace(
            clock=self.clock,
            epoch=self.epoch,
            config=config,
            metrics=SimpleNamespace(registry=CollectorRegistry()),
            bus=self.bus,
        )
        self.floor = LiveFloor(floor_of(self.engine.centre))
        self.door = ListedDoor()
        core: Any = self.core
        wall: Any = _NoWall()
        self.pages = LivePages(
            core,
            self.floor,
            wall,
            self.door,
            self.database,
            DEFAULT_TENANT,
            not_ready=lambda: {},
            region="TW",
            area_code="2",
            keep_match=lambda call, match: self.kept.append((call, match)),
        )
        self.pages.take_centre(self.document)
        subscription = self.bus.subscribe(queue_max=20_000)
        parts = [asyncio.create_task(self.floor.follow(subscription))]
        parts += [asyncio.create_task(work(), name=name) for name, work in self.pages.parts().items()]
        if self.seq == 0:
            self.put(ConfigChanged(version=1, config=config))
            devices = tuple(
                DeviceSeen(agent_id=each, reachable=True, in_use=False) for each in self.agent_ids
            )
            self.put(PbxSnapshotTaken(pbx_id=PbxId("pbx1"), boot_id=BootId("b1"), devices=devices))
        try:
            yield self
        finally:
            for part in parts:
                part.cancel()
            ended = await asyncio.gather(*parts, return_exceptions=True)
            await self.pages.stop()
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def put(self, signal: Signal) -> Step:
        """Step the engine and publish what follows."""
        self.seq += 1
        step = self.engine.step(replace(signal, at_ms=self.clock.now_ms()))
        self.bus.publish(self.epoch, self.seq, step.events)
        return step

    def sign_in(self, *agent_ids: AgentId) -> None:
        for agent_id in agent_ids:
            self.put(AgentSignedIn(agent_id=agent_id))
            self.put(AgentReady(agent_id=agent_id))

    async def arrive(
        self, number: str, *, looks_up: bool = True, attestation: Attestation = "unknown"
    ) -> InteractionId:
        """A caller comes in as through ``cc-in``: looked up, then in the queue."""
        self._number += 1
        call = InteractionId(f"pbx1-{self.clock.now_ms() // 1000}.{self._number}")
        self.put(InteractionArrived(interaction_id=call, entry_point="0225550100", caller_number=number))
        if looks_up:
            self.pages.pops.learn(call, await self.look_up(number, attestation))
        self.put(InteractionWaiting(interaction_id=call, queue_id=QueueId("support")))
        return call

    async def look_up(self, number: str, attestation: Attestation = "unknown") -> Match:
        return await identify(
            self.database,
            DEFAULT_TENANT,
            number,
            region="TW",
            area_code="2",
            box_s=WITHIN_S,
            attestation=attestation,
        )

    def agent_of(self, call: InteractionId) -> AgentId | None:
        live = self.engine.centre.interactions.get(call)
        return live.offer.agent_id if live and live.offer else None

    def _offer(self, call: InteractionId) -> Mapping[str, Any]:
        live = self.engine.centre.interactions[call]
        assert live.offer is not None
        return {
            "interaction_id": call,
            "agent_id": live.offer.agent_id,
            "attempt": live.offer.attempt,
        }

    def ring(self, call: InteractionId) -> None:
        self.put(OfferRang(**self._offer(call)))

    def answer(self, call: InteractionId) -> None:
        self.put(OfferAnswered(**self._offer(call)))

    def let_ring_out(self, call: InteractionId) -> None:
        self.put(OfferFailed(**self._offer(call), cause=OfferFailure.NO_ANSWER))

    def hang_up(self, call: InteractionId) -> None:
        self.put(InteractionEnded(interaction_id=call, ended_by=Party.CUSTOMER))

    def finish(self, agent_id: AgentId) -> None:
        self.put(WrapUpEnded(agent_id=agent_id))

    async def party(self, name: str, *numbers: str, kind: str = "person", **link: Any) -> UUID:
        """Add a party with its numbers."""
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            party_id = await create_party(connection, DEFAULT_TENANT, NewParty(display_name=name, kind=kind))
            for number in numbers:
                identifier = parse_number(number, "TW", "2")
                await link_identifier(connection, DEFAULT_TENANT, party_id, identifier, link=Link(**link))
        return party_id


async def until(holds: Callable[[], Any]) -> Any:
    """Wait until *holds*, and return what it gave."""
    for _ in range(2_000):
        if found := holds():
            return found
        await asyncio.sleep(0.005)
    raise AssertionError("it never came to that")
