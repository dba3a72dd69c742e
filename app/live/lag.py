"""How late the event loop runs what is due: the figure that shows whether something blocks it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

INTERVAL_S = 0.02
_SAMPLES_MAX = 15_000  # five minutes


class LagSampler:
    """Sleeps a short while, over and over, and notes by how much it overslept.

    Args:
        observe: Called with every lag, in seconds.
    """

    def __init__(
        self, observe: Callable[[float], None] = lambda lag_s: None, interval_s: float = INTERVAL_S
    ) -> None:
        self._observe = observe
        self._interval_s = interval_s
        self._samples: deque[float] = deque(maxlen=_SAMPLES_MAX)

    async def run(self) -> None:
        """Sample for ever."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + self._interval_s
            await asyncio.sleep(self._interval_s)
            lag_s = max(0.0, loop.time() - due_s)
            self._samples.append(lag_s)
            self._observe(lag_s)

    def quantile_ms(self, q: float) -> float:
        """Return the *q*-quantile (0 to 1) of the last five minutes, in milliseconds; 0 without samples."""
        ordered = sorted(self._samples)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1_000
