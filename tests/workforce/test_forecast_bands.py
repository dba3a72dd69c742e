"""Bands hold what they say, follow a queue that calms down, and grow where little was known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workforce.series_made import FIRST_DAY, wandering_series
from workforce.backtest import backtest
from workforce.forecast_bands import Errors, calibrate
from workforce.rolling_regression import fit
from workforce.series import Floats

LEVELS = (0.1, 0.5, 0.9)
CALLS = np.linspace(20.0, 400.0, 24)


def _errors(spread: Floats, doubt: Floats | None = None) -> Errors:
    """Return days foretold a day ahead at ``CALLS``, with relative errors of *spread* by day."""
    days, slots = len(spread), len(CALLS)
    dice = np.random.default_rng(5)
    forecast = np.tile(CALLS, (days, 1))
    return Errors(
        ahead_days=np.ones(days, dtype=np.int64),
        age_days=np.arange(days, 0, -1),
        doubt=np.full(days, 0.01) if doubt is None else doubt,
        forecast=forecast,
        actual=forecast * (1.0 + spread[:, None] * dice.standard_normal((days, slots))),
        counts=np.ones((days, slots), dtype=bool),
    )


def _width(errors: Errors, doubt: float = 0.01) -> float:
    """Return the width of the band of a day ahead, as part of the forecast."""
    bands = calibrate(errors, LEVELS)
    found = bands.around(CALLS[None, :], np.ones(1, dtype=np.int64), np.array([doubt]))
    return float(np.mean((found[..., -1] - found[..., 0]) / CALLS))


def test_a_queue_that_became_calmer_gets_a_narrower_band_than_one_that_became_wilder() -> None:
    calm, wild = np.full(40, 0.1), np.full(40, 0.3)
    calmer, wilder = (
        _width(_errors(np.concatenate([wild, calm]))),
        _width(_errors(np.concatenate([calm, wild]))),
    )
    steady = _width(_errors(np.full(80, 0.2)))
    assert calmer < 0.8 * wilder
    assert abs(steady - 2 * 1.2816 * 0.2) < 0.04


def test_what_was_foretold_from_little_does_not_widen_what_is_foretold_from_much() -> None:
    early, late = np.full(40, 0.3), np.full(40, 0.1)
    doubt = np.concatenate([early, late]) ** 2
    told, untold = _errors(np.concatenate([early, late]), doubt), _errors(np.concatenate([early, late]))
    assert _width(told, doubt=0.01) < 0.9 * _width(untold)
    assert _width(told, doubt=0.09) > 1.4 * _width(told, doubt=0.01)


def test_the_doubt_of_a_regression_is_the_variance_that_remains() -> None:
    apart = np.abs(np.arange(12)[:, None] - np.arange(12)[None, :])
    covariance, noise = np.exp(-apart / 4.0), np.full(12, 0.3)
    whole = covariance + np.diag(noise)
    found = fit(covariance[:10, :10], noise[:10], np.zeros((10, 1)))
    for origin, day in ((3, 6), (9, 9), (1, 8)):
        known = whole[:origin, :origin]
        left = whole[day, day] - whole[day, :origin] @ np.linalg.solve(known, whole[:origin, day])
        assert found.doubt_all_origins()[day, origin - 1] == pytest.approx(left, rel=1e-9)
    ahead = found.doubt_ahead(covariance[10:, :10], whole.diagonal()[10:])
    left = whole[11, 11] - whole[11, :10] @ np.linalg.solve(whole[:10, :10], whole[:10, 11])
    assert ahead[1] == pytest.approx(left, rel=1e-9)


@pytest.mark.long
def test_bands_of_80_percent_hold_80_percent_over_many_series() -> None:
    within, total = np.zeros(3), np.zeros(3)
    for seed in range(12):
        series = wandering_series(240, seed)
        origins = FIRST_DAY + np.arange(130, 212, 4)
        for at, result in enumerate(backtest(series, origins, (1, 7, 28)).results):
            within[at] += result.score.within
            total[at] += result.score.intervals
    # Four weeks ahead the same few months of errors are all there is to learn from: a little too narrow.
    assert np.all(np.abs(within / total - (0.79, 0.79, 0.775)) < 0.03), (within / total).tolist()
