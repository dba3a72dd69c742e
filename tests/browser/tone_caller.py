"""A caller whose ear and voice are known: it sends one tone and measures what it hears.

SIP by the product's synthetic caller; the sound is ours: mu-law, a packet every 20 ms, sent to where the
PBX's own packets come from.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections import deque
from itertools import count
from types import TracebackType
from typing import Self

from telephony.sandbox.instance import Sandbox
from telephony.sandbox.music import SAMPLES_PER_S, ulaw
from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.sdp import KEYS
from telephony.synthetic.user_agent import UserAgent
from tests.pbx.sipp import free_udp_port, poll

PACKET_S = 0.02
PACKET_SAMPLES = int(SAMPLES_PER_S * PACKET_S)
PEAK = 8_000
FULL_SCALE = 32_768.0
KEPT_PACKETS = 250  # five seconds
HEADER_BYTES = 12
SILENT = 0.004  # below this a tone is not there
CLEAR = 0.03  # above this it is


def _linear(byte: int) -> int:
    inverted = ~byte & 0xFF
    sample = (((inverted & 0x0F) << 3) + 0x84 << ((inverted & 0x70) >> 4)) - 0x84
    return -sample if inverted & 0x80 else sample


_LINEAR = [_linear(byte) / FULL_SCALE for byte in range(256)]


class ToneCaller:
    """One caller on the line, for tests without ``await``.

    Args:
        entry: The number dialled.
        number: The caller's own.
        tone_hz: What it sends all the time.
    """

    def __init__(self, sandbox: Sandbox, entry: str, number: str, tone_hz: int = 1_300) -> None:
        self._pbx = (sandbox.host, sandbox.sip_port)
        self._entry, self._number, self._tone_hz = entry, number, tone_hz
        self._heard: deque[tuple[float, bytes]] = deque(maxlen=KEPT_PACKETS)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((sandbox.host, free_udp_port()))
        self._socket.settimeout(0.2)
        self._keys: dict[bytes, str] = {}
        self._remote: tuple[str, int] | None = None
        self._ended = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._caller: SyntheticCaller | None = None
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._run_sip, self._listen, self._speak)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        poll(lambda: self._caller is not None, 5)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.hang_up()
        self._ended.set()
        self._loop.call_soon_threadsafe(self._loop.stop)
        for thread in self._threads:
            thread.join(5)
        self._socket.close()
        self._loop.close()

    # ------------------------------------------------------------ what a test asks

    @property
    def has_ended(self) -> bool:
        """Whether the call is over."""
        return self._caller is not None and self._caller.has_ended

    @property
    def keys(self) -> str:
        """The keys that the other side pressed, in order."""
        return "".join(self._keys.values())

    def hang_up(self) -> None:
        """End the call now."""
        if self._caller is not None and not self._caller.has_ended:
            self._loop.call_soon_threadsafe(self._caller.hang_up)

    def hears(self, tone_hz: int, window_s: float = 0.16) -> float:
        """Return the amplitude of a tone in what was just heard, 1 is full scale; no packets: 0."""
        samples = self._samples(window_s)
        if not samples:
            return 0.0
        turn = 2 * math.pi * tone_hz / SAMPLES_PER_S
        real = sum(sample * math.cos(turn * index) for index, sample in enumerate(samples))
        imaginary = sum(sample * math.sin(turn * index) for index, sample in enumerate(samples))
        return 2 * math.hypot(real, imaginary) / len(samples)

    def loudness(self, window_s: float = 0.3) -> float:
        """Return the root mean square of what was just heard; no packets: 0."""
        samples = self._samples(window_s)
        return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) if samples else 0.0

    def _samples(self, window_s: float) -> list[float]:
        since_s = time.monotonic() - window_s
        return [_LINEAR[byte] for at_s, sound in list(self._heard) if at_s >= since_s for byte in sound]

    # ------------------------------------------------------------ its threads

    def _run_sip(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def call() -> UserAgent:
            agent = UserAgent("caller", rtp_port=self._socket.getsockname()[1])
            await agent.open(self._pbx[0])
            self._caller = place_call(agent, self._pbx, entry=self._entry, number=self._number)
            return agent

        agent = self._loop.run_until_complete(call())
        self._loop.run_forever()
        agent.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                packet, self._remote = self._socket.recvfrom(2_048)
            except TimeoutError:
                continue
            if packet[1] & 0x7F == KEYS:  # the end of a key is sent three times, with one timestamp
                self._keys.setdefault(packet[4:8], "0123456789*#ABCD"[packet[HEADER_BYTES] & 0x0F])
            elif len(packet) == HEADER_BYTES + PACKET_SAMPLES and packet[1] & 0x7F == 0:
                self._heard.append((time.monotonic(), packet[HEADER_BYTES:]))

    def _speak(self) -> None:
        turn = 2 * math.pi * self._tone_hz / SAMPLES_PER_S
        due_s = time.monotonic()
        for number in count():
            due_s += PACKET_S
            if self._ended.wait(max(0.0, due_s - time.monotonic())):
                return
            if self._remote is None:
                continue
            first = number * PACKET_SAMPLES
            sound = bytes(
                ulaw(int(PEAK * math.sin(turn * (first + index)))) for index in range(PACKET_SAMPLES)
            )
            header = bytes((0x80, 0)) + (number & 0xFFFF).to_bytes(2, "big")
            header += (first & 0xFFFFFFFF).to_bytes(4, "big") + b"Tone"
            self._socket.sendto(header + sound, self._remote)
