"""``/plan/forecasts``: ask for one, read it, lay a change over it, take it away as a file, make it again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.gate import may
from app.auth.principal import Principal
from app.db.session import TenantId
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import JobsFull, job_of, make_job
from app.planner.forecast_files import MEDIA_TYPES, as_csv, as_xlsx
from app.planner.queries import (
    LIST_ROWS_MAX,
    SERIES_ROWS_MAX,
    list_runs,
    make_run,
    overlay_of,
    rows_of,
    run_of,
    series_as_json,
    series_from_json,
    set_job,
    set_overlays,
)
from app.planner.schemas import (
    ForecastBody,
    ForecastMade,
    ForecastRunPage,
    ForecastRunRow,
    IntervalPage,
    IntervalRow,
    OverlaysBody,
)
from workforce.errors import WorkforceError
from workforce.forecast import HORIZON_DAYS_MAX
from workforce.forecast_rows import ForecastRows, lay_over
from workforce.series import Series, resample, zone_of
from workforce.series_csv import read_series

router = APIRouter(prefix="/plan/forecasts", tags=["planner"])

Reader = Annotated[Principal, Depends(may("plan.read", scope="all"))]
Planner = Annotated[Principal, Depends(may("plan.write", scope="all"))]
FILE_BYTES_MAX = 30_000_000
HISTORY_SHOWN_MAX = 60_000
_WAKE_S = 0.05  # by then the transaction that queued the job is committed; else the next look finds it


@router.post("", status_code=202)
async def ask(request: Request, principal: Planner, body: ForecastBody) -> ForecastMade:
    """Forecast a queue, or a reason of contacts, from the call log; a job does it."""
    _checked(zone_of, body.zone)
    given = body.model_dump(exclude_none=True)
    async with _tenant(request) as (connection, tenant_id):
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
    series = await asyncio.to_thread(_checked, _read, text, zone, interval_min)
    parameters: dict[str, Any] = {
        "interval_min": interval_min or series.interval_min,
        "horizon_days": horizon_days,
        "zone": series.zone,
    }
    async with _tenant(request) as (connection, tenant_id):
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
    async with _tenant(request) as (connection, tenant_id):
        rows, after = await list_runs(connection, tenant_id, before=cursor, limit=limit)
    return ForecastRunPage(
        runs=[ForecastRunRow.of(row) for row in rows], next_cursor=None if after is None else str(after)
    )


@router.get("/{run_id:uuid}")
async def one(request: Request, _principal: Reader, run_id: UUID) -> ForecastRunRow:
    """Show one run: what it was asked for, how it was made, how accurate it is."""
    async with _tenant(request) as (connection, tenant_id):
        return ForecastRunRow.of(await _known(connection, tenant_id, run_id))


@router.get("/{run_id:uuid}/intervals")
async def intervals(request: Request, _principal: Reader, run_id: UUID) -> IntervalPage:
    """Show the intervals with both figures, the method's and the one used, and the history before them."""
    run, rows, aht_s = await _intervals(request, run_id)
    history = await asyncio.to_thread(_history, run)
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
        history_start_ms=[int(at) * 1_000 for at in history.start_s],
        history_calls=[None if calls != calls else float(calls) for calls in history.calls],
    )


@router.get("/{run_id:uuid}/file", response_class=Response)
async def file(
    request: Request,
    _principal: Reader,
    run_id: UUID,
    form: Annotated[Literal["csv", "xlsx"], Query(alias="format")] = "csv",
) -> Response:
    """Fetch the intervals as CSV or as a workbook."""
    _, rows, aht_s = await _intervals(request, run_id)
    content = await asyncio.to_thread(as_csv if form == "csv" else as_xlsx, rows, aht_s)
    headers = {"Content-Disposition": f'attachment; filename="forecast.{form}"'}
    return Response(content, media_type=MEDIA_TYPES[form], headers=headers)


@router.put("/{run_id:uuid}/overlays")
async def overlay(request: Request, principal: Planner, run_id: UUID, body: OverlaysBody) -> ForecastRunRow:
    """Replace the changes by hand; each keeps who laid it first."""
    async with _tenant(request) as (connection, tenant_id):
        run = await _known(connection, tenant_id, run_id)
        before = {_mark(kept): kept["who"] for kept in run.overlays}
        wanted = [each.model_dump() for each in body.overlays]
        kept = [each | {"who": before.get(_mark(each), principal.name)} for each in wanted]
        rows, _ = await rows_of(connection, run)
        _checked(lay_over, rows, [overlay_of(each) for each in kept])
        await set_overlays(connection, tenant_id, run_id, kept)
        return ForecastRunRow.of(await _known(connection, tenant_id, run_id))


@router.post("/{run_id:uuid}/again", status_code=202)
async def again(request: Request, principal: Planner, run_id: UUID) -> ForecastMade:
    """Make the forecast again: of a file from the same calls, of the log from what it holds now."""
    async with _tenant(request) as (connection, tenant_id):
        run = await _known(connection, tenant_id, run_id)
        new_run_id = await make_run(
            connection,
            tenant_id,
            display_name=run.display_name,
            made_by=principal.name,
            source=run.source,
            parameters=run.parameters,
            series=run.series if run.source["kind"] == "file" else None,
            again_of=run_id,
        )
        return await _queue(request, connection, tenant_id, new_run_id, principal)


@asynccontextmanager
async def _tenant(request: Request) -> AsyncIterator[tuple[AsyncConnection, TenantId]]:
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        yield connection, faces.tenant_id


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


async def _known(connection: AsyncConnection, tenant_id: TenantId, run_id: UUID) -> Row[Any]:
    run = await run_of(connection, tenant_id, run_id)
    if run is None:
        raise ApiError(404, "unknown_forecast", "there is no such forecast")
    return run


async def _intervals(request: Request, run_id: UUID) -> tuple[Row[Any], ForecastRows, list[float | None]]:
    async with _tenant(request) as (connection, tenant_id):
        run = await _known(connection, tenant_id, run_id)
        if not run.outcome:
            job = await job_of(connection, tenant_id, run.job_id) if run.job_id else None
            state = "unknown" if job is None else job.state
            raise ApiError(409, "job_not_done", "the forecast is not made (yet)", params={"state": state})
        rows, aht_s = await rows_of(connection, run)
    overlays = [overlay_of(kept) for kept in run.overlays]
    return run, await asyncio.to_thread(lay_over, rows, overlays), aht_s


def _history(run: Row[Any]) -> Series:
    series = resample(series_from_json(run.series), int(run.parameters["interval_min"]))
    last = slice(max(0, len(series.calls) - HISTORY_SHOWN_MAX), None)
    return Series(
        zone=series.zone,
        interval_min=series.interval_min,
        start_s=series.start_s[last],
        calls=series.calls[last],
    )


def _mark(overlay: Any) -> tuple[Any, ...]:
    return tuple(overlay.get(name) for name in ("start_ms", "end_ms", "factor", "calls", "why"))


def _read(text: str, zone: str, interval_min: int | None) -> Series:
    series = read_series(text, zone=zone)
    if interval_min is not None:
        resample(series, interval_min)
    return series


def _checked(what: Any, *arguments: Any) -> Any:
    """Return what the planner answers; what it refuses is the asker's fault.

    Raises:
        ApiError: 422 with the planner's own word and sentence.
    """
    try:
        return what(*arguments)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None


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
