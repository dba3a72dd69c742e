"""What pages follow live, built once: the hub and its sockets, the floor's boards, the agents' desks.

All of it reads: the floor's events, the log, today's figures. Nothing here decides about a call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from app.auth.principal import Principal
from app.centre.document import Centre
from app.desk.agent_board import AgentBoard
from app.floor.board import FloorBoard
from app.floor.live_floor import LiveFloor
from app.floor.rules import Names
from app.live.core import LiveCore
from app.sockets.connection import Door
from app.sockets.gateway import Gateway
from app.sockets.hub import Hub
from app.sockets.pump import Pump
from app.wall.live_wall import LiveWall

REFRESH_EVERY_S = 1.0


class LivePages:
    """The live side of the pages.

    Args:
        not_ready: What keeps the server from serving calls.
    """

    def __init__(
        self,
        core: LiveCore,
        floor: LiveFloor,
        wall: LiveWall,
        door: Door,
        *,
        not_ready: Callable[[], Mapping[str, str]],
    ) -> None:
        self.names = Names()
        self._floor, self._wall, self._not_ready = floor, wall, not_ready
        self.pump = Pump(Hub(core.epoch), core.clock.now_ms)
        self.gateway = Gateway(
            self.pump,
            door,
            on_ack=self._acknowledge,
            server_ms=core.clock.now_ms,
            registry=core.metrics.registry,
        )
        self.floor_board = FloorBoard(
            self.pump,
            config=lambda: core.config,
            names=lambda: self.names,
            figures_of=wall.figures_of,
            as_plain=asdict,
            facts=self._facts,
            now_ms=core.clock.now_ms,
        )
        self.agent_board = AgentBoard(self.pump, config=lambda: core.config, names=lambda: self.names)
        floor.watch(self.floor_board)
        floor.watch(self.agent_board)

    def take_centre(self, centre: Centre) -> None:
        """Use the names of *centre* from now on."""
        self.names = Names.of(centre)
        for board in (self.floor_board, self.agent_board):
            board.seeded(self._floor.now)

    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what runs beside the core, by name."""
        return {"boards": self._refresh, "hub": self.pump.run, "sockets": self.gateway.run}

    async def stop(self) -> None:
        """Tell the pages that the server stops."""
        await self.gateway.stop()

    async def _refresh(self) -> None:
        while True:
            self.floor_board.refresh()
            await asyncio.sleep(REFRESH_EVERY_S)

    def _facts(self) -> Mapping[str, Any]:
        return {"day_start_ms": self._wall.day_start_ms, "not_ready": dict(self._not_ready())}

    def _acknowledge(self, principal: Principal, pop_id: int) -> None:
        """Take an acknowledgement."""
