"""A call log whose figures are known: sixty calls a weekday to the queue sales, and who gave up when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import numpy as np
from sqlalchemy.dialects.postgresql import insert

from app.db import tables
from app.db.session import DEFAULT_TENANT, Database
from app.jobs.worker import do_job
from tests.app.customers.serving import Wakings, customers_served

CALLS_A_DAY = 60
PARTY_ID = UUID("00000000-0000-7000-8000-00000000c0de")


@asynccontextmanager
async def planner_served(
    database: Database, data_dir: Path, role: str = "planner"
) -> AsyncIterator[httpx2.AsyncClient]:
    """Serve the API to a planner; jobs are done by ``made``."""
    async with customers_served(database, data_dir, role, jobs=Wakings()) as client:
        yield client


async def made(client: httpx2.AsyncClient, database: Database, asked: dict[str, Any], data_dir: Path) -> str:
    """Do the job that was asked for; return the state in which it ended."""
    url = database.engine.url.render_as_string(hide_password=False)
    await do_job(Database(url), DEFAULT_TENANT, UUID(asked["job_id"]), data_dir=data_dir)
    return str((await client.get(f"/jobs/{asked['job_id']}")).json()["state"])


async def log_calls(
    database: Database,
    days: int,
    *,
    patience_s: float = 200.0,
    weekends: bool = False,
    opens_h: int = 8,
    queue_id: str = "sales",
    every: int = 1,
) -> list[datetime]:
    """Log the calls of so many days up to the last midnight (UTC); return their moments.

    Each waits for an answer that comes after 60 s on average, and gives up when its patience (exponential,
    mean *patience_s*) ends before. They come within ten hours from *opens_h* (UTC); of them only each
    *every*-th came, to the queue *queue_id*. Every third is for a refund, every fourth from an organisation.
    """
    dice = np.random.default_rng(4)
    end = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    moments: list[datetime] = []
    for ago in range(days, 0, -1):
        at = end - timedelta(days=ago)
        if weekends or at.weekday() < 5:
            drawn = dice.uniform(0, 10 * 3600, CALLS_A_DAY)
            moments += [at + timedelta(hours=opens_h, seconds=float(s)) for s in drawn]
    moments = sorted(moments)[::every]
    patience, offered = dice.exponential(patience_s, len(moments)), dice.exponential(60.0, len(moments))
    mark = "pbx1" if queue_id == "sales" else "pbx2"
    rows = [
        {
            "tenant_id": DEFAULT_TENANT,
            "day": at.date(),
            "interaction_id": f"{mark}-{int(at.timestamp())}.{number}",
        }
        for number, at in enumerate(moments)
    ]
    gone = patience < offered
    wait_ms = np.maximum(np.minimum(patience, offered) * 1_000, 1).astype(int)
    calls = [
        row
        | {
            "started_at": at,
            "answered_at": None if gone[number] else at,
            "queue_id": queue_id,
            "talk_ms": 200_000,
            "wrap_up_ms": 40_000,
            "party_id": PARTY_ID if number % 4 == 0 else None,
        }
        for number, (row, at) in enumerate(zip(rows, moments, strict=True))
    ]
    visits = [
        row
        | {
            "visit": 1,
            "queue_id": queue_id,
            "entered_at": at,
            "queued_at": at,
            "wait_ms": int(wait_ms[number]),
            "exit_cause": "abandoned" if gone[number] else "answered",
            "agent_id": None if gone[number] else "a1001",
        }
        for number, (row, at) in enumerate(zip(rows, moments, strict=True))
    ]
    said = {"ordinal": 0, "tree_version": 1, "set_by": "agent"}
    reasons = [
        row | said | {"reason_id": "refund" if number % 3 == 0 else "other", "at": at}
        for number, (row, at) in enumerate(zip(rows, moments, strict=True))
    ]
    async with database.transaction(DEFAULT_TENANT) as connection:
        organisation = {"tenant_id": DEFAULT_TENANT, "party_id": PARTY_ID, "kind": "organisation"}
        queue = {"tenant_id": DEFAULT_TENANT, "queue_id": queue_id}
        await connection.execute(insert(tables.party).on_conflict_do_nothing(), [organisation])
        await connection.execute(insert(tables.queue).on_conflict_do_nothing(), [queue])
        await connection.execute(insert(tables.interaction), calls)
        await connection.execute(insert(tables.queue_visit), visits)
        await connection.execute(insert(tables.interaction_reason), reasons)
    return moments
