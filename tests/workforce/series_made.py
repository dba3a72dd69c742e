"""Simulated series whose structure is known, for the tests of history and forecast."""

from __future__ import annotations

from datetime import date

import numpy as np

from workforce.day_labels import day_number
from workforce.series import DAY_S, MINUTE_S, Floats, Series, series_from_arrays

FIRST_DAY = day_number(date(2026, 1, 5))  # a Monday
WEEKDAY_LEVEL = np.array([1.3, 1.0, 0.9, 0.95, 1.05, 0.0, 0.0])


def shares(slots: int) -> Floats:
    """Return a profile with a morning peak and a lower one after lunch."""
    hour = np.linspace(0.0, 1.0, slots, endpoint=False)
    made = 0.2 + np.exp(-(((hour - 0.3) / 0.15) ** 2)) + 0.6 * np.exp(-(((hour - 0.75) / 0.12) ** 2))
    return np.asarray(made / made.sum())


def made_totals(days: int, *, calls_per_day: float = 2_000.0) -> Floats:
    """Return expected totals by day: closed at weekends."""
    weekday = (FIRST_DAY + np.arange(days) + 3) % 7
    return np.asarray(calls_per_day * WEEKDAY_LEVEL[weekday])


def made_series(
    totals: Floats, *, interval_min: int = 30, open_min: int = 8 * 60, close_min: int = 18 * 60, seed: int = 1
) -> Series:
    """Return Poisson counts about these totals; days with a total of 0 have no rows."""
    dice = np.random.default_rng(seed)
    slots = np.arange(open_min, close_min, interval_min)
    rows = np.flatnonzero(totals > 0)
    expected = totals[rows][:, None] * shares(len(slots))
    start_s = ((FIRST_DAY + rows) * DAY_S)[:, None] + slots * MINUTE_S
    return series_from_arrays(start_s.ravel(), dice.poisson(expected).ravel().astype(np.float64))


def wandering_series(days: int, seed: int) -> Series:
    """Return hours of workdays: a level that wanders and comes back, moods of days, counting noise."""
    dice = np.random.default_rng(seed)
    wander, level = 0.0, np.zeros(days)
    for day in range(days):
        wander = 0.93 * wander + 0.03 * dice.standard_normal()
        level[day] = wander + 0.04 * dice.standard_normal()
    hours = np.arange(8, 20)
    shape = np.exp(-(((hours - 13) / 5.0) ** 2))
    date = FIRST_DAY + np.arange(days)
    workday = (date + 3) % 7 < 5
    expected = 150.0 * np.exp(level)[:, None] * shape[None, :]
    start_s = date[:, None] * DAY_S + hours[None, :] * 3_600
    calls = dice.poisson(expected).astype(float)
    return series_from_arrays(start_s[workday].ravel(), calls[workday].ravel())


def wape(forecast: Floats, actual: Floats) -> float:
    """Return Σ|forecast - actual| ÷ Σ actual."""
    return float(np.abs(forecast - actual).sum() / actual.sum())
