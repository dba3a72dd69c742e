"""Handle times, a new queue by analogy, redials: what stands around a forecast of calls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.closing import shared_data
from tests.workforce.series_made import made_series, made_totals
from workforce.analogy import by_analogy, given_scale, measured_scale
from workforce.errors import InputError
from workforce.forecast import ForecastError, forecast
from workforce.forecast_aht import forecast_aht
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.redial_log import find_redials, first_attempts
from workforce.series import DAY_S, Series


def _history(series: Series) -> History:
    return repair(day_grid(series))


def _with_aht(series: Series, seed: int = 5) -> Series:
    dice = np.random.default_rng(seed)
    true = 240.0 * np.where(series.start_s % DAY_S < 12 * 3600, 0.9, 1.1)
    noise = dice.gamma(series.calls.clip(1), 1.0) / series.calls.clip(1)
    return replace(series, aht_s=true * noise)


def test_handle_times_by_time_of_day_are_recovered_and_their_bands_hold() -> None:
    series = _with_aht(made_series(made_totals(84), seed=2))
    found = forecast(_history(series), 7)
    aht = forecast_aht(_history(series), found)
    is_open = found.is_open
    morning = is_open & (found.slots_min < 12 * 60)[None, :]
    assert abs(np.nanmean(aht.mean[morning]) / 216.0 - 1.0) < 0.03
    assert abs(np.nanmean(aht.mean[is_open & ~morning]) / 264.0 - 1.0) < 0.03
    assert np.isnan(aht.mean[~is_open]).all()
    later = _with_aht(made_series(made_totals(91), seed=2))
    assert later.aht_s is not None
    true = day_grid(later).aht_s
    assert true is not None
    actual = true[-7:-2] if len(true) > 89 else true[-5:]
    bands = aht.quantiles[is_open.any(axis=1)]
    inside = (actual >= bands[..., 0]) & (actual <= bands[..., -1])
    assert 0.65 < inside.mean() < 0.95


def test_a_history_without_handle_times_says_which_column_it_needs() -> None:
    history = _history(made_series(made_totals(28)))
    with pytest.raises(ForecastError, match="column aht_s"):
        forecast_aht(history, forecast(history, 5))


def test_a_new_queue_takes_anothers_profile_at_a_measured_scale() -> None:
    other = _history(made_series(made_totals(84)))
    third = made_totals(84) / 3
    third[:70] = 0.0
    third[70] /= 5  # opened late in the afternoon
    scale = measured_scale(_history(made_series(third, seed=9)), other)
    assert scale.days_count == 9
    assert abs(scale.ratio - 1 / 3) < 0.03
    plain = forecast(other, 7)
    new = by_analogy(plain, scale)
    assert np.allclose(new.mean, plain.mean * scale.ratio)
    relative = [
        np.ptp(found.quantiles[found.is_open], axis=-1) / found.mean[found.is_open] for found in (plain, new)
    ]
    assert np.all(relative[1] > relative[0])
    assert np.all(np.diff(new.quantiles, axis=2) >= 0)
    assert "by analogy" in str(new.notes[-1])


def test_a_scale_out_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="above 0"):
        given_scale(0.0)
    early, late = made_totals(84), made_totals(84)
    early[42:], late[:42] = 0.0, 0.0
    with pytest.raises(InputError, match="no day in common"):
        measured_scale(_history(made_series(early)), _history(made_series(late)))


def test_calls_again_after_an_unserved_one_are_redials_and_nothing_is_lost() -> None:
    caller = np.array(["a", "b", "a", "", "", "b", "c", "c"])
    at_s = np.array([0.0, 10.0, 300.0, 320.0, 330.0, 9_000.0, 9_100.0, 9_200.0])
    answered = np.array([False, False, True, False, False, True, True, True])
    redials = find_redials(caller, at_s, answered)
    assert np.flatnonzero(redials.is_redial).tolist() == [2]
    assert redials.redial_share == 0.5
    first, again = first_attempts(at_s, redials, 30)
    assert first.calls.sum() + again.calls.sum() == 8
    assert first.start_s.tolist() == again.start_s.tolist()
    assert again.calls.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_redials_of_the_small_bank_are_a_part_of_those_who_hung_up() -> None:
    lines = shared_data("anonbank_1999_02_calls.csv").read_text().splitlines()[1:]
    rows = [line.split(",") for line in lines]
    caller = np.array([row[2] if row[2] not in {"0", "-1"} else "" for row in rows])
    at_s = np.array([row[5] for row in rows], dtype="datetime64[s]").astype(np.int64).astype(float)
    redials = find_redials(caller, at_s, np.array([row[10] == "AGENT" for row in rows]))
    assert 0.0 < redials.redial_share < 1.0
