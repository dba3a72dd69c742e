"""Accuracy against held days: the two banks, and a series on which the naive way is right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.closing import shared_data
from tests.workforce.series_made import made_series, made_totals
from workforce.backtest import Backtest, backtest, open_days, origins_of
from workforce.forecast import ForecastError
from workforce.series import Series, resample
from workforce.series_csv import read_series


def _bank(name: str) -> Series:
    return resample(read_series(shared_data(name).read_text()), 30)


def _ratios(found: Backtest) -> dict[int, float]:
    return {one.horizon_days: one.score.wape / one.peers["industry"].wape for one in found.results}


def test_the_large_bank_is_forecast_better_than_the_industry_does() -> None:
    series = _bank("bank_calls_5min.csv")
    found = backtest(series, open_days(series)[80:111:10], (1, 7))
    assert [result.score.origins for result in found.results] == [4, 4]
    assert max(_ratios(found).values()) < 0.9
    assert {result.winner for result in found.results} == {"forecast"}


@pytest.mark.long
def test_the_large_bank_is_forecast_a_fifth_better_than_the_industry_does() -> None:
    series = _bank("bank_calls_5min.csv")
    found = backtest(series, open_days(series)[80::5], (1, 7, 28))
    one, seven, four_weeks = found.results
    assert [result.score.origins for result in found.results] == [9, 8, 5]
    assert one.score.wape < 0.049
    assert seven.score.wape < 0.049
    assert four_weeks.score.wape < 0.055
    assert _ratios(found)[1] < 0.8
    assert _ratios(found)[7] < 0.8
    assert all(0.76 < result.score.coverage < 0.86 for result in found.results)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_bands_and_accuracy_hold_from_every_origin_and_in_both_halves() -> None:
    series = _bank("bank_calls_5min.csv")
    days = open_days(series)
    for origins in (days[60:92:2], days[92::2]):
        assert max(_ratios(backtest(series, origins, (1, 7))).values()) < 0.9
    whole = backtest(series, days[60:], (1, 7, 28))
    assert all(0.77 < result.score.coverage < 0.86 for result in whole.results)
    series = _bank("anonbank_1999_6min.csv")
    found = backtest(series, open_days(series)[80::5], (1, 7, 28))
    assert _ratios(found)[1] < 0.9
    assert max(_ratios(found).values()) < 0.92
    assert all(0.77 < result.score.coverage < 0.83 for result in found.results)


def test_the_report_says_so_when_the_naive_way_wins() -> None:
    series = made_series(made_totals(56))
    week = np.random.default_rng(3).integers(1, 200, 5 * 20).astype(float)
    exact = np.tile(week, len(series.calls) // len(week))  # every week like the last, and no shape to learn
    weekly = Series(zone="", interval_min=30, start_s=series.start_s, calls=exact)
    found = backtest(weekly, origins_of(weekly, 3, [1]), [1])
    assert found.results[0].peers["seasonal_naive"].wape == 0.0
    assert found.results[0].winner == "seasonal_naive"


def test_an_origin_sees_nothing_of_what_comes() -> None:
    totals = made_totals(63)
    changed = totals.copy()
    changed[49:] *= 3
    origin = open_days(made_series(totals))[30:31]
    one = backtest(made_series(totals), origin, [3])
    two = backtest(made_series(changed), origin, [3])
    assert one.results[0].score.actual == two.results[0].score.actual
    assert one.results[0].score.absolute == two.results[0].score.absolute


def test_a_series_too_short_for_a_backtest_is_refused_and_a_horizon_too_long_noted() -> None:
    with pytest.raises(ForecastError, match="too few for a backtest"):
        origins_of(made_series(made_totals(12)), 5, [1])
    series = made_series(made_totals(56))
    found = backtest(series, origins_of(series, 2, [1, 90]), [1, 90])
    assert [result.horizon_days for result in found.results] == [1]
    assert "90 days" in str(found.notes[0])
