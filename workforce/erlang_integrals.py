"""The one integral under Erlang B, C and A, to full precision and for real-valued agents.

    G(c, eta; lo, hi) = integral from lo to hi of exp(c*s - eta*(exp(s) - 1)) ds

With c agents and eta erlangs, s > 0 gives what does not wait: ``1/B(c) - 1 = c * G(c, eta; 0, inf)``. With
c = agents * patience / AHT and eta = traffic * patience / AHT, s = -wait/patience < 0 is the virtual wait,
and the kernel its density. (Both are incomplete gamma functions: s = log of their variable.) The exponent is
concave, so it is expanded about the point of the interval where it is greatest: every term then has one
sign, nothing cancels and nothing overflows. Gauss-Legendre panels go as far as the kernel exceeds 1e-16 of
its peak.

Source: the integrals are those of Jagerman (1974) for B and of Palm (1957), Zeltyn & Mandelbaum (2005) for A;
substituting s and integrating numerically instead of by recursion is ours, checked against 50-digit values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = Literal["mass", "wait", "all"]

_NODES = 22  # per panel: relative error below 1e-11, of most integrals below 1e-13
_DROP = 38.0  # exp(-38) = 3e-17: beyond it, the tail is below a double's last digit
_RIGHT_PANEL = 2.5  # widest panels on which these nodes suffice: exp(-b*exp(u)) is smooth at this scale
_LEFT_EDGES = (0.0, 3.0, 8.0, 18.0, 38.0, np.inf)  # leftwards exp(u) fades and what remains is an exponential
_SERIES_MAX = 0.25
_CHUNK_PANELS = 2048  # keeps the work arrays inside the processor's cache
_SERIES = tuple(1.0 / float(np.prod(np.arange(1.0, k + 1.0))) for k in range(14, 1, -1))


@dataclass(frozen=True, slots=True)
class Moments:
    """Integrals over one interval, all divided by ``exp(log_peak)``.

    Attributes:
        log_peak: The exponent at its greatest on the interval.
        mass: Integral of the kernel itself.
        served: ... of the kernel times exp(s), the share of callers still there at wait -s.
        lost: ... times 1 - exp(s), those who are not.
        wait: ... times -s.
        served_wait: ... times -s * exp(s).
    """

    log_peak: Floats
    mass: Floats
    served: Floats
    lost: Floats
    wait: Floats
    served_wait: Floats


def moments(
    c: Floats,
    eta: Floats,
    difference: Floats,
    lo: Floats,
    hi: Floats,
    *,
    weights: Weights = "all",
) -> Moments:
    """Integrate the kernel over [lo, hi] for each element.

    Args:
        c: At least 0; above 0 where lo is -inf.
        eta: Above 0.
        difference: c - eta, given apart because its digits decide and only the caller has them all.
        lo: Where each interval begins, -inf allowed; 0 lies at or outside its ends.
        hi: Where it ends, +inf allowed; hi == lo gives zeros.
        weights: "mass" wants that alone, "wait" both, "all" the others; what is not wanted is 0.
    """
    shape = np.broadcast_shapes(c.shape, eta.shape, lo.shape, hi.shape)
    c, eta, difference, lo, hi = (np.broadcast_to(x, shape).ravel() for x in (c, eta, difference, lo, hi))
    with np.errstate(divide="ignore"):
        mode = np.clip(np.log1p(difference / eta), lo, hi)
    inside = (mode > lo) & (mode < hi)
    # The slope of the exponent at the peak: exactly 0 inside, otherwise what c - eta*exp(mode) is, in digits.
    slope = np.where(inside, 0.0, difference - eta * np.expm1(mode))
    bend = np.where(inside, c, eta * np.exp(mode))
    log_peak = difference * mode - eta * expm1_rest(mode)
    owner, start, stop = _panels(slope, bend, lo - mode, hi - mode)
    sums = _panel_sums(owner, start, stop, slope, bend, mode, weights)
    zero = np.zeros(shape)
    return Moments(
        log_peak.reshape(shape),
        *(
            zero
            if part is None
            else np.bincount(owner, weights=part, minlength=len(c)).astype(np.float64).reshape(shape)
            for part in sums
        ),
    )


def expm1_rest(u: Floats) -> Floats:
    """Return exp(u) - 1 - u, to full relative precision.

    >>> float(expm1_rest(np.array(1e-8)))
    5.000000016666667e-17
    """
    small = np.abs(u) < _SERIES_MAX
    return np.where(small, _rest_series(np.where(small, u, 0.0)), np.expm1(u) - u)


def _rest_series(u: Floats) -> Floats:
    total = np.full_like(u, _SERIES[0])
    for factor in _SERIES[1:]:
        total *= u
        total += factor
    total *= u
    total *= u
    return total


def _panels(slope: Floats, bend: Floats, lo: Floats, hi: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
    """Cut each interval, seen from its peak, into panels; return whose each is and where it lies."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Rightwards the exponent falls at least like -(|slope|*u + bend*u*u/2), and like -bend*exp(u)/2.
        fall = np.maximum(-slope, 0.0)
        parabola = 2.0 * _DROP / (fall + np.sqrt(fall * fall + 2.0 * _DROP * bend))
        right = np.minimum(hi, np.minimum(parabola, np.maximum(1.3, np.log1p(2.0 * _DROP / bend))))
        # Leftwards like -(slope*v + bend*v*v/(2+v)).
        rise = np.maximum(slope, 0.0)
        half = 2.0 * rise - _DROP
        root = np.sqrt(half * half + 8.0 * _DROP * (rise + bend))
        reach = np.where(half > 0, 4.0 * _DROP / (half + root), (root - half) / (2.0 * (rise + bend)))
        left = np.minimum(-lo, reach)
    owners, starts, stops = [], [], []
    for near, far in pairwise(_LEFT_EDGES):
        who = np.flatnonzero(left > near)
        if not len(who):
            break
        owners.append(who)
        starts.append(-np.minimum(left[who], far))
        stops.append(np.full(len(who), -near))
    near = 0.0
    while len(who := np.flatnonzero(right > near)):  # bend >= 1e-9 ends this within 11 rounds
        owners.append(who)
        starts.append(np.full(len(who), near))
        near += _RIGHT_PANEL
        stops.append(np.minimum(right[who], near))
    if not owners:
        return np.zeros(0, np.intp), np.zeros(0), np.zeros(0)
    return np.concatenate(owners), np.concatenate(starts), np.concatenate(stops)


