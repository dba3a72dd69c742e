"""``/figures/persons`` and ``/figures/transfers``: per person, by pair; files and calls."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from app.auth.gate import may
from app.figures.agent_reader import now_in_ms
from app.figures.counted import CountedTable, Subject, read_behind_counted, read_counted
from app.figures.counted_export import counted_file
from app.figures.counted_schemas import (
    CountedDrillShown,
    CountedQuery,
    CountedShown,
    PersonsDrillQuery,
    PersonsQuery,
    TransfersDrillQuery,
    TransfersQuery,
    counted_drill_shown,
    counted_shown,
    known_line,
)
from app.figures.files import csv_text, xlsx_bytes
from app.figures.report_reader import MEDIA_TYPES, file_name
from app.figures.schedules import FileFormat
from app.figures.subjects import TRANSFERS, persons
from app.http.errors import ApiError
from app.http.state import state_of
from workforce.errors import WorkforceError

_CSV: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {}}}}
_XLSX: dict[int | str, dict[str, Any]] = {200: {"content": {MEDIA_TYPES[FileFormat.XLSX]: {}}}}

router = APIRouter(
    prefix="/figures", tags=["figures"], dependencies=[Depends(may("figures.read", scope="all"))]
)


@router.get("/persons")
async def show_persons(request: Request, query: Annotated[PersonsQuery, Query()]) -> CountedShown:
    """Show repeat contacts and first-contact resolution per person of a range of days."""
    return counted_shown(await _read(request, _persons(query), query))


@router.get("/persons/calls")
async def show_behind_persons(
    request: Request, query: Annotated[PersonsDrillQuery, Query()]
) -> CountedDrillShown:
    """Show the contacts behind one number of that table."""
    return await _behind(request, _persons(query), query)


@router.get("/persons/export.csv", response_class=Response, responses=_CSV)
async def export_persons_csv(request: Request, query: Annotated[PersonsQuery, Query()]) -> Response:
    """Give the same rows as CSV."""
    return await _csv(request, _persons(query), query)


@router.get("/persons/export.xlsx", response_class=Response, responses=_XLSX)
async def export_persons_xlsx(request: Request, query: Annotated[PersonsQuery, Query()]) -> Response:
    """Give the same rows as an Excel workbook."""
    return await _xlsx(request, _persons(query), query)


@router.get("/transfers")
async def show_transfers(request: Request, query: Annotated[TransfersQuery, Query()]) -> CountedShown:
    """Show transfers, and consults that ended without one, by from whom to whom."""
    return counted_shown(await _read(request, TRANSFERS, query))


@router.get("/transfers/calls")
async def show_behind_transfers(
    request: Request, query: Annotated[TransfersDrillQuery, Query()]
) -> CountedDrillShown:
    """Show the transfers behind one number of that table."""
    return await _behind(request, TRANSFERS, query)


@router.get("/transfers/export.csv", response_class=Response, responses=_CSV)
async def export_transfers_csv(request: Request, query: Annotated[TransfersQuery, Query()]) -> Response:
    """Give the same rows as CSV."""
    return await _csv(request, TRANSFERS, query)


@router.get("/transfers/export.xlsx", response_class=Response, responses=_XLSX)
async def export_transfers_xlsx(request: Request, query: Annotated[TransfersQuery, Query()]) -> Response:
    """Give the same rows as an Excel workbook."""
    return await _xlsx(request, TRANSFERS, query)


def _persons(query: PersonsQuery) -> Subject:
    return persons(query.within_days, now_in_ms())


async def _read(request: Request, subject: Subject, query: CountedQuery) -> CountedTable:
    faces = state_of(request).faces
    try:
        return await read_counted(faces.database, faces.tenant_id, subject, query.asked(), now_in_ms())
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None


async def _behind(
    request: Request, subject: Subject, query: TransfersDrillQuery | PersonsDrillQuery
) -> CountedDrillShown:
    faces = state_of(request).faces
    try:
        drill = query.drill(known_line(subject, query.figure))
        drilled = await read_behind_counted(faces.database, faces.tenant_id, subject, query.asked(), drill)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    except ValueError as error:
        raise ApiError(422, "invalid_request", str(error)) from None
    return counted_drill_shown(query.figure, drilled)


async def _csv(request: Request, subject: Subject, query: CountedQuery) -> Response:
    table = await _read(request, subject, query)
    text = await asyncio.to_thread(csv_text, counted_file(table, query.columns))
    return _attached(text, subject, query, FileFormat.CSV)


async def _xlsx(request: Request, subject: Subject, query: CountedQuery) -> Response:
    table = await _read(request, subject, query)
    book = await asyncio.to_thread(xlsx_bytes, counted_file(table, query.columns))
    return _attached(book, subject, query, FileFormat.XLSX)


def _attached(body: str | bytes, subject: Subject, query: CountedQuery, form: FileFormat) -> Response:
    name = file_name(subject.name, query.first, query.last, form)
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=MEDIA_TYPES[form], headers=headers)
