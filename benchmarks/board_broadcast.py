"""Boards that follow the floor at 10 Hz, against a bare broadcast of the same bytes in the same run.

Run: ``python -m benchmarks.board_broadcast [seconds per case | --quick]``. Prints a table, then JSON.
The server runs in a process of its own, which measures its own processor time; 500 clients (in another
process, nothing of theirs counted) follow ``floor:all`` of 500 agents. *Ours*: read model, hub, bounded
queues and cuts. *Bare*: one loop that sends the recorded frames of the first case to every socket, with
nothing between. Both through the same web server.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.floor.board import FLOOR, FloorBoard
from app.floor.rules import NO_FIGURES, Names
from app.http.websockets import OPTIONS, WebSocketProtocol
from app.live.tuning import loop_factory, tune_interpreter
from app.sockets.connection import Visitor
from app.sockets.endpoints import router
from app.sockets.gateway import Gateway
from app.sockets.hub import Hub
from app.sockets.pump import Pump
from benchmarks.journal import seconds_asked
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.events import AgentState, AgentStateChanged, Event
from routing.floor import AgentFloor, Floor
from routing.ids import AgentId, QueueId, SkillId

CLIENTS = 500
AGENTS = 500
QUEUES = 20
EVENTS_PER_TICK = 6  # about a state change of each of 500 agents every eight seconds
TICK_S = 0.1
CONNECTING_MAX = 50
_STATES = (AgentState.READY, AgentState.RINGING, AgentState.TALKING, AgentState.WRAP_UP)
_FIGURES = SimpleNamespace(today=NO_FIGURES, last_15_min=NO_FIGURES)


class OpenDoor:
    """Lets everybody in."""

    def is_own_page(self, headers: Any) -> bool:
        """Every page is ours."""
        return True

    def let_in(self, ticket: str) -> Visitor:
        """Every ticket is good."""
        return Visitor(principal=Principal(role=Role.SUPERVISOR, name=ticket))

    def again(self, visitor: Visitor, *, was_seen: bool) -> Visitor:
        """It stays so."""
        return visitor

    def may_follow(self, principal: Principal, topic: str) -> bool:
        """Everybody may."""
        return True


def centre() -> CentreConfig:
    """Return 20 queues and 500 agents who serve two each."""
    skills = [SkillId(f"s{n}") for n in range(QUEUES)]
    return CentreConfig(
        agents=tuple(
            AgentConfig(
                agent_id=AgentId(f"a{1_000 + n}"),
                skills={skills[n % QUEUES]: 5, skills[(n + 1) % QUEUES]: 5},
            )
            for n in range(AGENTS)
        ),
        queues=tuple(QueueConfig(queue_id=QueueId(f"q{n}"), requires={skills[n]: 1}) for n in range(QUEUES)),
    )


class Boards:
    """The floor board and a day of random state changes."""

    def __init__(self, pump: Pump, now_ms: Callable[[], int] = lambda: 0) -> None:
        config = centre()
        self._names = Names()
        self.floor = Floor(agents={agent.agent_id: AgentFloor() for agent in config.agents})
        self.board = FloorBoard(
            pump,
            config=lambda: config,
            names=lambda: self._names,
            figures_of=lambda _queue: _FIGURES,
            as_plain=vars,
            facts=lambda: {"day_start_ms": 0, "not_ready": {}},
            now_ms=now_ms,
        )
        self.board.seeded(self.floor)
        self._luck = random.Random(5)

    def rename(self, names: Names) -> None:
        """Show these names from now on."""
        self._names = names
        self.board.seeded(self.floor)

    def tick(self, at_ms: int) -> None:
        """Let some agents change their state."""
        events: list[Event] = []
        for agent_id in self._luck.sample(list(self.floor.agents), EVENTS_PER_TICK):
            agent = self.floor.agents[agent_id]
            event = AgentStateChanged(
                at_ms=at_ms,
                occurred_ms=at_ms,
                agent_id=agent_id,
                state=self._luck.choice([state for state in _STATES if state is not agent.state]),
                reason="",
                interaction_id=None,
                previous=agent.state,
                previous_reason="",
                since_ms=agent.since_ms,
            )
            self.floor.apply(event)
            events.append(event)
        self.board.changed(self.floor, events)


class Recorder:
    """Keeps the frames that one reader gets."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def offer(self, frame: Any) -> None:
        """Keep it."""
        self.texts.append(frame.text)


async def until_all_are_in(count: Any) -> None:
    """Wait for the clients."""
    while count() < CLIENTS:  # noqa: ASYNC110 (a benchmark's own start)
        await asyncio.sleep(0.05)


