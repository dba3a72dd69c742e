"""How long callers are willing to wait, from waits that were mostly cut short by an answer.

Whoever was answered would have waited longer: their wait is a lower bound of their patience (it is
*censored*). Leaving them out makes callers look far less patient than they are; this estimate does not.

Sources: Kaplan & Meier (1958); Greenwood (1926) for the variance, the band by log(-log) as in Kalbfleisch &
Prentice (2002); Brown et al. (2005), "Statistical analysis of a telephone call center", for callers.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincc, gammaincinv, ndtri

from workforce.erlang_integrals import Floats
from workforce.errors import InputError

AT_RISK_MIN = 10
"""The curve is told as far as so many callers were still waiting; beyond it, single callers would decide."""

HAZARD_BOUNDS_S = (0.0, 5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 420.0, 600.0, 900.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hazard:
    """How readily callers give up at one stage of the wait.

    Attributes:
        from_s, to_s: The stage, half-open.
        waited_s: Time that all callers together waited in it.
        abandoned_count: How many gave up in it.
        per_min, low, high: Of those who wait, the share that gives up per minute, and its band.
    """

    from_s: float
    to_s: float
    waited_s: float
    abandoned_count: int
    per_min: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What the waits tell about patience.

    Attributes:
        wait_count, abandoned_count: Waits used, and how many of them ended by giving up.
        excluded_count: Waits of 0 or less, and those that were none.
        time_s, survival, low, high: The share still willing to wait after each time, and its band; shape
            (steps,). Callers at risk at each time: ``at_risk``.
        restricted_mean_s: Mean patience as far as ``restricted_to_s``: longer patience counts as that long.
        restricted_low_s, restricted_high_s: Its band.
        restricted_to_s: By default the last time at which ``AT_RISK_MIN`` callers waited.
        median_s: Half would wait longer; nan when fewer than half gave up as far as the curve goes.
        exponential_mean_s: Total wait / abandoned: the mean if the hazard were constant, as Erlang A has it.
        exponential_low_s, exponential_high_s: Its band.
        hazards: By stage of the wait.
        exponential_p: Probability of hazards that differ at least so much, were patience exponential.
        confidence: Of every band.
    """

    wait_count: int
    abandoned_count: int
    excluded_count: int
    time_s: Floats
    at_risk: Floats
    survival: Floats
    low: Floats
    high: Floats
    restricted_mean_s: float
    restricted_low_s: float
    restricted_high_s: float
    restricted_to_s: float
    median_s: float
    exponential_mean_s: float
    exponential_low_s: float
    exponential_high_s: float
    hazards: tuple[Hazard, ...]
    exponential_p: float
    confidence: float

    @property
    def is_exponential(self) -> bool:
        """Whether one number describes this patience: no significant change of the hazard (at 1 %)."""
        return self.exponential_p >= 0.01


def estimate_patience(
    wait_s: ArrayLike,
    abandoned: ArrayLike,
    *,
    virtual: ArrayLike = False,
    confidence: float = 0.95,
    restrict_s: float | None = None,
) -> Patience:
    """Estimate patience from single waits.

    Args:
        wait_s: How long each caller waited.
        abandoned: Whether the caller gave up; otherwise something else ended the wait.
        virtual: Waits in which nobody held the line (a callback's, a phantom's): left out.
        confidence: Of the bands, in (0, 1).
        restrict_s: Where the restricted mean ends; default: where ``AT_RISK_MIN`` callers still waited.

    Raises:
        InputError: no caller gave up, or lengths, confidence or restriction are wrong.

    >>> patience = estimate_patience([10, 20, 20, 30, 40], [True, False, True, False, False])
    >>> patience.exponential_mean_s, patience.survival.tolist()
    (60.0, [0.8, 0.6000000000000001])
    """
    wait = np.atleast_1d(np.asarray(wait_s, dtype=np.float64))
    gone = np.atleast_1d(np.asarray(abandoned, dtype=bool))
    if wait.shape != gone.shape or wait.ndim != 1:
        raise InputError("each wait needs one outcome")
    if not 0 < confidence < 1:
        raise InputError("confidence must be above 0 and below 1")
    used = np.isfinite(wait) & (wait > 0) & ~np.broadcast_to(np.asarray(virtual, dtype=bool), wait.shape)
    excluded_count = int((~used).sum())
    if restrict_s is not None and not restrict_s > 0:
        raise InputError("restrict_s must be above 0 seconds")
    wait, gone = wait[used], gone[used]
    abandoned_count = int(gone.sum())
    if not abandoned_count:
        raise InputError(f"of {len(wait)} callers who waited nobody gave up, so their patience is unknown")
    time, died, at_risk = _life_table(wait, gone)
    survival: Floats = np.cumprod(1.0 - died / at_risk).astype(np.float64)
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(np.where(at_risk > died, died / (at_risk * (at_risk - died)), np.inf))
    z = float(ndtri((1.0 + confidence) / 2.0))
    low, high = _band(survival, greenwood, z)
    mean_s, mean_error_s, to_s = _restricted_mean(
        restrict_s or _told_to_s(wait), time, died, at_risk, survival
    )
    total_s = float(wait.sum())
    fewest, most = _count_band(abandoned_count, confidence)
    hazards = _hazards(wait, gone, confidence)
    below = np.flatnonzero(survival <= 0.5)
    return Patience(
        wait_count=len(wait),
        abandoned_count=abandoned_count,
        excluded_count=excluded_count,
        time_s=time,
        at_risk=at_risk,
        survival=survival,
        low=low,
        high=high,
        restricted_mean_s=mean_s,
        restricted_low_s=max(mean_s - z * mean_error_s, 0.0),
        restricted_high_s=min(mean_s + z * mean_error_s, to_s),
        restricted_to_s=to_s,
        median_s=float(time[below[0]]) if len(below) else float("nan"),
        exponential_mean_s=total_s / abandoned_count,
        exponential_low_s=total_s / most,
        exponential_high_s=total_s / fewest,
        hazards=hazards,
        exponential_p=_exponential_p(hazards, total_s / abandoned_count),
        confidence=confidence,
    )


