"""Handle times ahead: level × weekday × time of day, each believed by how many calls told it. Pure.

AHT moves slowly and its noise is the calls' own, so the level is the mean of past days, weighted by calls
and fading over six weeks. The band is that of the mean of so many calls as are forecast, about an uncertain
level, with quantiles taken from how past days missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from workforce.forecast import DAYS_MIN, Forecast, ForecastError
from workforce.history import weekday_of
from workforce.history_repair import History
from workforce.series import Floats, Ints

_FADING_DAYS = 42.0
_WEEKDAY_CALLS, _SLOT_CALLS = 200.0, 100.0
"""So many calls tell as much of a weekday, or a time of day, as the assumption that it is like any other."""
_ERRORS_MIN = 60
_ORIGINS_MAX = 60
_CV2_FALLBACK = 1.0


@dataclass(frozen=True, slots=True)
class AhtForecast:
    """Mean handle time per interval in seconds, NaN where closed.

    Attributes:
        mean: Shape (k, S).
        quantiles: Of the mean over the calls of an interval, ascending; shape (k, S, levels).
    """

    mean: Floats
    quantiles: Floats


def forecast_aht(history: History, found: Forecast) -> AhtForecast:
    """Forecast handle times of the days and intervals of *found*.

    Raises:
        ForecastError: the history has no handle times, or of fewer than five days.
    """
    if history.grid.aht_s is None:
        raise ForecastError("the history has no handle times: the file needs a column aht_s")
    aht_s = history.grid.aht_s
    calls = np.where(np.isnan(aht_s) | np.isnan(history.grid.calls), 0.0, history.grid.calls)
    handled_s = np.where(calls > 0, calls * np.nan_to_num(aht_s), 0.0)
    rows = np.flatnonzero(calls.sum(axis=1) > 0)
    if len(rows) < DAYS_MIN:
        raise ForecastError(f"handle times of {len(rows)} days; a forecast needs at least {DAYS_MIN}")
    calls, handled_s, days = calls[rows], handled_s[rows], history.grid.days[rows]
    mean = _ahead(calls, handled_s, days, found.days)
    standard, cv2, level2 = _past_errors(calls, handled_s, days)
    expected = np.maximum(found.mean, 1.0)
    spread = np.sqrt(level2 + cv2 / expected)
    table = _table(standard, found.levels)
    quantiles = np.maximum(mean[..., None] * (1.0 + spread[..., None] * table), 0.0)
    closed = ~found.is_open
    mean[closed] = np.nan
    quantiles[closed] = np.nan
    return AhtForecast(mean, quantiles)


def _ahead(calls: Floats, handled_s: Floats, days: Ints, wanted: Ints) -> Floats:
    """Return the mean handle time of *wanted* days by interval, from all days given; shape (k, S)."""
    fading = np.exp(-(days[-1] - days) / _FADING_DAYS)[:, None]
    weight, handled = calls * fading, handled_s * fading
    level = handled.sum() / weight.sum()
    slot = (handled.sum(axis=0) + _SLOT_CALLS * level) / (weight.sum(axis=0) + _SLOT_CALLS)
    by_time = (weight * slot).sum(axis=1)  # what the day would have handled if it were like any other
    weekdays = weekday_of(days)
    ratio = np.array(
        [
            (handled[weekdays == weekday].sum() + _WEEKDAY_CALLS * level)
            / (by_time[weekdays == weekday].sum() + _WEEKDAY_CALLS * level)
            for weekday in range(7)
        ]
    )
    return np.asarray(ratio[weekday_of(wanted)][:, None] * slot[None, :])


def _past_errors(calls: Floats, handled_s: Floats, days: Ints) -> tuple[Floats, float, float]:
    """Return standardised errors of past days, squared CV of one call, and variance of the level."""
    begin = max(DAYS_MIN, len(days) // 2)
    origins: list[int] = []
    if len(days) > begin:
        origins = np.unique(np.linspace(begin, len(days) - 1, _ORIGINS_MAX).astype(int)).tolist()
    errors, counts, level = [], [], []
    for origin in origins:
        told = _ahead(calls[:origin], handled_s[:origin], days[:origin], days[origin : origin + 1])[0]
        known = calls[origin] > 0
        errors.append(handled_s[origin][known] / calls[origin][known] / told[known] - 1.0)
        counts.append(calls[origin][known])
        level.append(handled_s[origin].sum() / (calls[origin] * told).sum() - 1.0)
    if not len(errors) or sum(len(each) for each in errors) < _ERRORS_MIN:
        return np.zeros(0), _CV2_FALLBACK, 0.05**2
    error, count = np.concatenate(errors), np.concatenate(counts)
    cv2 = float(np.median(error * error * count)) / 0.455  # the median of χ² with one degree
    level2 = max(float(np.median(np.square(level))) / 0.455 - cv2 / float(np.mean(calls.sum(axis=1))), 0.0)
    return error / np.sqrt(level2 + cv2 / count), cv2, level2


def _table(standard: Floats, levels: Sequence[float]) -> Floats:
    if not len(standard):
        return np.asarray(ndtri(np.array(levels)))
    return np.asarray(np.quantile(standard, np.array(levels)))
