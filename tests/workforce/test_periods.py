"""Periods: literal days of known zones, and the laws that they tile and lie on the wall clock's grid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workforce.periods import PERIODS_MAX, PeriodError, PeriodStep, period_bounds

ZONES = (
    "Asia/Taipei",
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Taipei", date(2026, 3, 29), 24),
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight is skipped
        ("America/Havana", date(2025, 11, 2), 25),  # midnight is shown twice
    ],
)
def test_a_day_has_the_hours_that_it_has(zone: str, day: date, hours: int) -> None:
    bounds = period_bounds(zone, day, day, PeriodStep.HOUR)
    assert [end - start for start, end in pairwise(bounds)] == [3_600_000] * hours
    assert len(period_bounds(zone, day, day, PeriodStep.QUARTER)) - 1 == hours * 4


def test_where_the_clock_jumps_by_half_an_hour_one_hour_of_the_day_is_cut_there() -> None:
    bounds = period_bounds("Australia/Lord_Howe", date(2026, 4, 5), date(2026, 4, 5), PeriodStep.HOUR)
    lengths = [(end - start) // 60_000 for start, end in pairwise(bounds)]
    assert sorted(lengths) == [30] + [60] * 24
    assert sum(lengths) == 24 * 60 + 30


def test_a_day_that_a_zone_left_out_is_no_period() -> None:
    bounds = period_bounds("Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31), PeriodStep.DAY)
    assert len(bounds) - 1 == 2
    with pytest.raises(PeriodError, match="left out"):
        period_bounds("Pacific/Apia", date(2011, 12, 30), date(2011, 12, 30), PeriodStep.DAY)


def test_weeks_begin_on_monday_and_months_on_the_first_and_both_are_cut_at_the_ends() -> None:
    taipei = ZoneInfo("Asia/Taipei")

    def days(step: PeriodStep) -> list[str]:
        bounds = period_bounds("Asia/Taipei", date(2026, 11, 25), date(2026, 12, 8), step)
        return [f"{datetime.fromtimestamp(at_ms / 1000, taipei):%m-%d}" for at_ms in bounds]

    assert days(PeriodStep.WEEK) == ["11-25", "11-30", "12-07", "12-09"]
    assert days(PeriodStep.MONTH) == ["11-25", "12-01", "12-09"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.dates(date(1990, 1, 1), date(2035, 12, 31)),
    st.integers(0, 40),
    st.sampled_from(PeriodStep),
)
def test_periods_tile_the_days_and_none_spans_two_of_them(
    zone: str, first: date, more_days: int, step: PeriodStep
) -> None:
    last = first + timedelta(days=more_days)
    try:
        bounds = period_bounds(zone, first, last, step)
    except PeriodError:
        assert (zone, first.year) == ("Pacific/Apia", 2011)
        return
    days = period_bounds(zone, first, last, PeriodStep.DAY)
    assert (bounds[0], bounds[-1]) == (days[0], days[-1])
    assert all(start < end for start, end in pairwise(bounds))
    info = ZoneInfo(zone)
    for start, end in pairwise(bounds):
        began = datetime.fromtimestamp(start / 1000, info)
        ended = datetime.fromtimestamp((end - 1) / 1000, info)
        if step in (PeriodStep.QUARTER, PeriodStep.HALF_HOUR, PeriodStep.HOUR):
            assert began.date() == ended.date()
            assert began.utcoffset() == ended.utcoffset()
        elif step is PeriodStep.DAY:
            assert began.date() == ended.date()
    coarse = set(bounds) if step not in (PeriodStep.WEEK, PeriodStep.MONTH) else set()
    assert set(days) >= set(bounds) or set(days) <= coarse


@pytest.mark.parametrize(
    ("zone", "first", "last", "step", "says"),
    [
        ("", date(2026, 1, 1), date(2026, 1, 1), PeriodStep.DAY, "name the zone"),
        ("Europe/Berlin", date(2026, 1, 2), date(2026, 1, 1), PeriodStep.DAY, "before the first"),
        ("Europe/Berlin", date(2026, 1, 1), date(2026, 12, 31), PeriodStep.QUARTER, "periods"),
    ],
)
def test_what_cannot_be_divided_is_said(
    zone: str, first: date, last: date, step: PeriodStep, says: str
) -> None:
    with pytest.raises(PeriodError, match=says):
        period_bounds(zone, first, last, step)


def test_the_limit_is_the_most_that_is_given() -> None:
    first = date(2026, 1, 1)
    last = first + timedelta(days=PERIODS_MAX // 96 - 1)
    bounds = period_bounds("Asia/Taipei", first, last, PeriodStep.QUARTER)
    assert len(bounds) - 1 == PERIODS_MAX // 96 * 96
    assert datetime.fromtimestamp(bounds[0] / 1000, UTC).hour == 16
