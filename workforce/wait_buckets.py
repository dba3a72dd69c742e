"""How long callers waited, in buckets that add: a histogram whose bounds grow by a twentieth. Pure.

The same bounds serve PostgreSQL (``width_bucket``) and Python (``bisect``), so that both count alike. A
quantile lies in its bucket, so it is at most 5 % off above a quarter of a second; single cells are exact
where the longest wait bounds them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping

_FIRST_MS = 250
_LAST_MS = 4 * 3_600_000
_GROWTH = 1.05


def _bounds_ms() -> tuple[int, ...]:
    bounds, bound = [_FIRST_MS], float(_FIRST_MS)
    while bounds[-1] < _LAST_MS:
        bound *= _GROWTH
        bounds.append(round(bound))
    return tuple(bounds)


WAIT_BOUNDS_MS = _bounds_ms()
"""Bucket *n* holds the waits in ``[WAIT_BOUNDS_MS[n - 1], WAIT_BOUNDS_MS[n])``, bucket 0 what is shorter."""


def bucket_of(wait_ms: int) -> int:
    """Return the number of a wait's bucket, as PostgreSQL's ``width_bucket`` numbers them.

    >>> bucket_of(0), bucket_of(250)
    (0, 1)
    """
    return bisect_right(WAIT_BOUNDS_MS, wait_ms)


def added(buckets: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Return the sum of histograms, counts by number of the bucket."""
    whole: dict[int, int] = {}
    for one in buckets:
        for number, count in one.items():
            whole[number] = whole.get(number, 0) + count
    return whole


def quantile_ms(buckets: Mapping[int, int], share: float, longest_ms: int) -> float:
    """Return the wait that *share* of the waits do not exceed, in milliseconds.

    Args:
        buckets: Counts by number of the bucket, at least one wait.
        share: In (0, 1].
        longest_ms: The longest wait, which no quantile exceeds.

    Within the bucket the waits are taken to lie evenly.

    >>> quantile_ms({bucket_of(10_000): 1}, 1, 10_000)
    10000.0
    """
    rank, before = share * sum(buckets.values()), 0
    for number in sorted(buckets):
        count = buckets[number]
        if before + count >= rank:
            low_ms = WAIT_BOUNDS_MS[number - 1] if number else 0
            high_ms = WAIT_BOUNDS_MS[number] if number < len(WAIT_BOUNDS_MS) else longest_ms
            high_ms = min(high_ms, longest_ms)
            return min(low_ms + (high_ms - low_ms) * (rank - before) / count, longest_ms)
        before += count
    return longest_ms
