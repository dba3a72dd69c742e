"""``/plan/forecasts``: ask for one, read it, take it away as a file, make it again."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.principal import Principal
from app.db.session import TenantId
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import JobsFull, make_job
from app.planner.asked import Planner, Reader, checked, known_run, laid_rows, tenant_of, turns
from app.planner.forecast_files import MEDIA_TYPES, as_csv, as_xlsx
from app.planner.log_answers import history_shown
from app.planner.log_schemas import HistoryShown
from app.planner.overlays import carried
from app.planner.queries import (
    LIST_ROWS_MAX,
    SERIES_ROWS_MAX,
    list_runs,
    make_run,
    series_as_json,
    series_from_json,
    set_job,
)
from app.planner.schemas import (
    ForecastBody,
    ForecastMade,
    ForecastRunPage,
    ForecastRunRow,
    IntervalPage,
    IntervalRow,
)
from workforce.forecast import HORIZON_DAYS_MAX
from workforce.series import Series, resample, zone_of
from workforce.series_csv import read_series

router = APIRouter(prefix="/plan/forecasts", tags=["planner"])

FILE_BYTES_MAX = 30_000_000
HISTORY_SHOWN_MAX = 60_000
_WAKE_S = 0.05  # by then the transaction that queued the job is committed; else the next look finds it


@router.post("", status_code=202)
async def ask(request: Request, principal: Planner, body: ForecastBody) -> ForecastMade:
    """Forecast a queue, or a reason of contacts, from the call log; a job does it."""
    checked(zone_of, body.zone)
    given = body.model_dump(exclude_none=True)
    async with tenant_of(request) as (connection, tenant_id):
        run_id = await make_run(
            connection,
            tenant_id,
            display_name=body.display_name,
            made_by=principal.name,
            source=given.pop("source"),
            parameters={name: value for name, value in given.items() if name != "display_name"},
        )
        return await _queue(request, connection, tenant_id, run_id, principal)


@router.post("/files", status_code=202)
async def ask_of_file(
    request: Request,
    principal: Planner,
    display_name: Annotated[str, Query(max_length=200)] = "",
    interval_min: Annotated[int | None, Query(ge=1, le=1440)] = None,
    horizon_days: Annotated[int, Query(ge=1, le=HORIZON_DAYS_MAX)] = 28,
    zone: Annotated[str, Query(max_length=64)] = "",
    country: Annotated[str | None, Query(pattern=r"^[A-Za-z]{2}(-[A-Za-z0-9]{1,4})?$")] = None,
) -> ForecastMade:
    """Forecast the series in the request's body: CSV with interval_start,calls[,aht_s]."""
    text = await _body(request)
    series = await asyncio.to_thread(checked, _read, text, zone, interval_min)
    parameters: dict[str, Any] = {
        "interval_min": interval_min or series.interval_min,
        "horizon_days": horizon_days,
        "zone": series.zone,
    }
    async with tenant_of(request) as (connection, tenant_id):
        run_id = await make_run(
            connection,
            tenant_id,
            display_name=display_name,
            made_by=principal.name,
            source={"kind": "file"},
            parameters=parameters | ({"country": country} if country else {}),
            series=series_as_json(series),
        )
        return await _queue(request, connection, tenant_id, run_id, principal)


@router.get("")
async def runs(
    request: Request,
    _principal: Reader,
    cursor: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=LIST_ROWS_MAX)] = 50,
) -> ForecastRunPage:
    """List runs, newest first."""
    async with tenant_of(request) as (connection, tenant_id):
        rows, after = await list_runs(connection, tenant_id, before=cursor, limit=limit)
    return ForecastRunPage(
        runs=[ForecastRunRow.of(row) for row in rows], next_cursor=None if after is None else str(after)
    )


@router.get("/{run_id:uuid}")
async def one(request: Request, _principal: Reader, run_id: UUID) -> ForecastRunRow:
    """Show one run: what it was asked for, how it was made, how accurate it is."""
    async with tenant_of(request) as (connection, tenant_id):
        return ForecastRunRow.of(await known_run(connection, tenant_id, run_id))


