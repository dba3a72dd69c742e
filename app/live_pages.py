"""What pages follow live, built once: the hub and its sockets, the floor's boards, the agents' desks.

All of it reads: the floor's events, the log, today's figures. Nothing here decides about a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

import structlog
from prometheus_client import Counter

from app.auth.principal import Principal
from app.centre.document import Centre
from app.customers.identify_rules import Match
from app.db.session import Database, TenantId
from app.desk.agent_board import AgentBoard
from app.desk.cards import LoggedCall
from app.desk.clerk import AWAY, DeskClerk
from app.desk.day_board import DayBoard
from app.desk.live_desk import LiveDesk
from app.desk.pops import Pops
from app.desk.presence_board import PresenceBoard
from app.floor.board import FloorBoard
from app.floor.live_floor import LiveFloor
from app.floor.rules import Names
from app.hooks.rules import CentreBook
from app.live.core import LiveCore
from app.sockets.connection import Door
from app.sockets.gateway import Gateway
from app.sockets.hub import Hub
from app.sockets.pump import Pump
from app.wall.live_wall import LiveWall
from routing.events import AgentState
from routing.floor import InteractionFloor
from routing.ids import AgentId, InteractionId, QueueId

log = structlog.get_logger()

REFRESH_EVERY_S = 1.0


class LivePages:
    """The live side of the pages.

    Args:
        not_ready: What keeps the server from serving calls.
        region, area_code: Of numbers whose trunk is not known.
        keep_match: Keeps a match that was made for a pop with its call.
    """

    def __init__(
        self,
        core: LiveCore,
        floor: LiveFloor,
        wall: LiveWall,
        door: Door,
        database: Database,
        tenant_id: TenantId,
        *,
        not_ready: Callable[[], Mapping[str, str]],
        region: str,
        area_code: str,
        keep_match: Callable[[str, Match], None],
    ) -> None:
        self.names = Names()
        self._book = CentreBook()
        self._floor, self._wall, self._not_ready = floor, wall, not_ready
        self._otherwise = (region, area_code)
        self.pump = pump = Pump(Hub(core.epoch), core.clock.now_ms)
        self.gateway = Gateway(
            pump,
            door,
            on_ack=self._acknowledge,
            server_ms=core.clock.now_ms,
            registry=core.metrics.registry,
        )
        self.floor_board = FloorBoard(
            pump,
            config=lambda: core.config,
            names=lambda: self.names,
            figures_of=wall.figures_of,
            as_plain=asdict,
            facts=self._facts,
            now_ms=core.clock.now_ms,
        )
        self._clerk = DeskClerk(
            database,
            tenant_id,
            epoch=core.epoch,
            place_of=self._place_of,
            on_match=keep_match,
            on_calls=self._learn_calls,
        )
        self.agent_board = AgentBoard(
            pump, config=lambda: core.config, names=lambda: self.names, wanted=self._clerk.recall
        )
        answered = Counter(
            "holdless_pops_answered",
            "Pops by whether they were seen",
            ["seen"],
            registry=core.metrics.registry,
        )
        self.pops = Pops(
            pump,
            self._clerk,
            epoch=core.epoch,
            now_ms=core.clock.now_ms,
            note_unseen=self.floor_board.note_unseen,
            count=lambda how: answered.labels(how).inc(),
        )
        self._clerk.serve(self.pops)
        self._days = DayBoard(
            pump,
            core.bus,
            database,
            tenant_id,
            day_start_ms=lambda: wall.day_start_ms,
            is_signed_in=self._is_signed_in,
        )
        self.desk = LiveDesk(
            pump, self.pops, database, tenant_id, floor=lambda: floor.now, place_of=self._place_of
        )
        for watcher in (self.floor_board, self.agent_board, PresenceBoard(pump), self.pops):
            floor.watch(watcher)

    def take_centre(self, centre: Centre) -> None:
        """Use the names and codes of *centre* from now on."""
        self.names, self._book = Names.of(centre), CentreBook.of(centre)
        for board in (self.floor_board, self.agent_board):
            board.seeded(self._floor.now)

    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what runs beside the core, by name."""
        return {
            "agents' day": self._days.run,
            "boards": self._refresh,
            "desk": self.desk.run,
            "hub": self.pump.run,
            "pops": self._clerk.run,
            "sockets": self.gateway.run,
        }

    async def stop(self) -> None:
        """Tell the pages that the server stops, and store what waits."""
        await self.gateway.stop()
        try:
            await self._clerk.flush()
        except AWAY as error:
            log.warning("some pops were not stored", error=type(error).__name__)

    async def _refresh(self) -> None:
        while True:
            self.floor_board.refresh()
            self._days.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)

    def _facts(self) -> Mapping[str, Any]:
        return {"day_start_ms": self._wall.day_start_ms, "not_ready": dict(self._not_ready())}

    def _acknowledge(self, principal: Principal, pop_id: int) -> None:
        if principal.agent_id is not None:
            self.pops.acknowledge(principal.agent_id, pop_id)

    def _place_of(self, interaction_id: InteractionId) -> tuple[str, str]:
        live = self._floor.now.interactions.get(interaction_id)
        region, area_code = self._book.place(self._book.entry(live.entry_point) if live else None)
        return (region, area_code) if region else self._otherwise

    def _is_signed_in(self, agent_id: AgentId) -> bool:
        agent = self._floor.now.agents.get(agent_id)
        return agent is not None and agent.state is not AgentState.SIGNED_OUT

    def _learn_calls(self, calls: Mapping[InteractionId, LoggedCall]) -> None:
        for interaction_id, call in calls.items():
            started_ms = round(call.started_at.timestamp() * 1000)
            past = InteractionFloor(
                started_ms=started_ms,
                queue_id=QueueId(call.queue_id) if call.queue_id else None,
                entry_point=call.entry_point,
                caller_number=call.caller_number,
                caller_name=call.caller_name,
                queued_at_ms=started_ms,
                answered_at_ms=round(call.answered_at.timestamp() * 1000) if call.answered_at else None,
            )
            self.agent_board.learn(interaction_id, past, call.wrap_up_code)
