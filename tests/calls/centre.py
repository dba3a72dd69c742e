"""A whole centre for end-to-end tests: real PostgreSQL, real Asterisk, the server as its own process.

Queues ``sales`` (entry 8001, agents a1001, a1002), ``support`` (8002, a1003, a1004) and ``billing``
(8003, a1005, a1006); a1007 and a1008 have every skill. Ring timeout 3 s, wrap-up 1.5 s, threshold 20 s.
Callers at 8009 have a head start of 2 s in ``billing``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from app.calls.reconciliation import Reconciliation, reconcile
from app.centre.document import AgentPart, Centre, EntryPointPart, QueuePart, SkillPart, TrunkPart
from app.centre.rows import save_centre
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database
from app.demo.server_process import ServerProcess, free_port
from routing.ids import AgentId, QueueId
from telephony.cel import read_calls
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.install import Programs
from telephony.sandbox.instance import Sandbox, start
from tests.pbx.sipp import poll

Answer = TypeVar("Answer")

RING_MS = 3_000
WRAP_UP_MS = 1_500
QUEUES = {"sales": "8001", "support": "8002", "billing": "8003"}
HEAD_START_ENTRY, HEAD_START_QUEUE, HEAD_START_MS = "8009", "billing", 2_000
AGENTS = {
    "a1001": ("sales",),
    "a1002": ("sales",),
    "a1003": ("support",),
    "a1004": ("support",),
    "a1005": ("billing",),
    "a1006": ("billing",),
    "a1007": tuple(QUEUES),
    "a1008": tuple(QUEUES),
}


def centre_document(agents: Mapping[str, tuple[str, ...]] = AGENTS) -> Centre:
    """The centre's configuration."""
    return Centre(
        skill=tuple(SkillPart(skill_id=skill) for skill in QUEUES),
        queue=tuple(
            QueuePart(
                queue_id=queue,
                requires={queue: 1},
                ring_timeout_s=RING_MS / 1000,
                wrap_up_s=WRAP_UP_MS / 1000,
                is_default=queue == "sales",
            )
            for queue in QUEUES
        ),
        agent=tuple(
            AgentPart(agent_id=agent, device=f"PJSIP/{agent}", skills=dict.fromkeys(skills, 5))
            for agent, skills in agents.items()
        ),
        trunk=(TrunkPart(trunk_id="trunk", region="TW", area_code="02"),),
        entry_point=(
            *(
                EntryPointPart(entry_point=number, queue_id=queue, trunk_id="trunk")
                for queue, number in QUEUES.items()
            ),
            EntryPointPart(
                entry_point=HEAD_START_ENTRY,
                queue_id=HEAD_START_QUEUE,
                trunk_id="trunk",
                priority_s=HEAD_START_MS / 1000,
            ),
        ),
    )


