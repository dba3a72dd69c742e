"""``/figures``: the log's figures by period and dimension, in either view, as JSON and files; their calls."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.auth.gate import may
from app.figures.reader import FiguresTable, read_choices, read_drill, read_figures
from app.figures.report_reader import MEDIA_TYPES, file_name, file_of
from app.figures.schedules import FileFormat
from app.figures.schemas import (
    ChoicesShown,
    DrillQuery,
    DrillShown,
    ExportQuery,
    FiguresQuery,
    FiguresShown,
    choices_shown,
    drill_shown,
    shown,
)
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

_FILES: dict[int | str, dict[str, Any]] = {200: {"content": {one: {} for one in MEDIA_TYPES.values()}}}

router = APIRouter(
    prefix="/figures", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


@router.get("")
async def show_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> FiguresShown:
    """Show the figures of a range of days."""
    return await asyncio.to_thread(shown, await _read(request, query))


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


@router.get("/export.{file_format}", response_class=Response, responses=_FILES)
async def export(
    request: Request, file_format: FileFormat, query: Annotated[ExportQuery, Query()]
) -> Response:
    """Give the same rows as CSV, Excel workbook or PDF: in the columns and the order asked for."""
    table = await _read(request, query)
    body = await file_of(table, query.shape, file_format, title="", language=query.language)
    name = file_name("figures", query.first, query.last, file_format)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[file_format], headers=headers)


async def _read(request: Request, query: FiguresQuery) -> FiguresTable:
    faces = state_of(request).faces
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        return await read_figures(faces.database, faces.tenant_id, query.asked(), now_ms)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
