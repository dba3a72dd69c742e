"""The smallest number of agents that meets its goals, many intervals at once, proven at the integer.

A guess comes from the integrals' Gaussian approximations (square-root staffing); then whole numbers are
tried, each next one by the secant through the last two, until some n meets the goals and n - 1 does not.
The first trial need not be whole: what fewer than n meet, or more than n - 1 miss, is proven with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc, erfcx

from workforce.erlang_integrals import Floats

Excess = Callable[[Floats, NDArray[np.intp]], Floats]
"""Of agents and which cases these are: how far the goals are missed, <= 0 where they are met."""

AGENTS_MAX = 2e7
TOLERANCE = 1e-12
"""A goal counts as met when missed by less than this share of it: ten thousand roundings, no call."""

_GUESS_LEAST = 0.25
_SLOPE_LEAST = 1e-9
_HALVINGS = 4
_SECANTS = 1
_RATIO_MIN = 1e-3
_ROUNDS_MAX = 200


@dataclass(frozen=True, slots=True)
class Load:
    """Flat arrays of equal length, each in its range (see ``workforce.erlang.queue_figures``)."""

    traffic_erl: Floats
    aht_s: Floats
    threshold_s: Floats
    patience_s: Floats


def smallest_agents(excess: Excess, guess: Floats, slope: Floats | None = None) -> Floats:
    """Return for each case the smallest whole n >= 1 with excess <= 0; nan when none to AGENTS_MAX does.

    Args:
        excess: Not increasing in agents, which may be fractions of one.
        guess: Where to begin; a bad one costs rounds, never the result.
        slope: About how fast the excess falls there, per agent, above 0.
    """
    count = len(guess)
    low = np.zeros(count)  # misses (0 agents are not tried)
    high = np.full(count, np.inf)  # meets
    low_excess = np.full(count, np.nan)
    high_excess = np.full(count, np.nan)
    trial = np.clip(guess, _GUESS_LEAST, AGENTS_MAX)
    step = np.ones(count)
    open_cases = np.arange(count)
    for round_number in range(_ROUNDS_MAX):
        who = open_cases
        value = excess(trial[who], who)
        if slope is not None and round_number == 0:
            step = np.maximum(np.abs(value) / np.maximum(slope, _SLOPE_LEAST), 1e-3)
        met = value <= TOLERANCE
        hit, miss = who[met], who[~met]
        high[hit], high_excess[hit] = trial[hit], value[met]
        low[miss], low_excess[miss] = trial[miss], value[~met]
        # Met at high and missed at low, so the whole number is known once none lies between them.
        still = (np.ceil(high[who]) - 1.0 > low[who]) & (low[who] < AGENTS_MAX)
        open_cases = who = who[still]
        if not len(who):
            break
        trial[who] = _next_trial(
            low[who], high[who], low_excess[who], high_excess[who], step[who], met[still], round_number
        )
        step[who] = np.where(np.isfinite(high[who]) & (low[who] > 0), step[who], 2.0 * step[who] + 0.5)
    assert not len(open_cases), "the search halves its bracket every other round"
    return np.where(np.isfinite(high), np.maximum(np.ceil(high), 1.0), np.nan)


def _next_trial(
    low: Floats,
    high: Floats,
    low_excess: Floats,
    high_excess: Floats,
    step: Floats,
    just_met: NDArray[np.bool_],
    round_number: int,
) -> Floats:
    """Return the next whole number to try, from the first above low to the last below high."""
    with np.errstate(invalid="ignore", divide="ignore"):
        secant = low + (high - low) * low_excess / (low_excess - high_excess)
        one_sided = np.isinf(high) | (low == 0)
        root = np.where(one_sided, np.where(np.isinf(high), low + step, high - step), secant)
        # The nearest whole number above the root, then just below it: one of both ends the search.
        above = np.ceil(root)
        chosen = np.where(just_met, np.minimum(above, np.ceil(high)) - 1.0, above)
        first, last = np.floor(low) + 1.0, np.minimum(np.ceil(high) - 1.0, AGENTS_MAX)
        middle = np.floor((first + last) / 2.0)
    if round_number > 6 and round_number % 2:
        chosen = np.where(one_sided, chosen, middle)
    return np.clip(np.where(np.isnan(chosen), middle, chosen), first, last)


def first_guess(load: Load, missed_max: Floats) -> tuple[Floats, Floats]:
    """Return about how many agents keep the share not answered within the threshold at most *missed_max*.

    Beside it, for ``smallest_agents``, how much that share's logarithm falls with one agent more.

    Source:
        Halfin & Whitt (1981), Garnett, Mandelbaum & Reiman (2002), and in overload the fluid limit: the
        kernels of ``erlang_integrals`` with exponents cut after the square about their peak.
    """
    guess, slope = np.empty_like(load.traffic_erl), np.empty_like(load.traffic_erl)
    endless = np.isinf(load.patience_s)
    for mask, rough in ((endless, _rough_missed_c), (~endless, _rough_missed_a)):
        if not mask.any():
            continue
        traffic, aht, threshold = load.traffic_erl[mask], load.aht_s[mask], load.threshold_s[mask]
        ratio = np.maximum(load.patience_s[mask] / aht, _RATIO_MIN)
        cut, allowed = threshold / aht, missed_max[mask]
        # So many of each erlang must be answered, or as few as a wait of the whole threshold leaves.
        fluid = 1.0 if rough is _rough_missed_c else np.maximum(1.0 - allowed, np.exp(-cut / ratio))
        width = 9.0 * np.sqrt(traffic) + 9.0
        high = traffic * fluid + width
        low = np.maximum(traffic * fluid - (0.0 if rough is _rough_missed_c else width), 0.0)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            for _ in range(_HALVINGS):
                middle = (low + high) / 2.0
                too_few = rough(traffic, middle - traffic, cut, ratio) > allowed
                low = np.where(too_few, middle, low)
                high = np.where(too_few, high, middle)
            at = (low + high) / 2.0
            gap = (high - low) / 2.0
            over = np.log(rough(traffic, at - traffic, cut, ratio) / allowed)
            for _ in range(_SECANTS):
                beside = at + np.where(over > 0, gap, -gap)
                over_beside = np.log(rough(traffic, beside - traffic, cut, ratio) / allowed)
                fall = (over - over_beside) / (beside - at)
                root = np.clip(at + over / fall, low, high)
                at, gap = np.where(np.isnan(root), at, root), np.maximum(np.abs(beside - root), 1e-6 * width)
                over = np.log(rough(traffic, at - traffic, cut, ratio) / allowed)
            last = at + over / fall
        guess[mask] = np.clip(np.where(np.isnan(last), at, last), low, high)
        slope[mask] = np.where((fall > 0) & np.isfinite(fall), fall, 1.0 / width)
    return guess, slope


def _rough_missed_c(traffic: Floats, spare: Floats, cut: Floats, ratio: Floats) -> Floats:
    waits = 1.0 / (1.0 + spare * _mills(-spare, traffic))
    return waits * np.exp(-spare * cut)


def _rough_missed_a(traffic: Floats, spare: Floats, cut: Floats, ratio: Floats) -> Floats:
    """The wait, in patiences, is a normal variable seen above 0; about its peak when that lies there."""
    peak = np.maximum(-np.log1p(spare / traffic), 0.0)
    scale = np.sqrt(2.0 * ratio * np.where(spare < 0, traffic + spare, traffic))
    edge = cut / ratio
    at_zero = np.maximum(spare, 0.0) * ratio / scale - peak * scale / 2.0
    at_edge = at_zero + edge * scale / 2.0
    # In units in which the density's peak is 1, all over the square root of pi and times the scale:
    falls = np.maximum(at_zero, 0.0)
    mass = np.where(at_zero > 0, erfcx(falls), erfc(at_zero))
    tail = np.where(
        at_edge > 0, erfcx(np.maximum(at_edge, 0.0)) * np.exp(falls**2 - at_edge**2), erfc(at_edge)
    )
    rises = np.minimum(at_zero, 0.0)
    free = _mills(-spare, traffic) / ratio * scale / np.sqrt(np.pi) * np.exp(-(rises**2))
    middle = np.minimum(np.maximum(peak, 0.8 / scale), edge)
    missed: Floats = (tail - np.expm1(-middle) * np.maximum(mass - tail, 0.0)) / (mass + free)
    return missed


def _mills(slope: Floats, bend: Floats) -> Floats:
    """Integral from 0 to inf of exp(-slope*y - bend*y*y/2)."""
    scale = np.sqrt(2.0 * bend)
    return np.asarray(np.sqrt(np.pi) / scale * erfcx(slope / scale))
