"""How far the PBX's clock is behind ours, learnt from the timestamps of its live events.

A live event reaches us with a delay that is never negative, so ``our time - its time`` is the true
offset plus that delay, and the least of many samples is the best estimate. The *second* least is
taken, so that one nonsensical timestamp cannot capture it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_BUCKET_MS = 5_000
_BUCKETS_MAX = 12  # one minute of memory
_RECENT_BUCKETS = 3
_SAMPLES_MIN = 5  # before that the offset is taken as 0: most PBXs run NTP or share our machine
_STEP_MS = 250  # a rise of the recent minimum beyond this is a step of the PBX's clock, not delay


@dataclass(slots=True)
class _Bucket:
    """The two least differences seen in one stretch of time, in milliseconds."""

    number: int
    count: int = 0
    least_ms: float = float("inf")
    second_ms: float = float("inf")

    def add(self, difference_ms: float) -> None:
        self.count += 1
        if difference_ms < self.least_ms:
            self.least_ms, self.second_ms = difference_ms, self.least_ms
        elif difference_ms < self.second_ms:
            self.second_ms = difference_ms


class PbxOffset:
    """Estimate what to add to a PBX timestamp to get our time.

    A forward step of the PBX's clock lowers the minimum and is believed after two samples; a
    backward step looks like delay until three buckets (10 to 15 s) agree, then the older samples
    are forgotten. Feed it live events only: rows of a snapshot tell old times.
    """

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque(maxlen=_BUCKETS_MAX)
        self._offset_ms = 0.0

    def sample(self, pbx_ms: float, received_ms: float) -> None:
        """Take the timestamp of one live event and when we read it, both in milliseconds since the epoch."""
        number = int(received_ms) // _BUCKET_MS
        if not self._buckets or self._buckets[-1].number < number:
            self._forget_before(number - _BUCKETS_MAX)
            self._buckets.append(_Bucket(number))
        self._buckets[-1].add(received_ms - pbx_ms)
        self._estimate()

    def correct(self, pbx_ms: int) -> int:
        """Return a PBX timestamp in our time, in milliseconds since the epoch."""
        return pbx_ms + round(self._offset_ms)

    @property
    def offset_ms(self) -> float:
        """Our clock minus the PBX's, in milliseconds; 0 until five samples are there."""
        return self._offset_ms

    def _forget_before(self, number: int) -> None:
        while self._buckets and self._buckets[0].number <= number:
            self._buckets.popleft()

    def _estimate(self) -> None:
        if sum(bucket.count for bucket in self._buckets) < _SAMPLES_MIN:
            return
        recent = list(self._buckets)[-_RECENT_BUCKETS:]
        recent_count = sum(bucket.count for bucket in recent)
        if len(recent) == _RECENT_BUCKETS and recent_count >= _SAMPLES_MIN:
            recent_ms = _second_least(recent)
            if recent_ms - _second_least(self._buckets) > _STEP_MS:
                self._buckets = deque(recent, maxlen=_BUCKETS_MAX)
        self._offset_ms = _second_least(self._buckets)


def _second_least(buckets: deque[_Bucket] | list[_Bucket]) -> float:
    values = sorted(value for bucket in buckets for value in (bucket.least_ms, bucket.second_ms))
    return values[1] if values[1] != float("inf") else values[0]
