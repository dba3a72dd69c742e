"""The hub in the loop: read models show and hide, what is due goes out by itself.

Whatever changes within one turn of the loop goes out together, at once when the topic has been quiet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.sockets.hub import Hub, Reader
from app.sockets.rules import Json, SocketCursor

REST_EVERY_MS = 5_000


class Pump:
    """Drives one hub (``app.sockets.rules.Publisher`` for read models).

    Args:
        now_ms: A clock that never goes back, milliseconds.
    """

    def __init__(self, hub: Hub, now_ms: Callable[[], int]) -> None:
        self.hub = hub
        self._now_ms = now_ms
        self._changed = asyncio.Event()
        self._rest_at_ms = 0
        self._wakes_at_ms = 0

    # ------------------------------------------------------------ for read models

    def open(self, name: str) -> None:
        """Let a topic be followed."""
        self.hub.open(name)

    def close(self, name: str) -> None:
        """Let it be followed no more."""
        self.hub.close(name)

    def names(self) -> list[str]:
        """Every topic."""
        return self.hub.names()

    def keys(self, name: str) -> list[str]:
        """The keys that a topic shows."""
        return self.hub.keys(name)

    def show(self, name: str, key: str, value: Json, *, urgent: bool = False) -> None:
        """Show a value; an urgent one at once."""
        self._wake(self.hub.set(name, key, value, self._now_ms(), urgent=urgent))

    def hide(self, name: str, key: str, *, urgent: bool = False) -> None:
        """Show a key no more."""
        self._wake(self.hub.remove(name, key, self._now_ms(), urgent=urgent))

    def _wake(self, due_ms: int | None) -> None:
        if due_ms is not None and due_ms < self._wakes_at_ms:
            self._changed.set()

    # ------------------------------------------------------------ for connections

    def follow(self, name: str, reader: Reader, after: SocketCursor | None) -> bool:
        """Let *reader* follow a topic; False: there is no such topic."""
        return self.hub.follow(name, reader, after)

    def leave(self, name: str, reader: Reader) -> None:
        """Let *reader* follow it no more."""
        self.hub.leave(name, reader, self._now_ms())

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Send what is due, for ever."""
        while True:
            now_ms = self._now_ms()
            self.hub.flush(now_ms)
            if now_ms >= self._rest_at_ms:
                self.hub.rest(now_ms)
                self._rest_at_ms = now_ms + REST_EVERY_MS
            due_ms = self.hub.due_ms()
            self._wakes_at_ms = self._rest_at_ms if due_ms is None else min(due_ms, self._rest_at_ms)
            self._changed.clear()
            await self._sleep((self._wakes_at_ms - now_ms) / 1000)

    async def _sleep(self, delay_s: float) -> None:
        """Sleep so long, or until something is due earlier."""
        try:
            async with asyncio.timeout(max(0.0, delay_s)):
                await self._changed.wait()
        except TimeoutError:
            return
