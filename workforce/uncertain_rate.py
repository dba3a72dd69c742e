"""Staffing against a rate that nobody knows exactly: Erlang figures averaged over a Gamma-distributed rate.

The rate of an interval is Gamma with the forecast as its mean and ``rate_cv`` as its coefficient of variation
(0.1: one interval in three is more than 10 % off). Shares of *calls* weigh each rate by the calls that it
brings, which makes the Gamma's shape one larger. Where callers give up and the rates spread less than the
figures bend, these are as good as polynomials over all rates that may come, and the Gamma's own Gauss rule
takes 8 to 32 nodes. Elsewhere the integral is cut where the figures bend: where traffic meets the agents, and
where the fluid wait meets the threshold; some fifty nodes. Both leave an absolute error of shares below 1e-7
up to a rate_cv of 0.5; panels below 2e-6 up to 1, where the density itself bends at 0 (all beside panels
twenty times as fine).

Source: Jongbloed & Koole (2001), "Managing uncertainty in call centres using Poisson mixtures"; Gans, Koole &
Mandelbaum (2003), section 4.4; Golub & Welsch (1969) for the nodes of Gauss-Laguerre rules.
"""

from __future__ import annotations

from dataclasses import fields
from functools import cache, lru_cache, partial

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import gammainccinv, gammaincinv

from workforce.erlang import TRAFFIC_ERL_MAX, QueueFigures, queue_figures
from workforce.erlang_integrals import Floats
from workforce.erlang_models import missed

RATE_CV_MAX = 1.0
_TAIL = 1e-9  # of the rates, left out on either side
_RATE_NODES = 16
_BEND_WIDTH = 7.0  # in square roots of the agents
_PANEL_BENDS = 8.0
_PANEL_SPREADS = 7.0
_SMOOTH_NODES = ((0.1, 8), (0.25, 10), (0.5, 16), (0.75, 24), (1.0, 32))
"""Spread over bend up to which so many nodes of the Gamma's own rule suffice."""
_SMOOTH_CV_MAX = 0.3  # a wider Gamma lies too near 0, where a rate's share of the time bends
_NARROW_CV_MAX, _WIDE_NODES = 0.1, 16  # and where it comes near, fewer would leave more than 1e-7 of that
_ROUGH_NODES = 6
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
    return _missed_by(x, aht, threshold, patience, *_rates(x, traffic, aht, cv, threshold, patience))


def rough_mixed_missed(
    x: Floats, traffic: Floats, aht: Floats, threshold: Floats, cv: Floats, patience: Floats
) -> Floats:
    """The same from a few rates, a tenth of the work: to know about where to search."""
    few = _smooth_rates(np.arange(len(x)), traffic, cv, _ROUGH_NODES)
    return _missed_by(x, aht, threshold, patience, *few)


def _missed_by(
    x: Floats,
    aht: Floats,
    threshold: Floats,
    patience: Floats,
    case: NDArray[np.intp],
    rate: Floats,
    weight: Floats,
) -> Floats:
    share = np.zeros_like(rate)
    felt = np.flatnonzero(rate > _felt_from(x)[case])
    some = case[felt]
    share[felt] = missed(x[some], rate[felt], aht[some], threshold[some], patience[some])
    return np.bincount(case, weights=share * weight, minlength=len(x)).astype(np.float64)


def _mix(
    x: Floats,
    traffic: Floats,
    aht: Floats,
    threshold: Floats,
    cv: Floats,
    patience: Floats,
    short: Floats,
) -> dict[str, Floats]:
    case, rate, weight = _rates(x, traffic, aht, cv, threshold, patience)
    calm = rate <= _felt_from(x)[case]
    each = queue_figures(
        x[case],
        np.where(calm, 0.0, rate),  # nobody waits, to eleven digits
        aht[case],
        threshold[case],
        patience_s=patience[case],
        short_abandon_s=short[case],
    )
    occupancy = np.where(calm & (x[case] > 0), rate / np.maximum(x[case], 1e-300), each.occupancy)

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
        "occupancy": mean(occupancy, of_time),
        "stable": unstable == 0,
    }


def _felt_from(x: Floats) -> Floats:
    """Return the traffic below which a share under 1e-11 of the callers waits."""
    return x - _BEND_WIDTH * np.sqrt(x)


