"""The level: settings are averaged by how likely they make the past, whatever kind of past it is."""

from __future__ import annotations

import numpy as np
from scipy.stats import multivariate_normal

from tests.workforce.series_made import FIRST_DAY, made_totals
from workforce.day_labels import DayLabels
from workforce.forecast_days import DayRelations, relate
from workforce.forecast_level import SETTINGS, Level, LevelSetting, forecast_level
from workforce.rolling_regression import fit
from workforce.series import Floats

AHEAD = 20


def _relations(rows: np.ndarray) -> DayRelations:
    is_open = np.zeros(int(rows[-1]) + 1, dtype=bool)
    is_open[rows] = True
    return relate(FIRST_DAY + rows, is_open, is_open, FIRST_DAY, DayLabels())


def _level(factor: Floats, settings: tuple[LevelSetting, ...] = SETTINGS) -> tuple[Level, Floats]:
    """Return the level and its errors, as parts, of the last 20 days, which it has not seen."""
    days = len(factor)
    rows = np.flatnonzero(made_totals(days))
    expected = (made_totals(days) * factor)[rows]
    totals = np.random.default_rng(4).poisson(expected).astype(float)
    found = forecast_level(totals[:-AHEAD], np.zeros(len(rows) - AHEAD), _relations(rows), settings)
    return found, found.ahead / expected[-AHEAD:] - 1.0


def _share(found: Level, **wanted: float) -> float:
    return sum(
        share
        for setting, share in found.weights
        if all(getattr(setting, name) == value for name, value in wanted.items())
    )


def test_evidence_is_the_likelihood_of_a_normal_at_its_best_scale() -> None:
    apart = np.abs(np.arange(30)[:, None] - np.arange(30)[None, :])
    covariance, noise = np.exp(-apart / 4.0), np.full(30, 0.5)
    whole = covariance + np.diag(noise)
    values = np.random.default_rng(1).multivariate_normal(np.zeros(30), whole)
    scale = values @ np.linalg.solve(whole, values) / 30
    smaller, best, larger = (
        multivariate_normal(np.zeros(30), part * scale * whole).logpdf(values) for part in (0.98, 1.0, 1.02)
    )
    assert max(smaller, larger) < best
    found = fit(covariance, noise, values[:, None]).evidence(0)
    assert abs(found - 15 * (1 + np.log(2 * np.pi)) - best) < 1e-9


def test_a_level_that_steps_gives_levels_that_stay_the_say_and_one_that_returns_does_not() -> None:
    days = np.arange(182)
    steps, steps_error = _level(np.where(days > 84, 1.3, 1.0))
    dice = np.random.default_rng(2)
    returns, _ = _level(1.0 + 0.03 * dice.standard_normal(182))
    assert _share(steps, drift_days=250.0) > 0.5
    assert _share(returns, drift_days=250.0) < 0.1
    assert abs(steps_error.mean()) < 0.03


def test_a_payday_is_learnt_and_where_there_is_none_it_has_little_say() -> None:
    place = (FIRST_DAY + np.arange(182)).astype("datetime64[D]")
    day_of_month = (place - place.astype("datetime64[M]")).astype(int)
    paydays, error = _level(np.where(day_of_month < 3, 1.3, 1.0))
    plain, _ = _level(np.ones(182))
    assert _share(paydays, month=0.0) < 0.05
    assert _share(plain, month=0.0) > 0.5
    assert np.abs(error).mean() < 0.05


def test_a_long_history_screens_settings_and_still_finds_the_level() -> None:
    days = np.arange(420)
    found, error = _level(1.0 + 0.4 * days / 420)
    assert len(found.weights) < len(SETTINGS)
    assert abs(error.mean()) < 0.03  # a level that came back to its mean would miss by 0.13
