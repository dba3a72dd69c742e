"""Sound on the wire: one RTP stream out in a loop, and how loud what comes back is (RFC 3550, µ-law).

Made for a single caller whom a person listens to; the crowd's phones stay silent.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections.abc import Callable
from typing import Any, Final, cast

from telephony.synthetic.sdp import PCMU
from telephony.synthetic.sound import FRAME_BYTES, loudness
from telephony.synthetic.transactions import Peer

FRAME_S: Final = 0.02
_HEADER: Final = struct.Struct("!BBHII")
_HEADER_BYTES: Final = 12
_VERSION: Final = 0x80
_MARKER: Final = 0x80
_BEHIND_FRAMES_MAX: Final = 10  # a loop that stood still does not send what nobody can hear any more


class RtpStream(asyncio.DatagramProtocol):
    """One socket that says *sound* again and again to whoever ``speak`` names.

    Attributes:
        sent_count, received_count: Packets.
        heard: Loudness of the last packet that came, in [0, 1].
        heard_max: The loudest so far.
    """

    def __init__(self, sound: bytes) -> None:
        assert sound, "a sound of at least one frame"
        assert len(sound) % FRAME_BYTES == 0, "a sound of whole frames"
        self._sound = sound
        self._transport: asyncio.DatagramTransport | None = None
        self._speaking: asyncio.Task[None] | None = None
        self.sent_count = self.received_count = 0
        self.heard = self.heard_max = 0.0

    async def open(self, host: str = "127.0.0.1") -> int:
        """Bind a free port and return it.

        Raises:
            OSError: there is none.
        """
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        port: int = transport.get_extra_info("sockname")[1]
        return port

    def speak(self, peer: Callable[[], Peer | None]) -> None:
        """Begin to speak, until ``close``; *peer* is asked for every packet, and None is silence."""
        if self._speaking is None:
            self._speaking = asyncio.create_task(self._speak(peer), name="caller's sound")

    def close(self) -> None:
        """Fall silent and let the port go; may be called twice."""
        if self._speaking is not None:
            self._speaking.cancel()
            self._speaking = None
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is bound."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        """Take one packet; only µ-law is listened to."""
        if len(data) > _HEADER_BYTES and data[0] & 0xC0 == _VERSION:
            self.received_count += 1
            if data[1] & 0x7F == PCMU:
                self.heard = loudness(data[_HEADER_BYTES:])
                self.heard_max = max(self.heard_max, self.heard)

    def error_received(self, exc: Exception) -> None:
        """The peer's port is closed for a moment; what is said meanwhile is lost."""

    async def _speak(self, peer: Callable[[], Peer | None]) -> None:
        loop = asyncio.get_running_loop()
        source, number = secrets.randbits(32), secrets.randbits(16)
        stamp, at_byte = secrets.randbits(32), 0
        is_first = True
        next_s = loop.time()
        while self._transport is not None:
            to = peer()
            if to is not None:
                kind = PCMU | (_MARKER if is_first else 0)
                header = _HEADER.pack(_VERSION, kind, number & 0xFFFF, stamp & 0xFFFFFFFF, source)
                self._transport.sendto(header + self._sound[at_byte : at_byte + FRAME_BYTES], to)
                self.sent_count += 1
                number, at_byte, is_first = number + 1, (at_byte + FRAME_BYTES) % len(self._sound), False
            stamp += FRAME_BYTES
            next_s += FRAME_S
            if loop.time() - next_s > _BEHIND_FRAMES_MAX * FRAME_S:
                next_s = loop.time()
            await asyncio.sleep(next_s - loop.time())
