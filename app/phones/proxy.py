"""The browser phone's way to the PBX: SIP over WebSocket through our own origin.

One certificate and one sign-in serve page and phone, and the PBX's own door stays closed to browsers.
Sound does not pass here: it runs between browser and PBX, and goes on when this way is cut.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from fastapi import WebSocket, WebSocketDisconnect
from prometheus_client import CollectorRegistry, Counter, Gauge
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from app.phones.sip_guard import SIP_CHARS_MAX, SipForbidden, guarded
from routing.ids import AgentId

SUBPROTOCOL: Final = "sip"
CONNECT_TIMEOUT_S: Final = 5.0
CLOSE_TIMEOUT_S: Final = 2.0
PHONES_MAX: Final = 5_000
WAITING_MESSAGES_MAX: Final = 16  # from the PBX, per phone; then the PBX's connection is not read any more

# Closing codes that the page knows (web/src/lib/phone).
REPLACED: Final = 4001
SIGNED_OUT: Final = 4002
FORBIDDEN: Final = 1008
PBX_AWAY: Final = 1013
ENDED: Final = 1001

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Way:
    """One page's connection."""

    agent_id: AgentId
    session_id: UUID | None
    ended: asyncio.Future[int]  # with the closing code

    def end(self, code: int) -> None:
        if not self.ended.done():
            self.ended.set_result(code)


class PhoneProxy:
    """The connections of all browser phones; the newest of an agent's is the one.

    Args:
        url: Where the PBX takes SIP over WebSocket.
        endpoint_of: The endpoint and its digest secret, by agent.
        passwords_of: The passwords that a page may answer with now, by agent.
    """

    def __init__(
        self,
        url: str,
        *,
        endpoint_of: Callable[[AgentId], tuple[str, str]],
        passwords_of: Callable[[AgentId], tuple[str, ...]],
        registry: CollectorRegistry,
    ) -> None:
        self._url, self._endpoint_of, self._passwords_of = url, endpoint_of, passwords_of
        self._ways: dict[AgentId, _Way] = {}
        self._open = Gauge("holdless_phones", "Browser phones connected", registry=registry)
        text = "SIP messages of browser phones"
        self._messages = Counter("holdless_phone_messages", text, ["direction"], registry=registry)
        text = "Browser phones refused or cut"
        self._cut = Counter("holdless_phone_cuts", text, ["reason"], registry=registry)

    async def serve(self, page: WebSocket, agent_id: AgentId, session_id: UUID | None) -> None:
        """Carry one page's SIP until either end closes. The page is not accepted yet and is entitled."""
        if len(self._ways) >= PHONES_MAX:
            await self._refuse(page, PBX_AWAY, "too_many")
            return
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                pbx = await connect(
                    self._url,
                    subprotocols=[Subprotocol(SUBPROTOCOL)],
                    compression=None,
                    ping_interval=None,
                    max_size=SIP_CHARS_MAX,
                    max_queue=WAITING_MESSAGES_MAX,
                    close_timeout=CLOSE_TIMEOUT_S,
                    proxy=None,
                )
        except (OSError, TimeoutError, InvalidHandshake) as error:
            log.warning("the PBX lets no browser phone in", problem=type(error).__name__)
            await self._refuse(page, PBX_AWAY, "pbx_away")
            return
        way = _Way(agent_id, session_id, asyncio.get_running_loop().create_future())
        if (before := self._ways.get(agent_id)) is not None:
            before.end(REPLACED)
        self._ways[agent_id] = way
        self._open.inc()
        try:
            await page.accept(subprotocol=SUBPROTOCOL)
            code = await self._carry(page, pbx, way)
        except (WebSocketDisconnect, RuntimeError):  # the page went away while it was being let in
            code = ENDED
        finally:
            self._open.dec()
            if self._ways.get(agent_id) is way:
                del self._ways[agent_id]
            await pbx.close()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it may have closed first
            await page.close(code)

    def end_sessions(self, session_ids: frozenset[UUID]) -> None:
        """Cut the phones of sessions that ended."""
        for way in list(self._ways.values()):
            if way.session_id in session_ids:
                self._cut.labels("signed_out").inc()
                way.end(SIGNED_OUT)

    async def _refuse(self, page: WebSocket, code: int, reason: str) -> None:
        """Let the page in only to tell it why not: a refused handshake tells a browser nothing."""
        self._cut.labels(reason).inc()
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await page.accept(subprotocol=SUBPROTOCOL)
            await page.close(code, reason)

    async def _carry(self, page: WebSocket, pbx: ClientConnection, way: _Way) -> int:
        """Pump both ways until one of them ends; return the code to close the page with."""
        ways: list[asyncio.Future[Any]] = [
            asyncio.create_task(self._to_pbx(page, pbx, way.agent_id), name="phone to pbx"),
            asyncio.create_task(self._to_page(page, pbx), name="phone from pbx"),
            way.ended,
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in ways[:2]:
                each.cancel()
            told = await asyncio.gather(*ways[:2], return_exceptions=True)
        if way.ended.done():
            return way.ended.result()
        for outcome in told:
            if isinstance(outcome, SipForbidden):
                log.warning("a browser phone sent what no phone sends", reason=str(outcome))
                self._cut.labels(str(outcome)).inc()
                return FORBIDDEN
            if isinstance(outcome, Exception) and not isinstance(outcome, _ORDINARY):
                raise outcome
        return ENDED

    async def _to_pbx(self, page: WebSocket, pbx: ClientConnection, agent_id: AgentId) -> None:
        endpoint, secret = self._endpoint_of(agent_id)
        while True:
            text = await page.receive_text()
            passwords = self._passwords_of(agent_id)
            await pbx.send(guarded(text, endpoint=endpoint, secret=secret, passwords=passwords))
            self._messages.labels("to_pbx").inc()

    async def _to_page(self, page: WebSocket, pbx: ClientConnection) -> None:
        async for message in pbx:
            text = message if isinstance(message, str) else message.decode("utf-8", "replace")
            await page.send_text(text)
            self._messages.labels("to_page").inc()


_ORDINARY = (WebSocketDisconnect, ConnectionClosed, RuntimeError, KeyError)  # an end closed; bytes for text
