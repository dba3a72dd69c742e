"""What every endpoint of customers needs: the tenant's database, who asks, and errors as answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import (
    CustomerError,
    ExternalRefTakenError,
    IdentifierInUseError,
    ImportNotFoundError,
    NoteNotFoundError,
    PartyNotFoundError,
)
from app.db.session import TenantId
from app.http.errors import ApiError
from app.http.state import state_of
from app.jobs.queries import JobsFull, make_job

_NOT_FOUND = (PartyNotFoundError, NoteNotFoundError, ImportNotFoundError)
_WAKE_S = 0.05  # by then the transaction that queued the job is committed; else the next look finds it


@asynccontextmanager
async def tenants(request: Request) -> AsyncIterator[tuple[AsyncConnection, TenantId]]:
    """One transaction of the request's tenant; our errors leave it as answers."""
    faces = state_of(request).faces
    with answered():
        async with faces.database.transaction(faces.tenant_id) as connection:
            yield connection, faces.tenant_id


@contextmanager
def answered() -> Iterator[None]:
    """Turn this subject's errors into answers.

    Raises:
        ApiError: 404 for what is not there, 409 for what does not fit.
    """
    try:
        yield
    except CustomerError as error:
        params: dict[str, Any] = {}
        match error:
            case IdentifierInUseError(owner_ids=owner_ids):
                params["owner_ids"] = [str(each) for each in owner_ids]
            case ExternalRefTakenError(owner_id=owner_id):
                params["owner_id"] = str(owner_id)
        status = 404 if isinstance(error, _NOT_FOUND) else 409
        raise ApiError(status, error.error_id, str(error), params=params) from None


def number_plan(request: Request) -> tuple[str, str]:
    """Return by which region and area code numbers without them are read."""
    settings = state_of(request).settings
    return settings.region, settings.area_code


async def queue_job(
    request: Request,
    connection: AsyncConnection,
    tenant_id: TenantId,
    kind: str,
    given: Mapping[str, Any],
    *,
    made_by: str,
) -> UUID:
    """Queue a job in the request's transaction, and let the runner look once the answer is out.

    Raises:
        ApiError: 503 when too many wait.
    """
    try:
        job_id = await make_job(connection, tenant_id, kind, given, made_by=made_by)
    except JobsFull:
        raise ApiError(503, "too_many_jobs", "others wait already", headers={"Retry-After": "30"}) from None
    asyncio.get_running_loop().call_later(_WAKE_S, state_of(request).faces.jobs.wake)
    return job_id
