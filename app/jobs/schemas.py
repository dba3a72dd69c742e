"""Jobs as pages read them. Moments are milliseconds since the Unix epoch (UTC)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row

from app.jobs.rules import JobState, progress


class JobError(BaseModel):
    """Why a job failed: a word for the catalogue and what its sentence needs."""

    error_id: str
    params: dict[str, Any]


class JobRow(BaseModel):
    """One job.

    Attributes:
        progress: In [0, 1]; null while the size of the work is not known.
        result: What came of it; its shape is the kind's.
    """

    job_id: UUID
    kind: str
    state: JobState
    made_by: str
    progress: float | None
    done_count: int
    total_count: int | None
    is_cancel_wanted: bool
    result: dict[str, Any]
    error: JobError | None
    made_ms: int
    started_ms: int | None
    ended_ms: int | None


class JobList(BaseModel):
    """One page of jobs, newest first."""

    jobs: list[JobRow]
    next_cursor: str | None


def job_row(row: Row[Any]) -> JobRow:
    """Return a row of the table as pages read it."""
    error = JobError(error_id=row.error_id, params=row.error_params) if row.error_id else None
    return JobRow(
        job_id=row.job_id,
        kind=row.kind,
        state=row.state,
        made_by=row.made_by,
        progress=progress(row.state, row.done_count, row.total_count),
        done_count=row.done_count,
        total_count=row.total_count,
        is_cancel_wanted=row.is_cancel_wanted,
        result=row.result,
        error=error,
        made_ms=_ms(row.made_at) or 0,
        started_ms=_ms(row.started_at),
        ended_ms=_ms(row.ended_at),
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
