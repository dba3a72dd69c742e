"""One TCP connection to AMI, from connect to its end: framing, answers, ordered lists.

It never reconnects; ``link`` does. The reader (``data_received``) only frames and sorts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final, cast

from telephony.ami.codec import AmiDecoder, AmiMessage, Pair, encode_action
from telephony.ami.errors import AmiError, AmiLinkLost, AmiOverloaded, AmiProtocolError
from telephony.ami.pending import PendingActions
from telephony.ami.ring import EventRing

WRITE_BYTES_MAX: Final = 1024 * 1024  # unsent bytes; a PBX that reads nothing gets nothing more
ORDERED_LISTS_MAX: Final = 32

_action_numbers = count(1)


class AmiConnection(asyncio.Protocol):
    """A connection: ``lost`` is done when it has ended, with the reason.

    Args:
        ring: Where events go, and everything that belongs to an ordered list.
        on_arrival: Called when something was put into the ring.
        pending: Who waits for which answer.
    """

    def __init__(self, ring: EventRing, on_arrival: Callable[[], None], pending: PendingActions) -> None:
        self._ring = ring
        self._on_arrival = on_arrival
        self._pending = pending
        self._decoder = AmiDecoder()
        self._ordered: set[str] = set()
        self._transport: asyncio.Transport | None = None
        self.lost: asyncio.Future[AmiError] = asyncio.get_running_loop().create_future()

    # ------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection stands."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Frame, sort, never wait."""
        if self.lost.done():
            return
        try:
            messages = self._decoder.receive(data)
        except AmiProtocolError as error:
            self.cut(error)
            return
        for message in messages:
            if not self._sort(message):
                self.cut(AmiOverloaded("the ring is full of messages that matter"))
                break
        if len(self._ring):
            self._on_arrival()

    def eof_received(self) -> bool:
        """The peer closed its side."""
        self.cut(AmiLinkLost("closed by the PBX"))
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """The TCP connection is gone."""
        self.cut(AmiLinkLost(str(error) if error else "closed"))

    # ------------------------------------------------------------ what the link uses

    @property
    def banner(self) -> str | None:
        """What the PBX said first; None as long as it has said nothing or had none."""
        return self._decoder.banner

    @property
    def write_bytes(self) -> int:
        """How many bytes the PBX has not taken yet."""
        return self._transport.get_write_buffer_size() if self._transport else 0

    def request(self, pairs: Sequence[Pair], timeout_s: float) -> asyncio.Future[AmiMessage]:
        """Write an action and return the future of its answer.

        Raises:
            AmiInjectionError, AmiLinkLost, AmiOverloaded: nothing was written.
        """
        action_id, data = self._prepare(pairs)
        future = self._pending.expect(action_id, timeout_s)
        self._write(data)
        return future

    def request_list(self, pairs: Sequence[Pair], timeout_s: float) -> asyncio.Future[list[AmiMessage]]:
        """Write a list action and return the future of its rows; raises as ``request`` does."""
        action_id, data = self._prepare(pairs)
        future = self._pending.expect_list(action_id, timeout_s)
        self._write(data)
        return future

    def begin_list(self, pairs: Sequence[Pair]) -> str:
        """Write a list action whose answer goes into the ring; raises as ``request`` does."""
        if len(self._ordered) >= ORDERED_LISTS_MAX:
            raise AmiOverloaded(f"{len(self._ordered)} lists are being read")
        action_id, data = self._prepare(pairs)
        self._ordered.add(action_id)
        self._write(data)
        return action_id

    def cut(self, error: AmiError) -> None:
        """End the connection; the first reason counts."""
        if not self.lost.done():
            self.lost.set_result(error)
            lost = error if isinstance(error, AmiLinkLost) else AmiLinkLost(str(error))
            self._pending.fail_all(lost)
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ inside

    def _sort(self, message: AmiMessage) -> bool:
        """Return False when the message matters and found no place."""
        if message.is_event:
            if self._pending.take_row(message):
                return True
            if not self._ordered:
                return self._ring.put(message)
            action_id = message.action_id
            belongs = action_id in self._ordered
            if action_id is not None and message.ends_list:
                self._ordered.discard(action_id)
            return self._ring.put(message, keep=belongs)
        if self._ordered and (action_id := message.action_id) in self._ordered:
            if action_id is not None and not message.starts_list:  # refused, or without rows
                self._ordered.discard(action_id)
            return self._ring.put(message, keep=True)
        self._pending.take_response(message)
        return True

    def _prepare(self, pairs: Sequence[Pair]) -> tuple[str, bytes]:
        if self.lost.done() or self._transport is None:
            raise AmiLinkLost("not connected")
        if self.write_bytes > WRITE_BYTES_MAX:
            raise AmiOverloaded(f"more than {WRITE_BYTES_MAX} bytes are unsent")
        assert pairs[0][0] == "Action"
        assert all(name != "ActionID" for name, _ in pairs), "the connection numbers its actions itself"
        action_id = f"h{next(_action_numbers)}"
        return action_id, encode_action([pairs[0], ("ActionID", action_id), *pairs[1:]])

    def _write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)
