"""Callers who give up and call again: the rate that a centre really sees, as a fixed point.

A share ``redial`` of those who give up (under Erlang B: are turned away) dial again at once, as new calls:
rate = fresh + redial * rate * abandonment(rate). Attempts are then Poisson at that rate, an approximation
that is good when callers do not come back within a wait.

Source: Aguir, Karaesmen, Aksin & Chauvet (2004), "The impact of retrials on call center performance".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workforce.erlang import TRAFFIC_ERL_MAX, QueueFigures, queue_figures
from workforce.erlang_integrals import Floats

_ROUNDS_MAX = 200
_CLOSE = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Redials:
    """What comes of redialling; one element per interval.

    Attributes:
        rate_ratio: Attempts per fresh call, >= 1.
        traffic_erl: Offered traffic with all attempts.
        lost: Share of customers who give up for good.
        figures: What each attempt meets.
    """

    rate_ratio: Floats
    traffic_erl: Floats
    lost: Floats
    figures: QueueFigures


def with_redials(
    agents: ArrayLike,
    traffic_erl: ArrayLike,
    aht_s: ArrayLike,
    threshold_s: ArrayLike,
    *,
    patience_s: ArrayLike,
    redial: ArrayLike,
) -> Redials:
    """Return the fixed point.

    Args:
        agents: Agents signed in.
        traffic_erl: Offered by fresh calls alone.
        aht_s: Mean handling time.
        threshold_s: The 20 of 80/20.
        patience_s: Mean patience; 0: nobody waits.
        redial: Share of those who gave up that dial again, in [0, 1).

    Raises:
        ValueError: an argument is out of its range.

    >>> round(float(with_redials(10, 10.0, 180.0, 20.0, patience_s=180.0, redial=0.5).rate_ratio), 10)
    1.0891025544
    """
    again = np.asarray(redial, dtype=np.float64)
    if not np.all((again >= 0) & (again < 1)):
        raise ValueError("redial must be at least 0 and below 1")
    fresh, again = np.broadcast_arrays(np.asarray(traffic_erl, dtype=np.float64), again)

    def meets(ratio: Floats) -> QueueFigures:
        offered = np.minimum(fresh * ratio, TRAFFIC_ERL_MAX)
        return queue_figures(agents, offered, aht_s, threshold_s, patience_s=patience_s)

    # Abandonment rises with the rate, so ratio - 1/(1 - redial*abandonment(ratio)) changes its sign once
    # between 1 and 1/(1 - redial): bracketed secant steps (Illinois).
    low, high = np.ones_like(fresh + again), 1.0 / (1.0 - again)
    low_miss = low - 1.0 / (1.0 - again * meets(low).abandonment)
    high_miss = high - 1.0 / (1.0 - again * meets(high).abandonment)
    ratio = low
    for _ in range(_ROUNDS_MAX):
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = low - low_miss * (high - low) / (high_miss - low_miss)
        ratio = np.where((ratio > low) & (ratio < high), ratio, (low + high) / 2.0)
        miss = ratio - 1.0 / (1.0 - again * meets(ratio).abandonment)
        if np.all((np.abs(miss) <= _CLOSE * ratio) | (high - low <= _CLOSE * ratio)):
            break
        below = miss < 0
        high_miss = np.where(below, high_miss / 2.0, miss)
        low_miss = np.where(below, miss, low_miss / 2.0)
        low, high = np.where(below, ratio, low), np.where(below, high, ratio)
    figures = meets(ratio)
    lost = figures.abandonment * (1.0 - again) / (1.0 - again * figures.abandonment)
    return Redials(rate_ratio=ratio, traffic_erl=fresh * ratio, lost=lost, figures=figures)
