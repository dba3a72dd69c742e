"""Bands that hold what they say: quantiles of the errors made from past origins, by horizon. Pure.

An error is measured in a yardstick that knows counting noise and how uncertain the level was, so that a busy
interval and a quiet one, and what was foretold from much and from little, can share their errors; its
quantiles are then taken as they were (split conformal prediction), per horizon, with the correction for how
few days there were. Going through the past days once more, a band that missed too often grows and one that
held too often shrinks, and so follows a queue that became calmer or wilder (adaptive conformal prediction).

Source: Vovk, Gammerman & Shafer, *Algorithmic Learning in a Random World* (2005); Lei et al. (2018); Gibbs &
Candès, "Adaptive conformal inference under distribution shift" (2021), with the width adapted, not the level.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from workforce.history import Bools
from workforce.series import Floats, Ints

BUCKETS_DAYS = (1, 3, 7, 14, 28)
"""Horizons share their errors up to so many open days ahead; beyond the last the band grows with √time."""
ERRORS_MIN = 60
DAYS_MIN = 8
_RELATIVE_FALLBACK = 0.15
_SLOT_ERRORS = 30.0
_DOUBT_MAX = 10.0
_ADAPTED = 0.1
"""A day that missed wholly widens the band by some 8 %, a day that held wholly narrows it by 2 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """What past origins foretold and what came, one row per day foretold.

    Attributes:
        ahead_days: Open days from the origin, the first is 1; shape (m,).
        age_days: Open days that the day foretold lies back, the last is 1; shape (m,).
        doubt: Variance of the logarithm of the day's level, as it was seen from the origin; shape (m,).
        forecast, actual: Shape (m, S).
        counts: Where the interval was open and measured; shape (m, S).
    """

    ahead_days: Ints
    age_days: Ints
    doubt: Floats
    forecast: Floats
    actual: Floats
    counts: Bools


@dataclass(frozen=True, slots=True)
class Bands:
    """Quantiles of standardised errors by horizon.

    Attributes:
        overdispersion, relative: The yardstick: variance = overdispersion·F + (relative·F)² ×
            doubt / doubt_usual.
        doubt_usual: Median doubt about the level among past errors.
        slot_scale: By interval, around 1; shape (S,).
        levels: The quantiles' levels, in (0, 1).
        table: Standardised errors, shape (buckets, levels).
        calibrated: By bucket, whether there were enough past errors, or a plain assumption stands in.
    """

    overdispersion: float
    relative: float
    doubt_usual: float
    slot_scale: Floats
    levels: tuple[float, ...]
    table: Floats
    calibrated: tuple[bool, ...]

    def around(self, forecast: Floats, ahead_days: Ints, doubt: Floats) -> Floats:
        """Return quantiles, ascending and not negative, shape (k, S, levels).

        Args:
            forecast: Shape (k, S).
            ahead_days: Open days ahead, shape (k,), the first is 1.
            doubt: Variance of the logarithm of each day's level, shape (k,).
        """
        relative = _doubted(self.relative, doubt, self.doubt_usual)
        scale = self.slot_scale * _yardstick(forecast, self.overdispersion, relative)
        bucket = np.minimum(np.searchsorted(BUCKETS_DAYS, ahead_days), len(BUCKETS_DAYS) - 1)
        grown = np.sqrt(np.maximum(1.0, ahead_days / BUCKETS_DAYS[-1]))
        away = (self.table[bucket] * grown[:, None])[:, None, :] * scale[:, :, None]
        found = np.maximum(forecast[:, :, None] + away, 0.0)
        return np.asarray(np.where(forecast[:, :, None] > 0, np.maximum.accumulate(found, axis=2), 0.0))


def calibrate(errors: Errors, levels: Sequence[float]) -> Bands:
    """Return bands from past errors; where these are too few, from an assumption of 15 % about the level."""
    slots = errors.forecast.shape[1]
    counted = errors.counts & (errors.forecast > 0)
    forecast, error = errors.forecast[counted], (errors.actual - errors.forecast)[counted]
    enough = len(error) >= ERRORS_MIN
    overdispersion, relative = _fit_yardstick(forecast, error) if enough else (1.0, _RELATIVE_FALLBACK)
    doubt_usual = float(np.median(errors.doubt)) if len(errors.doubt) else 0.0
    doubted = _doubted(relative, errors.doubt, doubt_usual)
    scale = np.maximum(_yardstick(errors.forecast, overdispersion, doubted), 1e-9)
    standard = (errors.actual - errors.forecast) / scale
    slot_scale = _slot_scale(standard, counted) if enough else np.ones(slots)
    standard = standard / slot_scale
    bucket = np.minimum(np.searchsorted(BUCKETS_DAYS, errors.ahead_days), len(BUCKETS_DAYS) - 1)
    table: list[Floats] = []
    calibrated: list[bool] = []
    for number in range(len(BUCKETS_DAYS)):
        rows = bucket == number
        found = standard[rows][counted[rows]]
        days = int(rows.sum())
        calibrated.append(days >= DAYS_MIN and len(found) >= ERRORS_MIN)
        if calibrated[-1]:
            drawn = _systematic(standard[rows], counted[rows], errors.ahead_days[rows])
            usual = (1.0 - drawn) * float(np.median(found))
            around = np.array(_quantiles(found, levels, days)) - usual
            table.append(
                around * _width(standard[rows], counted[rows], errors.age_days[rows], around, levels)
            )
        else:
            table.append(table[-1] if table and calibrated[0] else np.array(_normal(levels)))
    return Bands(
        overdispersion=overdispersion,
        relative=relative,
        doubt_usual=doubt_usual,
        slot_scale=slot_scale,
        levels=tuple(levels),
        table=np.array(table),
        calibrated=tuple(calibrated),
    )


