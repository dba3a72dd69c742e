"""One AMI connection that keeps itself alive: login, actions, lists, ping, reconnect.

The law: the reader only frames and never waits; one consumer task hands messages on in the order of
the stream; everything that can fill up has a limit and says so. What the messages mean is decided
elsewhere. AMI has no replay: after every ``on_connected`` the caller reads a snapshot.

An ordered list may be begun in ``on_connected`` or later: ``begin_list`` returns its ActionID, and its
response, its rows and the event that completes it come to ``on_message`` in stream order together with
all other events. ``list_rows`` is for when that order does not matter.
"""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from telephony.ami.backoff import Backoff
from telephony.ami.codec import AmiMessage, Pair
from telephony.ami.connection import AmiConnection
from telephony.ami.errors import AmiError, AmiLinkLost, AmiLoginDenied, AmiTimeout
from telephony.ami.pending import PENDING_ACTIONS_MAX, PendingActions
from telephony.ami.ring import RING_MESSAGES_MAX, EventRing

__all__ = ["AmiLink", "AmiLinkLost", "AmiLoginDenied", "LinkLimits", "LinkState"]

_CONSUME_BATCH: Final = 64  # messages handed on before the loop may turn

OnMessage = Callable[[AmiMessage], Awaitable[None] | None]


class LinkState(StrEnum):
    """What the link is doing."""

    STOPPED = "stopped"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DRAINING = "draining"  # the connection is gone, what it brought is being handed on
    WAITING = "waiting"  # for the next attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLimits:
    """Every limit of a link; times in seconds.

    Attributes:
        ping_every_s: Pause between an answered ping and the next.
        ping_timeout_s: An unanswered ping means that the connection is half-open.
        drain_timeout_s: How long the consumer may take over what a lost connection left.
        stable_s: A link that lasted this long starts the backoff anew.
        denied_retry_s: Least delay after a refused login: wrong passwords heal slowly and fill logs.
    """

    connect_timeout_s: float = 3.0
    login_timeout_s: float = 3.0
    action_timeout_s: float = 5.0
    list_timeout_s: float = 10.0
    ping_every_s: float = 5.0
    ping_timeout_s: float = 5.0
    drain_timeout_s: float = 5.0
    stable_s: float = 5.0
    denied_retry_s: float = 15.0
    ring_messages_max: int = RING_MESSAGES_MAX
    pending_actions_max: int = PENDING_ACTIONS_MAX


