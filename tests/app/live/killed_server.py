"""A live core in a process of its own, to be killed: says what was answered and what was sent.

Usage: ``python killed_server.py <directory> [file size limit in bytes]``. Lines on standard output:
``answered <epoch> <digit>`` after a key's future is done, ``sent <epoch> <interaction>`` for a command.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

from app.live.clock import Clock
from app.live.dispatcher import Dispatcher
from app.live.inbox import Inbox
from app.live.metrics import LiveMetrics
from app.live.restart import restart
from routing.commands import Command
from routing.ids import InteractionId
from routing.signals import HangupRequested
from tests.app.live.live_doubles import SmallEngineMaker


def say(line: str) -> None:
    """Write at once: what a buffer held would die with the process."""
    os.write(1, line.encode() + b"\n")


class TellingPbx:
    """Says what it was told to do."""

    def send(self, command: Command, epoch: int) -> None:
        say(f"sent {epoch} {command.interaction_id}")  # type: ignore[attr-defined]


async def serve(directory: Path) -> None:
    """Ask for hang-ups for ever, eight at a time."""
    clock, maker = Clock(), SmallEngineMaker()
    core = await restart(directory / "journal.sqlite3", maker, clock)
    inbox = Inbox(clock)
    dispatcher = Dispatcher(
        engine=core.engine,
        maker=maker,
        rescue=core.rescue,
        epoch=core.epoch,
        inbox=inbox,
        journal=core.journal,
        pbx=TellingPbx(),
        bus=core.bus,
        metrics=LiveMetrics(),
        poison_dir=directory / "failed-signals",
    )
    running = asyncio.create_task(dispatcher.run())
    number = 0
    while not running.done():
        calls = [InteractionId(f"pbx1-1763790000.{number + n}") for n in range(8)]
        number += 8
        for step in await asyncio.gather(
            *(inbox.put(HangupRequested(interaction_id=call)) for call in calls)
        ):
            assert isinstance(step.signal, HangupRequested)
            say(f"answered {core.epoch} {step.signal.interaction_id}")
        if core.journal.degraded:
            say("degraded")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        limit = int(sys.argv[2])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    asyncio.run(serve(Path(sys.argv[1])))
