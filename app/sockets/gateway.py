"""The gateway: every page's socket of this server; ends them with their session and at the stop."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Callable, Collection
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.websockets import WebSocket

from app.auth.principal import Principal
from app.sockets.connection import Connection, Door
from app.sockets.pump import Pump

log = structlog.get_logger()

CONNECTIONS_MAX = 5_000
CONNECTIONS_PER_OWNER_MAX = 32  # a person's pages and tabs; a wallboard's link on all its screens
UNKNOWN_MAX = 256  # sockets that have not shown their ticket yet
RECHECK_EVERY_S = 5.0
STOP_WITHIN_S = 2.0


class Gateway:
    """The open sockets.

    Args:
        on_ack: Told who acknowledges which pop.
        server_ms: The wall clock.
    """

    def __init__(
        self,
        pump: Pump,
        door: Door,
        *,
        on_ack: Callable[[Principal, int], None],
        server_ms: Callable[[], int],
        registry: CollectorRegistry,
    ) -> None:
        self._pump, self._door = pump, door
        self._on_ack, self._server_ms = on_ack, server_ms
        self._known: dict[Connection, Principal] = {}
        self._unknown: set[Connection] = set()
        self._is_stopping = False
        self._is_empty = asyncio.Event()
        self._gone = Counter("holdless_socket_gone", "Sockets let go", ["reason"], registry=registry)
        Gauge("holdless_sockets", "Pages connected", registry=registry).set_function(lambda: len(self._known))
        hub = pump.hub
        for name, text, count in (
            ("deltas", "Deltas made", lambda: hub.delta_count),
            ("snapshots", "Snapshots sent", lambda: hub.snapshot_count),
            ("resumes", "Pages that came back without a gap", lambda: hub.resume_count),
        ):
            Gauge(f"holdless_socket_{name}", text, registry=registry).set_function(count)

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one page's socket until it is over."""
        if not self._door.is_own_page(websocket.headers):
            await websocket.close(1008)
            return
        if self._is_stopping or len(self._unknown) >= UNKNOWN_MAX or len(self._known) >= CONNECTIONS_MAX:
            await websocket.close(1013)
            return
        await websocket.accept()
        connection = Connection(
            websocket, pump=self._pump, door=self._door, on_ack=self._on_ack, server_ms=self._server_ms
        )
        self._unknown.add(connection)
        try:
            await connection.serve(lambda: self._admit(connection))
        finally:
            self._unknown.discard(connection)
            self._known.pop(connection, None)
            if connection.gone is not None:
                self._gone.labels(connection.gone).inc()
            if not self._known and not self._unknown:
                self._is_empty.set()

    def end_sessions(self, session_ids: Collection[UUID]) -> None:
        """Let go whose session is over."""
        for connection in list(self._known):
            visitor = connection.visitor
            if visitor is not None and visitor.session_id in session_ids:
                connection.let_go("signed_out")

    async def run(self) -> None:
        """Look again and again whether those who are in may still be. Runs until cancelled."""
        while True:
            await asyncio.sleep(RECHECK_EVERY_S)
            for connection in list(self._known):
                connection.recheck()

    async def stop(self) -> None:
        """Tell every page that the server stops, and wait a little while for them to go."""
        self._is_stopping = True
        if not self._known and not self._unknown:
            return
        self._is_empty.clear()
        for connection in [*self._known, *self._unknown]:
            connection.let_go("stopping")
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._is_empty.wait()
        except TimeoutError:
            log.warning("some pages did not take their leave", left_count=len(self._known))

    def _admit(self, connection: Connection) -> bool:
        assert connection.visitor is not None
        self._unknown.discard(connection)
        principal = connection.visitor.principal
        if self._is_stopping or Tally(self._known.values())[principal] >= CONNECTIONS_PER_OWNER_MAX:
            return False
        self._known[connection] = principal
        return True
