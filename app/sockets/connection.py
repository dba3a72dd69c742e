"""One page's socket: what it says is read in turn, what it follows goes out through a bounded queue.

A page that cannot keep up is cut and told, and comes back through a snapshot; it never slows the others.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from app.auth.principal import Principal
from app.sockets.codec import (
    PROTOCOL,
    Acknowledge,
    BadMessage,
    ClientMessage,
    Ping,
    ShowTicket,
    Subscribe,
    Unsubscribe,
    read,
)
from app.sockets.pump import Pump
from app.sockets.rules import Frame, frame_of

TICKET_WITHIN_S = 5.0
IDLE_S = 60.0  # a page says ping more often than that
GOODBYE_S = 1.0
QUEUE_FRAMES_MAX = 600
QUEUE_BYTES_MAX = 4_194_304
TOPICS_MAX = 16
MESSAGES_PER_S = 20.0
MESSAGES_BURST = 60.0

GoneReason = Literal["slow", "signed_out", "stopping", "bad_message", "too_many_messages", "idle"]

_CLOSE_CODES: dict[str, int] = {"stopping": 1012, "slow": 1013, "idle": 1000}
_POLICY = 1008


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Who is at the other end.

    Attributes:
        session_id: The session, or the wall's link, that this hangs on; None: on none.
    """

    principal: Principal
    session_id: UUID | None = None


class Door(Protocol):
    """Who may come in, and what they may follow."""

    def is_own_page(self, headers: Mapping[str, str]) -> bool:
        """Say whether no foreign page opens this socket."""

    def let_in(self, ticket: str) -> Visitor | None:
        """Return whose ticket it is, once; None: nobody's."""

    def again(self, visitor: Visitor, *, was_seen: bool) -> Visitor | None:
        """Return the visitor as they are now; None: the session is over.

        Args:
            was_seen: The page has just spoken, which keeps its session alive.
        """

    def may_follow(self, principal: Principal, topic: str) -> bool:
        """Say whether they may follow the topic."""


class Outbox:
    """Frames on their way to one page, in order."""

    def __init__(self, on_full: Callable[[], None]) -> None:
        self._frames: deque[Frame] = deque()
        self._byte_count = 0
        self._on_full = on_full
        self._arrived: asyncio.Future[None] | None = None
        self._is_closed = False

    def offer(self, frame: Frame) -> None:
        """Queue a frame; when there is no room, say so, once, and take no more."""
        if self._is_closed:
            return
        self._frames.append(frame)
        self._byte_count += frame.byte_count
        is_behind = len(self._frames) > 1  # one frame alone is a snapshot, however large
        if is_behind and (len(self._frames) > QUEUE_FRAMES_MAX or self._byte_count > QUEUE_BYTES_MAX):
            self.close()
            self._on_full()
        elif self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)

    async def take(self) -> Frame:
        """Return the next frame."""
        while not self._frames:
            self._arrived = asyncio.get_running_loop().create_future()
            await self._arrived
        frame = self._frames.popleft()
        self._byte_count -= frame.byte_count
        return frame

    def close(self) -> None:
        """Drop what waits and take no more."""
        self._is_closed = True
        self._frames.clear()
        self._byte_count = 0


class Bucket:
    """So many messages a second, some more at once."""

    def __init__(self, now_s: float) -> None:
        self._level = MESSAGES_BURST
        self._at_s = now_s

    def take(self, now_s: float) -> bool:
        """Count one message; False: it is one too many."""
        self._level = min(MESSAGES_BURST, self._level + (now_s - self._at_s) * MESSAGES_PER_S)
        self._at_s = now_s
        self._level -= 1
        return self._level >= 0


