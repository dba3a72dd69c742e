"""``/plan/forecasts/{run_id}/today``: the rest of today, given today so far."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request

from app.http.errors import ApiError
from app.planner.asked import Reader, checked, laid_rows, tenant_of, turns
from app.planner.country_days import labels_for
from app.planner.log_history import bounds, log_series
from app.planner.log_schemas import TodayShown
from app.planner.today import today_shown
from workforce.errors import WorkforceError
from workforce.forecast_rows import ForecastRows
from workforce.series import Series

router = APIRouter(prefix="/plan/forecasts", tags=["planner"])

LEARNT_DAYS_MAX = 180
"""How a morning tells its day is learnt from so many days; of older ones little is true any more."""


@router.get("/{run_id:uuid}/today")
async def today(request: Request, _principal: Reader, run_id: UUID) -> TodayShown:
    """Renew the forecast of today by the calls that the log has of it so far."""
    run, rows, _ = await laid_rows(request, run_id)
    if run.source["kind"] not in ("queue", "reason"):
        raise ApiError(409, "not_from_the_log", "only a forecast from the call log knows today's calls")
    zone, history_days = run.parameters["zone"], run.parameters.get("history_days") or LEARNT_DAYS_MAX
    since, until = bounds(zone, min(history_days, LEARNT_DAYS_MAX))
    try:
        async with tenant_of(request) as (connection, tenant_id):
            series = await log_series(connection, tenant_id, run.source, zone=zone, since=since, until=until)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    async with turns:
        return await asyncio.to_thread(checked, _renewed, run.parameters, series, rows, until)


def _renewed(parameters: dict[str, Any], series: Series, rows: ForecastRows, until: datetime) -> TodayShown:
    labels = labels_for(series, 1, country=parameters.get("country"), events_text=parameters.get("events"))
    return today_shown(series, rows, until, labels=labels)
