"""The job ``plan_forecast``: a history in, a forecast with its accuracy out, both kept with the run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import numpy as np

from app.jobs.rules import JobFailed
from app.jobs.work import Work
from app.planner.country_days import labels_for
from app.planner.forecast_texts import backtest_as_json, mark_day
from app.planner.log_history import DAYS_MAX, queue_series, reason_series
from app.planner.queries import (
    SERIES_ROWS_MAX,
    keep_outcome,
    run_of,
    series_as_json,
    series_from_json,
)
from workforce.backtest import backtest, origins_of
from workforce.day_labels import DayLabels
from workforce.errors import WorkforceError
from workforce.forecast import Forecast, ForecastError, forecast
from workforce.forecast_aht import forecast_aht
from workforce.forecast_rows import ForecastRows, as_rows
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.series import Series, resample, utc_offset_s

MARKS_MAX: Final = 500
ORIGINS: Final = 8
_STAGES: Final = 4


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
    series = series_from_json(kept.series) if kept.series else await _from_log(work, kept.source, parameters)
    if len(series.calls) > SERIES_ROWS_MAX:
        raise JobFailed("series_too_long", rows_max=SERIES_ROWS_MAX)
    await work.report(1, _STAGES)
    horizon_days = int(parameters["horizon_days"])
    labels = labels_for(
        series, horizon_days, country=parameters.get("country"), events_text=parameters.get("events")
    )
    wanted = resample(series, int(parameters["interval_min"]))
    history = repair(day_grid(wanted))
    found = forecast(history, horizon_days, labels=labels)
    rows = as_rows(found)
    await work.report(2, _STAGES)
    accuracy = _accuracy(wanted, horizon_days, labels)
    await work.report(3, _STAGES)
    outcome = {
        "weights": {name: round(share, 4) for name, share in found.weights.items()},
        "notes": list(found.notes),
        "history": _history_as_json(history),
        "accuracy": accuracy,
    }
    async with work.database.transaction(work.tenant_id) as connection:
        await keep_outcome(
            connection,
            work.tenant_id,
            run_id,
            rows,
            _aht_by_row(history, found, rows),
            series=series_as_json(series),
            outcome=outcome,
        )
    return {"run_id": str(run_id), "interval_count": len(rows.start_s)}


async def _from_log(work: Work, source: Mapping[str, Any], parameters: Mapping[str, Any]) -> Series:
    until = datetime.now(UTC)
    since = until - timedelta(days=min(int(parameters.get("history_days", DAYS_MAX)), DAYS_MAX))
    bounds: dict[str, Any] = {"zone": parameters["zone"], "since": since, "until": until}
    async with work.database.transaction(work.tenant_id) as connection:
        if source["kind"] == "queue":
            return await queue_series(connection, work.tenant_id, source["queue_id"], **bounds)
        return await reason_series(
            connection,
            work.tenant_id,
            source["reason_id"],
            party_kind=source.get("party_kind"),
            **bounds,
        )


def _accuracy(series: Series, horizon_days: int, labels: DayLabels) -> dict[str, Any]:
    """Return a backtest in short, or why there is none."""
    horizons = sorted({days for days in (1, 7, 28) if days <= max(horizon_days, 7)})
    try:
        tried = backtest(series, origins_of(series, ORIGINS, horizons), horizons, labels=labels)
    except ForecastError as error:
        return {"horizons": [], "notes": [str(error)]}
    return backtest_as_json(tried, series.interval_min)


def _history_as_json(history: History) -> dict[str, Any]:
    return {
        "day_count": len(history.used_rows),
        "first_day": mark_day(int(history.grid.days[0])),
        "last_day": mark_day(int(history.grid.days[-1])),
        "mark_count": len(history.marks),
        "marks": [
            {
                "kind": mark.kind.value,
                "day": mark_day(mark.day),
                "slot_min": mark.slot_min,
                "observed": mark.observed,
                "used": None if mark.used is None else round(mark.used, 2),
                "why": mark.why,
            }
            for mark in history.marks[-MARKS_MAX:]
        ],
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
