"""Play the demo: people come to work, customers call, and in the end the log is held against the PBX."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from app.db.session import DEFAULT_TENANT
from app.demo.centre import DemoCentre, open_centre
from app.demo.history import DAYS
from app.demo.report import DemoReport, report_of
from app.demo.seat import SeatCallers
from app.demo.visitors import page_links
from telephony.synthetic.crowd import Crowd

DRAIN_S: Final = 45.0  # calls that stand when the time is over may end by themselves within this
FOREVER_S: Final = 7 * 24 * 3600.0
_SHOW_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoWish:
    """What was asked for.

    Attributes:
        for_s: How long customers call; None: until stopped.
        headless: Nobody looks: no links, no past, no callers for the free seat.
        past_days: Otherwise so many days before today get a history.
    """

    for_s: float | None
    seed: int
    data_dir: Path
    http_port: int = 0
    headless: bool = False
    past_days: int = DAYS


async def play(wish: DemoWish, stop: asyncio.Event) -> DemoReport | None:
    """Run the demo and return its report; None when it was stopped before anybody called.

    Raises:
        DemoError, DatabaseError, SandboxError, RegistrationRefused: a part cannot be had.
    """
    console = Console(stderr=True, highlight=False)
    with console.status("starting") as status:
        say = _teller(console, status.update)
        past_days = 0 if wish.headless else wish.past_days
        async with open_centre(wish.data_dir, say, http_port=wish.http_port, past_days=past_days) as centre:
            async with centre.crowd(wish.seed, DRAIN_S) as crowd:
                await centre.sign_in_all()
                if centre.past is not None:
                    await _until_stopped(centre.past.recent(say), stop)
                if stop.is_set():
                    return None
                seat = None if wish.headless else SeatCallers(centre.pbx, crowd.tally, wish.seed)
                if not wish.headless:
                    await _print_links(console, centre)
                begun = datetime.now(UTC)
                await _call(centre, crowd, seat, wish.for_s, stop, say)
            say("comparing the log with the PBX's own record")
            return await report_of(centre.database, centre.sandbox, crowd.tally, begun)


async def _until_stopped(work: Coroutine[Any, Any, None], stop: asyncio.Event) -> None:
    """Wait for *work*, or until somebody wants the demo to stop."""
    working, stopping = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        for task in (working, stopping):
            task.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)


async def _call(
    centre: DemoCentre,
    crowd: Crowd,
    seat: SeatCallers | None,
    for_s: float | None,
    stop: asyncio.Event,
    say: Callable[[str], None],
) -> None:
    playing = asyncio.create_task(crowd.play(FOREVER_S if for_s is None else for_s), name="crowd")
    returning = asyncio.create_task(centre.bring_back(), name="agents return")
    showing = asyncio.create_task(_show(crowd, for_s, say), name="progress")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    beside = [returning]
    if seat is not None:
        beside.append(asyncio.create_task(seat.run(centre.floor), name="callers of the seat"))
    try:
        await asyncio.wait([playing, stopping, *beside], return_when=asyncio.FIRST_COMPLETED)
        for each in beside:
            if each.done():
                each.result()
    finally:
        for task in (playing, showing, stopping, *beside):
            task.cancel()
        for task in (playing, showing, stopping, *beside):
            with suppress(asyncio.CancelledError):
                await task
        if seat is not None:
            await seat.stop()


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


async def _print_links(console: Console, centre: DemoCentre) -> None:
    server = centre.server
    links = await page_links(centre.database, DEFAULT_TENANT, server.http_port)
    for link in links:
        console.print(f"{link.path:<11} {link.url}", soft_wrap=True)
        console.print(f"{'':<11} {link.what}", soft_wrap=True, style="dim")
    if links:
        console.print(
            "Each link signs in once. The desk and the other pages go by two names of this machine,"
        )
        console.print("so that one browser holds both: you take calls here and watch the floor there.")
    console.print(f"{'API':<11} {server.url}/api/v1/openapi.json", soft_wrap=True)
    console.print(f"{'figures':<11} {server.url}/metrics     state  {server.url}/readyz", soft_wrap=True)
    console.print(
        f"{'key':<11} curl -H 'Authorization: Bearer {server.key}' {server.url}/api/v1/floor", soft_wrap=True
    )
    console.print("Ctrl-C ends the calls and reports; a second one stops at once.")
