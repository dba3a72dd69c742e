"""The level of a day: its total, by calendar regression with errors that hang together in time. Pure.

On the logarithm of the total: weekday, labels, neighbours of closed days, the turn of the month, a level that
drifts over months, the mood of some days (AR), the day's own noise, and what counting adds to it (Poisson).
How much each weighs is not known beforehand: several settings run side by side and are averaged by the errors
that they made from past origins, so that an effect which does not help has no say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from workforce.forecast_days import DayRelations
from workforce.history import weekday_of
from workforce.rolling_regression import fit, robust_noise
from workforce.series import Floats, Ints

HORIZON_MAX_DAYS = 28
_ALMOST_FREE = 4.0
_LABEL_VARIANCE = 0.25
"""An effect of a label is within ± 50 % (log) two times of three before it has been seen."""
_ZERO_ADDED = 0.5
_LOG_MAX = 25.0
_SIGMA_MIN, _SIGMA_START = 0.02, 0.1
_YEAR_AFTER_DAYS = 400
_SHARPNESS = 20.0
_ORIGINS_MIN = 10
_LEVEL_DAYS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSetting:
    """Variances as multiples of the variance that is left when weekdays are known, reaches in days."""

    noise: float = 0.5
    drift: float = 1.0
    drift_days: float = 60.0
    mood: float = 0.7
    mood_days: float = 3.0
    month: float = 1.0
    closure: float = 5.0
    year: float = 0.0
    labels: bool = True


SETTINGS: tuple[LevelSetting, ...] = tuple(
    LevelSetting(drift=drift, month=month)
    for drift, month in ((0.05, 1.5), (1.0, 0.0), (0.25, 1.5), (1.0, 1.5), (3.0, 1.5), (1.0, 15.0))
)
_ODDNESS_SETTING = LevelSetting(month=15.0)
"""With a free hand for the turn of the month, so that paydays are not taken for odd days and forgotten."""


@dataclass(frozen=True, slots=True)
class Level:
    """Forecasts of daily totals.

    Attributes:
        past: ``[j, o]``: forecast of day j from the first o + 1 days; meant for j > o. Shape (n, n).
        ahead: Of the days asked for, shape (k,).
        oddness: How much less than a plain day each day teaches, ≥ 1; shape (n,).
        weights: Share of each setting, and what it was.
    """

    past: Floats
    ahead: Floats
    oddness: Floats
    weights: Sequence[tuple[LevelSetting, float]]


def forecast_level(
    totals: Floats,
    repaired_share: Floats,
    relations: DayRelations,
    settings: Sequence[LevelSetting] = SETTINGS,
) -> Level:
    """Forecast the totals of the days asked for, and again from every past origin.

    Args:
        totals: Of the days learnt from, shape (n,).
        repaired_share: Part of each that was filled in, in [0, 1).
        relations: Of these n days and the k asked for.
    """
    n = len(totals)
    log_total = np.log(totals + _ZERO_ADDED)
    mean = float(np.median(log_total))
    sigma2 = _spread(log_total, relations.days[:n]) ** 2
    counting = 1.0 / (totals + _ZERO_ADDED)
    own = max(sigma2 - float(np.median(counting)), 0.1 * sigma2)
    values = (log_total - mean)[:, None]
    trust = (1.0 - repaired_share) ** 2
    first = _covariance(relations, sigma2, _ODDNESS_SETTING)
    plain = (_ODDNESS_SETTING.noise * own + counting) / trust
    oddness = robust_noise(first[:n, :n], plain, values[:, 0]) / plain
    if relations.days[n - 1] - relations.days[0] >= _YEAR_AFTER_DAYS:
        settings = [*settings, *(replace(setting, year=3.0) for setting in settings)]
    past, ahead = [], []
    for setting in settings:
        covariance = _covariance(relations, sigma2, setting)
        noise = oddness * (setting.noise * own + counting) / trust
        fitted = fit(covariance[:n, :n], noise, values)
        past.append(fitted.all_origins() + mean)
        ahead.append(fitted.ahead(covariance[n:, :n])[:, 0] + mean)
    shares = _shares(np.array(past), totals, relations.days[:n])
    return Level(
        past=_total(np.tensordot(shares, np.array(past), 1)),
        ahead=_total(np.tensordot(shares, np.array(ahead), 1)),
        oddness=oddness,
        weights=tuple(zip(settings, shares.tolist(), strict=True)),
    )


def _total(log_total: Floats) -> Floats:
    """Return totals; what was added to the count comes off where the logarithm does not make up for it."""
    raised = np.exp(np.minimum(log_total, _LOG_MAX))
    return np.asarray(np.maximum(raised - _ZERO_ADDED * np.exp(_ZERO_ADDED - raised), 0.0))


def _spread(log_total: Floats, days: Ints) -> float:
    """Return the robust standard deviation about the median of the same weekdays around."""
    away = np.zeros(len(days))
    weekdays = weekday_of(days)
    for weekday in np.unique(weekdays):
        rows = np.flatnonzero(weekdays == weekday)
        begin = np.clip(np.arange(len(rows)) - _LEVEL_DAYS // 2, 0, max(0, len(rows) - _LEVEL_DAYS))
        away[rows] = [
            log_total[row] - np.median(log_total[rows[a : a + _LEVEL_DAYS]])
            for row, a in zip(rows, begin, strict=True)
        ]
    found = 1.4826 * float(np.median(np.abs(away)))
    return max(found, _SIGMA_MIN) if len(days) >= 2 * 7 else max(found, _SIGMA_START)


def _covariance(relations: DayRelations, sigma2: float, setting: LevelSetting) -> Floats:
    shared = (
        setting.drift * relations.fading(setting.drift_days)
        + setting.mood * relations.fading(setting.mood_days)
        + setting.month * relations.month
        + setting.closure * relations.closure
        + setting.year * relations.year
    )
    labelled = _LABEL_VARIANCE * (relations.named + relations.kinds) if setting.labels else 0.0
    return np.asarray(_ALMOST_FREE * (1.0 + relations.weekday) + labelled + sigma2 * shared)


def _shares(past: Floats, totals: Floats, days: Ints) -> Floats:
    """Return each setting's share by its error over the later half of past origins, shape (settings,)."""
    n = len(totals)
    origins = np.arange(max(_ORIGINS_MIN, n // 3), n)
    if len(origins) < _ORIGINS_MIN:
        return np.full(len(past), 1.0 / len(past))
    ahead = days[:, None] - days[None, origins]  # of day j, counted from the first day after the origin
    counts = ((ahead >= 0) & (ahead < HORIZON_MAX_DAYS)) * np.where(ahead < 7, 3.0, 1.0)
    typical = float(np.median(totals))
    error = np.abs(np.exp(np.minimum(past[:, :, origins - 1], _LOG_MAX)) - totals[None, :, None])
    # One closed holiday must not choose the setting: an error counts at most as half a day.
    error = np.minimum(error, 0.5 * typical)
    mean_error = (error * counts).sum(axis=(1, 2)) / counts.sum()
    share = np.exp(-_SHARPNESS * (mean_error / mean_error.min() - 1.0))
    return np.asarray(share / share.sum())
