"""``holdless serve``: the server and its web in one event loop, until a signal asks it to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import structlog
import typer
import uvicorn

from app.http.app import create_app
from app.http.websockets import OPTIONS, WebSocketProtocol
from app.live.errors import AddressTaken
from app.live.tuning import loop_factory, tune_interpreter
from app.logs import set_up_logs
from app.server import Server
from app.settings import HttpSettings, Settings, load_settings

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
        LiveError, DatabaseError: as ``Server`` tells; what was decided is in the journal.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    doors = _doors(settings.http)
    try:
        stop = asyncio.create_task(asked.wait(), name="stop")
        starting = asyncio.create_task(Server.started(settings), name="start")
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        if not starting.cancelled():
            await _serve(settings, starting.result(), doors, stop)
    finally:
        stop.cancel()
        for door in doors:
            door.close()


async def _serve(
    settings: Settings, server: Server, doors: list[socket.socket], stop: asyncio.Task[Literal[True]]
) -> None:
    web = _Web(
        uvicorn.Config(
            create_app(server),
            host=settings.http.host,
            port=settings.http.port,
            ws=WebSocketProtocol,
            **OPTIONS,
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=list(settings.http.proxies),
            timeout_graceful_shutdown=WEB_STOP_S,
        )
    )
    running = asyncio.create_task(server.run(), name="server")
    pages = asyncio.create_task(web.serve(sockets=doors), name="web")
    tune_interpreter()
    log.info("serving", url=f"http://{settings.http.host}:{settings.http.port}", epoch=server.core.epoch)
    try:
        await asyncio.wait([running, pages, stop], return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.core.pbx.part_from_pages()
        await server.faces.live.stop()
        web.should_exit = True
        await asyncio.gather(pages, return_exceptions=True)
        running.cancel()
        ended = (await asyncio.gather(running, return_exceptions=True))[0]
    if isinstance(ended, BaseException) and not isinstance(ended, asyncio.CancelledError):
        raise ended
    if pages.done() and not pages.cancelled() and (error := pages.exception()) is not None:
        raise error


def _doors(at: HttpSettings) -> list[socket.socket]:
    """Take the web's addresses before anything starts; who comes is let in once the web serves.

    Raises:
        AddressTaken: one of them cannot be had.
    """
    doors: list[socket.socket] = []
    try:
        found = socket.getaddrinfo(at.host, at.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            doors.append(door := socket.socket(family, kind, protocol))
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            door.bind(address)
    except OSError as error:
        for door in doors:
            door.close()
        raise AddressTaken("the web", at.host, at.port, "http.port, HOLDLESS_HTTP__PORT", error) from error
    return doors
