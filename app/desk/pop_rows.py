"""Pops as rows: written in batches beside the calls, found again after a restart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.db.tables import pop as table
from app.desk.pop import Pop
from routing.ids import AgentId, InteractionId, QueueId

Key = tuple[AgentId, InteractionId]


def row_of(pop: Pop) -> dict[str, Any]:
    """Return the pop's row as it is now, without the tenant."""
    match = pop.match
    return {
        "pop_id": pop.pop_id,
        "interaction_id": pop.interaction_id,
        "attempt": pop.attempt,
        "agent_id": pop.agent_id,
        "queue_id": pop.queue_id,
        "outcome": match.outcome if match else "late",
        "method": match.method if match else "none",
        "confidence": match.confidence if match else 0,
        "party_id": match.party_id if match else None,
        "made_at": _moment(pop.made_ms),
        "acked_at": _moment(pop.acked_ms),
        "answered_at": _moment(pop.answered_ms),
        "shown_before_answer": pop.shown_before_answer,
        "ended_at": _moment(pop.ended_ms),
        "end_reason": pop.end_reason,
    }


async def write_pops(
    connection: AsyncConnection, tenant_id: TenantId, rows: Sequence[dict[str, Any]]
) -> None:
    """Insert or renew the rows of pops."""
    wanted = upsert(table).values([{"tenant_id": tenant_id, **row} for row in rows])
    changed = {name: wanted.excluded[name] for name in rows[0] if name != "pop_id"}
    await connection.execute(
        wanted.on_conflict_do_update(index_elements=["tenant_id", "pop_id"], set_=changed)
    )


async def open_pops(
    connection: AsyncConnection, tenant_id: TenantId, wanted: Collection[Key]
) -> dict[Key, Pop]:
    """Return the newest pop of each agent's call that has not ended."""
    row = table.c
    found = await connection.execute(
        select(table)
        .where(
            row.tenant_id == tenant_id,
            row.interaction_id.in_({interaction_id for _, interaction_id in wanted}),
            row.ended_at.is_(None),
        )
        .order_by(row.pop_id)
    )
    pops: dict[Key, Pop] = {}
    for one in found.mappings():
        key = (AgentId(one["agent_id"]), InteractionId(one["interaction_id"]))
        if key in wanted:
            pops[key] = Pop(
                pop_id=one["pop_id"],
                agent_id=key[0],
                interaction_id=key[1],
                attempt=one["attempt"],
                queue_id=QueueId(one["queue_id"]) if one["queue_id"] else None,
                number="",
                made_ms=_ms(one["made_at"]) or 0,
                acked_ms=_ms(one["acked_at"]),
                answered_ms=_ms(one["answered_at"]),
            )
    return pops


async def close_others(
    connection: AsyncConnection, tenant_id: TenantId, *, before_id: int, but: Iterable[int]
) -> int:
    """End the pops of earlier lives of the server whose calls are over; return how many."""
    row = table.c
    done = await connection.execute(
        update(table)
        .where(
            row.tenant_id == tenant_id,
            row.ended_at.is_(None),
            row.pop_id < before_id,
            row.pop_id.not_in(list(but)),
        )
        .values(ended_at=func.now(), end_reason="lost_sight")
    )
    return done.rowcount


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else round(at.timestamp() * 1000)
