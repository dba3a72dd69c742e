"""Erlang's integrals in closed form: the incomplete gamma function, wherever it loses no digits.

The integrals of ``workforce.erlang_integrals`` from 0 to inf, and from -inf to any point, are incomplete
gamma functions times Gamma(c) * exp(eta) * eta**-c. That factor is built from terms of one sign, so the
relative error stays below 1e-12 where ``trusted``; elsewhere, and where a difference would cancel, callers
integrate numerically. No loop over agents, one evaluation per queue.

Source: Abramowitz & Stegun (1972), 6.5.1 to 6.5.3 and 6.1.40 (Stirling's series).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc, gammaln

from workforce.erlang_integrals import Floats

_FALL_NEAR = 10.0  # within four standard deviations the library expands uniformly, for any size
_FALL_MAX = 100.0
_SIZE_MAX = 5e4  # larger ones would take its power series more terms than it gives them

_SERIES_MAX = 0.25
_ATANH = tuple(1.0 / (2 * k + 3) for k in range(9, -1, -1))
_STIRLING_LEAST = 10.0
_STIRLING = (-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12)


def fall(x: Floats, traffic: Floats, difference: Floats) -> Floats:
    """Return x*log(x/traffic) - (x - traffic), which is 0 where both are equal and positive elsewhere.

    Args:
        x: Above 0.
        traffic: Above 0.
        difference: x - traffic, given apart because its digits decide.

    >>> f"{fall(np.array([1e5]), np.array([1e5 - 1]), np.array([1.0]))[0]:.12e}"
    '5.000033333583e-06'
    """
    ratio = -difference / x
    z = ratio / (2.0 + ratio)
    square = z * z
    total = np.full_like(z, _ATANH[0])
    for factor in _ATANH[1:]:
        total *= square
        total += factor
    total *= -2.0 * z * square
    total += ratio * z  # now the whole of ratio - log1p(ratio), by atanh's series
    far = np.flatnonzero(np.abs(ratio) >= _SERIES_MAX)
    if len(far):
        total[far] = ratio[far] - np.log(traffic[far] / x[far])
    return np.asarray(total * x)


def trusted(size: Floats, falls: Floats) -> NDArray[np.bool_]:
    """Whether both incomplete gamma functions of such a *size*, so far from it, keep their digits."""
    return np.asarray((falls <= _FALL_NEAR) | ((falls <= _FALL_MAX) & (size <= _SIZE_MAX)))


def trusted_below(size: Floats, at: Floats) -> NDArray[np.bool_]:
    """Whether the lower function keeps its digits at a point that may lie far below *size*."""
    return np.asarray((size <= _SIZE_MAX) | ((at - size) ** 2 <= 18.0 * size) | (at <= 0.97 * size))


def log_stirling(c: Floats) -> Floats:
    """Return log(Gamma(c) * exp(c) * c**-c), c above 0.

    >>> [round(float(v), 12) for v in log_stirling(np.array([1.0, 400.0]))]
    [1.0, -2.076585407059]
    """
    inverse = 1.0 / np.maximum(c, _STIRLING_LEAST)
    square = inverse * inverse
    total = np.full_like(inverse, _STIRLING[0])
    for factor in _STIRLING[1:]:
        total *= square
        total += factor
    total *= inverse
    total += 0.5 * np.log(2.0 * np.pi * inverse)
    small = np.flatnonzero(c < _STIRLING_LEAST)
    if len(small):
        few = c[small]
        total[small] = gammaln(few) + few - few * np.log(few)
    return total


def log_free(x: Floats, traffic: Floats, falls: Floats) -> Floats:
    """Return the log of the integral from 0 to inf; agents times it are Erlang B's odds of taking a call."""
    return np.asarray(np.log(gammaincc(x, traffic)) + log_stirling(x) + falls)
