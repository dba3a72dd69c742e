"""Play the demo: people come to work, customers call, and in the end the log is held against the PBX."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from app.demo.centre import DemoCentre, open_centre
from app.demo.report import DemoReport, report_of
from telephony.synthetic.crowd import Crowd

DRAIN_S: Final = 45.0  # calls that stand when the time is over may end by themselves within this
FOREVER_S: Final = 7 * 24 * 3600.0
_SHOW_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWish:
    """What was asked for.

    Attributes:
        for_s: How long customers call; None: until stopped.
        headless: Nobody looks: no links.
    """

    for_s: float | None
    seed: int
    data_dir: Path
    http_port: int = 0
    headless: bool = False


async def play(wish: DemoWish, stop: asyncio.Event) -> DemoReport | None:
    """Run the demo and return its report; None when it was stopped before anybody called.

    Raises:
        DemoError, DatabaseError, SandboxError, RegistrationRefused: a part cannot be had.
    """
    console = Console(stderr=True, highlight=False)
    with console.status("starting") as status:
        say = _teller(console, status.update)
        async with open_centre(wish.data_dir, say, http_port=wish.http_port) as centre:
            async with centre.crowd(wish.seed, DRAIN_S) as crowd:
                await centre.sign_in_all()
                if stop.is_set():
                    return None
                if not wish.headless:
                    _print_links(console, centre)
                begun = datetime.now(UTC)
                await _call(centre, crowd, wish.for_s, stop, say)
            say("comparing the log with the PBX's own record")
            return await report_of(centre.database, centre.sandbox, crowd.tally, begun)


async def _call(
    centre: DemoCentre, crowd: Crowd, for_s: float | None, stop: asyncio.Event, say: Callable[[str], None]
) -> None:
    playing = asyncio.create_task(crowd.play(FOREVER_S if for_s is None else for_s), name="crowd")
    returning = asyncio.create_task(centre.bring_back(), name="agents return")
    showing = asyncio.create_task(_show(crowd, for_s, say), name="progress")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    try:
        await asyncio.wait([playing, returning, stopping], return_when=asyncio.FIRST_COMPLETED)
        if returning.done():
            returning.result()
    finally:
        for task in (playing, returning, showing, stopping):
            task.cancel()
        for task in (playing, returning, showing, stopping):
            with suppress(asyncio.CancelledError):
                await task


async def _show(crowd: Crowd, for_s: float | None, say: Callable[[str], None]) -> None:
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    while True:
        spent_s = loop.time() - begun_s
        length = f"{spent_s:.0f} s" if for_s is None else f"{min(spent_s, for_s):.0f} of {for_s:.0f} s"
        counts = (
            f"{len(crowd.tally.calls)} calls, {crowd.waiting_count} waiting, {crowd.talking_count} talking"
        )
        say(f"{length}: {counts}")
        await asyncio.sleep(_SHOW_S)


def _teller(console: Console, update: Callable[[str], None]) -> Callable[[str], None]:
    """On a terminal one line that changes; in a log one line for every step, and no ticking."""
    if console.is_terminal:
        return update
    told: set[str] = set()

    def say(line: str) -> None:
        stage = line.partition(":")[0].rstrip("0123456789.% ")
        if line.partition(" ")[0].isdigit() or stage in told:
            return
        told.add(stage)
        console.print(line)

    return say


def _print_links(console: Console, centre: DemoCentre) -> None:
    server = centre.server
    console.print(f"floor     {server.url}/api/v1/floor", soft_wrap=True)
    console.print(f"call log  {server.url}/api/v1/calls", soft_wrap=True)
    console.print(f"API       {server.url}/api/v1/openapi.json", soft_wrap=True)
    console.print(f"figures   {server.url}/metrics     state  {server.url}/readyz", soft_wrap=True)
    console.print(
        f"key       curl -H 'Authorization: Bearer {server.key}' {server.url}/api/v1/floor", soft_wrap=True
    )
    console.print("Ctrl-C ends the calls and reports; a second one stops at once.")
