"""Take somebody who gave up off the list by hand, and put them back: who, when and why are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t
from app.db.ids import new_id
from app.db.session import TenantId
from routing.events import QueueExit
from routing.ids import InteractionId

GAVE_UP: Final = (QueueExit.ABANDONED.value, QueueExit.SHORT_ABANDON.value)
"""Outcomes that can be settled."""


async def settle(
    connection: AsyncConnection, tenant_id: TenantId, interaction_id: InteractionId, *, reason: str, by: str
) -> bool:
    """Take the call off the list; False: it is off already, and stays with its first reason."""
    row = {"tenant_id": tenant_id, "settled_id": new_id(), "interaction_id": interaction_id}
    statement = postgresql.insert(t.settled_call).values(**row, reason=reason, settled_by=by)
    done = await connection.execute(statement.on_conflict_do_nothing())
    return done.rowcount == 1


async def undo(
    connection: AsyncConnection, tenant_id: TenantId, interaction_id: InteractionId, *, by: str
) -> bool:
    """Put it on the list again; False: it was not taken off."""
    settled = t.settled_call.c
    done = await connection.execute(
        update(t.settled_call)
        .where(
            settled.tenant_id == tenant_id,
            settled.interaction_id == interaction_id,
            settled.undone_at.is_(None),
        )
        .values(undone_by=by, undone_at=func.now())
    )
    return done.rowcount == 1


async def settlings(
    connection: AsyncConnection, tenant_id: TenantId, interaction_id: InteractionId
) -> Sequence[Mapping[str, Any]]:
    """Return how often and why it was taken off, the newest first; undone ones too."""
    settled = t.settled_call.c
    query = (
        select(settled.reason, settled.settled_by, settled.settled_at, settled.undone_by, settled.undone_at)
        .where(settled.tenant_id == tenant_id, settled.interaction_id == interaction_id)
        .order_by(settled.settled_at.desc(), settled.settled_id.desc())
    )
    return [dict(row._mapping) for row in await connection.execute(query)]