class AmiLink:
    """One connection to one PBX, kept alive by ``run``.

    Args:
        events: Whether the PBX sends events on this connection.
        on_message: Gets events and the answers of ordered lists, in stream order. It may return an
            awaitable: then the consumer waits for it, and the ring fills meanwhile. An AmiError that
            leaves it (or on_connected) cuts the connection, which is then built anew.
        on_connected: Called after the login, before the first message.
        on_lost: Called once for every ``on_connected``, after the last message, with the reason.
        on_failed: Called when an attempt did not come as far as ``on_connected``.
        tls: Speak TLS.
    """

    def __init__(
        self,
        host: str,
        port: int,
        user: str,
        secret: str,
        *,
        events: bool,
        on_message: OnMessage = lambda message: None,
        on_connected: Callable[[], object] = lambda: None,
        on_lost: Callable[[AmiError], object] = lambda reason: None,
        on_failed: Callable[[AmiError], object] = lambda reason: None,
        limits: LinkLimits | None = None,
        backoff: Backoff | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._host, self._port, self._user, self._secret = host, port, user, secret
        self._events, self._tls = events, tls
        self.on_message, self.on_connected = on_message, on_connected
        self.on_lost, self.on_failed = on_lost, on_failed
        self._limits = limits or LinkLimits()
        self._backoff = backoff or Backoff()
        self._ring = EventRing(self._limits.ring_messages_max)
        self._pending = PendingActions(self._limits.pending_actions_max)
        self._arrived = asyncio.Event()
        self._connection: AmiConnection | None = None
        self.state = LinkState.STOPPED
        self.connected_count = 0
        self.last_error: AmiError | None = None

    # ------------------------------------------------------------ asking the PBX

    @property
    def connected(self) -> bool:
        """Whether actions can be sent."""
        return self._connection is not None and not self._connection.lost.done()

    def send(self, pairs: Sequence[Pair]) -> asyncio.Future[AmiMessage]:
        """Write an action (without ActionID) and return the future of its answer; never waits.

        The answer may say Error. The future fails with AmiInjectionError, AmiOverloaded or AmiLinkLost
        when nothing was written, with AmiTimeout or AmiLinkLost when it is not known what the PBX did.
        Nobody needs to look at the future.
        """
        try:
            return self._require().request(pairs, self._limits.action_timeout_s)
        except AmiError as error:
            refused: asyncio.Future[AmiMessage] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            refused.exception()
            return refused

    async def list_rows(self, pairs: Sequence[Pair]) -> list[AmiMessage]:
        """Write a list action and return its rows, without the event that completes them.

        Raises:
            AmiRefused: the PBX answered Error.
            AmiInjectionError, AmiOverloaded, AmiLinkLost, AmiTimeout: as for ``send``.
        """
        return await self._require().request_list(pairs, self._limits.list_timeout_s)

    def begin_list(self, pairs: Sequence[Pair]) -> str:
        """Write a list action whose answer comes to ``on_message`` in stream order; return its ActionID.

        The last message of the answer has ``ends_list``, or is a response without ``starts_list``.

        Raises:
            AmiInjectionError, AmiOverloaded, AmiLinkLost: nothing was written.
        """
        return self._require().begin_list(pairs)

    def reconnect(self, reason: str) -> None:
        """Cut the connection and begin anew (for a caller whose own picture is in doubt)."""
        if self._connection is not None:
            self._connection.cut(AmiLinkLost(reason))

    # ------------------------------------------------------------ figures

    @property
    def shed(self) -> dict[str, int]:
        """How many events of which name were shed under overload, since the link was made."""
        return dict(self._ring.shed)

    @property
    def ring_count(self) -> int:
        """How many messages wait for the consumer."""
        return len(self._ring)

    @property
    def pending_count(self) -> int:
        """How many actions wait for an answer."""
        return len(self._pending)

    @property
    def unmatched_count(self) -> int:
        """How many responses came for which nobody waited (any more)."""
        return self._pending.unmatched_count

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Connect and reconnect until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                self.state = LinkState.CONNECTING
                begun = loop.time()
                reason = await self._live_once()
                self.last_error = reason
                if loop.time() - begun >= self._limits.stable_s and not isinstance(reason, AmiLoginDenied):
                    self._backoff.reset()
                delay_s = self._backoff.next_s()
                if isinstance(reason, AmiLoginDenied):
                    delay_s += self._limits.denied_retry_s
                self.state = LinkState.WAITING
                await asyncio.sleep(delay_s)
        finally:
            self.state = LinkState.STOPPED

    async def _live_once(self) -> AmiError:
        """Live through one connection and return why it ended."""
        connection: AmiConnection | None = None
        try:
            connection = await self._connect()
            await self._log_in(connection)
        except AmiError as error:
            if connection is not None:
                connection.cut(error)
            self._ring.clear()
            self.on_failed(error)
            return error
        except asyncio.CancelledError:
            if connection is not None:
                connection.cut(AmiLinkLost("stopped"))
            raise
        return await self._serve(connection)

    async def _serve(self, connection: AmiConnection) -> AmiError:
        self._connection = connection
        self.state = LinkState.CONNECTED
        self.connected_count += 1
        tasks: list[asyncio.Future[None]] = [
            asyncio.create_task(self._consume(connection), name="ami-consumer"),
            asyncio.create_task(self._ping(connection), name="ami-pinger"),
        ]
        try:
            watched: list[asyncio.Future[Any]] = [connection.lost, *tasks]
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()  # a failure of the caller's own code shall be seen
            reason = await connection.lost
            self.state = LinkState.DRAINING
            self._arrived.set()
            done, _ = await asyncio.wait(tasks[:1], timeout=self._limits.drain_timeout_s)
            for task in done:
                task.result()
        finally:
            connection.cut(AmiLinkLost("stopped"))
            self._connection = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._ring.clear()
        self.on_lost(reason)
        return reason

    async def _connect(self) -> AmiConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._limits.connect_timeout_s):
                _, connection = await loop.create_connection(
                    lambda: AmiConnection(self._ring, self._arrived.set, self._pending),
                    self._host,
                    self._port,
                    ssl=self._tls,
                )
        except TimeoutError:
            raise AmiTimeout(f"no connection in {self._limits.connect_timeout_s} s") from None
        except OSError as error:
            raise AmiLinkLost(f"cannot connect: {error}") from error
        return connection

    async def _log_in(self, connection: AmiConnection) -> None:
        """Log in with a challenge, so that the secret does not travel."""
        timeout_s = self._limits.login_timeout_s
        challenge = await connection.request([("Action", "Challenge"), ("AuthType", "MD5")], timeout_s)
        if not challenge.succeeded:
            raise AmiLoginDenied(challenge.get("Message", "no challenge"))
        key = hashlib.md5((challenge.get("Challenge", "") + self._secret).encode(), usedforsecurity=False)
        login = await connection.request(
            [
                ("Action", "Login"),
                ("AuthType", "MD5"),
                ("Username", self._user),
                ("Key", key.hexdigest()),
                ("Events", "on" if self._events else "off"),
            ],
            timeout_s,
        )
        if not login.succeeded:
            raise AmiLoginDenied(login.get("Message", "no reason given"))

    async def _consume(self, connection: AmiConnection) -> None:
        """Hand messages on; ends when the connection is lost and all that it brought is handed on."""
        try:
            self.on_connected()
            while True:
                while batch := self._ring.take(_CONSUME_BATCH):
                    for message in batch:
                        waited = self.on_message(message)
                        if waited is not None:
                            await waited
                    await asyncio.sleep(0)
                if connection.lost.done():
                    return
                self._arrived.clear()
                await self._arrived.wait()
        except AmiError as error:  # the caller could not ask what it had to ask: begin anew
            connection.cut(error)

    async def _ping(self, connection: AmiConnection) -> None:
        while True:
            await asyncio.sleep(self._limits.ping_every_s)
            try:
                await connection.request([("Action", "Ping")], self._limits.ping_timeout_s)
            except AmiTimeout:
                connection.cut(AmiLinkLost(f"no pong in {self._limits.ping_timeout_s} s"))
                return
            except AmiError as error:
                connection.cut(error)
                return

    def _require(self) -> AmiConnection:
        if self._connection is None:
            raise AmiLinkLost("not connected")
        return self._connection