@cache
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Return the Gauss-Legendre rule on [0, 1]."""
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return (at + 1.0) / 2.0, weight / 2.0


def _panel_sums(
    owner: NDArray[np.intp],
    start: Floats,
    stop: Floats,
    slope: Floats,
    bend: Floats,
    mode: Floats,
    weights: Weights,
) -> tuple[Floats | None, ...]:
    """Return the integrals of each panel in the order of ``Moments``, None for those not wanted."""
    at, weight = _rule(_NODES)
    mass, served, lost, wait, served_wait = np.zeros((5, len(owner)))
    near = np.maximum(np.abs(start), np.abs(stop)) < _SERIES_MAX
    for by_series in (True, False):
        chosen = np.flatnonzero(near == by_series)
        for first in range(0, len(chosen), _CHUNK_PANELS):
            part = chosen[first : first + _CHUNK_PANELS]
            who = owner[part]
            width = (stop[part] - start[part])[:, None]
            u = width * at
            u += start[part][:, None]
            rest = _rest_series(u) if by_series else np.expm1(u) - u
            rest *= -bend[who][:, None]
            rest += slope[who][:, None] * u
            kernel = np.exp(rest, out=rest)
            kernel *= width
            mass[part] = kernel @ weight
            if weights == "mass":
                continue
            u += mode[who][:, None]
            if weights == "wait":
                kernel *= u
                wait[part] = -(kernel @ weight)
                continue
            faded = np.expm1(u)
            lost[part] = -((kernel * faded) @ weight)
            faded += 1.0
            kernel *= faded
            served[part] = kernel @ weight
            kernel *= u
            served_wait[part] = -(kernel @ weight)
    match weights:
        case "mass":
            return mass, None, None, None, None
        case "wait":
            return mass, None, None, wait, None
    return mass, served, lost, None, served_wait
