"""Staffing against a rate that nobody knows exactly: Erlang figures averaged over a Gamma-distributed rate.

The rate of an interval is Gamma with the forecast as its mean and ``rate_cv`` as its coefficient of variation
(0.1: one interval in three is more than 10 % off). Shares of *calls* weigh each rate by the calls that it
brings, which makes the Gamma's shape one larger. The integral is cut where the figures bend: where traffic
meets the agents, and where the fluid wait meets the threshold; shares are exact to about 1e-7.

Source: Jongbloed & Koole (2001), "Managing uncertainty in call centres using Poisson mixtures"; Gans, Koole &
Mandelbaum (2003), section 4.4.
"""

from __future__ import annotations

from dataclasses import fields
from functools import partial

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammainccinv, gammaincinv

from workforce.erlang import TRAFFIC_ERL_MAX, QueueFigures, queue_figures
from workforce.erlang_integrals import Floats
from workforce.erlang_models import missed

RATE_CV_MAX = 1.0
_TAIL = 1e-16
_RATE_NODES_EXACT = 12
_WEIGHT_MIN = 1e-15
_BEND_WIDTH = 7.0
_OF_CALLS = (
    "p_wait",
    "answered_within",
    "missed",
    "abandonment",
    "abandoned_within",
    "abandoned_short",
    "p_wait_beyond",
    "wait_s",
)


def mixed_figures(
    agents: ArrayLike,
    traffic_erl: ArrayLike,
    aht_s: ArrayLike,
    threshold_s: ArrayLike,
    rate_cv: ArrayLike,
    *,
    patience_s: ArrayLike = np.inf,
    short_abandon_s: ArrayLike = 0.0,
) -> QueueFigures:
    """Return what callers meet when the rate is Gamma; arguments as ``queue_figures``, traffic its mean.

    With endless patience the queue does not drain at rates above the agents: those calls count as not
    answered in time, and mean waits are infinite.

    Raises:
        ValueError: an argument is out of its range; rate_cv outside [0, 1].

    >>> figures = mixed_figures(156, 2296 / 3600 * 240, 240.0, 20.0, 0.05, patience_s=300.0)
    >>> round(float(figures.answered_within), 4)
    0.8091
    """
    given = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (agents, traffic_erl, aht_s, threshold_s, rate_cv, patience_s, short_abandon_s)
        )
    )
    shape = given[0].shape
    x, traffic, aht, threshold, cv, patience, short = (v.ravel() for v in given)
    if not np.all((cv >= 0) & (cv <= RATE_CV_MAX)):
        raise ValueError(f"rate_cv must be within 0 and {RATE_CV_MAX:.0f}")
    table = queue_figures(x, traffic, aht, threshold, patience_s=patience, short_abandon_s=short)
    mixed = np.flatnonzero((cv > 0) & (traffic > 0))
    columns = {field.name: np.array(getattr(table, field.name)) for field in fields(QueueFigures)}
    if len(mixed):
        some = [v[mixed] for v in (x, traffic, aht, threshold, cv, patience, short)]
        for name, column in _mix(*some).items():
            columns[name][mixed] = column
    return QueueFigures(**{name: column.reshape(shape)[()] for name, column in columns.items()})


def mixed_missed(
    x: Floats, traffic: Floats, aht: Floats, threshold: Floats, cv: Floats, patience: Floats
) -> Floats:
    """Share of calls not answered within the threshold, for searching; flat arrays, cv above 0."""
    rates, weights = _rates(
        x,
        traffic,
        aht,
        cv,
        threshold,
        patience,
        _RATE_NODES_EXACT,
    )
    case, node = np.nonzero(weights > _WEIGHT_MIN)
    share = missed(x[case], rates[case, node], aht[case], threshold[case], patience[case])
    return np.bincount(case, weights=share * weights[case, node], minlength=len(x)).astype(np.float64)


def _mix(
    x: Floats,
    traffic: Floats,
    aht: Floats,
    threshold: Floats,
    cv: Floats,
    patience: Floats,
    short: Floats,
) -> dict[str, Floats]:
    rates, weights = _rates(x, traffic, aht, cv, threshold, patience, _RATE_NODES_EXACT)

    case, node = np.nonzero(weights > _WEIGHT_MIN)
    rate, weight = rates[case, node], weights[case, node]
    each = queue_figures(
        x[case],
        rate,
        aht[case],
        threshold[case],
        patience_s=patience[case],
        short_abandon_s=short[case],
    )

    def mean(values: Floats, weights: Floats) -> Floats:
        return np.bincount(case, weights=values * weights, minlength=len(x)).astype(np.float64)

    of_calls = partial(mean, weights=weight)
    of_time = weight * traffic[case] / rate  # a rate's share of the intervals, not of the calls
    of_time /= np.bincount(case, weights=of_time, minlength=len(x))[case]
    answered = of_calls(each.answered)
    unstable = np.bincount(case, weights=~each.stable, minlength=len(x))
    served_wait = of_calls(np.where(each.answered > 0, each.asa_s, 0.0) * each.answered)
    with np.errstate(invalid="ignore"):  # nobody answered: no speed of answer
        asa = served_wait / answered
    return {
        **{name: of_calls(getattr(each, name)) for name in _OF_CALLS},
        "answered": answered,
        "asa_s": asa,
        "waiting_count": mean(each.waiting_count, of_time),
        "occupancy": mean(each.occupancy, of_time),
        "stable": unstable == 0,
    }


def _rates(
    x: Floats,
    traffic: Floats,
    aht: Floats,
    cv: Floats,
    threshold: Floats,
    patience: Floats,
    nodes: int,
) -> tuple[Floats, Floats]:
    """Return traffic values and the shares of calls that they bring, one row per case."""
    shape = (1.0 / (cv * cv)) + 1.0  # of the rate that a call sees
    scale = traffic * cv * cv
    low = gammaincinv(shape, _TAIL) * scale
    high = gammainccinv(shape, _TAIL) * scale
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        late = x * np.exp(np.where(np.isinf(patience), 0.0, np.minimum(threshold / patience, 50.0)))
    near = _BEND_WIDTH * np.sqrt(x + 1.0)
    with np.errstate(divide="ignore"):  # under Erlang C waits explode in a thin layer below the agents
        layer = np.where(np.isinf(patience), np.minimum(aht / threshold, near / 24), 0.0)
    middle, spread = (shape - 1.0) * scale, cv * traffic
    marks = np.stack(
        [
            *(low, middle - 3.5 * spread, middle - spread, middle + spread, middle + 3.5 * spread, high),
            *(x - near, x - near / 3, x - 8 * layer, x - 2 * layer, x, x + near / 3),
            *(late - near / 3, late, late + near / 3, late + near),
        ]
    )
    marks = np.sort(np.clip(marks, low, high), axis=0)
    at, weight = np.polynomial.legendre.leggauss(nodes)
    half = (marks[1:] - marks[:-1]) / 2.0
    rates = marks[:-1, :, None] + half[:, :, None] * (at + 1.0)
    rates = np.clip(np.moveaxis(rates, 0, 1).reshape(len(x), -1), 1e-300, TRAFFIC_ERL_MAX)
    lengths = np.moveaxis(half[:, :, None] * weight, 0, 1).reshape(len(x), -1)
    unit = rates / scale[:, None]
    k = shape[:, None]
    density = np.exp((k - 1.0) * np.log(unit / (k - 1.0)) - (unit - (k - 1.0)))
    weights = lengths * density
    return rates, weights / weights.sum(axis=1, keepdims=True)