def _rates(
    x: Floats, traffic: Floats, aht: Floats, cv: Floats, threshold: Floats, patience: Floats
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Return whose they are, traffic values, and the shares of each case's calls that they bring."""
    nodes = _smooth_nodes(x, traffic, aht, cv, threshold, patience)
    parts = [_smooth_rates(np.flatnonzero(nodes == n), traffic, cv, int(n)) for n in np.unique(nodes) if n]
    if len(bent := np.flatnonzero(nodes == 0)):
        case, rate, weight = _bent_rates(*(v[bent] for v in (x, traffic, aht, cv, threshold, patience)))
        parts.append((bent[case], rate, weight))
    if len(parts) == 1:
        return parts[0]
    cases, rates, weights = zip(*parts, strict=True)
    return np.concatenate(cases), np.concatenate(rates), np.concatenate(weights)


def _smooth_nodes(
    x: Floats, traffic: Floats, aht: Floats, cv: Floats, threshold: Floats, patience: Floats
) -> NDArray[np.intp]:
    """Return how many nodes of the Gamma's own rule suffice, 0 where it needs panels."""
    gives_up = np.isfinite(patience) & (patience > 0) & (cv <= _SMOOTH_CV_MAX)
    patient = np.where(gives_up, patience, 1.0)
    late = np.maximum(x * np.exp(np.minimum(threshold / patient, 50.0)), 1.0)
    bend = np.minimum(np.sqrt(x + 1.0), late / np.sqrt(x * patient / aht + 1.0))
    limits, counts = zip(*_SMOOTH_NODES, strict=True)
    found = np.array([*counts, 0], dtype=np.intp)[np.searchsorted(limits, cv * traffic / bend)]
    wide = (cv > _NARROW_CV_MAX) & (found > 0)
    return np.where(gives_up, np.where(wide, np.maximum(found, _WIDE_NODES), found), 0)


def _smooth_rates(
    who: NDArray[np.intp], traffic: Floats, cv: Floats, nodes: int
) -> tuple[NDArray[np.intp], Floats, Floats]:
    kinds, kind = np.unique(cv[who], return_inverse=True)
    rules = [_gamma_rule(float(each), nodes) for each in kinds]
    at = np.stack([rule[0] for rule in rules])[kind]
    weight = np.stack([rule[1] for rule in rules])[kind]
    rate = np.minimum(traffic[who][:, None] * at, TRAFFIC_ERL_MAX)
    return np.repeat(who, nodes), rate.ravel(), weight.ravel()


@lru_cache(maxsize=4096)
def _gamma_rule(cv: float, nodes: int) -> tuple[Floats, Floats]:
    """Return the Gauss rule of a Gamma of mean 1 as its calls see it: rates and their shares of the calls.

    >>> at, weight = _gamma_rule(0.1, 8)
    >>> round(float(weight.sum()), 12), round(float(at @ weight), 12)
    (1.0, 1.01)
    """
    order = np.arange(nodes)
    power = 1.0 / (cv * cv)  # of the density that a call sees
    at, vectors = eigh_tridiagonal(2 * order + 1.0 + power, np.sqrt(order[1:] * (order[1:] + power)))
    return at / power, vectors[0] ** 2


def _bent_rates(
    x: Floats, traffic: Floats, aht: Floats, cv: Floats, threshold: Floats, patience: Floats
) -> tuple[NDArray[np.intp], Floats, Floats]:
    shape = (1.0 / (cv * cv)) + 1.0  # of the rate that a call sees
    scale = traffic * cv * cv
    low = gammaincinv(shape, _TAIL) * scale
    high = gammainccinv(shape, _TAIL) * scale
    owner, start, stop = _panels(x, cv * traffic, aht, threshold, patience, low, high)
    at, weight = _rule()
    half = (stop - start) / 2.0
    rates = np.clip(start[:, None] + half[:, None] * (at + 1.0), 1e-300, TRAFFIC_ERL_MAX)
    k = shape[owner][:, None]
    rise = rates / (scale * (shape - 1.0))[owner][:, None]  # over the density's peak
    weights = half[:, None] * weight * np.exp((k - 1.0) * (np.log(rise) - rise + 1.0))
    case = np.repeat(owner, len(at))
    flat = weights.ravel()
    return case, rates.ravel(), flat / np.bincount(case, weights=flat, minlength=len(x))[case]


def _panels(
    x: Floats, spread: Floats, aht: Floats, threshold: Floats, patience: Floats, low: Floats, high: Floats
) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Cut the rates where figures or density bend, as finely as these do; return whose, from, to."""
    endless = np.isinf(patience)
    bend = np.sqrt(x + 1.0)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        fade = np.where(endless | (patience == 0), 0.0, np.minimum(threshold / patience, 50.0))
        late = x * np.exp(fade)  # where the fluid wait meets the threshold
        # Under Erlang C waits explode in a thin layer below the agents.
        layer = np.where(endless, np.minimum(aht / threshold, bend / 3.5), np.inf)
        fickle = endless | (patience == 0)
        late_bend = np.where(
            fickle, bend, np.maximum(late, 1.0) / np.sqrt(x * np.where(fickle, 1.0, patience / aht) + 1.0)
        )
    middle = (x + late) / 2.0
    thin = np.where(endless, layer, bend)
    marks = [
        low,
        x - _BEND_WIDTH * bend,
        np.where(endless, x - 16.0 * layer, x),
        np.where(endless, x - 4.0 * layer, x),
        np.where(endless, x, np.minimum(x + _BEND_WIDTH * bend, middle)),
        np.where(endless, x, np.maximum(late - _BEND_WIDTH * late_bend, middle)),
        np.where(endless, x, late + _BEND_WIDTH * late_bend),
        high,
    ]
    cuts = np.maximum.accumulate(np.clip(np.stack(marks), low, high), axis=0)
    wide = _PANEL_SPREADS * spread
    fine = np.minimum(wide, _PANEL_BENDS * bend)
    widths = np.stack(
        [
            wide,
            np.where(endless, np.minimum(fine, 8.0 * layer), fine),
            np.minimum(fine, 6.0 * thin),
            np.minimum(fine, 6.0 * thin),
            wide,
            np.minimum(wide, _PANEL_BENDS * late_bend),
            wide,
        ]
    )
    lengths = cuts[1:] - cuts[:-1]
    counts = np.where(lengths > 0, np.ceil(lengths / widths), 0.0).astype(np.intp)
    segment = np.repeat(np.arange(counts.size), counts.ravel())
    before = np.repeat(np.cumsum(counts) - counts.ravel(), counts.ravel())
    step = (lengths / np.maximum(counts, 1)).ravel()[segment]
    start = cuts[:-1].ravel()[segment] + (np.arange(len(segment)) - before) * step
    return segment % len(x), start, start + step


@cache
def _rule() -> tuple[Floats, Floats]:
    at, weight = np.polynomial.legendre.leggauss(_RATE_NODES)
    return at, weight
