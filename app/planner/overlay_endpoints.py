"""``/plan/forecasts/{run_id}/overlays``: lay a change over a forecast, and undo it; nothing is forgotten."""

from __future__ import annotations

import time
from uuid import UUID

from fastapi import APIRouter, Request

from app.http.errors import ApiError
from app.planner.asked import Planner, checked, known_run, tenant_of
from app.planner.overlays import with_one_more, with_one_undone
from app.planner.queries import rows_of, set_overlays
from app.planner.schemas import ForecastRunRow, OverlayBody

router = APIRouter(prefix="/plan/forecasts/{run_id:uuid}/overlays", tags=["planner"])


@router.post("", status_code=201)
async def lay(request: Request, principal: Planner, run_id: UUID, body: OverlayBody) -> ForecastRunRow:
    """Lay one more change over the forecast; it applies after those before it."""
    async with tenant_of(request) as (connection, tenant_id):
        run = await known_run(connection, tenant_id, run_id, lock=True)
        if not run.outcome:
            raise ApiError(409, "job_not_done", "the forecast is not made (yet)")
        rows, _ = await rows_of(connection, run)
        more = body.model_dump() | {"who": principal.name, "at_ms": _now_ms()}
        kept = checked(with_one_more, rows, run.overlays, more)
        await set_overlays(connection, tenant_id, run_id, kept)
        return ForecastRunRow.of(await known_run(connection, tenant_id, run_id))


@router.post("/{number}/undo")
async def undo(request: Request, principal: Planner, run_id: UUID, number: int) -> ForecastRunRow:
    """Undo the overlay of that number (from 0): it stays in the list, with who undid it and when."""
    async with tenant_of(request) as (connection, tenant_id):
        run = await known_run(connection, tenant_id, run_id, lock=True)
        try:
            kept = with_one_undone(run.overlays, number, who=principal.name, at_ms=_now_ms())
        except IndexError:
            raise ApiError(404, "unknown_overlay", "the forecast has no such overlay") from None
        await set_overlays(connection, tenant_id, run_id, kept)
        return ForecastRunRow.of(await known_run(connection, tenant_id, run_id))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
