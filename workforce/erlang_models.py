"""The formulas of Erlang B, C and A on flat arrays of equal length; ``workforce.erlang`` is their face.

Each share and its complement are computed apart, as sums of terms of one sign: 1 - 1e-20 is not told
from 1, but 1e-20 is told from 0. Probabilities are compared in logarithms, so that nothing overflows.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammainc

from workforce.erlang_gamma import fall, log_free, log_stirling, trusted, trusted_below
from workforce.erlang_integrals import Floats, expm1_rest, moments

_NEAR_LEAST = (
    1e-3  # of those who wait: fewer within the threshold than this are no longer told as a difference
)
_EDGE_LEAST = 0.01
_LOST_LEAST = 0.05  # of the terms whose difference it is
_DEEP = 50.0  # overload in which nobody finds an agent free


def _log_free(x: Floats, traffic: Floats) -> Floats:
    """Log of G(agents, traffic; 0, inf): agents times it are the odds that Erlang B takes a call."""
    shape = x.shape
    x, traffic = x.ravel(), traffic.ravel()
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        falls = fall(x, traffic, x - traffic)
        result = log_free(x, traffic, falls)
    if len(hard := np.flatnonzero(~(trusted(x, falls) & (x > 0)))):
        few, load = x[hard], traffic[hard]
        part = moments(few, load, few - load, np.zeros(()), np.full((), np.inf), weights="mass")
        result[hard] = part.log_peak + np.log(part.mass)
    return result.reshape(shape)


def free_odds(x: Floats, traffic: Floats) -> Floats:
    with np.errstate(over="ignore", divide="ignore"):
        busy = traffic > 0
        odds = x * np.exp(_log_free(x, np.where(busy, traffic, 1.0)))
        return np.where(busy, odds, np.where(x > 0, np.inf, 0.0))[()]


def wait_probability(x: Floats, traffic: Floats) -> Floats:
    with np.errstate(over="ignore"):
        busy = traffic > 0
        spare = np.maximum(x - traffic, 0.0)
        free = np.exp(_log_free(x, np.where(busy, traffic, 1.0)))
        waits = 1.0 / (1.0 + np.where(spare > 0, spare * free, 0.0))
        return np.where(busy, waits, np.where(x > 0, 0.0, 1.0))[()]


def figures_without(
    x: Floats, traffic: Floats, aht: Floats, threshold: Floats, patience: Floats, short: Floats
) -> dict[str, Floats]:
    """No traffic, or no agents: without agents whoever has patience waits until it ends."""
    idle = traffic == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        gone = np.where(patience > 0, -np.expm1(-threshold / patience), 1.0)
        gone_short = np.where(patience > 0, -np.expm1(-short / patience), 1.0)
        queue = np.where(idle, 0.0, traffic * patience / aht)
    endless = np.isinf(patience) & ~idle
    nan = np.full(x.shape, np.nan)

    def pick(when_idle: float, otherwise: Floats | float) -> Floats:
        return np.where(idle, when_idle, otherwise)

    return {
        "p_wait": np.where(idle & (x > 0), 0.0, 1.0),
        "answered_within": np.where(idle & (x > 0), 1.0, 0.0),
        "missed": np.where(idle & (x > 0), 0.0, 1.0),
        "answered": np.where(idle & (x > 0), 1.0, 0.0),
        "abandonment": pick(0.0, np.where(endless, 0.0, 1.0)),
        "abandoned_within": pick(0.0, np.where(endless, 0.0, gone)),
        "abandoned_short": pick(0.0, np.where(endless, 0.0, gone_short)),
        "p_wait_beyond": np.where(idle & (x > 0), 0.0, 1.0),
        "asa_s": np.where(idle & (x > 0), 0.0, np.where(endless, np.inf, nan)),
        "wait_s": np.where(idle & (x > 0), 0.0, patience),
        "waiting_count": queue,
        "occupancy": np.where(idle & (x > 0), 0.0, nan),
        "stable": ~endless,
    }


def figures_b(x: Floats, traffic: Floats) -> dict[str, Floats]:
    odds = free_odds(x, traffic)
    lost = 1.0 / (1.0 + odds)
    with np.errstate(divide="ignore"):
        taken = 1.0 / (1.0 + 1.0 / odds)
    zero = np.zeros_like(lost)
    return {
        "p_wait": lost,
        "answered_within": taken,
        "missed": lost,
        "answered": taken,
        "abandonment": lost,
        "abandoned_within": lost,
        "abandoned_short": lost,
        "p_wait_beyond": lost,
        "asa_s": zero,
        "wait_s": zero,
        "waiting_count": zero,
        "occupancy": traffic * taken / x,
        "stable": np.ones_like(lost),
    }


def figures_c(x: Floats, traffic: Floats, aht: Floats, threshold: Floats) -> dict[str, Floats]:
    spare = x - traffic
    stable = spare > 0
    p_wait = wait_probability(x, traffic)
    with np.errstate(divide="ignore", invalid="ignore"):
        missed = np.where(stable, p_wait * np.exp(-np.maximum(spare, 0.0) * threshold / aht), 1.0)
        asa = np.where(stable, p_wait * aht / spare, np.inf)
        queue = np.where(stable, p_wait * traffic / spare, np.inf)
    zero = np.zeros_like(p_wait)
    return {
        "p_wait": p_wait,
        "answered_within": 1.0 - missed,
        "missed": missed,
        "answered": zero + 1.0,
        "abandonment": zero,
        "abandoned_within": zero,
        "abandoned_short": zero,
        "p_wait_beyond": missed,
        "asa_s": asa,
        "wait_s": asa,
        "waiting_count": queue,
        "occupancy": np.minimum(traffic / x, 1.0),
        "stable": stable,
    }


def figures_a(
    x: Floats, traffic: Floats, aht: Floats, threshold: Floats, patience: Floats, short: Floats
) -> dict[str, Floats]:
    ratio = patience / aht
    edge = -threshold / patience
    wait = _wait(x, traffic, ratio, edge)
    with np.errstate(over="ignore"):
        log_odds = _log_free(x, traffic) - np.log(ratio) - wait.log_mass  # of finding an agent free
        p_wait = 1.0 / (1.0 + np.exp(log_odds))
        p_free = 1.0 / (1.0 + np.exp(-log_odds))
    answered = p_free + p_wait * wait.served
    abandonment = p_wait * wait.lost
    return {
        "p_wait": p_wait,
        "answered_within": p_free + p_wait * wait.served_near,
        "missed": p_wait * wait.missed,
        "answered": answered,
        "abandonment": abandonment,
        "abandoned_within": p_wait * wait.lost_by,
        "abandoned_short": p_wait * _gone_by(short / patience, x, traffic, ratio),
        "p_wait_beyond": p_wait * wait.far,
        "asa_s": p_wait * wait.served_wait * patience / answered,
        "wait_s": abandonment * patience,
        "waiting_count": abandonment * traffic * ratio,
        "occupancy": traffic * answered / x,
        "stable": np.ones_like(p_wait),
    }


@dataclass(frozen=True, slots=True)
class _Wait:
    """What becomes of those who wait, as shares of them.

    Attributes:
        log_mass: Log of the kernel's integral over all waits.
        far: Would wait beyond the threshold, had they the patience.
        served, lost: Are answered at all, give up at all.
        served_near: Are answered within the threshold.
        missed: Are not.
        lost_by: Give up within the threshold.
        served_wait: Mean over all who wait of the wait of those who are answered, in mean patiences.
    """

    log_mass: Floats
    far: Floats
    served: Floats
    lost: Floats
    served_near: Floats
    missed: Floats
    lost_by: Floats
    served_wait: Floats


def _wait(x: Floats, traffic: Floats, ratio: Floats, edge: Floats) -> _Wait:
    c, eta, difference = x * ratio, traffic * ratio, (x - traffic) * ratio
    quick = _quick_wait(x, traffic, ratio, edge)
    # exp(s) times the kernel is the kernel of one more unit of c
    waits = moments(
        c + 1.0, eta, difference + 1.0, np.full_like(c, -np.inf), np.zeros_like(c), weights="wait"
    )
    served = 1.0 - quick.lost
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        at_edge = np.exp(difference * edge - eta * expm1_rest(edge) - quick.log_mass)
        far = (eta * quick.served_far + at_edge) / c  # by parts again, a sum
        result = _Wait(
            log_mass=quick.log_mass,
            far=far,
            served=served,
            lost=quick.lost,
            served_near=served - quick.served_far,
            missed=quick.lost + quick.served_far,
            lost_by=quick.lost + quick.served_far - np.exp(edge) * far,
            served_wait=served * waits.wait / waits.mass,
        )
    easy = quick.easy & (far <= 1.0 - _NEAR_LEAST) & (edge <= -_EDGE_LEAST)
    easy &= quick.lost <= 1.0 - _NEAR_LEAST
    if len(hard := np.flatnonzero(~easy)):
        some = _split_wait(x[hard], traffic[hard], ratio[hard], edge[hard])
        for field in fields(_Wait):
            getattr(result, field.name)[hard] = getattr(some, field.name)
    return result


@dataclass(frozen=True, slots=True)
class _QuickWait:
    """What of ``_Wait`` there is in closed form, true where *easy*."""

    log_mass: Floats
    served_far: Floats
    lost: Floats
    falls: Floats
    easy: NDArray[np.bool_]


def _quick_wait(x: Floats, traffic: Floats, ratio: Floats, edge: Floats) -> _QuickWait:
    c, eta, difference = x * ratio, traffic * ratio, (x - traffic) * ratio
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        falls = fall(x, traffic, x - traffic)
        eased = falls * ratio
        late, whole = eta * np.exp(edge), gammainc(c, eta)
        log_mass = np.log(whole) + log_stirling(c) + eased
        rarity = np.exp(-log_mass)
        lost_eta = rarity - difference  # integrated by parts; in deep overload rarity is as good as 0
        return _QuickWait(
            log_mass=log_mass,
            served_far=gammainc(c + 1.0, late) / whole * (c / eta),
            lost=lost_eta / eta,
            falls=falls,
            easy=(trusted(c, eased) | ((difference < 0) & (eased > _DEEP)))
            & trusted_below(c + 1.0, late)
            & (lost_eta >= _LOST_LEAST * rarity),
        )


def _split_wait(x: Floats, traffic: Floats, ratio: Floats, edge: Floats) -> _Wait:
    """Integrate on both sides of *edge*; what both say is normalised by one number, so that it adds up."""
    c, eta, difference = x * ratio, traffic * ratio, (x - traffic) * ratio
    far = moments(c, eta, difference, np.full_like(edge, -np.inf), edge)
    near = moments(c, eta, difference, edge, np.zeros_like(edge))
    peak = np.maximum(far.log_peak, near.log_peak)
    of_far, of_near = np.exp(far.log_peak - peak), np.exp(near.log_peak - peak)
    mass = of_far * far.mass + of_near * near.mass
    of_far, of_near = of_far / mass, of_near / mass
    beyond, lost_near = of_far * far.mass, of_near * near.lost
    return _Wait(
        log_mass=peak + np.log(mass),
        far=beyond,
        served=of_near * near.served + of_far * far.served,
        lost=lost_near + of_far * far.lost,
        served_near=of_near * near.served,
        missed=lost_near + beyond,
        lost_by=lost_near - np.expm1(edge) * beyond,
        served_wait=of_near * near.served_wait + of_far * far.served_wait,
    )


def _gone_by(by: Floats, x: Floats, traffic: Floats, ratio: Floats) -> Floats:
    """Share of those who wait that give up within *by* mean patiences."""
    if not by.any():
        return np.zeros_like(x)
    return _wait(x, traffic, ratio, -by).lost_by


def missed(x: Floats, traffic: Floats, aht: Floats, threshold: Floats, patience: Floats) -> Floats:
    """Share not answered within the threshold, alone and so more quickly; traffic and x above 0."""
    result = np.empty_like(x)
    endless, none = np.isinf(patience), patience == 0
    if endless.any():
        spare = np.maximum(x - traffic, 0.0)[endless]
        waits = wait_probability(x[endless], traffic[endless])
        result[endless] = waits * np.exp(-spare * threshold[endless] / aht[endless])
    if none.any():
        result[none] = 1.0 / (1.0 + free_odds(x[none], traffic[none]))
    if not (some := ~(endless | none)).any():
        return result
    if some.all():
        return _missed_a(x, traffic, patience / aht, -threshold / patience)
    x, traffic, aht, threshold, patience = (v[some] for v in (x, traffic, aht, threshold, patience))
    result[some] = _missed_a(x, traffic, patience / aht, -threshold / patience)
    return result


def _missed_a(x: Floats, traffic: Floats, ratio: Floats, edge: Floats) -> Floats:
    """Share of calls that are given up, or answered beyond the threshold."""
    wait = _quick_wait(x, traffic, ratio, edge)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        odds = np.exp(log_free(x, traffic, wait.falls) - np.log(ratio) - wait.log_mass)
        share = np.asarray((wait.lost + wait.served_far) / (1.0 + odds))
    # Deep in slack everybody finds an agent free to the last digit, deep in overload nobody does.
    sure = trusted(x, wait.falls) | ((wait.falls > _DEEP) & ((x > traffic) | (wait.falls * ratio > _DEEP)))
    if len(hard := np.flatnonzero(~(wait.easy & sure & (x > 0)))):
        x, traffic, ratio = x[hard], traffic[hard], ratio[hard]
        some = _split_wait(x, traffic, ratio, edge[hard])
        with np.errstate(over="ignore"):
            odds = np.exp(_log_free(x, traffic) - np.log(ratio) - some.log_mass)
        share[hard] = some.missed / (1.0 + odds)
    return share
