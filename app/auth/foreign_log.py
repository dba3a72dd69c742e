"""Tells the log of foreign pages that try our doors: a line a second at most, with a count of the others."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

EVERY_S = 1.0
_PATH_CHARS_MAX = 100


class ForeignLog:
    """What one door tells.

    Args:
        now_s: A clock that never goes back, seconds.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._next_s = float("-inf")
        self._untold_count = 0

    def note(self, problem: str, *, origin: str | None, method: str, path: str) -> None:
        """Tell that a page was refused.

        Args:
            problem: The ``error_id`` that it was refused with.
            origin: As the browser sent it.
            method: Of the request; ``WEBSOCKET`` for a socket.
        """
        now_s = self._now_s()
        if now_s < self._next_s:
            self._untold_count += 1
            return
        log.warning(
            "a foreign page was refused",
            problem=problem,
            origin=origin,
            method=method,
            path=path[:_PATH_CHARS_MAX],
            untold_count=self._untold_count,
        )
        self._next_s, self._untold_count = now_s + EVERY_S, 0
