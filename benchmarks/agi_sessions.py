"""FastAGI sessions per second: our server beside panoramisk's, in the same run.

    python -m benchmarks.agi_sessions

Each server runs in a process of its own and answers the same question by setting five channel variables.
The same caller's side (16 channels at once, which act on one command after the other, as Asterisk does)
asks both. Printed are sessions per second by the wall clock and, because the machine may be busy, the
server's processor time per session.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from panoramisk.fast_agi import Application
from rich.console import Console
from rich.table import Table

from telephony.agi.registry import AgiRegistry, AgiRequest
from telephony.agi.server import AgiServer

CHANNELS = 16
SESSIONS = 1_000
ROUNDS = 4
WARM_UP_SESSIONS = 200
START_LIMIT_S = 10.0
VALUES = {"CC_PARTY": "Wang Xiaoming", "CC_QUEUE": "sales", "CC_LANG": "zh", "CC_PRIORITY": "30000"}
ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: identify\nagi_request: agi://127.0.0.1/identify\n"
    b"agi_channel: PJSIP/trunk-00000001\nagi_language: en\nagi_type: PJSIP\n"
    b"agi_uniqueid: pbx1-1763790000.7\nagi_version: 22.10.1\nagi_callerid: 0912345678\n"
    b"agi_calleridname: unknown\nagi_callingpres: 0\nagi_callingani2: 0\nagi_callington: 0\n"
    b"agi_callingtns: 0\nagi_dnid: 8000\nagi_rdnis: unknown\nagi_context: cc-in\nagi_extension: s\n"
    b"agi_priority: 12\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 139980571104960\n\n"
)


@dataclass(frozen=True)
class Measured:
    """What one server did."""

    sessions_per_s: float
    cpu_ms: float
    commands: float


async def serve_ours(parent: Connection) -> None:
    """Our server, until the parent says stop."""
    registry = AgiRegistry()

    @registry.route("identify", doc="Who is calling.", returns=dict.fromkeys(VALUES, "measured"))
    async def identify(request: AgiRequest) -> dict[str, str]:
        return VALUES

    server = AgiServer(registry)
    await server.start()
    await until_told(parent, server.port)
    await server.stop()


async def serve_panoramisk(parent: Connection) -> None:
    """panoramisk's server, until the parent says stop; it offers one command per variable."""
    application = Application(loop=asyncio.get_running_loop())

    async def identify(request: Any) -> None:
        for name, value in {**VALUES, "CC_DONE": "1"}.items():
            await request.send_command(f'SET VARIABLE {name} "{value}"')

    application.add_route("identify", identify)
    server = await asyncio.start_server(application.handler, "127.0.0.1", 0)
    await until_told(parent, server.sockets[0].getsockname()[1])
    server.close()


async def until_told(parent: Connection, port: int) -> None:
    """Tell the port; then tell the processor time whenever asked, until told to stop."""
    parent.send(port)
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def on_word() -> None:
        if parent.recv() == "stop":
            told.set()
        else:
            parent.send(time.process_time())

    loop.add_reader(parent.fileno(), on_word)
    await told.wait()
    loop.remove_reader(parent.fileno())


def child(serve: Callable[[Connection], Any], parent: Connection) -> None:
    """Run a server in this process."""
    asyncio.run(serve(parent))


async def ask(port: int) -> int:
    """Run one session to its end and return how many commands the server sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ENVIRONMENT)
    count = 0
    while await reader.readline():
        count += 1
        writer.write(b"200 result=1\n")
    writer.close()
    return count


async def ask_many(port: int, sessions: int) -> int:
    """Run sessions on all channels and return how many commands came."""
    waiting = iter(range(sessions))

    async def channel() -> int:
        return sum([await ask(port) for _ in waiting])

    return sum(await asyncio.gather(*(channel() for _ in range(CHANNELS))))


class Child:
    """A server in a process of its own."""

    def __init__(self, serve: Callable[[Connection], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=child, args=(serve, theirs), daemon=True)
        self._process.start()
        if not self._pipe.poll(START_LIMIT_S):
            raise SystemExit("the server did not start")
        self._port: int = self._pipe.recv()

    def measure(self, sessions: int) -> Measured:
        """Ask it *sessions* times."""
        cpu_before_s, begun = self._cpu_s(), time.perf_counter()
        commands = asyncio.run(ask_many(self._port, sessions))
        took_s, cpu_s = time.perf_counter() - begun, self._cpu_s() - cpu_before_s
        return Measured(sessions / took_s, cpu_s / sessions * 1000, commands / sessions)

    def stop(self) -> None:
        """End it."""
        self._pipe.send("stop")
        self._process.join(START_LIMIT_S)

    def _cpu_s(self) -> float:
        self._pipe.send("time")
        seconds: float = self._pipe.recv()
        return seconds


def best_of(rounds: list[Measured]) -> Measured:
    """Return the best rate and the least processor time of all rounds."""
    return Measured(
        max(each.sessions_per_s for each in rounds),
        min(each.cpu_ms for each in rounds),
        rounds[0].commands,
    )


def main() -> None:
    """Measure in turns, so that a busy moment strikes both, and print a table."""
    children = {"ours": Child(serve_ours), "panoramisk 1.4": Child(serve_panoramisk)}
    for server in children.values():
        server.measure(WARM_UP_SESSIONS)
    measured: dict[str, list[Measured]] = {name: [] for name in children}
    for _ in range(ROUNDS):
        for name, server in children.items():
            measured[name].append(server.measure(SESSIONS))
    for server in children.values():
        server.stop()
    results = {name: best_of(rounds) for name, rounds in measured.items()}
    base = results["ours"]
    table = Table(
        title=f"FastAGI, {CHANNELS} channels, 5 variables, best of {ROUNDS} x {SESSIONS:,} sessions"
    )
    for column in ("server", "sessions/s", "CPU ms", "round trips", "rate/ours", "CPU/ours"):
        table.add_column(column, justify="left" if column == "server" else "right")
    for name, figures in results.items():
        table.add_row(
            name,
            f"{figures.sessions_per_s:,.0f}",
            f"{figures.cpu_ms:.3f}",
            f"{figures.commands:.0f}",
            f"{figures.sessions_per_s / base.sessions_per_s:.2f}",
            f"{figures.cpu_ms / base.cpu_ms:.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
