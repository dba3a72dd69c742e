"""``/plan/sources``, ``/plan/history``, ``/plan/patience``: what the call log tells before any forecast."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.http.errors import ApiError
from app.http.state import state_of
from app.planner.asked import Reader, checked, tenant_of, turns
from app.planner.log_answers import history_shown, patience_shown
from app.planner.log_history import bounds, log_series, since_day
from app.planner.log_schemas import HistoryShown, LogSources, PatienceShown
from app.planner.log_sources import log_groups, log_queues, log_reasons, log_waits
from app.planner.schemas import PartyKind, Slug
from workforce.errors import WorkforceError

router = APIRouter(prefix="/plan", tags=["planner"])

Days = Annotated[int, Field(ge=7, le=1_100)]


class HistoryQuery(BaseModel):
    """Which history: of a queue or of a reason, of all callers or of one kind."""

    model_config = ConfigDict(extra="forbid")

    queue_id: Slug | None = None
    reason_id: Slug | None = None
    party_kind: PartyKind | None = None
    zone: str = Field(min_length=1, max_length=64)
    interval_min: Annotated[Literal[15, 30, 60], BeforeValidator(int)] = 30
    days: Days = 90

    @model_validator(mode="after")
    def _names_one(self) -> HistoryQuery:
        if (self.queue_id is None) == (self.reason_id is None):
            raise ValueError("name either a queue_id or a reason_id")
        return self

    def source(self) -> dict[str, str | None]:
        """Return it as a forecast names its source."""
        kind = "queue" if self.queue_id else "reason"
        return {"kind": kind, f"{kind}_id": self.queue_id or self.reason_id, "party_kind": self.party_kind}


@router.get("/sources")
async def sources(request: Request, _principal: Reader, days: Days = 90) -> LogSources:
    """List what can be forecast from the call log: queues, reasons, kinds of customers; how much of each."""
    since, _ = bounds("", days)
    async with tenant_of(request) as (connection, tenant_id):
        queues, first_at = await log_queues(connection, tenant_id, since)
        return LogSources(
            days=days,
            region=state_of(request).faces.settings.region,
            first_day=None if first_at is None else max(since_day(since), first_at.date()).isoformat(),
            queues=queues,
            reasons=await log_reasons(connection, tenant_id, since),
            groups=await log_groups(connection, tenant_id, since),
        )


@router.get("/history")
async def history(
    request: Request, _principal: Reader, asked: Annotated[HistoryQuery, Query()]
) -> HistoryShown:
    """Show the days of a history from the call log, and what is wrong in them."""
    try:
        since, until = bounds(asked.zone, asked.days)
        async with tenant_of(request) as (connection, tenant_id):
            series = await log_series(
                connection, tenant_id, asked.source(), zone=asked.zone, since=since, until=until
            )
    except WorkforceError as error:
        raise ApiError(422, error.error_id, str(error)) from None
    async with turns:
        return await asyncio.to_thread(checked, history_shown, series, asked.interval_min)


@router.get("/patience")
async def patience(
    request: Request, _principal: Reader, queue_id: Annotated[Slug, Query()], days: Days = 90
) -> PatienceShown:
    """Say how long a queue's callers are willing to wait, from their waits in the call log."""
    since, _ = bounds("", days)
    async with tenant_of(request) as (connection, tenant_id):
        waits = await log_waits(connection, tenant_id, queue_id, since)
    async with turns:
        return await asyncio.to_thread(checked, patience_shown, waits)
