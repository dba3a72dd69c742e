"""Expected wait, announced as a range and measured against what came. A pure fold of events.

Model: the caller leaves the line when q callers before and he himself have left it; with d
departures per second to agents and θ abandonments per second and waiting caller, the mean is
Σ_{i=0..q} 1/(d + i·θ) and the variance Σ 1/(d + i·θ)² (independent exponential steps). Under 20
recent departures the wait of the last who entered service is the best guess there is.
Source: Whitt (1999), "Predicting queueing delays"; Ibrahim & Whitt (2009) for the last-to-enter rule.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import sqrt

from routing.events import Event, InteractionAnswered, QueueEntered, QueueExit, QueueLeft
from routing.ids import InteractionId, QueueId

DEPARTURE_COUNT_MIN = 20
DEPARTURE_COUNT_MAX = 100  # how many recent departures the rate is taken from
WINDOW_MS = 3_600_000  # an older departure says nothing about now
_Z = 1.2816  # half width of an 80 % range in standard deviations
_LAST_SPREAD = 0.5  # half width of the guess from the last wait, as a share of it
_POSITION_MAX = 2_000  # beyond this position the sum is not worth its time


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRange:
    """An expected wait.

    Attributes:
        basis: ``departures`` or ``last_wait``.
    """

    low_ms: int
    high_ms: int
    basis: str


@dataclass(slots=True)
class QueueWaits:
    """What one queue showed recently, and how its estimates fared.

    Attributes:
        waiting: Start of the visit, by interaction.
        promised: The range that each waiting caller was given on entering.
        covered_count, judged_count: How many answered callers waited inside their range.
        error_ms_sum: Sum of |wait − middle of the range| over those judged.
    """

    waiting: dict[InteractionId, int] = field(default_factory=dict)
    promised: dict[InteractionId, WaitRange] = field(default_factory=dict)
    departures_ms: deque[int] = field(default_factory=lambda: deque(maxlen=DEPARTURE_COUNT_MAX))
    exits: deque[tuple[int, int, bool]] = field(default_factory=lambda: deque(maxlen=DEPARTURE_COUNT_MAX))
    last_wait_ms: int | None = None
    covered_count: int = 0
    judged_count: int = 0
    error_ms_sum: int = 0


class WaitEstimator:
    """Expected waits per queue.

    >>> WaitEstimator().expected(QueueId("support"), 0) is None
    True
    """

    def __init__(self) -> None:
        self.queues: dict[QueueId, QueueWaits] = {}

    def apply(self, event: Event) -> None:
        """Fold one event in."""
        if isinstance(event, QueueEntered):
            waits = self.queues.setdefault(event.queue_id, QueueWaits())
            promised = self.expected(event.queue_id, event.at_ms)
            waits.waiting[event.interaction_id] = event.occurred_ms
            if promised is not None:
                waits.promised[event.interaction_id] = promised
        elif isinstance(event, QueueLeft):
            self._left(event)
        elif isinstance(event, InteractionAnswered) and event.queue_id is not None:
            self.queues.setdefault(event.queue_id, QueueWaits()).last_wait_ms = event.wait_ms

    def expected(self, queue_id: QueueId, at_ms: int, ahead_count: int | None = None) -> WaitRange | None:
        """Return the range for a caller with *ahead_count* before him; None when nothing is known.

        Args:
            at_ms: Now, in milliseconds since the Unix epoch.
            ahead_count: None: all who wait in the queue now.
        """
        waits = self.queues.get(queue_id)
        if waits is None:
            return None
        ahead = min(len(waits.waiting) if ahead_count is None else ahead_count, _POSITION_MAX)
        while waits.departures_ms and at_ms - waits.departures_ms[0] > WINDOW_MS:
            waits.departures_ms.popleft()
        if len(waits.departures_ms) >= DEPARTURE_COUNT_MIN:
            return _from_departures(waits, at_ms, ahead)
        if waits.last_wait_ms is None:
            return None
        half_ms = round(waits.last_wait_ms * _LAST_SPREAD)
        return WaitRange(
            low_ms=waits.last_wait_ms - half_ms, high_ms=waits.last_wait_ms + half_ms, basis="last_wait"
        )

    def coverage(self, queue_id: QueueId) -> float | None:
        """Return the share of answered callers who waited inside their range; None before the first."""
        waits = self.queues.get(queue_id)
        return waits.covered_count / waits.judged_count if waits and waits.judged_count else None

    def _left(self, event: QueueLeft) -> None:
        waits = self.queues.setdefault(event.queue_id, QueueWaits())
        waits.waiting.pop(event.interaction_id, None)
        promised = waits.promised.pop(event.interaction_id, None)
        abandoned = event.exit in (QueueExit.ABANDONED, QueueExit.SHORT_ABANDON)
        waits.exits.append((event.at_ms, event.wait_ms, abandoned))
        if event.exit is not QueueExit.ANSWERED:
            return
        waits.departures_ms.append(event.at_ms)
        if promised is not None:
            waits.judged_count += 1
            waits.covered_count += promised.low_ms <= event.wait_ms <= promised.high_ms
            waits.error_ms_sum += abs(event.wait_ms - (promised.low_ms + promised.high_ms) // 2)


def _from_departures(waits: QueueWaits, at_ms: int, ahead: int) -> WaitRange:
    span_ms = max(1, at_ms - waits.departures_ms[0])
    rate = len(waits.departures_ms) / span_ms
    waited_ms = sum(wait_ms for _, wait_ms, _ in waits.exits)
    abandoned_count = sum(abandoned for *_, abandoned in waits.exits)
    theta = abandoned_count / waited_ms if waited_ms else 0.0
    steps_ms = [1 / (rate + i * theta) for i in range(ahead + 1)]
    mean_ms = sum(steps_ms)
    spread_ms = _Z * sqrt(sum(step * step for step in steps_ms))
    return WaitRange(
        low_ms=max(0, round(mean_ms - spread_ms)), high_ms=round(mean_ms + spread_ms), basis="departures"
    )
