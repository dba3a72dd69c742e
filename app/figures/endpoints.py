"""``/figures``: the log's figures by period and dimension, in either view, as JSON and CSV; their calls."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.auth.gate import may
from app.figures.reader import FiguresTable, csv_of, read_drill, read_figures
from app.figures.schemas import DrillQuery, DrillShown, FiguresQuery, FiguresShown, drill_shown, shown
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

router = APIRouter(
    prefix="/figures", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


@router.get("")
async def show_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> FiguresShown:
    """Show the figures of a range of days."""
    return shown(await _read(request, query))


@router.get("/calls")
async def show_calls_behind(request: Request, query: Annotated[DrillQuery, Query()]) -> DrillShown:
    """Show the calls behind one number of a table: what its formula counts, above and below the line."""
    faces = state_of(request).faces
    try:
        drilled = await read_drill(faces.database, faces.tenant_id, query.asked(), query.drill())
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    return drill_shown(query, drilled)


@router.get("/export", response_class=Response)
async def export_figures(request: Request, query: Annotated[FiguresQuery, Query()]) -> Response:
    """Give the same rows as CSV."""
    name = f"figures-{query.first:%Y%m%d}-{query.last:%Y%m%d}.csv"
    return Response(
        csv_of(await _read(request, query)),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def _read(request: Request, query: FiguresQuery) -> FiguresTable:
    faces = state_of(request).faces
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        return await read_figures(faces.database, faces.tenant_id, query.asked(), now_ms)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
