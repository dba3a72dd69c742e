"""What the planner's endpoints share: the tenant's transaction, the run that is meant, refusals in words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Request
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.gate import may
from app.auth.principal import Principal
from app.db.session import TenantId
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import job_of
from app.planner.overlays import laid
from app.planner.queries import rows_of, run_of
from workforce.errors import WorkforceError
from workforce.forecast_rows import ForecastRows

Reader = Annotated[Principal, Depends(may("plan.read", scope="all"))]
Planner = Annotated[Principal, Depends(may("plan.write", scope="all"))]
RECKONED_AT_ONCE_MAX = 2
turns = asyncio.Semaphore(RECKONED_AT_ONCE_MAX)
"""Further ones wait, so that planning never takes all cores."""

Answer = TypeVar("Answer")


@asynccontextmanager
async def tenant_of(request: Request) -> AsyncIterator[tuple[AsyncConnection, TenantId]]:
    """Open a transaction of the request's tenant."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        yield connection, faces.tenant_id


async def known_run(
    connection: AsyncConnection, tenant_id: TenantId, run_id: UUID, *, lock: bool = False
) -> Row[Any]:
    """Return the run.

    Args:
        lock: Nobody else changes it until the transaction ends.

    Raises:
        ApiError: 404, there is none.
    """
    run = await run_of(connection, tenant_id, run_id, lock=lock)
    if run is None:
        raise ApiError(404, "unknown_forecast", "there is no such forecast")
    return run


async def laid_rows(request: Request, run_id: UUID) -> tuple[Row[Any], ForecastRows, list[float | None]]:
    """Return the run, its intervals with what people laid over them, and their handle times.

    Raises:
        ApiError: 404, there is no such run; 409, it is not made (yet).
    """
    async with tenant_of(request) as (connection, tenant_id):
        run = await known_run(connection, tenant_id, run_id)
        if not run.outcome:
            job = await job_of(connection, tenant_id, run.job_id) if run.job_id else None
            state = "unknown" if job is None else job.state
            raise ApiError(409, "job_not_done", "the forecast is not made (yet)", params={"state": state})
        rows, aht_s = await rows_of(connection, run)
    return run, await asyncio.to_thread(laid, rows, run.overlays), aht_s


def checked(what: Callable[..., Answer], *arguments: Any) -> Answer:
    """Return what the planner answers; what it refuses is the asker's fault.

    Raises:
        ApiError: 422 with the planner's own word and sentence.
    """
    try:
        return what(*arguments)
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
