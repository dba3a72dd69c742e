"""The formulas of Erlang B, C and A on flat arrays of equal length; ``workforce.erlang`` is their face.

Each share and its complement are computed apart, as sums of terms of one sign: 1 - 1e-20 is not told
from 1, but 1e-20 is told from 0. Probabilities are compared in logarithms, so that nothing overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workforce.erlang_integrals import Floats, Moments, Weights, moments


def _log_free(x: Floats, traffic: Floats, nodes: int) -> Floats:
    """Log of G(agents, traffic; 0, inf): agents times it are the odds that Erlang B takes a call."""
    part = moments(x, traffic, x - traffic, np.zeros(()), np.full((), np.inf), nodes=nodes, weights="mass")
    return part.log_peak + np.log(part.mass)


def free_odds(x: Floats, traffic: Floats, nodes: int) -> Floats:
    with np.errstate(over="ignore", divide="ignore"):
        busy = traffic > 0
        odds = x * np.exp(_log_free(x, np.where(busy, traffic, 1.0), nodes))
        return np.where(busy, odds, np.where(x > 0, np.inf, 0.0))[()]


def wait_probability(x: Floats, traffic: Floats, nodes: int) -> Floats:
    with np.errstate(over="ignore"):
        busy = traffic > 0
        spare = np.maximum(x - traffic, 0.0)
        free = np.exp(_log_free(x, np.where(busy, traffic, 1.0), nodes))
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


def figures_b(x: Floats, traffic: Floats, *, nodes: int) -> dict[str, Floats]:
    odds = free_odds(x, traffic, nodes)
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


def figures_c(x: Floats, traffic: Floats, aht: Floats, threshold: Floats, *, nodes: int) -> dict[str, Floats]:
    spare = x - traffic
    stable = spare > 0
    p_wait = wait_probability(x, traffic, nodes)
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
    x: Floats,
    traffic: Floats,
    aht: Floats,
    threshold: Floats,
    patience: Floats,
    short: Floats,
    *,
    nodes: int,
) -> dict[str, Floats]:
    ratio = patience / aht
    c, eta, difference = x * ratio, traffic * ratio, (x - traffic) * ratio
    edge = -threshold / patience
    wait = _split_wait(c, eta, difference, edge, nodes)
    far, near = wait.far, wait.near
    with np.errstate(over="ignore"):
        log_odds = _log_free(x, traffic, nodes) - np.log(ratio) - wait.log_mass  # of finding an agent free
        p_wait = 1.0 / (1.0 + np.exp(log_odds))
        p_free = 1.0 / (1.0 + np.exp(-log_odds))
    of_far, of_near = p_wait * wait.far_share, p_wait * wait.near_share
    beyond = of_far * far.mass
    served_near, lost_near = of_near * near.served, of_near * near.lost
    served_far, lost_far = of_far * far.served, of_far * far.lost
    gone = -np.expm1(edge)
    answered = p_free + served_near + served_far
    abandonment = lost_near + lost_far
    waited = (of_near * near.served_wait + of_far * far.served_wait) * patience
    return {
        "p_wait": p_wait,
        "answered_within": p_free + served_near,
        "missed": lost_near + beyond,
        "answered": answered,
        "abandonment": abandonment,
        "abandoned_within": lost_near + gone * beyond,
        "abandoned_short": p_wait * _gone_by(short / patience, c, eta, difference, nodes),
        "p_wait_beyond": beyond,
        "asa_s": waited / answered,
        "wait_s": abandonment * patience,
        "waiting_count": abandonment * traffic * ratio,
        "occupancy": traffic * answered / x,
        "stable": np.ones_like(p_wait),
    }


@dataclass(frozen=True, slots=True)
class _SplitWait:
    """The wait of those who wait, before and beyond the threshold; multiply moments by their share."""

    far: Moments
    near: Moments
    far_share: Floats
    near_share: Floats
    log_mass: Floats


def _split_wait(
    c: Floats,
    eta: Floats,
    difference: Floats,
    edge: Floats,
    nodes: int,
    *,
    weights: tuple[Weights, Weights] = ("all", "all"),
) -> _SplitWait:
    """Integrate on both sides of *edge*; what both say is normalised by one number, so that it adds up."""
    far = moments(c, eta, difference, np.full_like(edge, -np.inf), edge, nodes=nodes, weights=weights[0])
    near = moments(c, eta, difference, edge, np.zeros_like(edge), nodes=nodes, weights=weights[1])
    peak = np.maximum(far.log_peak, near.log_peak)
    far_share, near_share = np.exp(far.log_peak - peak), np.exp(near.log_peak - peak)
    mass = far_share * far.mass + near_share * near.mass
    return _SplitWait(far, near, far_share / mass, near_share / mass, peak + np.log(mass))


def _gone_by(by: Floats, c: Floats, eta: Floats, difference: Floats, nodes: int) -> Floats:
    """Share of those who wait that give up within *by* mean patiences."""
    if not by.any():
        return np.zeros_like(c)
    wait = _split_wait(c, eta, difference, -by, nodes, weights=("mass", "lost"))
    return wait.near_share * wait.near.lost - np.expm1(-by) * wait.far_share * wait.far.mass


def missed(
    x: Floats, traffic: Floats, aht: Floats, threshold: Floats, patience: Floats, nodes: int
) -> Floats:
    """Share not answered within the threshold, alone and so more quickly; traffic and x above 0."""
    result = np.empty_like(x)
    endless, none = np.isinf(patience), patience == 0
    if endless.any():
        spare = np.maximum(x - traffic, 0.0)[endless]
        waits = wait_probability(x[endless], traffic[endless], nodes)
        result[endless] = waits * np.exp(-spare * threshold[endless] / aht[endless])
    if none.any():
        result[none] = 1.0 / (1.0 + free_odds(x[none], traffic[none], nodes))
    if not (some := ~(endless | none)).any():
        return result
    x, traffic, aht, threshold, patience = (v[some] for v in (x, traffic, aht, threshold, patience))
    ratio, edge = patience / aht, -threshold / patience
    c, eta, difference = x * ratio, traffic * ratio, (x - traffic) * ratio
    wait = _split_wait(c, eta, difference, edge, nodes, weights=("mass", "lost"))
    with np.errstate(over="ignore"):
        p_wait = 1.0 / (1.0 + np.exp(_log_free(x, traffic, nodes) - np.log(ratio) - wait.log_mass))
    result[some] = p_wait * (wait.near_share * wait.near.lost + wait.far_share * wait.far.mass)
    return result
