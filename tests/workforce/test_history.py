"""History: hours learnt, gaps and outages marked and filled, odd days tagged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from tests.closing import shared_data
from tests.workforce.series_made import FIRST_DAY, made_series, made_totals
from workforce.day_labels import day_number
from workforce.history import MarkKind, day_grid, hours_ahead, usual_hours
from workforce.history_repair import History, repair
from workforce.series import DAY_S, Series, resample, series_from_arrays
from workforce.series_csv import read_series


def _history(series: Series) -> History:
    return repair(day_grid(series))


def _without(series: Series, begin_s: int, end_s: int) -> Series:
    kept = (series.start_s < begin_s) | (series.start_s >= end_s)
    return replace(series, start_s=series.start_s[kept], calls=series.calls[kept])


def _kinds(history: History) -> set[MarkKind]:
    return {mark.kind for mark in history.marks}


def test_a_quiet_history_has_no_marks_and_is_used_as_it_is() -> None:
    history = _history(made_series(made_totals(56)))
    assert not history.marks
    assert len(history.used_rows) == 40
    assert np.array_equal(history.calls[history.used_rows], history.grid.calls[history.used_rows])


def test_closed_weekends_and_a_shorter_weekday_are_learnt() -> None:
    series = made_series(made_totals(56))
    friday = (series.start_s // DAY_S + 3) % 7 == 4
    series = replace(
        series,
        start_s=series.start_s[~(friday & (series.start_s % DAY_S >= 12 * 3600))],
        calls=series.calls[~(friday & (series.start_s % DAY_S >= 12 * 3600))],
    )
    grid = day_grid(series)
    hours = hours_ahead(grid, usual_hours(grid))
    assert hours.sum(axis=1).tolist() == [20, 20, 20, 20, 8, 0, 0]


def test_a_gap_is_marked_and_filled_at_the_days_own_level() -> None:
    totals = made_totals(56)
    totals[15] *= 2.0
    whole = made_series(totals)
    begin_s = (FIRST_DAY + 15) * DAY_S + 10 * 3600
    history = _history(_without(whole, begin_s, begin_s + 3600))
    gaps = [mark for mark in history.marks if mark.kind is MarkKind.GAP]
    assert [(mark.day, mark.slot_min) for mark in gaps] == [(FIRST_DAY + 15, 600), (FIRST_DAY + 15, 630)]
    lost = whole.calls[(whole.start_s >= begin_s) & (whole.start_s < begin_s + 3600)].sum()
    filled = sum(mark.used or 0.0 for mark in gaps)
    assert abs(filled - lost) < 0.15 * lost
    assert all(mark.observed is None and "no row" in mark.why for mark in gaps)


def test_an_outage_is_marked_with_what_was_seen_and_what_is_used() -> None:
    series = made_series(made_totals(56))
    dead = (series.start_s // DAY_S == FIRST_DAY + 22) & (series.start_s % DAY_S // 3600 >= 15)
    history = _history(replace(series, calls=np.where(dead, 0.0, series.calls)))
    outages = [mark for mark in history.marks if mark.kind is MarkKind.OUTAGE]
    assert len(outages) == 6
    assert {mark.day for mark in outages} == {FIRST_DAY + 22}
    assert all(mark.observed == 0.0 and mark.used and mark.used > 10 for mark in outages)
    assert 0.1 < history.repaired_share[22] < 0.4


def test_a_spike_is_cut_and_says_so() -> None:
    series = made_series(made_totals(56))
    calls = series.calls.copy()
    calls[205] *= 12
    history = _history(replace(series, calls=calls))
    (mark,) = [mark for mark in history.marks if mark.kind is MarkKind.SPIKE]
    assert mark.observed == calls[205]
    assert mark.used is not None
    assert mark.used < mark.observed / 2


def test_a_closed_weekday_and_a_special_day_are_tagged_and_nothing_is_invented() -> None:
    totals = made_totals(56)
    totals[16], totals[29] = 0.0, totals[29] * 0.3
    history = _history(made_series(totals))
    marks = {mark.day - FIRST_DAY: mark for mark in history.marks}
    assert marks[16].kind is MarkKind.CLOSED_DAY
    assert marks[29].kind is MarkKind.SPECIAL_DAY
    assert 16 not in history.used_rows
    assert np.array_equal(history.calls[29], history.grid.calls[29])


def test_a_day_that_is_not_over_is_left_out() -> None:
    series = made_series(made_totals(54))
    history = _history(_without(series, (FIRST_DAY + 53) * DAY_S + 11 * 3600, (FIRST_DAY + 60) * DAY_S))
    assert history.marks[-1].kind is MarkKind.UNFINISHED_DAY
    assert 53 not in history.used_rows


def test_the_repeated_hour_counts_as_one_and_the_skipped_hour_as_none() -> None:
    first = int(datetime(2026, 10, 11, 22, tzinfo=UTC).timestamp())
    hours = np.arange(24 * 21 + 1)
    series = series_from_arrays(first + hours * 3600, np.full(len(hours), 10.0), zone="Europe/Berlin")
    history = _history(series)
    (mark,) = [mark for mark in history.marks if mark.kind is MarkKind.REPEATED_HOUR]
    assert (mark.day, mark.slot_min) == (day_number(datetime(2026, 10, 25, tzinfo=UTC).date()), 120)
    assert (mark.observed, mark.used) == (20.0, 10.0)
    assert history.grid.calls.shape[1] == 24


def test_what_was_wrong_with_the_small_bank_is_found() -> None:
    text = shared_data("anonbank_1999_6min.csv").read_text()
    history = _history(resample(read_series(text), 30))
    assert {MarkKind.OUTAGE, MarkKind.SPIKE, MarkKind.SPECIAL_DAY} == _kinds(history)
    special = {
        str(np.datetime64(mark.day, "D")) for mark in history.marks if mark.kind is MarkKind.SPECIAL_DAY
    }
    assert {"1999-04-01", "1999-04-07", "1999-05-21", "1999-09-20"} <= special
    dead = [mark for mark in history.marks if str(np.datetime64(mark.day, "D")) == "1999-01-13"]
    assert {mark.slot_min for mark in dead} >= {600}
    assert all(mark.kind is MarkKind.OUTAGE for mark in dead)
