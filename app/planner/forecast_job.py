"""The job ``plan_forecast``: a history in, a forecast with its accuracy out, both kept with the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, Final
from uuid import UUID

import numpy as np

from app.jobs.rules import JobFailed
from app.jobs.stage import Stage, in_thread, watched
from app.jobs.work import Work
from app.planner.country_days import labels_for
from app.planner.forecast_texts import backtest_as_json, mark_day, notes_as_json
from app.planner.log_answers import MARKS_MAX, mark_row
from app.planner.log_history import DAYS_MAX, bounds, log_series
from app.planner.queries import (
    SERIES_ROWS_MAX,
    keep_outcome,
    run_of,
    series_as_json,
    series_from_json,
)
from workforce.analogy import Scale, by_analogy, given_scale, measured_scale
from workforce.backtest import NoBacktest, backtest, origins_of
from workforce.day_labels import DayLabels
from workforce.errors import WorkforceError
from workforce.forecast import Forecast, ForecastError, forecast
from workforce.forecast_aht import forecast_aht
from workforce.forecast_rows import ForecastRows, as_rows
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.series import Series, resample, utc_offset_s

ORIGINS: Final = 8


async def run(work: Work) -> dict[str, Any]:
    """Forecast; what the method refuses fails the job with its sentence."""
    run_id = UUID(str(work.input["run_id"]))
    try:
        return await _run(work, run_id)
    except WorkforceError as error:
        raise JobFailed(error.error_id, detail=str(error)) from None


async def _run(work: Work, run_id: UUID) -> dict[str, Any]:
    async with work.database.transaction(work.tenant_id) as connection:
        kept = await run_of(connection, work.tenant_id, run_id)
    if kept is None:
        raise JobFailed("unknown_forecast")
    parameters: Mapping[str, Any] = kept.parameters
    source: Mapping[str, Any] = kept.source
    past = source["like"] if source["kind"] == "analogy" else source
    read = Stage(0, 10)
    if kept.series:
        series = series_from_json(kept.series)
    else:
        series = await watched(work, read, _from_log(work, past, parameters))
    if len(series.calls) > SERIES_ROWS_MAX:
        raise JobFailed("series_too_long", rows_max=SERIES_ROWS_MAX)
    new = None
    if source["kind"] == "analogy" and source.get("ratio") is None:
        new_source = {"kind": "queue", "queue_id": source["queue_id"]}
        new = await watched(work, read, _from_log(work, new_source, parameters))
    reckoning = Stage(10, 95)
    rows, aht_s, outcome = await in_thread(
        work, reckoning, lambda: reckoned(series, source, parameters, reckoning.tell, new=new)
    )
    async with work.database.transaction(work.tenant_id) as connection:
        await keep_outcome(
            connection,
            work.tenant_id,
            run_id,
            rows,
            aht_s,
            series=series_as_json(series),
            outcome=outcome,
        )
    return {"run_id": str(run_id), "interval_count": len(rows.start_s)}


def reckoned(
    series: Series,
    source: Mapping[str, Any],
    parameters: Mapping[str, Any],
    tell: Callable[[int, int], None],
    *,
    new: Series | None = None,
) -> tuple[ForecastRows, list[float | None], dict[str, Any]]:
    """Return the rows of a forecast, their handle times, and how it was made. Pure.

    Args:
        source: Of kind analogy: the series is the other queue's.
        tell: Called between steps with (done, total); may raise to stop.
        new: What the new queue has had so far, where its scale is to be measured.

    Raises:
        WorkforceError: the series does not carry a forecast, or the analogy has no scale.
    """
    horizon_days, interval_min = int(parameters["horizon_days"]), int(parameters["interval_min"])
    labels = labels_for(
        series, horizon_days, country=parameters.get("country"), events_text=parameters.get("events")
    )
    wanted = resample(series, interval_min)
    history = repair(day_grid(wanted))
    tell(1, ORIGINS + 2)
    found = forecast(history, horizon_days, labels=labels)
    scale = _scale(source, history, new, interval_min) if source["kind"] == "analogy" else None
    if scale is not None:
        found = by_analogy(found, scale)
    rows = as_rows(found)
    tell(2, ORIGINS + 2)
    outcome = {
        "weights": {name: round(share, 4) for name, share in found.weights.items()},
        "notes": notes_as_json(found.notes),
        "scale": None if scale is None else asdict(scale),
        "history": _history_as_json(history),
        "accuracy": _accuracy(wanted, horizon_days, labels, lambda done, _: tell(2 + done, ORIGINS + 2)),
    }
    return rows, _aht_by_row(history, found, rows), outcome


def _scale(source: Mapping[str, Any], other: History, new: Series | None, interval_min: int) -> Scale:
    if new is not None:
        return measured_scale(repair(day_grid(resample(new, interval_min))), other)
    uncertain = source.get("uncertain")
    return given_scale(source["ratio"], **({} if uncertain is None else {"uncertain": uncertain}))


async def _from_log(work: Work, source: Mapping[str, Any], parameters: Mapping[str, Any]) -> Series:
    zone = parameters["zone"]
    since, until = bounds(zone, int(parameters.get("history_days") or DAYS_MAX))
    async with work.database.transaction(work.tenant_id) as connection:
        return await log_series(connection, work.tenant_id, source, zone=zone, since=since, until=until)


def _accuracy(
    series: Series, horizon_days: int, labels: DayLabels, tell: Callable[[int, int], None]
) -> dict[str, Any]:
    """Return a backtest in short, or why there is none."""
    horizons = sorted({days for days in (1, 7, 28) if days <= max(horizon_days, 7)})
    try:
        origins = origins_of(series, ORIGINS, horizons)
        tried = backtest(series, origins, horizons, labels=labels, on_origin=tell)
    except NoBacktest as error:
        return {"horizons": [], "notes": notes_as_json([error.note])}
    return backtest_as_json(tried, series.interval_min)


def _history_as_json(history: History) -> dict[str, Any]:
    return {
        "day_count": len(history.used_rows),
        "first_day": mark_day(int(history.grid.days[0])),
        "last_day": mark_day(int(history.grid.days[-1])),
        "mark_count": len(history.marks),
        "marks": [mark_row(mark).model_dump() for mark in history.marks[-MARKS_MAX:]],
    }


def _aht_by_row(history: History, found: Forecast, rows: ForecastRows) -> list[float | None]:
    try:
        aht = forecast_aht(history, found)
    except ForecastError:  # no handle times, or too few: calls are forecast all the same
        return [None] * len(rows.start_s)
    local_s = rows.start_s + utc_offset_s(rows.zone, rows.start_s)
    day = np.searchsorted(found.days, local_s // 86_400)
    slot = np.searchsorted(found.slots_min, local_s % 86_400 // 60)
    return [round(float(value), 2) for value in aht.mean[day, slot]]
