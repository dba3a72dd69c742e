"""Forecast runs as rows: make, read, lay over; and what the job writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables
from app.db.ids import new_id
from app.db.session import TenantId
from workforce.forecast_rows import ForecastRows
from workforce.series import Series

LIST_ROWS_MAX = 100
SERIES_ROWS_MAX = 300_000
_INSERT_ROWS = 2_000
_LEVELS = (0.1, 0.5, 0.9)

_run = tables.forecast_run.c
_interval = tables.forecast_interval.c


async def make_run(
    connection: AsyncConnection,
    tenant_id: TenantId,
    *,
    display_name: str,
    made_by: str,
    source: Mapping[str, Any],
    parameters: Mapping[str, Any],
    series: Mapping[str, Any] | None = None,
    again_of: UUID | None = None,
    overlays: Sequence[Mapping[str, Any]] = (),
) -> UUID:
    """Write down what is to be forecast; return its id."""
    run_id = new_id()
    await connection.execute(
        insert(tables.forecast_run).values(
            tenant_id=tenant_id,
            run_id=run_id,
            display_name=display_name,
            made_by=made_by,
            source=dict(source),
            parameters=dict(parameters),
            series=None if series is None else dict(series),
            again_of=again_of,
            overlays=[dict(overlay) for overlay in overlays],
        )
    )
    return run_id


async def set_job(connection: AsyncConnection, tenant_id: TenantId, run_id: UUID, job_id: UUID) -> None:
    """Say which job does the run."""
    await connection.execute(_update(tenant_id, run_id).values(job_id=job_id))


async def run_of(
    connection: AsyncConnection, tenant_id: TenantId, run_id: UUID, *, lock: bool = False
) -> Row[Any] | None:
    """Return the run with what it was made from; None: there is no such run."""
    query = select(tables.forecast_run).where(_run.tenant_id == tenant_id, _run.run_id == run_id)
    query = query.with_for_update() if lock else query
    return (await connection.execute(query)).one_or_none()


async def list_runs(
    connection: AsyncConnection, tenant_id: TenantId, *, before: UUID | None, limit: int
) -> tuple[list[Row[Any]], UUID | None]:
    """Return the last runs without their series, newest first, and the place to go on from."""
    columns = [column for column in tables.forecast_run.c if column.name != "series"]
    query = select(*columns).where(_run.tenant_id == tenant_id)
    if before is not None:
        query = query.where(_run.run_id < before)
    rows = list((await connection.execute(query.order_by(_run.run_id.desc()).limit(limit + 1))).all())
    return rows[:limit], rows[limit - 1].run_id if len(rows) > limit else None


async def set_overlays(
    connection: AsyncConnection, tenant_id: TenantId, run_id: UUID, overlays: Sequence[Mapping[str, Any]]
) -> None:
    """Replace the run's overlays."""
    await connection.execute(
        _update(tenant_id, run_id).values(overlays=[dict(overlay) for overlay in overlays])
    )


async def keep_outcome(
    connection: AsyncConnection,
    tenant_id: TenantId,
    run_id: UUID,
    rows: ForecastRows,
    aht_s: Sequence[float | None],
    *,
    series: Mapping[str, Any],
    outcome: Mapping[str, Any],
) -> None:
    """Write what came of the run, and the calls that it was made from."""
    made = [
        {
            "tenant_id": tenant_id,
            "run_id": run_id,
            "start_at": datetime.fromtimestamp(int(start_s), UTC),
            "mean": float(mean),
            "p10": float(low),
            "p50": float(middle),
            "p90": float(high),
            "aht_s": handled_s,
        }
        for start_s, mean, (low, middle, high), handled_s in zip(
            rows.start_s, rows.forecast, rows.quantiles, aht_s, strict=True
        )
    ]
    for begin in range(0, len(made), _INSERT_ROWS):
        await connection.execute(insert(tables.forecast_interval), made[begin : begin + _INSERT_ROWS])
    await connection.execute(_update(tenant_id, run_id).values(series=dict(series), outcome=dict(outcome)))


async def rows_of(connection: AsyncConnection, run: Row[Any]) -> tuple[ForecastRows, list[float | None]]:
    """Return the intervals of a run before any overlay, and their handle times."""
    query = (
        select(
            _interval.start_at, _interval.mean, _interval.p10, _interval.p50, _interval.p90, _interval.aht_s
        )
        .where(_interval.tenant_id == run.tenant_id, _interval.run_id == run.run_id)
        .order_by(_interval.start_at)
    )
    found = (await connection.execute(query)).all()
    mean = np.array([row.mean for row in found])
    rows = ForecastRows(
        zone=run.parameters["zone"],
        interval_min=run.parameters["interval_min"],
        start_s=np.array([int(row.start_at.timestamp()) for row in found], dtype=np.int64),
        forecast=mean,
        mean=mean,
        quantiles=np.array([(row.p10, row.p50, row.p90) for row in found]).reshape(-1, len(_LEVELS)),
        levels=_LEVELS,
        touched_by=np.full(len(found), -1, dtype=np.int64),
    )
    return rows, [row.aht_s for row in found]


def series_as_json(series: Series) -> dict[str, Any]:
    """Return a series as it is kept with its run; null is "not measured"."""
    return {
        "zone": series.zone,
        "interval_min": series.interval_min,
        "start_s": series.start_s.tolist(),
        "calls": _nullable(series.calls),
        "aht_s": None if series.aht_s is None else _nullable(series.aht_s),
    }


def series_from_json(kept: Mapping[str, Any]) -> Series:
    """Return the series that ``series_as_json`` described."""
    return Series(
        zone=kept["zone"],
        interval_min=kept["interval_min"],
        start_s=np.array(kept["start_s"], dtype=np.int64),
        calls=np.array(kept["calls"], dtype=np.float64),
        aht_s=None if kept["aht_s"] is None else np.array(kept["aht_s"], dtype=np.float64),
    )


def _nullable(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[float | None]:
    return [None if value != value else value for value in values.tolist()]


def _update(tenant_id: TenantId, run_id: UUID) -> Any:
    return update(tables.forecast_run).where(_run.tenant_id == tenant_id, _run.run_id == run_id)
