"""The real server in the test's own loop: PostgreSQL, journal, engine, web and sockets; its PBX is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from app.demo.server_process import free_port
from app.http.app import create_app
from app.server import Server
from app.settings import AgiSettings, AmiSettings, ApiKeySettings, HttpSettings, PhoneSettings, Settings
from tests.app.sockets.pages import listening


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is up.

    Attributes:
        address: ``host:port`` of its web.
    """

    server: Server
    app: FastAPI
    address: str

    @property
    def origin(self) -> str:
        """Where its own pages come from."""
        return f"http://{self.address}"


@asynccontextmanager
async def running(
    database_url: str, data_dir: Path, api_keys: tuple[ApiKeySettings, ...] = ()
) -> AsyncIterator[Running]:
    """Start a server on a migrated database, with a PBX that hears browser phones and says nothing."""
    port, phones_port = free_port(), free_port()
    settings = Settings(
        database_url=database_url,
        data_dir=data_dir,
        api_keys=api_keys,
        http=HttpSettings(port=port, metrics_open=False),
        ami=AmiSettings(port=free_port()),
        agi=AgiSettings(port=free_port()),
        phones=PhoneSettings(websocket_url=f"ws://127.0.0.1:{phones_port}/ws", secret=SecretStr("s" * 32)),
    )
    server = await Server.started(settings)
    task = asyncio.create_task(server.run())
    app = create_app(server)
    try:
        async with (
            serve(_silent, "127.0.0.1", phones_port, subprotocols=[Subprotocol("sip")]),
            listening(app, port) as address,
        ):
            yield Running(server, app, address)
            await server.faces.live.stop()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _silent(page: ServerConnection) -> None:
    await page.wait_closed()
