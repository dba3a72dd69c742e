"""Jobs as rows: make, read, cancel; and what the worker writes.

A worker holds an advisory lock of PostgreSQL on its job for as long as it lives: whoever looks at a
running job and can take that lock knows that nobody works on it any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables
from app.db.ids import new_id
from app.db.session import TenantId
from app.jobs.rules import ENDED, JobState, job_kind

LIST_ROWS_MAX = 100
QUEUED_MAX = 100
"""Waiting at once; more are refused, because somebody's script runs wild."""

_job = tables.job.c


class JobsFull(Exception):
    """Too many jobs wait already."""


async def make_job(
    connection: AsyncConnection,
    tenant_id: TenantId,
    kind: str,
    input: Mapping[str, Any],
    *,
    made_by: str,
) -> UUID:
    """Queue a job; a worker takes it after the caller's transaction is committed. Return its id.

    Raises:
        JobsFull: too many wait.
    """
    waiting = select(func.count()).where(_job.tenant_id == tenant_id, _job.state == "queued")
    if int((await connection.execute(waiting)).scalar_one()) >= QUEUED_MAX:
        raise JobsFull
    job_id = new_id()
    await connection.execute(
        insert(tables.job).values(
            tenant_id=tenant_id, job_id=job_id, kind=job_kind(kind), made_by=made_by, input=dict(input)
        )
    )
    return job_id


async def job_of(connection: AsyncConnection, tenant_id: TenantId, job_id: UUID) -> Row[Any] | None:
    """Return the job as it is; one whose worker died is failed from now on. None: there is no such job."""
    query = select(tables.job).where(_job.tenant_id == tenant_id, _job.job_id == job_id)
    row = (await connection.execute(query)).one_or_none()
    if row is not None and row.state == "running" and not await is_worked_on(connection, job_id):
        await end_job(connection, tenant_id, job_id, "failed", error_id="job_worker_died")
        row = (await connection.execute(query)).one()
    return row


async def list_jobs(
    connection: AsyncConnection,
    tenant_id: TenantId,
    *,
    before: UUID | None = None,
    kind: str | None = None,
    limit: int = LIST_ROWS_MAX,
) -> tuple[list[Row[Any]], UUID | None]:
    """Return the last jobs, newest first, and the place to go on from."""
    conditions = [_job.tenant_id == tenant_id]
    if before is not None:
        conditions.append(_job.job_id < before)
    if kind is not None:
        conditions.append(_job.kind == kind)
    query = select(tables.job).where(*conditions).order_by(_job.job_id.desc()).limit(limit + 1)
    rows = list((await connection.execute(query)).all())
    return rows[:limit], rows[limit - 1].job_id if len(rows) > limit else None


async def cancel_job(connection: AsyncConnection, tenant_id: TenantId, job_id: UUID) -> Row[Any] | None:
    """Let the job end: at once while it is queued, else at its next report. None: there is no such job."""
    row = await job_of(connection, tenant_id, job_id)
    if row is None or row.state in ENDED:
        return row
    mine = (_job.tenant_id == tenant_id, _job.job_id == job_id)
    await connection.execute(update(tables.job).where(*mine).values(is_cancel_wanted=True))
    await connection.execute(
        update(tables.job).where(*mine, _job.state == "queued").values(state="cancelled", ended_at=func.now())
    )
    return await job_of(connection, tenant_id, job_id)


# ---------------------------------------------------------------- the worker's and the runner's


async def queued_jobs(connection: AsyncConnection, tenant_id: TenantId, limit: int) -> list[UUID]:
    """Return who waits, the oldest first."""
    query = (
        select(_job.job_id)
        .where(_job.tenant_id == tenant_id, _job.state == "queued")
        .order_by(_job.job_id)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def fail_dead_jobs(connection: AsyncConnection, tenant_id: TenantId) -> int:
    """Fail the running jobs that nobody works on; return how many."""
    query = select(_job.job_id).where(_job.tenant_id == tenant_id, _job.state == "running")
    dead = [
        job_id
        for job_id in (await connection.execute(query)).scalars()
        if not await is_worked_on(connection, job_id)
    ]
    for job_id in dead:
        await end_job(connection, tenant_id, job_id, "failed", error_id="job_worker_died")
    return len(dead)


async def begin_job(connection: AsyncConnection, tenant_id: TenantId, job_id: UUID) -> Row[Any] | None:
    """Take a queued job (the worker holds its lock); None: it waits no more."""
    taken = await connection.execute(
        update(tables.job)
        .where(_job.tenant_id == tenant_id, _job.job_id == job_id, _job.state == "queued")
        .values(state="running", started_at=func.now())
        .returning(*tables.job.c)
    )
    return taken.one_or_none()


async def end_job(
    connection: AsyncConnection,
    tenant_id: TenantId,
    job_id: UUID,
    state: JobState,
    *,
    result: Mapping[str, Any] | None = None,
    error_id: str | None = None,
    error_params: Mapping[str, Any] | None = None,
) -> bool:
    """End a job that has not ended; return whether it was one."""
    done = await connection.execute(
        update(tables.job)
        .where(_job.tenant_id == tenant_id, _job.job_id == job_id, _job.state.not_in(ENDED))
        .values(
            state=state,
            result=dict(result or {}),
            error_id=error_id,
            error_params=dict(error_params or {}),
            ended_at=func.now(),
        )
    )
    return bool(done.rowcount)


async def hold_job(connection: AsyncConnection, job_id: UUID) -> bool:
    """Take the job's lock for as long as *connection* lives; False: another worker has it."""
    query = text("SELECT pg_try_advisory_lock(hashtextextended(:key, 0))")
    return bool((await connection.execute(query, {"key": f"job:{job_id}"})).scalar_one())


async def is_worked_on(connection: AsyncConnection, job_id: UUID) -> bool:
    """Say whether a worker holds the job's lock."""
    query = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:key, 0))")
    return not (await connection.execute(query, {"key": f"job:{job_id}"})).scalar_one()
