"""Today, renewed: what came stands, the rest follows a morning only as far as past mornings told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from app.planner.today import today_shown
from tests.workforce.series_made import made_series, made_totals
from workforce.errors import InputError
from workforce.forecast import forecast
from workforce.forecast_rows import ForecastRows, as_rows
from workforce.history import day_grid
from workforce.history_repair import repair
from workforce.series import DAY_S, Series


def _part(series: Series, where: np.ndarray) -> Series:
    return replace(series, start_s=series.start_s[where], calls=series.calls[where], aht_s=None)


@pytest.fixture(scope="module")
def days() -> tuple[Series, ForecastRows, int]:
    """Days that are high or low as a whole, the forecast of the last of them, and when that day begins."""
    dice = np.random.default_rng(3)
    totals = made_totals(120)
    series = made_series(totals * dice.lognormal(0.0, 0.15, len(totals)))
    last = int(series.start_s[-1]) // DAY_S * DAY_S
    history = repair(day_grid(_part(series, series.start_s < last)))
    gap = last // DAY_S - int(history.grid.days[history.used_rows[-1]])
    return series, as_rows(forecast(history, gap)), last


def test_a_high_morning_raises_the_rest_and_what_came_stands(days: tuple[Series, ForecastRows, int]) -> None:
    series, planned, last = days
    noon = last + DAY_S // 2
    today = (series.start_s >= last) & (series.start_s < noon)
    high = replace(series, calls=np.where(today, np.round(series.calls * 1.4), series.calls))
    shown = today_shown(_part(high, series.start_s < noon), planned, datetime.fromtimestamp(noon, UTC))
    seen = [one for one in shown.intervals if one.calls is not None]
    rest = [one for one in shown.intervals if one.calls is None]
    assert shown.is_renewed
    assert shown.calls_so_far == sum(one.calls or 0 for one in seen) == high.calls[today].sum()
    up = shown.calls_so_far / shown.planned_so_far
    rise = sum(one.mean for one in rest) / sum(one.planned for one in rest)
    assert up > 1.15
    assert 1.05 < rise < up, "the whole ratio would be too much"
    assert shown.total_expected == pytest.approx(shown.calls_so_far + sum(one.mean for one in rest))
    assert all(one.p10 <= one.p50 <= one.p90 for one in rest)


def test_before_the_first_call_the_plan_stands(days: tuple[Series, ForecastRows, int]) -> None:
    series, planned, last = days
    before = _part(series, series.start_s < last)
    shown = today_shown(before, planned, datetime.fromtimestamp(last, UTC))
    assert not shown.is_renewed
    assert all(one.calls is None and one.mean == pytest.approx(one.planned) for one in shown.intervals)


def test_a_day_without_a_past_or_without_hours_is_said_to_be_one(
    days: tuple[Series, ForecastRows, int],
) -> None:
    series, planned, last = days
    noon = datetime.fromtimestamp(last + DAY_S // 2, UTC)
    with pytest.raises(InputError, match="no day before today"):
        today_shown(_part(series, series.start_s >= last), planned, noon)
    closed = replace(planned, start_s=planned.start_s + 400 * DAY_S)
    sunday = last + (6 - (last // DAY_S + 3) % 7) * DAY_S
    with pytest.raises(InputError, match="closed today"):
        today_shown(_part(series, series.start_s < sunday), closed, datetime.fromtimestamp(sunday, UTC))
