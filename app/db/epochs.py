"""The highest epoch that a leader of this tenant took: one of the three places that remember it.

The journal and the PBX's fence are the other two; a new leader goes above all that it can read.
"""

from __future__ import annotations

from sqlalchemy import text

from app.db.session import Database, TenantId

_LAST = text(
    "SELECT greatest("
    " coalesce((SELECT epoch FROM journal_epoch WHERE tenant_id = :tenant), 0),"
    " coalesce((SELECT max(epoch) FROM drain_cursor WHERE tenant_id = :tenant), 0))"
)
_NOTE = text(
    "INSERT INTO journal_epoch (tenant_id, epoch) VALUES (:tenant, :epoch)"
    " ON CONFLICT (tenant_id) DO UPDATE SET epoch = excluded.epoch, taken_at = now()"
    " WHERE journal_epoch.epoch < excluded.epoch"
)


async def last_epoch(database: Database, tenant_id: TenantId) -> int:
    """Return the highest epoch that the database knows, 0 when it knows none."""
    async with database.transaction(tenant_id) as connection:
        return int((await connection.execute(_LAST, {"tenant": tenant_id})).scalar_one())


async def note_epoch(database: Database, tenant_id: TenantId, epoch: int) -> None:
    """Remember that *epoch* is taken; a lower one changes nothing."""
    async with database.transaction(tenant_id) as connection:
        await connection.execute(_NOTE, {"tenant": tenant_id, "epoch": epoch})
