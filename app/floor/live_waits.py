"""Expected waits as a read model: the estimator folded from the bus, asked by the dialplan's hooks."""

from __future__ import annotations

from app.hooks.rules import WaitRange
from app.live.bus import Bus
from app.live.clock import Clock
from routing.estimate import WaitEstimator
from routing.ids import QueueId


class LiveWaits:
    """Folds events and tells the expected wait of a queue."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus, self._clock = bus, clock
        self._estimator = WaitEstimator()

    async def follow(self) -> None:
        """Fold in what the bus carries, from now on. Runs until the bus cuts it.

        Raises:
            Gone: follow again; the estimator begins anew, because it missed departures.
        """
        self._estimator = WaitEstimator()
        with self._bus.subscribe() as subscription:
            async for numbered in subscription:
                self._estimator.apply(numbered.event)

    def expected(self, queue_id: QueueId) -> WaitRange | None:
        """Return the range for a caller who joins now; None when nothing is known."""
        found = self._estimator.expected(queue_id, self._clock.now_ms())
        return None if found is None else WaitRange(low_s=found.low_ms / 1000, high_s=found.high_ms / 1000)
