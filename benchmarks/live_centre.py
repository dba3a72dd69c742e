"""A centre of a hundred agents on a private real Asterisk, and plain dialplan beside it.

The product: embedded PostgreSQL, the server as its own process, ten queues of one skill each, agents
with three skills. Beside it, on the same Asterisk and phones, two contexts without a decision: ``90``
dials the agent of the caller's number at once; ``91`` lets the caller wait until somebody redirects.
"""

from __future__ import annotations

import asyncio
import http.client
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.centre.document import AgentPart, Centre, EntryPointPart, QueuePart, SkillPart, TrunkPart
from app.centre.rows import save_centre
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database
from app.demo.server_process import ServerProcess, free_port
from benchmarks.players import Players, agent_names
from routing.ids import AgentId, QueueId
from telephony.sandbox.config import SandboxAgent, SandboxSettings
from telephony.sandbox.instance import Sandbox, start

QUEUE_COUNT = 10
PLAIN_DIAL, PLAIN_WAIT = "90", "91"
_SIGN_IN_AT_ONCE = 8
_READY_S = 20.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_POLL_S = 0.1
# Answered, with music and the option that goes on after the agent's hang-up: as the product dials.
_PLAIN = """
[from-trunk](+)
exten => 90,1,Answer(,i)
 same => n,Dial(PJSIP/a10${CALLERID(num):-2},15,gm(default))
 same => n,Hangup(16)
exten => 91,1,Answer(,i)
 same => n,UserEvent(BenchWaiting,Agent: a10${CALLERID(num):-2})
 same => n,WaitExten(20,m(default))
 same => n,Hangup(16)

[bench-go]
exten => _a10XX,1,Dial(PJSIP/${EXTEN},15,gm(default))
 same => n,Hangup(16)
"""


def entry_of(number: int) -> str:
    """Return what the n-th caller dials: the queues in turn."""
    return str(8000 + number % QUEUE_COUNT)


def plain_dial(_number: int) -> str:
    """Return the number behind which the dialplan dials an agent by itself."""
    return PLAIN_DIAL


def plain_wait(_number: int) -> str:
    """Return the number behind which a caller waits for a redirect."""
    return PLAIN_WAIT


def _document() -> Centre:
    skills = [f"s{number}" for number in range(QUEUE_COUNT)]
    return Centre(
        skill=tuple(SkillPart(skill_id=skill) for skill in skills),
        queue=tuple(
            QueuePart(queue_id=f"q{number}", requires={skill: 1}, wrap_up_mode="none", is_default=number == 0)
            for number, skill in enumerate(skills)
        ),
        agent=tuple(
            AgentPart(
                agent_id=name,
                device=f"PJSIP/{name}",
                skills={skills[(number + step) % QUEUE_COUNT]: 5 for step in range(3)},
            )
            for number, name in enumerate(agent_names())
        ),
        trunk=(TrunkPart(trunk_id="trunk", region="TW", area_code="02"),),
        entry_point=tuple(
            EntryPointPart(entry_point=entry_of(number), queue_id=f"q{number}", trunk_id="trunk")
            for number in range(QUEUE_COUNT)
        ),
    )


@dataclass(frozen=True, slots=True)
class CpuSeconds:
    """CPU time used so far, user and system, in seconds."""

    server: float
    asterisk: float
    database: float

    def __sub__(self, other: CpuSeconds) -> CpuSeconds:
        return CpuSeconds(
            self.server - other.server, self.asterisk - other.asterisk, self.database - other.database
        )

    def per_call_ms(self, call_count: int) -> dict[str, float]:
        """Return CPU milliseconds per call, by part."""
        calls = max(1, call_count)
        return {
            "server_cpu_ms_per_call": round(self.server / calls * 1000, 2),
            "asterisk_cpu_ms_per_call": round(self.asterisk / calls * 1000, 2),
            "database_cpu_ms_per_call": round(self.database / calls * 1000, 2),
        }


