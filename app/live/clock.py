"""The live clock: the wall clock at start plus monotonic time, led gently back to the wall clock.

It never goes backwards and never jumps: a step of the wall clock (NTP, an operator, a resumed
machine) is made up for at 1 ms per second, so that no ring timeout or wrap-up is cut or doubled.
"""

from __future__ import annotations

import time
from collections.abc import Callable

_SLEW_DIVISOR = 1_000  # at most 1 ms of correction for every second that passed
_NS_PER_MS = 1_000_000

NanosecondSource = Callable[[], int]


class Clock:
    """Milliseconds since the Unix epoch (UTC) for ordering and deadlines.

    Args:
        wall_ns: The wall clock, in nanoseconds since the Unix epoch; may jump either way.
        monotonic_ns: A clock that never goes backwards, in nanoseconds from anywhere.

    >>> clock = Clock(wall_ns=lambda: 1_763_790_000_000_000_000, monotonic_ns=lambda: 5)
    >>> clock.now_ms()
    1763790000000
    """

    def __init__(
        self, wall_ns: NanosecondSource = time.time_ns, monotonic_ns: NanosecondSource = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._now_ns = wall_ns()
        self._last_monotonic_ns = monotonic_ns()

    def now_ms(self) -> int:
        """Return the time; never less than any value returned before."""
        monotonic_ns = self._monotonic_ns()
        elapsed_ns = max(0, monotonic_ns - self._last_monotonic_ns)
        if elapsed_ns:
            self._last_monotonic_ns = monotonic_ns
            error_ns = self._wall_ns() - (self._now_ns + elapsed_ns)
            slew_max_ns = elapsed_ns // _SLEW_DIVISOR
            self._now_ns += elapsed_ns + max(-slew_max_ns, min(slew_max_ns, error_ns))
        return self._now_ns // _NS_PER_MS

    def raise_to(self, floor_ms: int) -> None:
        """Go on from *floor_ms* when that is later than now: the last stamp before a restart.

        Without it a wall clock set back while the server was down would order new signals
        before journalled ones.
        """
        self._now_ns = max(self._now_ns, floor_ms * _NS_PER_MS)

    @property
    def error_ms(self) -> int:
        """How far the wall clock is ahead of this clock, in milliseconds; large means it was stepped."""
        return (self._wall_ns() - self._now_ns) // _NS_PER_MS
