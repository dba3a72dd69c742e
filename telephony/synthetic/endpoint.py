"""One UDP socket and its SIP transactions.

What comes in is matched to what was asked, or is new; what is no SIP is counted and dropped. A final
answer is remembered for ``SipTimers.linger_s``, so that a peer who did not hear it and asks again gets
the same answer.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter, deque
from collections.abc import Callable
from itertools import count
from typing import Any, Final, Protocol, cast

from telephony.synthetic.errors import SipParseError
from telephony.synthetic.sip_codec import SipRequest, SipResponse, parse, response_to
from telephony.synthetic.transactions import ClientTransaction, Peer, ServerTransaction, SipTimers

TRANSACTIONS_MAX: Final = 50_000


class EndpointUser(Protocol):
    """What stands above an endpoint."""

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a new request (never ACK or CANCEL); answer it by ``transaction.respond``."""

    def on_ack(self, request: SipRequest) -> None:
        """Take the ACK of an answered call."""


class Endpoint(asyncio.DatagramProtocol):
    """One UDP socket and its transactions.

    Attributes:
        counts: ``sent``, ``received``, ``lost`` (on purpose), ``retransmitted``, ``repeated``,
            ``malformed``, ``stray``, ``unanswered``, ``unacknowledged``, ``overflow``.
    """

    def __init__(
        self,
        user: EndpointUser,
        *,
        timers: SipTimers | None = None,
        is_lost: Callable[[], bool] | None = None,
    ) -> None:
        self._user = user
        self._is_lost = is_lost
        self.timers = timers or SipTimers()
        self.loop = asyncio.get_running_loop()
        self.counts: Counter[str] = Counter()
        self.local: Peer = ("", 0)
        self._transport: asyncio.DatagramTransport | None = None
        self._clients: dict[tuple[str, str], ClientTransaction] = {}
        self._servers: dict[tuple[str, str, str], ServerTransaction] = {}
        self._finished: deque[tuple[float, ClientTransaction | ServerTransaction]] = deque()
        self._open_count = 0
        self._branches = count(1)
        self._prefix = f"z9hG4bK{secrets.token_hex(5)}"

    async def open(self, host: str, port: int = 0) -> None:
        """Bind the socket; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        await self.loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))

    def close(self) -> None:
        """Close the socket and stop every timer."""
        for asked in self._clients.values():
            asked.stop()
        for answered in self._servers.values():
            answered.stop()
        self._clients.clear()
        self._servers.clear()
        self._finished.clear()
        self._open_count = 0
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    @property
    def open_count(self) -> int:
        """Requests of ours that have no final response yet."""
        return self._open_count

    def request(
        self,
        request: SipRequest,
        peer: Peer,
        on_response: Callable[[SipResponse | None], None],
        *,
        branch: str = "",
    ) -> ClientTransaction:
        """Send a request (not ACK) with our Via on top; a CANCEL names the INVITE's *branch*."""
        self._forget_finished()
        transaction = ClientTransaction(self, self.with_via(request, branch), peer, on_response)
        self._clients[transaction.key] = transaction
        self._open_count += 1
        return transaction

    def with_via(self, request: SipRequest, branch: str = "") -> SipRequest:
        """Return the request with our Via on top."""
        host, port = self.local
        via = f"SIP/2.0/UDP {host}:{port};rport;branch={branch or f'{self._prefix}{next(self._branches):x}'}"
        return request.with_headers(("Via", via))

    def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram, unless it is to be lost; after ``close`` nothing is sent."""
        if self._transport is None:
            return
        self.counts["sent"] += 1
        if self._is_lost is not None and self._is_lost():
            self.counts["lost"] += 1
            return
        self._transport.sendto(data, peer)

    def finish(self, transaction: ClientTransaction | ServerTransaction) -> None:
        """Keep the finished transaction for a while, then forget it."""
        if isinstance(transaction, ClientTransaction):
            self._open_count -= 1
        self._finished.append((self.loop.time() + self.timers.linger_s, transaction))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is bound."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        host, port = transport.get_extra_info("sockname")[:2]
        self.local = (host, port)

    def error_received(self, exc: Exception) -> None:
        """The peer's port is closed; the timers notice it."""
        self.counts["unreachable"] += 1

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take one datagram; what is no SIP is counted and dropped."""
        self.counts["received"] += 1
        if not data.strip(b"\r\n\0"):
            return  # keep-alive
        peer = (str(addr[0]), int(addr[1]))
        try:
            message = parse(data)
            if isinstance(message, SipResponse):
                self._take_response(message)
            else:
                self._take_request(message, peer)
        except SipParseError:
            self.counts["malformed"] += 1

    def _take_response(self, response: SipResponse) -> None:
        transaction = self._clients.get((response.branch, response.cseq.method))
        if transaction is None:
            self.counts["stray"] += 1
        else:
            transaction.receive(response)

    def _take_request(self, request: SipRequest, peer: Peer) -> None:
        branch, sent_by = request.branch, request.sent_by
        if request.method == "ACK":
            known = self._servers.get((branch, sent_by, "INVITE"))
            if known is not None:
                known.acknowledge()
            else:
                self._user.on_ack(request)
            return
        key = (branch, sent_by, request.method)
        known = self._servers.get(key)
        if known is not None:
            known.repeat()
            return
        self._forget_finished()
        if len(self._servers) >= TRANSACTIONS_MAX:
            self.counts["overflow"] += 1
            return  # the peer asks again, or gives up
        transaction = self._servers[key] = ServerTransaction(self, request, peer, key)
        if request.method == "CANCEL":
            self._cancel(transaction, self._servers.get((branch, sent_by, "INVITE")))
        else:
            self._user.on_request(transaction)

    def _cancel(self, cancel: ServerTransaction, invite: ServerTransaction | None) -> None:
        if invite is None:
            cancel.respond(response_to(cancel.request, 481, "Call/Transaction Does Not Exist"))
            return
        cancel.respond(response_to(cancel.request, 200, "OK"))
        if not invite.is_final and invite.on_cancel is not None:
            invite.on_cancel()

    def _forget_finished(self) -> None:
        now_s = self.loop.time()
        while self._finished and (self._finished[0][0] <= now_s or len(self._finished) > TRANSACTIONS_MAX):
            _, transaction = self._finished.popleft()
            transaction.stop()
            if isinstance(transaction, ClientTransaction):
                self._clients.pop(transaction.key, None)
            else:
                self._servers.pop(transaction.key, None)