@dataclass(frozen=True, slots=True)
class LiveCentre:
    """Everything that runs."""

    sandbox: Sandbox
    server: ServerProcess
    database: Database
    players: Players
    data_dir: Path

    async def stop_server(self) -> None:
        """Let the product go, so that the plain cases have the machine for themselves."""
        await self.server.stop()

    def cpu(self) -> CpuSeconds:
        """Return what server, Asterisk and the database's processes have used so far."""
        return CpuSeconds(
            _cpu_s(self.server.pid), _cpu_s(self.sandbox.pid), _tree_cpu_s(_postmaster(self.data_dir))
        )

    async def rows(self, sql: str, **values: Any) -> list[Any]:
        """Read the product's log."""
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            return list(await connection.execute(text(sql), {"tenant": DEFAULT_TENANT, **values}))

    async def metrics(self) -> dict[str, float]:
        """Return the server's figures, by name with labels as ``/metrics`` writes them."""
        status, body = await self.server.ask("GET", "/metrics")
        assert status == http.client.OK, status
        pairs = (line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


@asynccontextmanager
async def open_centre(data_dir: Path) -> AsyncIterator[LiveCentre]:
    """Start all of it with every agent ready, and take it down in order whatever happens."""
    async with AsyncExitStack() as stack:
        provider = Provider(None, data_dir)
        database = Database(await provider.start())
        stack.push_async_callback(provider.stop)
        stack.push_async_callback(database.close)
        await migrate(database, DEFAULT_TENANT)
        async with database.transaction(DEFAULT_TENANT) as connection:
            await save_centre(connection, DEFAULT_TENANT, _document(), made_by="bench")
        agi_port = free_port()
        sandbox = await asyncio.to_thread(start, _settings(agi_port))
        stack.push_async_callback(asyncio.to_thread, sandbox.stop)
        with (sandbox.run / "etc/extensions.conf").open("a", encoding="utf-8") as dialplan:
            dialplan.write(_PLAIN)
        sandbox.cli("dialplan reload")
        server = ServerProcess(sandbox, data_dir=data_dir, agi_port=agi_port)
        stack.push_async_callback(server.stop)
        await server.start()
        players = Players(sandbox)
        stack.callback(players.close)
        await players.open()
        await _sign_in(server)
        yield LiveCentre(sandbox, server, database, players, data_dir)


def _settings(agi_port: int) -> SandboxSettings:
    return SandboxSettings(
        systemname="pbx1",
        agents=[SandboxAgent(agent_id=AgentId(name)) for name in agent_names()],
        queues=[QueueId(f"q{number}") for number in range(QUEUE_COUNT)],
        entry_points={entry_of(number): QueueId(f"q{number}") for number in range(QUEUE_COUNT)},
        agi=f"127.0.0.1:{agi_port}",
    )


async def _sign_in(server: ServerProcess) -> None:
    room = asyncio.Semaphore(_SIGN_IN_AT_ONCE)

    async def one(name: str) -> None:
        async with room:
            for state in ("signed_in", "ready"):
                await server.require("POST", f"/api/v1/agents/{name}/state", {"state": state})

    await asyncio.gather(*map(one, agent_names()))
    loop = asyncio.get_running_loop()
    ends_s = loop.time() + _READY_S
    while True:
        agents = (await server.require("GET", "/api/v1/floor"))["agents"]
        ready_count = sum(agent["state"] == "ready" for agent in agents.values())
        if ready_count == len(agent_names()):
            return
        assert loop.time() < ends_s, f"only {ready_count} agents are ready"
        await asyncio.sleep(_POLL_S)


def load_average() -> float:
    """Return how many processes wanted a processor in the last minute, everybody's."""
    return round(os.getloadavg()[0], 2)


def quantile_of_ms(before: dict[str, float], after: dict[str, float], name: str, q: float) -> float:
    """Return a quantile of a histogram between two readings, in milliseconds, straight within a bucket.

    A value beyond the last bound counts as that bound.
    """
    head = f'{name}_bucket{{le="'
    bounds = sorted(
        (float(key[len(head) : -2]), after[key] - before.get(key, 0.0))
        for key in after
        if key.startswith(head) and not key.endswith('+Inf"}')
    )
    total = after.get(f"{name}_count", 0.0) - before.get(f"{name}_count", 0.0)
    low, counted = 0.0, 0.0
    for bound, count in bounds:
        if count >= q * total and count > counted:
            return round((low + (bound - low) * (q * total - counted) / (count - counted)) * 1000, 2)
        low, counted = bound, count
    return round(low * 1000, 2)


def _stat(pid: int) -> list[int]:
    """Return the numbers of ``/proc/<pid>/stat`` from the parent's id on (proc(5)); empty: it is gone."""
    try:
        text_ = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [int(word) for word in text_.rpartition(")")[2].split()[1:]]


def _cpu_s(pid: int) -> float:
    numbers = _stat(pid)
    return sum(numbers[10:12]) / _TICKS_PER_S if numbers else 0.0


def _tree_cpu_s(pid: int) -> float:
    """Return what a process and its children used, those that have ended included."""
    numbers = _stat(pid)
    if not numbers:
        return 0.0
    everybody = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    children = [each for each in everybody if _stat(each)[:1] == [pid]]
    return sum(numbers[10:14]) / _TICKS_PER_S + sum(_cpu_s(child) for child in children)


def _postmaster(data_dir: Path) -> int:
    path = next(data_dir.rglob("postmaster.pid"), None)
    return int(path.read_text(encoding="utf-8").split("\n", 1)[0]) if path is not None else 0
