"""A series from text: what is read, and the sentence for what cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workforce.series import Series, SeriesError, resample, series_from_arrays, stamp
from workforce.series_csv import read_series


def test_a_file_is_read_with_its_base_interval_detected() -> None:
    series = read_series("interval_start,calls\n2026-03-02 07:00:00,5\n2026-03-02 07:15:00,7\n")
    assert series.interval_min == 15
    assert series.calls.tolist() == [5.0, 7.0]


def test_semicolons_a_byte_order_mark_and_an_empty_cell_are_read() -> None:
    series = read_series("\ufeffinterval_start;calls;aht_s\n2026-03-02T07:00;5;240\n2026-03-02T07:30;;\n")
    assert np.isnan(series.calls[1])
    assert series.aht_s is not None
    assert series.aht_s[0] == 240.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("time,calls\n2026-03-02,1\n", "column interval_start not found"),
        ("interval_start,calls\n", "no rows"),
        ("interval_start;calls\n2026-03-02 07:00,5\n2026-03-02 07:30,7\n", "'2026-03-02 07:00,5' is no date"),
        ("interval_start,calls\nyesterday,1\n2026-03-02 07:00,1\n", "row 1: 'yesterday' is no date and time"),
        ("interval_start,calls\n2026-03-02 07:00,many\n2026-03-02 07:30,1\n", "'many', not a number"),
        ("interval_start,calls\n2026-03-02 07:00,-1\n2026-03-02 07:30,1\n", "not a count"),
        ("interval_start,calls\n2026-03-02 07:00,1\n2026-03-02 07:00,1\n", "stands twice"),
        ("interval_start,calls\n2026-03-02 07:00\n", "row 1 has no calls"),
        ("interval_start,calls\n2026-03-02 07:00,1\n", "one interval alone"),
        ("interval_start,calls\n2026-03-02 07:00,1\n2026-03-02 07:15,1\n2026-03-02 07:22,1\n", "whole part"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(SeriesError, match=said):
        read_series(text)


def test_days_of_another_interval_are_named() -> None:
    fine = [f"2026-03-02 {8 + q // 4:02}:{q % 4 * 15:02}:00,1" for q in range(24)]
    coarse = [f"2026-03-03 {8 + h // 2:02}:{h % 2 * 30:02}:00,2" for h in range(12)]
    with pytest.raises(SeriesError, match=r"mixed intervals: steps of 30 minutes on 2026-03-03"):
        read_series("\n".join(["interval_start,calls", *fine, *coarse]))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(SeriesError, match="no time zone 'Asia/Taipeh'"):
        series_from_arrays(np.array([0, 900]), np.array([1.0, 1.0]), zone="Asia/Taipeh")


@given(st.lists(st.integers(0, 500), min_size=48, max_size=192), st.sampled_from([30, 60, 240]))
def test_longer_intervals_hold_exactly_the_same_calls(calls: list[int], interval_min: int) -> None:
    series = series_from_arrays(np.arange(len(calls)) * 900, np.array(calls, dtype=float))
    longer = resample(series, interval_min)
    assert longer.calls.sum() == sum(calls)
    twice = resample(resample(series, 30), interval_min)
    assert twice.calls.tolist() == longer.calls.tolist()
    assert twice.start_s.tolist() == longer.start_s.tolist()


def test_handle_times_weigh_by_calls() -> None:
    series = series_from_arrays(np.array([0, 900]), np.array([1.0, 3.0]), aht_s=np.array([100.0, 300.0]))
    aht_s = resample(series, 30).aht_s
    assert aht_s is not None
    assert aht_s.tolist() == [250.0]


def test_a_finer_interval_than_the_base_is_refused() -> None:
    series = series_from_arrays(np.array([0, 1800]), np.array([1.0, 1.0]))
    with pytest.raises(SeriesError, match="do not add up"):
        resample(series, 15)


def _local_hours(first: datetime, count: int) -> Series:
    start_s = int(first.timestamp()) + np.arange(count) * 3600
    return series_from_arrays(start_s, np.ones(count), zone="Europe/Berlin")


def test_a_day_of_twenty_five_hours_keeps_its_repeated_hour_apart() -> None:
    series = _local_hours(datetime(2026, 10, 24, 22, tzinfo=UTC), 25)
    assert stamp(int(series.start_s[0]), "Europe/Berlin") == "2026-10-25 00:00:00+02:00"
    day = resample(series, 1440)
    assert day.calls.tolist() == [25.0]


def test_local_stamps_of_a_repeated_hour_are_two_instants_and_of_a_skipped_one_none() -> None:
    stamps = ["2026-10-25 02:00", "2026-10-25 02:30"] * 2
    rows = [f"{local},{calls}" for calls, local in enumerate(stamps, 1)]
    series = read_series("\n".join(["interval_start,calls", *rows]), zone="Europe/Berlin")
    assert np.diff(series.start_s).tolist() == [1800, 1800, 1800]
    assert series.calls.tolist() == [1.0, 2.0, 3.0, 4.0]
    with pytest.raises(SeriesError, match="does not exist in Europe/Berlin"):
        read_series("interval_start,calls\n2026-03-29 02:00,1\n2026-03-29 03:00,1\n", zone="Europe/Berlin")
