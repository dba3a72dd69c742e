"""Today, given today so far. Pure: the log's series, the run's rows for today, and the moment come in."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from app.planner.log_schemas import TodayRow, TodayShown
from app.planner.schemas import NoteTold
from workforce.day_labels import DayLabels
from workforce.errors import InputError
from workforce.forecast import Forecast, forecast
from workforce.forecast_rows import ForecastRows
from workforce.history import day_grid
from workforce.history_repair import repair
from workforce.intraday import learn, renew_forecast
from workforce.series import DAY_S, MINUTE_S, Floats, Ints, Series, local_offsets_s, resample, utc_offset_s


def today_shown(
    series: Series, planned: ForecastRows, until: datetime, *, labels: DayLabels | None = None
) -> TodayShown:
    """Return today's intervals: planned, come, and expected now.

    Args:
        series: From the call log, as far as *until*.
        planned: The run's rows with what people laid over them. Where they do not cover today, a forecast
            made from the days before it stands in.
        until: What came before it is known.

    Raises:
        InputError: the log holds no day before today, or the queue is closed today.
        ForecastError: the days before it do not carry a forecast.
    """
    zone, interval_min = planned.zone, planned.interval_min
    until_s = int(until.timestamp())
    today = (until_s + int(utc_offset_s(zone, np.array([until_s]))[0])) // DAY_S
    wanted = resample(series, interval_min)
    local_s = wanted.start_s + utc_offset_s(zone, wanted.start_s)
    before = local_s // DAY_S < today
    if not before.any():
        raise InputError("the call log holds no day before today: there is nothing to learn from")
    history = repair(
        day_grid(replace(wanted, start_s=wanted.start_s[before], calls=wanted.calls[before], aht_s=None))
    )
    used = history.used_rows
    found = forecast(history, today - int(history.grid.days[used[-1]]) if len(used) else 1, labels=labels)
    row = int(np.flatnonzero(found.days == today)[0])
    start_s = _starts_s(found, today)
    found = _as_planned(found, row, start_s, planned)
    is_open = found.is_open[row]
    if not is_open.any():
        raise InputError("the queue is closed today: there is nothing to expect")
    seen_count = int(np.sum(start_s + interval_min * MINUTE_S <= until_s))
    came = _came(wanted, start_s)
    learnt = learn(found.errors, interval_min)
    mean, quantiles = renew_forecast(found, learnt, today, came[:seen_count])
    shown = np.flatnonzero(is_open | ((came > 0) & (np.arange(len(came)) < seen_count)))
    seen = shown[shown < seen_count]
    rest = shown[shown >= seen_count]
    intervals = [
        TodayRow(
            start_ms=int(start_s[at]) * 1_000,
            planned=float(found.mean[row, at]),
            calls=int(came[at]) if at < seen_count else None,
            mean=float(mean[at]),
            p10=float(quantiles[at, 0]),
            p50=float(quantiles[at, 1]),
            p90=float(quantiles[at, 2]),
        )
        for at in shown.tolist()
    ]
    return TodayShown(
        until_ms=until_s * 1_000,
        interval_min=interval_min,
        zone=zone,
        is_renewed=bool(learnt.belief[min(seen_count, len(came) - 1)].any()) and 0 < seen_count < len(came),
        calls_so_far=float(came[seen].sum()),
        planned_so_far=float(found.mean[row, seen].sum()),
        total_planned=float(found.mean[row, shown].sum()),
        total_expected=float(came[seen].sum() + mean[rest].sum()),
        intervals=intervals,
        notes=[NoteTold(note_id=note.note_id, params=dict(note.params)) for note in found.notes],
    )


def _starts_s(found: Forecast, day: int) -> Ints:
    """Return when today's intervals begin; of an hour that the clocks repeat the first."""
    local_s = day * DAY_S + found.slots_min * MINUTE_S
    early, _ = local_offsets_s(found.zone, local_s)
    return np.asarray(local_s - early)


def _as_planned(found: Forecast, row: int, start_s: Ints, planned: ForecastRows) -> Forecast:
    """Return the forecast with the run's figures for today, where it has them."""
    at = np.searchsorted(planned.start_s, start_s)
    at[at == len(planned.start_s)] = 0
    there = planned.start_s[at] == start_s if len(planned.start_s) else np.zeros(len(start_s), dtype=bool)
    if not there.any():
        return found
    mean, quantiles, is_open = found.mean.copy(), found.quantiles.copy(), found.is_open.copy()
    mean[row], quantiles[row], is_open[row] = 0.0, 0.0, there
    mean[row, there], quantiles[row, there] = planned.mean[at[there]], planned.quantiles[at[there]]
    return replace(found, mean=mean, quantiles=quantiles, is_open=is_open)


def _came(series: Series, start_s: Ints) -> Floats:
    """Return the calls of each interval; the log is complete, so that no row is no call."""
    at = np.searchsorted(series.start_s, start_s)
    at[at == len(series.start_s)] = 0
    return np.where(series.start_s[at] == start_s, np.nan_to_num(series.calls[at]), 0.0)
