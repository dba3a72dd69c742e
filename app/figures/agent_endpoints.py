"""``/figures/agents``: agents' time and work by period, as JSON, CSV and Excel; and what is behind it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.auth.gate import may
from app.figures.agent_export import agents_file
from app.figures.agent_reader import AgentsTable, now_in_ms, read_agents, read_behind
from app.figures.agent_schemas import (
    AgentDrillShown,
    AgentFiguresShown,
    AgentsDrillQuery,
    AgentsExportQuery,
    AgentsQuery,
    agents_shown,
    behind_shown,
)
from app.figures.files import csv_text, xlsx_bytes
from app.figures.report_reader import MEDIA_TYPES, file_name
from app.figures.schedules import FileFormat
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

_XLSX: dict[str, Any] = {MEDIA_TYPES[FileFormat.XLSX]: {}}

router = APIRouter(
    prefix="/figures/agents", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


@router.get("")
async def show_agents_figures(request: Request, query: Annotated[AgentsQuery, Query()]) -> AgentFiguresShown:
    """Show the figures of agents or teams of a range of days."""
    return await asyncio.to_thread(agents_shown, await _read(request, query))


@router.get("/spans")
async def show_behind_agents(
    request: Request, query: Annotated[AgentsDrillQuery, Query()]
) -> AgentDrillShown:
    """Show the spans and participations behind one number of a table."""
    faces = state_of(request).faces
    try:
        drilled = await read_behind(
            faces.database, faces.tenant_id, query.asked(), query.drill(), now_in_ms()
        )
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    return behind_shown(query, drilled)


@router.get("/export.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
async def export_agents_csv(request: Request, query: Annotated[AgentsExportQuery, Query()]) -> Response:
    """Give the same rows as CSV, in the columns asked for."""
    table = await _read(request, query)
    return _attached(
        await asyncio.to_thread(csv_text, agents_file(table, query.columns)), query, FileFormat.CSV
    )


@router.get("/export.xlsx", response_class=Response, responses={200: {"content": _XLSX}})
async def export_agents_xlsx(request: Request, query: Annotated[AgentsExportQuery, Query()]) -> Response:
    """Give the same rows as an Excel workbook, in the columns asked for."""
    table = await _read(request, query)
    return _attached(
        await asyncio.to_thread(xlsx_bytes, agents_file(table, query.columns)), query, FileFormat.XLSX
    )


def _attached(body: str | bytes, query: AgentsQuery, form: FileFormat) -> Response:
    name = file_name("agents", query.first, query.last, form)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)


async def _read(request: Request, query: AgentsQuery) -> AgentsTable:
    faces = state_of(request).faces
    try:
        return await read_agents(faces.database, faces.tenant_id, query.asked(), now_in_ms())
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
