"""One demo centre: embedded PostgreSQL, a private real Asterisk, the server, and the people in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from app.centre.demo import SEAT_AGENT_ID, demo_centre, demo_customers, seed_demo_centre
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database
from app.demo.past import Past
from app.demo.server_process import ServerProcess, free_port
from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.instance import Sandbox, start
from telephony.synthetic.crowd import Crowd, CrowdAgent, Scene
from telephony.synthetic.draws import EntryPoint, Habits

SYSTEMNAME: Final = "demo"
RETURN_S: Final = 4.0  # an agent who let it ring comes back after so long
_LOOK_S: Final = 1.0

# A small centre at about 80 % load: eight agents, some 22 s a call with wrap-up, 17 calls a minute.
CALLS_PER_S: Final = {"0277000001": 0.10, "0277000002": 0.09, "0277000003": 0.06, "0277000004": 0.03}
PATIENCE_MEAN_MS: Final = 60_000
HABITS: Final = Habits(
    pick_up_mean_ms=2_500,
    talk_mean_ms=9_000,
    no_answer_ratio=0.04,
    refuse_ratio=0.01,
    caller_ends_ratio=0.5,
    hold_ratio=0.15,
    hold_mean_ms=3_000,
    refer_ratio=0.04,
    refer_to=("q-billing", "q-support"),
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class DemoCentre:
    """Everything that runs.

    Attributes:
        agent_ids: The synthetic agents; the person's seat is none of them.
        past: The days before today, which are being filled in; None: nobody asked for them.
    """

    sandbox: Sandbox
    server: ServerProcess
    database: Database
    agent_ids: tuple[AgentId, ...]
    past: Past | None = None

    def crowd(self, seed: int, drain_s: float, *, rush: float = 1.0) -> Crowd:
        """Return the phones of all agents and the customers who will call.

        Args:
            rush: Calls per second as a multiple of what the centre is staffed for.
        """
        secrets = self.sandbox.agent_secrets
        known = {customer.shown_number: customer.display_name for customer in demo_customers()}
        scene = Scene(
            agents=[CrowdAgent(user=name, secret=secrets[name], habits=HABITS) for name in self.agent_ids],
            entry_points=[
                EntryPoint(number=number, calls_per_s=rate * rush, patience_mean_ms=PATIENCE_MEAN_MS)
                for number, rate in CALLS_PER_S.items()
            ],
            seed=seed,
            known=list(known.items()),
            known_ratio=0.6,
            drain_s=drain_s,
        )
        return Crowd(scene, self.sandbox.host, self.sandbox.sip_port)

    @property
    def pbx(self) -> tuple[str, int]:
        """Where the trunk's calls go."""
        return self.sandbox.host, self.sandbox.sip_port

    async def floor(self) -> dict[str, Any]:
        """Ask the server for the floor's picture.

        Raises:
            ServerFailed: the server refused, or does not answer.
        """
        picture: dict[str, Any] = await self.server.require("GET", "/api/v1/floor")
        return picture

    async def sign_in_all(self) -> None:
        """Sign every agent in and make them ready; who is still at work since an earlier demo comes anew.

        Raises:
            ServerFailed: the server refused.
        """
        there = (await self.server.require("GET", "/api/v1/floor"))["agents"]
        for agent_id in self.agent_ids:
            if there.get(agent_id, {}).get("state", "signed_out") != "signed_out":
                await self.set_state(agent_id, "signed_out")
            await self.set_state(agent_id, "signed_in")
            await self.set_state(agent_id, "ready")

    async def set_state(self, agent_id: AgentId, state: str) -> None:
        """Ask the server to put an agent into a state."""
        await self.server.require("POST", f"/api/v1/agents/{agent_id}/state", {"state": state})

    async def bring_back(self) -> None:
        """Play the agents who notice a missed ring and make themselves ready again. Runs for ever."""
        away: dict[str, float] = {}
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_LOOK_S)
            floor = await self.server.require("GET", "/api/v1/floor")
            for name, agent in floor["agents"].items():
                if name not in self.agent_ids or agent["state"] != "not_ready":
                    away.pop(name, None)
                elif loop.time() - away.setdefault(name, loop.time()) >= RETURN_S:
                    await self.set_state(AgentId(name), "ready")


@asynccontextmanager
async def open_centre(
    data_dir: Path, say: Say, *, http_port: int = 0, past_days: int = 0
) -> AsyncIterator[DemoCentre]:
    """Build a demo centre in *data_dir*, and take it down in order whatever happens.

    Args:
        say: Gets a line for every step.
        past_days: So many days before today get a history, while the rest starts and afterwards.

    Raises:
        DatabaseError, SandboxError, ServerFailed: a part cannot be had; the text says what to do.
    """
    async with AsyncExitStack() as stack:
        say("starting PostgreSQL")
        provider = Provider(None, data_dir)
        url = await provider.start()
        database = Database(url)
        stack.push_async_callback(provider.stop)
        stack.push_async_callback(database.close)
        await migrate(database, DEFAULT_TENANT)
        await seed_demo_centre(database, DEFAULT_TENANT)
        past = None
        if past_days:
            past = Past(database, url, days=past_days)
            stack.push_async_callback(past.stop)
        centre = demo_centre()
        agi_port = free_port()
        settings = SandboxSettings(
            systemname=SYSTEMNAME,
            agents=[SandboxAgent(agent_id=AgentId(agent.agent_id)) for agent in centre.agent],
            queues=[QueueId(queue.queue_id) for queue in centre.queue],
            default_queue_id=QueueId(next(queue.queue_id for queue in centre.queue if queue.is_default)),
            entry_points={
                each.entry_point: QueueId(each.queue_id) for each in centre.entry_point if each.queue_id
            },
            agi=f"127.0.0.1:{agi_port}",
        )
        say("starting Asterisk")
        sandbox = await asyncio.to_thread(
            start, settings, progress=lambda stage, share: say(_step(stage, share))
        )
        stack.push_async_callback(asyncio.to_thread, sandbox.stop)
        server = ServerProcess(sandbox, data_dir=data_dir, agi_port=agi_port, http_port=http_port)
        stack.push_async_callback(server.stop)
        say("starting the server")
        await server.start()
        synthetic = tuple(
            AgentId(agent.agent_id) for agent in centre.agent if agent.agent_id != SEAT_AGENT_ID
        )
        yield DemoCentre(sandbox, server, database, synthetic, past)


def _step(stage: str, share: float | None) -> str:
    return stage if share is None else f"{stage} {share:.0%}"
