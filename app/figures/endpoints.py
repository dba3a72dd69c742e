"""``/figures``: the log's figures by period and dimension, in either view, as JSON and CSV; their calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.auth.gate import may
from app.figures.export import csv_of, xlsx_of
from app.figures.reader import FiguresTable, read_choices, read_drill, read_figures
from app.figures.schemas import (
    ChoicesShown,
    DrillQuery,
    DrillShown,
    FiguresQuery,
    FiguresShown,
    choices_shown,
    drill_shown,
    shown,
)
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(
    prefix="/figures", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


@router.get("")
async def show_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> FiguresShown:
    """Show the figures of a range of days."""
    return shown(await _read(request, query))


@router.get("/choices")
async def show_choices(request: Request) -> ChoicesShown:
    """Show what a table can be parted and narrowed by, and since when there is a log."""
    faces = state_of(request).faces
    return choices_shown(await read_choices(faces.database, faces.tenant_id))


@router.get("/calls")
async def show_calls_behind(request: Request, query: Annotated[DrillQuery, Query()]) -> DrillShown:
    """Show the calls behind one number of a table: what its formula counts, above and below the line."""
    faces = state_of(request).faces
    try:
        drilled = await read_drill(faces.database, faces.tenant_id, query.asked(), query.drill())
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    return drill_shown(query, drilled)


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export_csv(request: Request, query: Annotated[FiguresQuery, Query()]) -> Response:
    """Give the same rows as CSV."""
    table = await _read(request, query)
    return _attached(csv_of(table), "text/csv; charset=utf-8", query, "csv")


@router.get("/export.xlsx", response_class=Response, responses={200: {"content": {_XLSX: {}}}})
async def export_xlsx(request: Request, query: Annotated[FiguresQuery, Query()]) -> Response:
    """Give the same rows as an Excel workbook."""
    table = await _read(request, query)
    return _attached(await asyncio.to_thread(xlsx_of, table), _XLSX, query, "xlsx")


def _attached(body: str | bytes, media_type: str, query: FiguresQuery, suffix: str) -> Response:
    name = f"figures-{query.first:%Y%m%d}-{query.last:%Y%m%d}.{suffix}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=media_type, headers=headers)


async def _read(request: Request, query: FiguresQuery) -> FiguresTable:
    faces = state_of(request).faces
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        return await read_figures(faces.database, faces.tenant_id, query.asked(), now_ms)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