@router.get("/{run_id:uuid}/intervals")
async def intervals(request: Request, _principal: Reader, run_id: UUID) -> IntervalPage:
    """Show the intervals with both figures, the method's and the one used, and the history before them."""
    run, rows, aht_s = await laid_rows(request, run_id)
    before = await asyncio.to_thread(_history, run)
    return IntervalPage(
        interval_min=rows.interval_min,
        zone=rows.zone,
        intervals=[
            IntervalRow(
                start_ms=int(rows.start_s[at]) * 1_000,
                forecast=float(rows.forecast[at]),
                mean=float(rows.mean[at]),
                p10=float(rows.quantiles[at, 0]),
                p50=float(rows.quantiles[at, 1]),
                p90=float(rows.quantiles[at, 2]),
                aht_s=aht_s[at],
                overlay=int(rows.touched_by[at]) if rows.touched_by[at] >= 0 else None,
            )
            for at in range(len(rows.start_s))
        ],
        history_start_ms=[int(at) * 1_000 for at in before.start_s],
        history_calls=[None if calls != calls else float(calls) for calls in before.calls],
    )


@router.get("/{run_id:uuid}/history")
async def history(request: Request, _principal: Reader, run_id: UUID) -> HistoryShown:
    """Show the days that the run was made from, with what was wrong in them."""
    async with tenant_of(request) as (connection, tenant_id):
        run = await known_run(connection, tenant_id, run_id)
    if not run.series:
        raise ApiError(409, "job_not_done", "the forecast is not made (yet)")
    async with turns:
        return await asyncio.to_thread(
            lambda: history_shown(series_from_json(run.series), int(run.parameters["interval_min"]))
        )


@router.get("/{run_id:uuid}/file", response_class=Response)
async def file(
    request: Request,
    _principal: Reader,
    run_id: UUID,
    form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
) -> Response:
    """Fetch the intervals as CSV or as a workbook."""
    _, rows, aht_s = await laid_rows(request, run_id)
    content = await asyncio.to_thread(as_csv if form == "csv" else as_xlsx, rows, aht_s)
    headers = {"Content-Disposition": f'attachment; filename="forecast.{form}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


@router.post("/{run_id:uuid}/again", status_code=202)
async def again(
    request: Request, principal: Planner, run_id: UUID, carry_overlays: bool = True
) -> ForecastMade:
    """Make the forecast again: of a file from the same calls, of the log from what it holds now.

    It takes over the overlays in force, marked as carried over; not with ``carry_overlays=false``.
    """
    async with tenant_of(request) as (connection, tenant_id):
        run = await known_run(connection, tenant_id, run_id)
        new_run_id = await make_run(
            connection,
            tenant_id,
            display_name=run.display_name,
            made_by=principal.name,
            source=run.source,
            parameters=run.parameters,
            series=run.series if run.source["kind"] == "file" else None,
            again_of=run_id,
            overlays=carried(run.overlays, str(run_id)) if carry_overlays else (),
        )
        return await _queue(request, connection, tenant_id, new_run_id, principal)


async def _queue(
    request: Request, connection: AsyncConnection, tenant_id: TenantId, run_id: UUID, principal: Principal
) -> ForecastMade:
    given = {"run_id": str(run_id)}
    try:
        job_id = await make_job(connection, tenant_id, "plan_forecast", given, made_by=principal.name)
    except JobsFull:
        raise ApiError(503, "too_many_jobs", "others wait already", headers={"Retry-After": "30"}) from None
    await set_job(connection, tenant_id, run_id, job_id)
    asyncio.get_running_loop().call_later(_WAKE_S, state_of(request).faces.jobs.wake)
    return ForecastMade(run_id=run_id, job_id=job_id)


def _history(run: Row[Any]) -> Series:
    series = resample(series_from_json(run.series), int(run.parameters["interval_min"]))
    last = slice(max(0, len(series.calls) - HISTORY_SHOWN_MAX), None)
    return Series(
        zone=series.zone,
        interval_min=series.interval_min,
        start_s=series.start_s[last],
        calls=series.calls[last],
    )


def _read(text: str, zone: str, interval_min: int | None) -> Series:
    series = read_series(text, zone=zone)
    if interval_min is not None:
        resample(series, interval_min)
    return series


async def _body(request: Request) -> str:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > FILE_BYTES_MAX:
            raise ApiError(413, "file_too_large", params={"bytes_max": FILE_BYTES_MAX})
        parts.append(part)
    try:
        text = b"".join(parts).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ApiError(422, "bad_series", "the file is not UTF-8 text; save it as CSV UTF-8") from None
    if text.count("\n") > SERIES_ROWS_MAX:
        raise ApiError(413, "series_too_long", params={"rows_max": SERIES_ROWS_MAX})
    return text
