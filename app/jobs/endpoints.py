"""Long work: list it, see how far it is, end it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from app.auth.gate import may
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import LIST_ROWS_MAX, cancel_job, job_of, list_jobs
from app.jobs.schemas import JobList, JobRow, job_row

router = APIRouter(prefix="/jobs", tags=["jobs"])


@router.get("", dependencies=[Depends(may("job.read", scope="all"))])
async def list_all(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIST_ROWS_MAX)] = 20,
    cursor: Annotated[UUID | None, Query()] = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = None,
) -> JobList:
    """List jobs, newest first."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        rows, following = await list_jobs(connection, faces.tenant_id, before=cursor, kind=kind, limit=limit)
    return JobList(jobs=[job_row(row) for row in rows], next_cursor=str(following) if following else None)


@router.get("/{job_id:uuid}", dependencies=[Depends(may("job.read", scope="all"))])
async def show(request: Request, job_id: UUID) -> JobRow:
    """Show how far a job is, and what came of it."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await job_of(connection, faces.tenant_id, job_id)
    if row is None:
        raise ApiError(404, "unknown_job", "there is no such job")
    return job_row(row)


@router.post("/{job_id:uuid}/cancel", dependencies=[Depends(may("job.write", scope="all"))])
async def cancel(request: Request, job_id: UUID) -> JobRow:
    """Let a job end between two batches; one that has ended stays as it is."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await cancel_job(connection, faces.tenant_id, job_id)
    if row is None:
        raise ApiError(404, "unknown_job", "there is no such job")
    return job_row(row)
