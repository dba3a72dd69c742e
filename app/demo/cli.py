"""``holdless demo``: a small contact centre that works, to look at or to measure."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.demo.report import DemoReport
from app.demo.run import DemoWish, play
from app.live.tuning import loop_factory
from app.logs import set_up_logs


def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Only run and report; no page to look at.")
    ] = False,
    for_s: Annotated[
        float | None,
        typer.Option("--for", min=5, help="Seconds of calls; default 60 headless, else until Ctrl-C."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Nothing but the JSON object on standard output.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed draws the same calls.")] = 1,
    data_dir: Annotated[Path, typer.Option(help="Where the demo's database and journal live.")] = Path(
        ".holdless/demo"
    ),
    port: Annotated[int, typer.Option(help="Where to serve the web; 0: a free port.")] = 0,
) -> None:
    """Run eight agents, three queues and synthetic callers on a private real Asterisk.

    The last line on standard output is one JSON object: offered, answered, abandoned, fallback,
    service_level (SL-C), asa_s, cel_minus_log, log_minus_cel, decision_to_ring_ms_p50 and …_p99.
    """
    set_up_logs("warning", "text")
    if for_s is None and headless:
        for_s = 60.0
    wish = DemoWish(for_s=for_s, seed=seed, data_dir=data_dir.absolute(), http_port=port, headless=headless)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        report = runner.run(_until_stopped(wish))
    if report is None:
        raise typer.Exit(130)
    if not as_json:
        report.print(Console(file=sys.stdout))
    typer.echo(json.dumps(report.figures))
    if not report.adds_up:
        raise typer.Exit(1)


async def _until_stopped(wish: DemoWish) -> DemoReport | None:
    """Play; Ctrl-C ends the calls and still reports, a second one gives up at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    playing = asyncio.create_task(play(wish, stop))

    def asked() -> None:
        if stop.is_set():
            playing.cancel()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked)
    try:
        return await playing
    except asyncio.CancelledError:
        return None
