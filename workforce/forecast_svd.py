"""The challenger: square roots of counts as a few singular vectors whose scores are forecast. Pure.

Source: Shen & Huang, "Interday forecasting and intraday updating of call center arrivals", M&SOM 10 (2008);
the scores are forecast by the calendar regression of ``forecast_level`` in place of their AR(1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workforce.forecast_days import MONTH_REACH_DAYS, DayRelations
from workforce.forecast_level import Level
from workforce.forecast_profile import smooth
from workforce.history import Bools
from workforce.rolling_regression import RollingFit, fit
from workforce.series import Floats, Ints

RANK = 5
_ADDED = 0.25
_SMOOTH_MIN = 12.0
_FREE = 10.0


@dataclass(frozen=True, slots=True)
class SingularVectors:
    """Fitted scores; forecasts counts from any past origin and ahead.

    Attributes:
        vectors: Shape (rank, S).
        root_mean: Mean square root of counts, shape (S,).
        spread2: Variance that a day's root has about its forecast, which its square lacks; shape (S,).
    """

    fitted: tuple[RollingFit, ...]
    covariance_ahead: tuple[Floats, ...]
    vectors: Floats
    root_mean: Floats
    spread2: Floats

    def from_origin(self, origin: int, rows: Ints, is_open: Bools) -> Floats:
        """Return counts of *rows* from the days before *origin*, shape (len(rows), S)."""
        return self._counts(np.hstack([one.from_origin(origin, rows) for one in self.fitted]), is_open)

    def ahead(self, is_open: Bools) -> Floats:
        """Return counts of the days asked for, shape (k, S)."""
        scores = [
            one.ahead(covariance) for one, covariance in zip(self.fitted, self.covariance_ahead, strict=True)
        ]
        return self._counts(np.hstack(scores), is_open)

    def _counts(self, scores: Floats, is_open: Bools) -> Floats:
        root = np.maximum(self.root_mean + scores @ self.vectors, 0.0)
        return np.asarray(np.maximum(root * root + self.spread2 - _ADDED, 0.0) * is_open)


def fit_vectors(
    calls: Floats, is_open: Bools, level: Level, relations: DayRelations, interval_min: int
) -> SingularVectors:
    """Fit the n days of *calls*; *level* is theirs, the other arguments are as in ``fit_profile``."""
    n = len(calls)
    roots = np.where(is_open, np.sqrt(calls + _ADDED), 0.0)
    trust = 1.0 / level.oddness
    root_mean = np.average(roots, axis=0, weights=trust)
    away = roots - root_mean
    smoothed = smooth(away, is_open, _SMOOTH_MIN / interval_min)
    vectors = np.linalg.svd(smoothed * np.sqrt(trust)[:, None], full_matrices=False)[2][:RANK]
    scores = smoothed @ vectors.T
    of_shape = (
        0.3 * relations.fading(90.0) + 0.2 * relations.in_month(MONTH_REACH_DAYS) + 0.5 * relations.closure
    )
    fitted, ahead = [], []
    for rank in range(len(vectors)):
        score = scores[:, rank]
        variance = max(_own_variance(score, relations.weekday[:n, :n]), 1e-6)
        whole = max(_FREE * variance, 4.0 * float(np.var(score)))
        shared = variance * (level.shared if rank == 0 else of_shape) + whole * (
            1.0 + relations.weekday + relations.named + relations.kinds
        )
        noise = (0.5 if rank == 0 else 0.8) * variance * level.oddness
        fitted.append(fit(shared[:n, :n], noise, score[:, None]))
        ahead.append(shared[n:, :n])
    one_ahead = np.hstack(
        [
            scores[:, rank : rank + 1] - np.diag(one.factor)[:, None] * one.whitened
            for rank, one in enumerate(fitted)
        ]
    )
    later = slice(n // 2, n)
    misses = (away - one_ahead @ vectors)[later]
    spread2 = np.average(misses * misses, axis=0, weights=trust[later])
    # Var √(Poisson + ¼) is about ¼; what an uncertain level adds beyond twice that is no bias of the square.
    return SingularVectors(tuple(fitted), tuple(ahead), vectors, root_mean, np.minimum(spread2, 2 * _ADDED))


def _own_variance(score: Floats, weekday: Floats) -> float:
    """Return the robust variance about the median of the same weekdays."""
    alike, which = np.unique(weekday > 0, axis=0, return_inverse=True)
    median = np.array([np.median(score[same]) for same in alike])
    return float((1.4826 * np.median(np.abs(score - median[which.ravel()]))) ** 2)
