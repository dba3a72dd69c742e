"""Intraday: the rest of the day learns from its beginning, as far as past days say that it may."""

from __future__ import annotations

import numpy as np
import pytest

from tests.closing import shared_data
from tests.workforce.series_made import FIRST_DAY, made_series, made_totals
from workforce.errors import InputError
from workforce.forecast import forecast
from workforce.history import day_grid
from workforce.history_repair import repair
from workforce.intraday import Intraday, learn, renew, renew_forecast
from workforce.series import DAY_S, Series, resample
from workforce.series_csv import read_series


def _before(series: Series, day: int) -> Series:
    known = series.start_s // DAY_S < day
    return Series(
        zone="", interval_min=series.interval_min, start_s=series.start_s[known], calls=series.calls[known]
    )


def _moody_series(days: int, seed: int = 3) -> Series:
    """Return days whose level is drawn anew each day, ± 15 %, so that a morning tells the afternoon."""
    mood = np.random.default_rng(seed).normal(1.0, 0.15, days)
    return made_series(made_totals(days) * np.maximum(mood, 0.4), interval_min=60)


def test_a_day_that_runs_high_is_expected_to_go_on_high() -> None:
    series = _moody_series(84)
    found = forecast(repair(day_grid(series)), 5)
    learnt = learn(found.errors, 60)
    day = int(found.days[found.is_open.any(axis=1)][0])
    row = int(np.flatnonzero(found.days == day)[0])
    update = renew(learnt, found.mean[row], found.mean[row][:4] * 1.3)
    rest = update.mean[4:].sum() / found.mean[row][4:].sum()
    assert 1.15 < rest < 1.3
    assert np.array_equal(update.mean[:4], found.mean[row][:4])
    assert np.all(update.narrowing <= 1.0)
    mean, quantiles = renew_forecast(found, learnt, day, found.mean[row][:4] * 1.3)
    assert np.array_equal(mean, update.mean)
    assert np.all(np.diff(quantiles, axis=1) >= 0)
    assert np.mean(np.ptp(quantiles[4:], axis=1)) < np.mean(np.ptp(found.quantiles[row][4:], axis=1))


def test_where_a_morning_tells_nothing_the_forecast_stays() -> None:
    found = forecast(repair(day_grid(made_series(made_totals(84), interval_min=60))), 5)
    learnt = learn(found.errors, 60)
    row = int(np.flatnonzero(found.is_open.any(axis=1))[0])
    update = renew(learnt, found.mean[row], found.mean[row][:3] * 1.1)
    assert abs(update.mean[3:].sum() / found.mean[row][3:].sum() - 1.0) < 0.06


def test_a_short_history_believes_nothing_and_nothing_seen_changes_nothing() -> None:
    found = forecast(repair(day_grid(made_series(made_totals(28)))), 5)
    learnt = learn(found.errors, 30)
    assert not learnt.belief.any()
    mean = np.full(20, 30.0)
    assert np.array_equal(renew(learnt, mean, mean[:5] * 2).mean, mean)
    believing = Intraday(np.eye(20), np.ones((20, 2)), 4, 99)
    assert np.array_equal(renew(believing, mean, mean[:0]).mean, mean)
    with pytest.raises(InputError, match="21 intervals were seen"):
        renew(believing, mean, np.ones(21))


def test_a_day_that_is_not_forecast_cannot_be_renewed() -> None:
    found = forecast(repair(day_grid(made_series(made_totals(28)))), 5)
    with pytest.raises(InputError, match="not among those forecast"):
        renew_forecast(found, learn(found.errors, 30), FIRST_DAY, np.ones(3))


def _bank_errors(
    name: str, hours: tuple[float, ...], first: int, step: int
) -> dict[float, tuple[float, ...]]:
    """Return by hour (next two hours renewed, untouched, by ratio; rest renewed, untouched) as WAPE."""
    series = resample(read_series(shared_data(name).read_text()), 30)
    grid = day_grid(series)
    sums = {hour: np.zeros(7) for hour in hours}
    for row in np.flatnonzero(grid.present.any(axis=1))[first::step]:
        history = repair(day_grid(_before(series, int(grid.days[row]))))
        found = forecast(history, int(grid.days[row] - history.grid.days[history.used_rows[-1]]))
        learnt = learn(found.errors, 30)
        plain, actual = found.mean[-1], grid.calls[row]
        for hour in hours:
            seen = int(np.searchsorted(grid.slots_min, hour * 60))
            renewed = renew(learnt, plain, actual[:seen]).mean
            ratio = plain * actual[:seen].sum() / max(plain[:seen].sum(), 1.0)
            near, rest = slice(seen, seen + 4), slice(seen, None)
            sums[hour] += [
                *(np.abs(told[near] - actual[near]).sum() for told in (renewed, plain, ratio)),
                actual[near].sum(),
                *(np.abs(told[rest] - actual[rest]).sum() for told in (renewed, plain)),
                actual[rest].sum(),
            ]
    return {hour: (*(one[:3] / one[3]).tolist(), *(one[4:6] / one[6]).tolist()) for hour, one in sums.items()}


@pytest.mark.long
def test_the_large_banks_next_two_hours_at_noon_are_within_3_4_percent() -> None:
    found = _bank_errors("bank_calls_5min.csv", (8.0, 12.0), 80, 3)
    near, untouched, ratio, _, _ = found[12.0]
    assert near < 0.034
    assert near < min(untouched, ratio)
    for near, untouched, _, rest, rest_untouched in found.values():
        assert near < untouched
        assert rest < rest_untouched * 1.005


@pytest.mark.long
@pytest.mark.timeout(900)
def test_no_hour_of_either_bank_is_made_worse_by_more_than_chance() -> None:
    for name, hours, step in (
        ("bank_calls_5min.csv", (7.5, 8.0, 9.0, 10.0, 12.0, 16.0), 2),
        ("anonbank_1999_6min.csv", (7.0, 8.0, 9.0, 12.0, 16.0), 6),
    ):
        for near, untouched, _, rest, rest_untouched in _bank_errors(name, hours, 80, step).values():
            assert near < untouched * 1.01
            assert rest < rest_untouched * 1.01