def _width(
    standard: Floats, counted: Bools, age_days: Ints, around: Floats, levels: Sequence[float]
) -> float:
    """Return by how much to widen a band, from how often it held on each past day, the latest last."""
    low, high = min(float(around[0]), -1e-9), max(float(around[-1]), 1e-9)
    needed = np.where(standard >= 0, standard / high, standard / low)
    allowed = 1.0 - (levels[-1] - levels[0])
    log_width = 0.0
    for age in np.unique(age_days)[::-1]:
        there = age_days == age
        of_day = needed[there][counted[there]]
        if len(of_day):
            log_width += _ADAPTED * (float(np.mean(of_day > np.exp(log_width))) - allowed)
    return float(np.exp(log_width))


def _systematic(standard: Floats, counted: Bools, ahead_days: Ints) -> float:
    """Return how much of the median error is a habit, and not a few weeks that ran high or low, in [0, 1].

    Forecasts of many origins meet the same weeks: as evidence they count as often as whole horizons fit.
    """
    by_day = _medians(standard, counted)
    independent = max(1.0, len(by_day) / float(np.max(ahead_days)) / float(np.ptp(ahead_days) + 1))
    mean2 = float(np.mean(by_day)) ** 2
    return mean2 / (mean2 + float(np.var(by_day)) / independent + 1e-12)


def _medians(values: Floats, counted: Bools) -> Floats:
    """Return the median of each row's counted values, 0 where there is none; shape (rows,)."""
    ordered = np.sort(np.where(counted, values, np.inf), axis=1)  # what is not counted stands last
    count, row = counted.sum(axis=1), np.arange(len(values))
    lower, upper = ordered[row, np.maximum(count - 1, 0) // 2], ordered[row, count // 2]
    found = (lower + upper) / 2
    return np.where(count > 0, found, 0.0)


def _doubted(relative: float, doubt: Floats, usual: float) -> Floats:
    """Return the relative error of each day, shape (m, 1): more where more was unknown of its level."""
    if usual <= 0:
        return np.full((len(doubt), 1), relative)
    ratio = np.clip(doubt / usual, 1.0 / _DOUBT_MAX, _DOUBT_MAX)
    return np.asarray(relative * np.sqrt(ratio)[:, None])


def _yardstick(forecast: Floats, overdispersion: float, relative: Floats) -> Floats:
    return np.asarray(np.sqrt(overdispersion * forecast + (relative * forecast) ** 2))


def _fit_yardstick(forecast: Floats, error: Floats) -> tuple[float, float]:
    """Return (overdispersion, relative) by robust least squares of squared errors."""
    square = error * error
    square = np.minimum(square, np.quantile(square / (forecast + 1e-9), 0.97) * forecast)
    # Weighted by 1/F² both unknowns are seen on the scale on which they matter.
    ratio = square / np.maximum(forecast, 1e-9)
    slope, intercept = (
        np.polyfit(forecast, ratio, 1, w=np.sqrt(forecast)) if np.ptp(forecast) > 0 else (0.0, 1.0)
    )
    if slope <= 0 or intercept < 0.5:
        intercept = float(np.clip(intercept, 0.5, None)) if slope > 0 else float(np.mean(ratio))
        slope = max(float(np.average((ratio - intercept) / forecast, weights=forecast)), 1e-6)
    return float(intercept), float(np.sqrt(slope))


def _slot_scale(standard: Floats, counted: Bools) -> Floats:
    """Return how much more an interval errs than the yardstick says, drawn to 1 by how little was seen."""
    size = np.abs(np.where(counted, np.clip(standard, -4.0, 4.0), 0.0))
    count = counted.sum(axis=0)
    overall = float(size.sum() / max(count.sum(), 1))
    if overall <= 0:
        return np.ones(standard.shape[1])
    return np.asarray((size.sum(axis=0) + _SLOT_ERRORS * overall) / (count + _SLOT_ERRORS) / overall)


def _quantiles(standard: Floats, levels: Sequence[float], days: int) -> list[float]:
    """Return quantiles, the outer ones a little further out, as few days call for."""
    found = []
    for level in levels:
        away = abs(level - 0.5)
        level = 0.5 + np.sign(level - 0.5) * min(away * (1.0 + 1.0 / days), 0.4999)
        found.append(float(np.quantile(standard, level)))
    return found


def _normal(levels: Sequence[float]) -> list[float]:
    return [float(ndtri(level)) for level in levels]