def _life_table(wait: Floats, gone: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Return the times at which somebody gave up, how many did, and how many still waited just before."""
    time, died = np.unique(wait[gone], return_counts=True)
    at_risk = len(wait) - np.searchsorted(np.sort(wait), time, side="left")
    return time, died.astype(np.float64), at_risk.astype(np.float64)


def _band(survival: Floats, greenwood: Floats, z: float) -> tuple[Floats, Floats]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        spread = z * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = survival ** np.exp(spread), survival ** np.exp(-spread)
    inner = (survival > 0) & (survival < 1) & np.isfinite(greenwood)
    return np.where(inner, low, np.where(survival == 1, 1.0, 0.0)), np.where(inner, high, survival)


def _told_to_s(wait: Floats) -> float:
    """Return the longest time at which enough callers still waited."""
    longest = np.sort(wait)[::-1]
    return float(longest[min(AT_RISK_MIN, len(longest)) - 1])


def _restricted_mean(
    to_s: float, time: Floats, died: Floats, at_risk: Floats, survival: Floats
) -> tuple[float, float, float]:
    """Return the area under the curve, its standard error (Klein & Moeschberger 2003), and where it ends."""
    inside = time <= to_s
    edges = np.concatenate([[0.0], time[inside], [to_s]])
    areas = np.concatenate([[1.0], survival[inside]]) * np.diff(edges)
    beyond = np.cumsum(areas[::-1])[::-1][1:]  # area right of each time
    dead, risk = died[inside], at_risk[inside]
    open_ended = risk > dead
    variance = np.sum(
        beyond[open_ended] ** 2
        * dead[open_ended]
        / (risk[open_ended] * (risk[open_ended] - dead[open_ended]))
    )
    return float(areas.sum()), float(np.sqrt(variance)), to_s


def _hazards(wait: Floats, gone: NDArray[np.bool_], confidence: float) -> tuple[Hazard, ...]:
    """Return the hazards by stage, each with the exact band of a Poisson count."""
    found = []
    bounds = [bound for bound in HAZARD_BOUNDS_S if bound < _told_to_s(wait)] + [np.inf]
    for from_s, to_s in pairwise(bounds):
        waited_s = float(np.clip(wait - from_s, 0.0, to_s - from_s).sum())
        count = int((gone & (wait > from_s) & (wait <= to_s)).sum())
        if waited_s <= 0:
            continue
        low, high = _count_band(count, confidence)
        minutes = waited_s / 60.0
        found.append(
            Hazard(
                from_s=from_s,
                to_s=float(to_s if np.isfinite(to_s) else wait.max()),
                waited_s=waited_s,
                abandoned_count=count,
                per_min=count / minutes,
                low=low / minutes,
                high=high / minutes,
            )
        )
    return tuple(found)


def _count_band(count: int, confidence: float) -> tuple[float, float]:
    """Return the exact band of a Poisson count (Garwood 1936)."""
    low = float(gammaincinv(count, (1 - confidence) / 2)) if count else 0.0
    return low, float(gammaincinv(count + 1, (1 + confidence) / 2))


def _exponential_p(hazards: tuple[Hazard, ...], mean_s: float) -> float:
    """Likelihood ratio of one hazard per stage against a constant one; nan with a single stage."""
    if len(hazards) < 2:
        return float("nan")
    statistic = 0.0
    for stage in hazards:
        expected = stage.waited_s / mean_s
        if stage.abandoned_count:
            statistic += 2.0 * stage.abandoned_count * float(np.log(stage.abandoned_count / expected))
        statistic -= 2.0 * (stage.abandoned_count - expected)
    return float(gammaincc((len(hazards) - 1) / 2, max(statistic, 0.0) / 2))  # of chi-square
