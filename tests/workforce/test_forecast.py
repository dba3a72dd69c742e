"""Forecast: structure recovered, hours and holidays learnt, bands in order, short histories said in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workforce.series_made import FIRST_DAY, made_series, made_totals, shares, wape
from workforce.day_labels import DayLabels, EventsError, day_number, labels_from, read_events
from workforce.errors import InputError
from workforce.forecast import Forecast, ForecastError, forecast
from workforce.forecast_rows import Overlay, OverlayError, as_rows, lay_over
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.series import DAY_S, Series, series_from_arrays

FIRST_DATE = date(2026, 1, 5)


def _history(series: Series) -> History:
    return repair(day_grid(series))


def _forecast(totals: np.ndarray, horizon_days: int = 14, labels: DayLabels | None = None) -> Forecast:
    return forecast(_history(made_series(totals)), horizon_days, labels=labels)


def test_weekdays_level_and_profile_of_a_simulated_queue_are_recovered() -> None:
    found = _forecast(made_totals(12 * 7), 14)
    expected = made_totals(14 * 7)[12 * 7 :][:, None] * shares(20)
    assert found.days[0] == FIRST_DAY + 12 * 7 - 2  # the two days after the last Friday
    assert wape(found.mean[2:14], expected[:12]) < 0.03
    assert wape(found.mean[2:].sum(axis=1), expected[:12].sum(axis=1)) < 0.02


def test_a_closed_weekday_gets_no_calls_and_no_band() -> None:
    found = _forecast(made_totals(8 * 7))
    closed = ~found.is_open.any(axis=1)
    assert closed.sum() == 4
    assert not found.mean[closed].any()
    assert not found.quantiles[closed].any()


def test_a_busy_turn_of_the_month_is_learnt() -> None:
    totals = made_totals(150)
    first_of_month = [(FIRST_DATE + timedelta(days=ahead)).day <= 3 for ahead in range(150)]
    totals = totals * np.where(first_of_month, 1.5, 1.0)
    end = (date(2026, 5, 30) - FIRST_DATE).days
    found = _forecast(totals[:end], 5)
    day = {int(one): at for at, one in enumerate(found.days)}
    monday, thursday = day[day_number(date(2026, 6, 1))], day[day_number(date(2026, 6, 1))] + 2
    plain = made_totals(7) * 1.0
    assert found.mean[monday].sum() > 1.25 * plain[0]
    assert found.mean[thursday].sum() > 1.2 * plain[2]


def test_a_holidays_effect_is_learnt_from_days_of_its_name_and_shared_with_other_holidays() -> None:
    totals = made_totals(112)
    quiet = [FIRST_DATE + timedelta(days=ahead) for ahead in (16, 44, 72)]
    for day in quiet:
        totals[(day - FIRST_DATE).days] *= 0.4
    coming = FIRST_DATE + timedelta(days=100)
    other = FIRST_DATE + timedelta(days=101)
    labels = labels_from({**dict.fromkeys(quiet, "Rest Day"), coming: "Rest Day", other: "New Feast"})
    found = _forecast(totals[:98], 7, labels)
    at = {int(day): row for row, day in enumerate(found.days)}
    same, shared = at[day_number(coming)], at[day_number(other)]
    assert 0.35 < found.mean[same].sum() / made_totals(112)[100] < 0.5
    assert 0.35 < found.mean[shared].sum() / made_totals(112)[101] < 0.75


def test_holidays_that_were_closed_will_be_closed() -> None:
    totals = made_totals(98)
    totals[[16, 44]] = 0.0
    labels = labels_from({FIRST_DATE + timedelta(days=ahead): "Bank Holiday" for ahead in (16, 44, 100)})
    found = _forecast(totals, 7, labels)
    row = int(np.flatnonzero(found.days == FIRST_DAY + 100)[0])
    assert not found.is_open[row].any()
    assert found.mean[row].sum() == 0.0


def test_a_holiday_never_seen_is_said_to_be_unknown() -> None:
    labels = labels_from({FIRST_DATE + timedelta(days=58): "First Feast"})
    found = _forecast(made_totals(56), 7, labels)
    assert any("First Feast" in str(note) and "no day of this kind" in str(note) for note in found.notes)


def test_a_make_up_workday_has_a_workdays_hours_and_calls() -> None:
    saturday = FIRST_DATE + timedelta(days=61)
    labels = labels_from({}, make_up=[saturday])
    found = _forecast(made_totals(56), 14, labels)
    row = int(np.flatnonzero(found.days == day_number(saturday))[0])
    assert found.is_open[row].sum() == 20
    assert 0.7 < found.mean[row].sum() / 2_000.0 < 1.4


def test_events_of_ones_own_are_learnt_by_name() -> None:
    totals = made_totals(98)
    campaign = [15, 43, 71]
    totals[campaign] *= 1.6
    rows = [f"{FIRST_DATE + timedelta(days=ahead)},Campaign" for ahead in (*campaign, 99)]
    found = _forecast(totals, 7, read_events("\n".join(["date,event", *rows])))
    row = int(np.flatnonzero(found.days == FIRST_DAY + 99)[0])
    assert 1.35 < found.mean[row].sum() / made_totals(106)[99] < 1.75


def test_events_that_cannot_be_read_are_named() -> None:
    with pytest.raises(EventsError, match="row 1 of the events"):
        read_events("date,event\nsoon,Campaign\n")
    with pytest.raises(EventsError, match="column event not found"):
        read_events("date,name\n2026-01-05,Campaign\n")
    assert len(read_events("date,until,event\n2026-01-05,2026-01-07,Fair\n").by_day) == 3


def test_too_short_a_history_is_refused_and_a_short_one_said_to_be() -> None:
    with pytest.raises(ForecastError, match="has 4 whole days"):
        _forecast(made_totals(4))
    found = _forecast(made_totals(12), 7)
    assert any("history of 10 days" in str(note) for note in found.notes)
    assert wape(found.mean[2:7].sum(axis=1), made_totals(7)[:5]) < 0.15
    with pytest.raises(InputError, match="horizon of 0 days"):
        _forecast(made_totals(28), 0)


def test_a_day_without_intervals_can_be_forecast_too() -> None:
    totals = made_totals(84)
    rows = np.flatnonzero(totals)
    daily = series_from_arrays((FIRST_DAY + rows) * DAY_S, totals[rows], interval_min=1440)
    found = forecast(_history(daily), 7)
    assert wape(found.mean[2:, 0], totals[:5]) < 0.02


def test_outages_do_not_pull_the_forecast_down() -> None:
    series = made_series(made_totals(84))
    dead = np.isin(series.start_s // DAY_S - FIRST_DAY, [63, 70, 77, 81]) & (
        series.start_s % DAY_S >= 14 * 3600
    )
    found = forecast(_history(replace(series, calls=np.where(dead, 0.0, series.calls))), 7)
    assert wape(found.mean[2:].sum(axis=1), made_totals(7)[:5]) < 0.04


@settings(max_examples=6, deadline=None)
@given(
    st.integers(12, 60),
    st.floats(5.0, 5_000.0),
    st.sampled_from([30, 60]),
    st.integers(0, 1_000),
)
def test_quantiles_are_ordered_and_nothing_is_negative(
    days: int, calls_per_day: float, interval_min: int, seed: int
) -> None:
    series = made_series(made_totals(days, calls_per_day=calls_per_day), interval_min=interval_min, seed=seed)
    found = forecast(_history(series), 10)
    assert np.all(np.diff(found.quantiles, axis=2) >= 0)
    assert np.all(found.quantiles >= 0)
    assert np.all(np.isfinite(found.mean))
    assert np.all(found.mean >= 0)


def test_the_same_history_gives_the_same_forecast_to_the_bit() -> None:
    one, two = (_forecast(made_totals(42)) for _ in range(2))
    assert np.array_equal(one.mean, two.mean)
    assert np.array_equal(one.quantiles, two.quantiles)


def test_the_day_after_the_clocks_change_has_its_hours() -> None:
    first = day_number(date(2026, 8, 3)) * DAY_S - 7200
    start_s = first + np.arange(24 * 84) * 3600
    hour = (start_s // 3600 + 2) % 24
    series = series_from_arrays(start_s, 20.0 + 10.0 * (hour > 7), zone="Europe/Berlin")
    rows = as_rows(forecast(_history(series), 7))
    on = {str(np.datetime64(int(day), "D")): 0 for day in rows.start_s // DAY_S}
    assert len(on) == 8
    assert len(rows.start_s) == 7 * 24 + 1  # 2026-10-25 has 25 hours in Berlin
    assert np.all(np.diff(rows.start_s) == 3600)


def test_overlays_are_applied_last_and_both_figures_are_kept() -> None:
    rows = as_rows(_forecast(made_totals(70)))
    begin, middle, end = int(rows.start_s[0]), int(rows.start_s[4]), int(rows.start_s[8])
    changed = lay_over(
        rows,
        [
            Overlay(start_s=begin, end_s=end, factor=1.25, who="planner", why="mailing"),
            Overlay(start_s=middle, end_s=end, calls=50.0, who="planner", why="agreed"),
        ],
    )
    assert np.array_equal(changed.forecast, rows.mean)
    assert np.array_equal(changed.mean[:4], rows.mean[:4] * 1.25)
    assert changed.mean[4:8].tolist() == [50.0] * 4
    assert np.array_equal(changed.mean[8:], rows.mean[8:])
    assert changed.touched_by[:9].tolist() == [0, 0, 0, 0, 1, 1, 1, 1, -1]
    assert np.allclose(
        changed.quantiles[:8] / changed.mean[:8, None], rows.quantiles[:8] / rows.mean[:8, None]
    )


@pytest.mark.parametrize(
    ("overlay", "said"),
    [
        (Overlay(start_s=9, end_s=9, factor=1.0, who="a", why="b"), "before it begins"),
        (Overlay(start_s=0, end_s=9, who="a", why="b"), "either a factor or"),
        (Overlay(start_s=0, end_s=9, factor=-1.0, who="a", why="b"), "no factor"),
        (Overlay(start_s=0, end_s=9, factor=1.0, who=" ", why="b"), "who made it"),
    ],
)
def test_an_overlay_that_says_too_little_is_refused(overlay: Overlay, said: str) -> None:
    with pytest.raises(OverlayError, match=said):
        lay_over(as_rows(_forecast(made_totals(28), 7)), [overlay])
