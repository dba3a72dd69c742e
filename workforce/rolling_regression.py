"""Regression whose errors hang together in time, with every forecast it would have made on the way.

A Gaussian process on days: the covariance of two days is the sum of what they share (weekday, a holiday's
name, the turn of the month, a level that drifts, the mood of a few days). Least squares with ridge, dummies
and AR(1) errors is the special case with those covariances.

With K = L Lᵀ over days in order, the first o rows of L belong to the first o days. The forecast of day j from
the first o days is therefore Σ_{i<o} L[j,i]·z[i] with z = L⁻¹y: one factorisation holds the forecasts from
every origin, which is what selection and calibration are made of.

Source: Rasmussen & Williams, *Gaussian Processes for Machine Learning* (2006), ch. 2 and 5.4 (leave one out);
the use of L for all origins follows from the Cholesky factor of a leading block being that of the factor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from workforce.series import Floats, Ints

_ROBUST_ROUNDS = 4
_ROBUST_SIGMAS = 2.5
_ROBUST_POWER = 3
_EVIDENCE_SIGMAS_MAX = 3.0


@dataclass(frozen=True, slots=True)
class RollingFit:
    """A fitted regression over n days, for one or several series of values at once.

    Attributes:
        factor: Lower Cholesky factor L of covariance plus noise, shape (n, n).
        whitened: L⁻¹ times the values, shape (n, m).
    """

    factor: Floats
    whitened: Floats

    def from_origin(self, origin: int, rows: Ints) -> Floats:
        """Return forecasts of *rows* (each ≥ origin) from the days before *origin*; shape (len(rows), m)."""
        return np.asarray(self.factor[rows, :origin] @ self.whitened[:origin])

    def all_origins(self) -> Floats:
        """Return ``[j, o]``: day j forecast from the first o + 1 days, of the first series; shape (n, n)."""
        return np.asarray(np.cumsum(self.factor * self.whitened[:, 0], axis=1))

    def doubt_all_origins(self) -> Floats:
        """Return ``[j, o]``: variance of day j, its noise included, given the first o + 1; shape (n, n)."""
        known = np.cumsum(self.factor * self.factor, axis=1)
        return np.asarray(known[:, -1:] - known)

    def evidence(self, first: int) -> float:
        """Return the log likelihood of days from *first* on, each given all before it, of the first series.

        Up to a constant, and at whatever scale of all variances together suits best. A day counts as three
        standard deviations from its forecast at most.

        Source: Rasmussen & Williams (2006), ch. 5.4.1, with the scale maximised out.
        """
        square = np.minimum(self.whitened[first:, 0] ** 2, _EVIDENCE_SIGMAS_MAX**2)
        log_scale2 = np.log(max(float(square.mean()), 1e-12))
        return float(-len(square) / 2 * log_scale2 - np.log(np.diag(self.factor)[first:]).sum())

    def ahead(self, covariance: Floats) -> Floats:
        """Return forecasts of new days.

        Args:
            covariance: Of the new days with the n fitted ones, shape (k, n).

        Returns:
            Shape (k, m).
        """
        weights = solve_triangular(self.factor, self.whitened, lower=True, trans="T", check_finite=False)
        return np.asarray(covariance @ weights)

    def doubt_ahead(self, covariance: Floats, variance: Floats) -> Floats:
        """Return the variance of new days given the n fitted ones, shape (k,).

        Args:
            covariance: Of the new days with the n fitted ones, shape (k, n).
            variance: Of the new days while nothing is known, their own noise included, shape (k,).
        """
        known = solve_triangular(self.factor, covariance.T, lower=True, check_finite=False)
        return np.asarray(variance - np.einsum("ij,ij->j", known, known))


def fit(covariance: Floats, noise: Floats, values: Floats) -> RollingFit:
    """Fit values that are 0 on the whole.

    Args:
        covariance: Between days, shape (n, n).
        noise: Variance of each day's own noise, above 0, shape (n,).
        values: Shape (n, m).
    """
    factor = np.asarray(np.linalg.cholesky(covariance + np.diag(noise)), dtype=np.float64)
    return RollingFit(factor, solve_triangular(factor, values, lower=True, check_finite=False))


def robust_noise(covariance: Floats, noise: Floats, values: Floats) -> Floats:
    """Return the noise with that of odd days raised, so that they teach less; shape (n,).

    A day is odd when what all others say of it misses it by more than 2.5 times what is usual among misses.
    A day with an effect of its own (a holiday seen once) is never odd: the others say nothing of it.
    """
    raised = noise
    identity = np.eye(len(noise))
    for _ in range(_ROBUST_ROUNDS):
        factor = np.linalg.cholesky(covariance + np.diag(raised))
        inverse = solve_triangular(factor, identity, lower=True, check_finite=False)
        precision = np.einsum("ij,ij->j", inverse, inverse)
        misses = np.abs(inverse.T @ (inverse @ values)) / np.sqrt(precision)
        # Of a raised day the miss is measured with its own, raised yardstick: bring it back to the plain one.
        misses = misses * np.sqrt((1.0 / precision) / np.maximum(1.0 / precision - raised + noise, 1e-12))
        usual = 1.4826 * float(np.median(misses))
        excess = misses / max(usual, 1e-9) / _ROBUST_SIGMAS
        raised = noise * np.maximum(1.0, excess) ** _ROBUST_POWER
    return raised