class Connection:
    """Serves one page until it leaves or is let go.

    Args:
        on_ack: Told who acknowledges which pop.
        server_ms: The wall clock.
    """

    def __init__(
        self,
        websocket: WebSocket,
        *,
        pump: Pump,
        door: Door,
        on_ack: Callable[[Principal, int], None],
        server_ms: Callable[[], int],
    ) -> None:
        self._websocket, self._pump, self._door = websocket, pump, door
        self._on_ack, self._server_ms = on_ack, server_ms
        self._topics: dict[str, None] = {}
        self._outbox = Outbox(lambda: self.let_go("slow"))
        self._gone: asyncio.Future[GoneReason] = asyncio.get_running_loop().create_future()
        self.visitor: Visitor | None = None

    # ------------------------------------------------------------ from outside

    def offer(self, frame: Frame) -> None:
        """Take a frame (``app.sockets.hub.Reader``)."""
        self._outbox.offer(frame)

    def let_go(self, reason: GoneReason) -> None:
        """End it soon, and tell the page why. Harmless when it ends already."""
        if not self._gone.done():
            self._gone.set_result(reason)

    @property
    def gone(self) -> GoneReason | None:
        """Why the server let it go; None: it has not, or the page left."""
        return self._gone.result() if self._gone.done() and not self._gone.cancelled() else None

    async def serve(self, on_known: Callable[[], bool]) -> None:
        """Serve the page. Returns when it is over.

        Args:
            on_known: Called once the page has shown its ticket; False: there is no room for it.
        """
        work = asyncio.create_task(self._work(on_known), name="socket")
        try:
            waited: tuple[asyncio.Future[Any], ...] = (work, self._gone)
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._end(work)

    async def _end(self, work: asyncio.Task[None]) -> None:
        self._outbox.close()
        for topic in self._topics:
            self._pump.leave(topic, self)
        if not work.done():
            work.cancel()
        ended = (await asyncio.gather(work, return_exceptions=True))[0]
        if self._gone.done():
            await self._say_goodbye(self._gone.result())
        self._gone.cancel()
        if isinstance(ended, Exception) and not isinstance(ended, WebSocketDisconnect | OSError):
            raise ended

    # ------------------------------------------------------------ the page speaks

    async def _work(self, on_known: Callable[[], bool]) -> None:
        visitor = await self._known()
        if visitor is None:
            self.let_go("signed_out")
            return
        self.visitor = visitor
        if not on_known():
            self.let_go("slow")
            return
        hub = self._pump.hub
        hello = {
            "type": "hello",
            "protocol": PROTOCOL,
            "epoch": hub.epoch,
            "seq": hub.seq,
            "server_ms": self._server_ms(),
        }
        self.offer(frame_of(hello))
        writing = asyncio.create_task(self._write(), name="socket writer")
        try:
            await self._listen()
        finally:
            writing.cancel()
            ended = (await asyncio.gather(writing, return_exceptions=True))[0]
        if isinstance(ended, Exception):
            raise ended

    async def _known(self) -> Visitor | None:
        try:
            async with asyncio.timeout(TICKET_WITHIN_S):
                message = read(await self._receive())
        except (TimeoutError, BadMessage):
            return None
        return self._door.let_in(message.ticket) if isinstance(message, ShowTicket) else None

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        bucket = Bucket(loop.time())
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    text = await self._receive()
                if not bucket.take(loop.time()):
                    self.let_go("too_many_messages")
                    return
                self._act(read(text))
            except TimeoutError:
                self.let_go("idle")
                return
            except BadMessage:
                self.let_go("bad_message")
                return

    def _act(self, message: ClientMessage) -> None:
        assert self.visitor is not None
        match message:
            case Ping():
                self.recheck(was_seen=True)
                self.offer(frame_of({"type": "pong", "server_ms": self._server_ms()}))
            case Subscribe():
                self._subscribe(message)
            case Unsubscribe():
                if message.topic in self._topics:
                    del self._topics[message.topic]
                    self._pump.leave(message.topic, self)
            case Acknowledge():
                self._on_ack(self.visitor.principal, message.pop_id)
            case ShowTicket():
                self.let_go("bad_message")

    def _subscribe(self, message: Subscribe) -> None:
        assert self.visitor is not None
        name = message.topic
        if name in self._topics:  # again, for instance after a doubt: from the place that is named
            self._pump.leave(name, self)
            del self._topics[name]
        if not self._door.may_follow(self.visitor.principal, name):
            self._refuse(name, "not_allowed")
        elif len(self._topics) >= TOPICS_MAX:
            self._refuse(name, "too_many_topics")
        elif not self._pump.follow(name, self, message.after):
            self._refuse(name, "unknown_topic")
        else:
            self._topics[name] = None

    def recheck(self, *, was_seen: bool = False) -> None:
        """Look again whether the session lives and what it may: rights may have been taken meanwhile."""
        if self.visitor is None:
            return
        visitor = self._door.again(self.visitor, was_seen=was_seen)
        if visitor is None:
            self.let_go("signed_out")
            return
        self.visitor = visitor
        for topic in [t for t in self._topics if not self._door.may_follow(visitor.principal, t)]:
            del self._topics[topic]
            self._pump.leave(topic, self)
            self._refuse(topic, "not_allowed")

    def _refuse(self, topic: str, error_id: str) -> None:
        self.offer(frame_of({"type": "refused", "topic": topic, "error_id": error_id}))

    # ------------------------------------------------------------ bytes

    async def _receive(self) -> str:
        """Return the next text message.

        Raises:
            BadMessage: it is no text.
            WebSocketDisconnect: the page has left.
        """
        message: dict[str, Any] = dict(await self._websocket.receive())
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if not isinstance(text, str):
            raise BadMessage("no text")
        return text

    async def _write(self) -> None:
        send = self._websocket.send
        while True:
            frame = await self._outbox.take()
            try:
                await send({"type": "websocket.send", "text": frame.text})
            except (OSError, WebSocketDisconnect):
                return  # it has left: whoever listens hears that too

    async def _say_goodbye(self, reason: GoneReason) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            async with asyncio.timeout(GOODBYE_S):
                gone = frame_of({"type": "gone", "reason": reason})
                await self._websocket.send({"type": "websocket.send", "text": gone.text})
                await self._websocket.close(_CLOSE_CODES.get(reason, _POLICY))
        except (TimeoutError, OSError, WebSocketDisconnect, RuntimeError):
            return  # it does not read, or has left already: the connection is closed behind us