async def serve(pipe: Connection, seconds: float) -> None:
    """Measure both cases."""
    loop = asyncio.get_running_loop()
    pump = Pump(Hub(epoch=1), lambda: int(loop.time() * 1000))
    gateway = Gateway(
        pump,
        OpenDoor(),
        on_ack=lambda _principal, _pop: None,
        server_ms=lambda: 0,
        registry=CollectorRegistry(),
    )
    bare: list[WebSocket] = []
    app = FastAPI()
    app.include_router(router)
    app.state.server = SimpleNamespace(faces=SimpleNamespace(gateway=gateway))

    @app.websocket("/bare")
    async def keep(websocket: WebSocket) -> None:
        await websocket.accept()
        bare.append(websocket)
        try:
            while True:
                await websocket.receive_text()
        except WebSocketDisconnect:
            bare.remove(websocket)

    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen(1_024)
    web = uvicorn.Server(uvicorn.Config(app, log_config=None, ws=WebSocketProtocol, **OPTIONS))
    parts = [asyncio.create_task(web._serve(sockets=[door])), asyncio.create_task(pump.run())]
    boards = Boards(pump)
    recorder = Recorder()
    pump.follow(FLOOR, recorder, None)
    pipe.send(("ws", door.getsockname()[1]))
    await until_all_are_in(lambda: pump.hub.reader_count(FLOOR) - 1)
    await asyncio.sleep(1.0)
    ticks = int(seconds / TICK_S)
    recorder.texts.clear()
    longest_s = 0.0
    cpu_s, began_s = time.process_time(), loop.time()
    for number in range(ticks):
        started_s = time.thread_time()
        boards.tick(number * 100)
        longest_s = max(longest_s, time.thread_time() - started_s)
        await asyncio.sleep(max(0.0, began_s + (number + 1) * TICK_S - loop.time()))
    ours_s = time.process_time() - cpu_s
    frames = list(recorder.texts)
    cut = gateway._gone.labels("slow")._value.get()
    pipe.send(("bare", door.getsockname()[1]))
    await until_all_are_in(lambda: len(bare))
    await asyncio.sleep(1.0)
    cpu_s, began_s = time.process_time(), loop.time()
    for number, text in enumerate(frames):
        for websocket in bare:
            await websocket.send_text(text)
        await asyncio.sleep(max(0.0, began_s + (number + 1) * TICK_S - loop.time()))
    bare_s = time.process_time() - cpu_s
    pipe.send(
        {
            "clients": CLIENTS,
            "agents": AGENTS,
            "frames": len(frames),
            "frame_bytes_mean": round(sum(map(len, frames)) / max(1, len(frames))),
            "ours_us_per_frame_and_client": round(ours_s / len(frames) / CLIENTS * 1e6, 2),
            "bare_us_per_frame_and_client": round(bare_s / len(frames) / CLIENTS * 1e6, 2),
            "ratio": round(ours_s / bare_s, 2),
            "read_model_longest_cpu_ms": round(longest_s * 1000, 2),
            "slow_cut_count": int(cut),
        }
    )
    web.should_exit = True
    await parts[0]
    parts[1].cancel()


def server(pipe: Connection, seconds: float) -> None:
    """Run the server's process."""
    tune_interpreter()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(serve(pipe, seconds))


async def read_all(url: str, *, follows: bool) -> list[asyncio.Task[None]]:
    """Connect every client, each somebody else, and read for ever."""
    room = asyncio.Semaphore(CONNECTING_MAX)

    async def one(number: int) -> None:
        async with room:
            client = await connect(url, compression=None, ping_interval=None)
            if follows:
                await client.send(json.dumps({"type": "ticket", "ticket": f"board{number}"}))
                await client.send(json.dumps({"type": "subscribe", "topic": FLOOR}))
        async with client:
            await _swallow(client)

    tasks = [asyncio.create_task(one(number)) for number in range(CLIENTS)]
    await asyncio.sleep(0)
    return tasks


async def _swallow(client: ClientConnection) -> None:
    async for _ in client:
        pass


async def run(seconds: float) -> dict[str, Any]:
    """Start the server, be the clients, and return what it measured."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=server, args=(there, seconds))
    process.start()
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []
    try:
        while True:
            message = await loop.run_in_executor(None, here.recv)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if isinstance(message, dict):
                return message
            path, port = message
            tasks = await read_all(f"ws://127.0.0.1:{port}/{path}", follows=path == "ws")
    finally:
        process.terminate()
        process.join()


def main() -> None:
    """Run and print the JSON object last."""
    figures = asyncio.run(run(max(2.0, seconds_asked())))
    print("  ".join(f"{name}={value}" for name, value in figures.items()))
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.exit(main())