def apart(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run a coroutine on a loop and a thread of its own: a browser's test has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class CallCentre:
    """Everything that runs, for tests without ``await``."""

    def __init__(self, sandbox: Sandbox, data_dir: Path, agi_port: int) -> None:
        self.sandbox, self.data_dir, self.agi_port = sandbox, data_dir, agi_port
        self.http_port = free_port()
        self.server = self._new_server()

    @classmethod
    def opened(
        cls, data_dir: Path, programs: Programs, agents: Mapping[str, tuple[str, ...]] = AGENTS
    ) -> CallCentre:
        """Start all of it; ``close`` ends it.

        Args:
            agents: Who works here, and with which skills.
        """
        agi_port = free_port()
        settings = SandboxSettings(
            systemname="pbx1",
            agents=[SandboxAgent(agent_id=AgentId(agent)) for agent in agents],
            queues=[QueueId(queue) for queue in QUEUES],
            entry_points={
                **{number: QueueId(queue) for queue, number in QUEUES.items()},
                HEAD_START_ENTRY: QueueId(HEAD_START_QUEUE),
            },
            agi=f"127.0.0.1:{agi_port}",
        )
        sandbox = start(settings, programs=programs)
        centre = cls(sandbox, data_dir, agi_port)
        try:
            centre.in_database(partial(_prepare, document=centre_document(agents)))
            centre.start_server()
        except BaseException:
            centre.close()
            raise
        return centre

    def close(self) -> None:
        """Stop the server, then Asterisk."""
        apart(self.server.stop())
        self.sandbox.stop()

    # ------------------------------------------------------------ the server

    def start_server(self) -> None:
        """Start the server (again): a new process, a new epoch, the same data directory."""
        apart(self.server.start())

    def kill_server(self) -> None:
        """End the server as a power cut would; ``start_server`` then starts another."""
        self.server.kill()
        self.server = self._new_server()

    def stop_server(self) -> None:
        """Stop the server in order; ``start_server`` then starts another."""
        apart(self.server.stop())
        self.server = self._new_server()

    def _new_server(self) -> ServerProcess:
        return ServerProcess(
            self.sandbox, data_dir=self.data_dir, agi_port=self.agi_port, http_port=self.http_port
        )

    # ------------------------------------------------------------ its API

    @property
    def url(self) -> str:
        """Where the server answers."""
        return self.server.url

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Ask the API under ``/api/v1``; return status and JSON."""
        return apart(self.server.ask(method, f"/api/v1{path}", body))

    def require(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask, and fail the test when it is refused."""
        status, answer = self.ask(method, path, body)
        assert status < 400, (status, answer)
        return answer

    def state(self, agent_id: str, state: str, **more: str) -> None:
        """Put an agent into ``signed_in``, ``ready``, ``not_ready`` (with reason) or ``signed_out``."""
        self.require("POST", f"/agents/{agent_id}/state", {"state": state, **more})

    def ready(self, *agent_ids: str) -> None:
        """Sign agents in and make them ready, in this order; their phones are registered before."""
        for agent_id in agent_ids:
            self.state(agent_id, "signed_in")
            self.state(agent_id, "ready")
            self.wait_agent(agent_id, "ready")

    def hang_up_all(self) -> None:
        """End what a failed test left on the line; the phones that played it are gone."""
        for interaction_id in self.floor()["interactions"]:
            self.ask("POST", f"/calls/{interaction_id}/hangup")

    def sign_out_all(self) -> None:
        """Send everybody home; waits until it is true."""
        poll(self._all_gone, 20, lambda: str(self.floor()))

    def _all_gone(self) -> bool:
        working = [name for name, agent in self.floor()["agents"].items() if agent["state"] != "signed_out"]
        for agent_id in working:
            self.ask("POST", f"/agents/{agent_id}/state", {"state": "signed_out"})
        return not working

    def floor(self) -> dict[str, Any]:
        """The floor now."""
        answer: dict[str, Any] = self.require("GET", "/floor")
        return answer

    def wait_agent(self, agent_id: str, state: str, reason: str | None = None, bound_s: float = 10) -> None:
        """Wait until the floor shows the agent so."""

        def so() -> bool:
            agent = self.floor()["agents"].get(agent_id, {"state": "signed_out", "reason": ""})
            return agent["state"] == state and reason in (None, agent["reason"])

        poll(so, bound_s, lambda: f"{agent_id} is not {state}: {self.floor()['agents'].get(agent_id)}")

    def wait_waiting(self, queue_id: str, count: int, bound_s: float = 10) -> None:
        """Wait until the floor shows so many callers in the queue, those being offered included."""
        poll(
            lambda: self.floor()["queues"][queue_id]["waiting_count"] == count,
            bound_s,
            lambda: f"{queue_id} has not {count} waiting: {self.floor()['queues'][queue_id]}",
        )

    # ------------------------------------------------------------ the log

    def calls_from(self, number: str) -> list[dict[str, Any]]:
        """Return the logged calls of a caller's number, newest first."""
        page = self.require("GET", "/calls?limit=200")
        return [call for call in page["calls"] if call["caller_number"] == number]

    def story(self, number: str, bound_s: float = 15) -> dict[str, Any]:
        """Wait until the number's one call has ended in the log, wrap-up included, and return all of it."""
        found: list[dict[str, Any]] = []

        def complete() -> bool:
            found[:] = self.calls_from(number)
            assert len(found) <= 1, f"logged more than once: {found}"
            if not found or found[0]["ended_at"] is None:
                return False
            found[0] = self.require("GET", f"/calls/{found[0]['interaction_id']}")
            return all(segment["ended_at"] is not None for segment in found[0]["segments"])

        poll(complete, bound_s, lambda: f"not complete in the log: {found}")
        return found[0]

    def reconciled(self, since: datetime) -> Reconciliation:
        """Compare the log with Asterisk's channel event log from *since* on."""
        calls = read_calls(self.sandbox.cel_path)

        async def compare(database: Database) -> Reconciliation:
            async with database.transaction(DEFAULT_TENANT) as connection:
                return await reconcile(connection, DEFAULT_TENANT, calls.values(), since, datetime.now(UTC))

        found: Reconciliation = self.in_database(compare)
        return found

    def in_database(self, work: Callable[[Database], Any]) -> Any:
        """Run a coroutine function with the centre's database; the server need not run."""

        async def inside() -> Any:
            provider = Provider(None, self.data_dir)
            database = Database(await provider.start())
            try:
                return await work(database)
            finally:
                await database.close()
                await provider.stop()

        return apart(inside())


async def _prepare(database: Database, document: Centre) -> None:
    await migrate(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        await save_centre(connection, DEFAULT_TENANT, document, made_by="test")


def ms(text: str) -> float:
    """Return a moment of the API in milliseconds since the epoch."""
    return datetime.fromisoformat(text).timestamp() * 1000


def lengths_ms(story: Mapping[str, Any], track: str = "customer") -> list[tuple[str, float]]:
    """Return kind and length of one track's segments, in order."""
    return [
        (segment["kind"], ms(segment["ended_at"]) - ms(segment["started_at"]))
        for segment in story["segments"]
        if segment["track"] == track
    ]


def until(condition: Callable[[], bool], bound_s: float = 10) -> float:
    """Wait for a condition; return how long it took, in seconds."""
    begun = time.monotonic()
    poll(condition, bound_s)
    return time.monotonic() - begun
