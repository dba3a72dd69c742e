"""``holdless serve``: the server and its web in one event loop, until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import structlog
import typer
import uvicorn

from app.http.app import create_app
from app.live.tuning import loop_factory, tune_interpreter
from app.logs import set_up_logs
from app.server import Server
from app.settings import Settings, load_settings

log = structlog.get_logger()

WEB_STOP_S = 5


class _Web(uvicorn.Server):
    """The web server without signal handlers of its own: one place stops everything."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    config: Annotated[
        Path | None, typer.Option(help="Settings file; else HOLDLESS_CONFIG, else holdless.toml.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where the journal and the embedded database live.")
    ] = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM; waiting callers stay in the dialplan meanwhile."""
    settings = load_settings(config, data_dir=data_dir)
    set_up_logs(settings.log_level, settings.log_format)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(run(settings))


async def run(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, or until a part fails for good.

    Raises:
        LiveError, DatabaseError, OSError: as ``Server`` tells; what was decided is in the journal.
    """
    server = await Server.started(settings)
    web = _Web(
        uvicorn.Config(
            create_app(server),
            host=settings.http.host,
            port=settings.http.port,
            ws="websockets-sansio",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=WEB_STOP_S,
        )
    )
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    running = asyncio.create_task(server.run(), name="server")
    pages = asyncio.create_task(web.serve(), name="web")
    stop = asyncio.create_task(asked.wait(), name="stop")
    tune_interpreter()
    log.info("serving", url=f"http://{settings.http.host}:{settings.http.port}", epoch=server.core.epoch)
    try:
        await asyncio.wait([running, pages, stop], return_when=asyncio.FIRST_COMPLETED)
    finally:
        web.should_exit = True
        stop.cancel()
        await asyncio.gather(pages, return_exceptions=True)
        running.cancel()
        ended = (await asyncio.gather(running, return_exceptions=True))[0]
    if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
        raise ended
    if pages.done() and not pages.cancelled() and (error := pages.exception()) is not None:
        raise error
