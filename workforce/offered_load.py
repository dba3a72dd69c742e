"""Traffic that moves during the day: calls still being handled from earlier intervals count as well.

Source: Jennings, Mandelbaum, Massey & Whitt (1996), "Server staffing to meet time-varying demand"; Feldman,
Mandelbaum, Massey & Whitt (2008) for staffing with abandonment by it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from workforce.erlang_integrals import Floats


def modified_offered_load(
    calls: ArrayLike, interval_s: float, aht_s: ArrayLike, *, before_erl: float | None = None
) -> Floats:
    """Mean number of calls in progress in each interval, if every call found an agent at once.

    The exact solution of m' = rate(t) - m / AHT, averaged over each interval; exponential handling times.

    Args:
        calls: Per interval, in the order of time; shape (intervals,).
        interval_s: Length of each interval.
        aht_s: Mean handling time, one or per interval.
        before_erl: Calls in progress when the first interval begins; default: its own steady traffic.

    Returns:
        Erlangs, shape (intervals,); use them in place of calls / interval * AHT.

    Raises:
        ValueError: the series is empty, or an argument is out of its range.

    >>> modified_offered_load([0, 60, 60, 0], 60.0, 30.0).round(2).tolist()
    [0.0, 17.03, 28.24, 12.73]
    """
    count = np.asarray(calls, dtype=np.float64)
    aht = np.broadcast_to(np.asarray(aht_s, dtype=np.float64), count.shape)
    if count.ndim != 1 or not len(count):
        raise ValueError("calls must be a series of at least one interval")
    if not (np.all(count >= 0) and np.all(aht > 0) and interval_s > 0):
        raise ValueError("calls must not be negative, interval_s and aht_s must be above 0")
    steady = count / interval_s * aht
    fade = np.exp(-interval_s / aht)
    mean_fade = -np.expm1(-interval_s / aht) * aht / interval_s
    in_progress = float(steady[0] if before_erl is None else before_erl)
    means = np.empty_like(steady)
    for at, level in enumerate(steady):
        above = in_progress - level
        means[at] = level + above * mean_fade[at]
        in_progress = level + above * fade[at]
    return means
