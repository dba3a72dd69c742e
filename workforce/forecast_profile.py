"""The profile of a day: the part of its total in each interval, by one regression on all of them. Pure.

On square roots of shares, whose noise is the same everywhere (Brown, Zhang & Zhao 2001), smoothed over
neighbouring intervals and, as Shen & Huang (2008) do with the counts, cut to a few singular vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workforce.forecast_days import MONTH_REACH_DAYS, DayRelations
from workforce.history import Bools
from workforce.rolling_regression import RollingFit, fit
from workforce.series import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSetting:
    """Variances as multiples of a plain day's noise.

    Attributes:
        rank: Singular vectors kept; None: all.
        smooth_min: Standard deviation of the smoothing over neighbouring intervals, minutes.
    """

    rank: int | None = 4
    smooth_min: float = 24.0
    weekday: float = 6.0
    drift: float = 0.3
    drift_days: float = 120.0
    month: float = 0.2
    closure: float = 0.5
    labels: float = 4.0


SETTINGS: tuple[ProfileSetting, ...] = (
    ProfileSetting(),
    ProfileSetting(rank=None, smooth_min=15.0, drift=1.0),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """A fitted profile; it forecasts shares from any past origin and ahead.

    Attributes:
        root_mean: Square roots of mean shares, shape (S,).
        spread2: Variance that a day's root has about its forecast, which its square lacks; shape (S,).
    """

    fitted: RollingFit
    root_mean: Floats
    spread2: Floats
    covariance_ahead: Floats

    def from_origin(self, origin: int, rows: Ints, is_open: Bools) -> Floats:
        """Return shares of *rows* from the days before *origin*, shape (len(rows), S)."""
        return self._shares(self.fitted.from_origin(origin, rows), is_open)

    def ahead(self, is_open: Bools) -> Floats:
        """Return shares of the days asked for, shape (k, S)."""
        return self._shares(self.fitted.ahead(self.covariance_ahead), is_open)

    def _shares(self, away: Floats, is_open: Bools) -> Floats:
        root = np.maximum(self.root_mean + away, 0.0)
        shares = (root * root + self.spread2) * is_open
        total = shares.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(shares, total, out=np.zeros_like(shares), where=total > 0))


def fit_profile(
    calls: Floats,
    is_open: Bools,
    oddness: Floats,
    relations: DayRelations,
    interval_min: int,
    setting: ProfileSetting,
) -> Profile:
    """Fit the profile of n days.

    Args:
        calls: Repaired, shape (n, S).
        is_open: Shape (n, S).
        oddness: How much less than a plain day each day teaches, shape (n,).
        relations: Of these n days and the k asked for.
    """
    n, slots = calls.shape
    totals = np.maximum(calls.sum(axis=1), 1.0)
    roots = np.sqrt(calls / totals[:, None])
    typical = float(np.median(totals))
    trust = np.minimum(totals / typical, 4.0) / oddness
    root_mean = np.sqrt(np.average(roots * roots, axis=0, weights=trust))
    away = roots - root_mean
    away = smooth(away, is_open, setting.smooth_min / interval_min)
    if setting.rank is not None and setting.rank < min(n, slots):
        vectors = np.linalg.svd(away * np.sqrt(trust)[:, None], full_matrices=False)[2][: setting.rank]
        away = away @ vectors.T @ vectors
    shared = (
        0.3
        + setting.weekday * relations.weekday
        + setting.drift * relations.fading(setting.drift_days)
        + setting.month * relations.in_month(MONTH_REACH_DAYS)
        + setting.closure * relations.closure
        + setting.labels * (relations.named + relations.kinds)
    )
    fitted = fit(shared[:n, :n], 1.0 / trust, away)
    one_ahead = away - np.diag(fitted.factor)[:, None] * fitted.whitened
    later = slice(n // 2, n)
    misses = (roots - root_mean - one_ahead)[later]
    spread2 = np.average(misses * misses, axis=0, weights=trust[later])
    # The part of the spread that counting alone explains; what one odd day adds is not everybody's.
    spread2 = np.minimum(spread2, 0.5 / typical)
    return Profile(fitted, root_mean, spread2, shared[n:, :n])


def smooth(values: Floats, is_open: Bools, sigma_slots: float) -> Floats:
    """Return values averaged with their neighbours in the same day, open intervals with open ones alone."""
    if sigma_slots < 0.2 or values.shape[1] < 2:
        return values
    place = np.arange(values.shape[1])
    kernel = np.exp(-(((place[:, None] - place[None, :]) / sigma_slots) ** 2) / 2)
    weight = is_open @ kernel
    mean = np.divide((values * is_open) @ kernel, weight, out=np.zeros_like(values), where=weight > 0)
    return np.where(is_open, mean, values)


def settings_for(days_count: int, settings: Sequence[ProfileSetting] = SETTINGS) -> Sequence[ProfileSetting]:
    """Return the settings worth trying on so many days: a handful of days has no ranks to choose from."""
    return settings if days_count >= 21 else settings[:1]
