"""Customers leave as a list: CSV at once as a stream, CSV or XLSX as a job with a file at its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.auth.gate import may
from app.auth.principal import Principal
from app.customers.export_job import export_path
from app.customers.export_rows import ExportRows, csv_lines
from app.customers.finding import WORDS_CHARS_MAX
from app.customers.web import number_plan, queue_job, tenants
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import job_of

router = APIRouter(prefix="/parties", tags=["customers"])

Exporter = Annotated[Principal, Depends(may("party.export", scope="mine"))]
_MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ExportBody(BaseModel):
    """What to export.

    Attributes:
        words: Only what a search for them finds; "" is everybody.
    """

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "xlsx"] = "csv"
    words: str = Field(default="", max_length=WORDS_CHARS_MAX)


class ExportMade(BaseModel):
    """The job that writes the file; when it is done, the file is at ``/parties/exports/{job_id}/file``."""

    job_id: UUID


@router.get("/export.csv", response_class=Response)
async def stream(
    request: Request, _principal: Exporter, q: Annotated[str, Query(max_length=WORDS_CHARS_MAX)] = ""
) -> StreamingResponse:
    """Stream everybody (or what a search finds) as CSV."""
    faces = state_of(request).faces
    region, area_code = number_plan(request)
    rows = ExportRows(faces.database, faces.tenant_id, words=q, region=region, area_code=area_code)
    header = await rows.header()  # before the answer begins: a database that is away is still an error

    async def lines() -> AsyncIterator[str]:
        yield "\ufeff" + csv_lines([header])
        async for batch in rows.batches():
            yield csv_lines(batch)

    headers = {"Content-Disposition": 'attachment; filename="customers.csv"'}
    return StreamingResponse(lines(), media_type=_MEDIA_TYPES["csv"], headers=headers)


@router.post("/exports", status_code=202)
async def begin(request: Request, principal: Exporter, body: ExportBody) -> ExportMade:
    """Begin to write a file of everybody, or of what a search finds."""
    async with tenants(request) as (connection, tenant_id):
        job_id = await queue_job(
            request, connection, tenant_id, "party_export", body.model_dump(), made_by=principal.name
        )
    return ExportMade(job_id=job_id)


@router.get("/exports/{job_id:uuid}/file", response_class=Response)
async def fetch(request: Request, _principal: Exporter, job_id: UUID) -> FileResponse:
    """Fetch the file of an export that is done."""
    async with tenants(request) as (connection, tenant_id):
        job = await job_of(connection, tenant_id, job_id)
    if job is None or job.kind != "party_export":
        raise ApiError(404, "unknown_job", "there is no such export")
    if job.state != "done":
        raise ApiError(409, "job_not_done", "the file is not there (yet)", params={"state": job.state})
    form = job.input["format"]
    path = export_path(state_of(request).settings.data_dir, job_id, form)
    if not path.is_file():
        raise ApiError(404, "export_gone", "the file was removed")
    return FileResponse(path, media_type=_MEDIA_TYPES[form], filename=f"customers.{form}")
