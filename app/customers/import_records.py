"""Imports as rows: made, planned, begun, and what each state allows. Files lie beside, by the import's id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.errors import ImportNotFoundError, ImportStateError
from app.db import tables as t
from app.db.session import TenantId
from app.jobs.queries import job_of
from app.jobs.rules import ENDED

ImportState = Literal[
    "read", "previewing", "previewed", "running", "done", "cancelled", "failed", "undoing", "undone"
]
LIST_ROWS_MAX: Final = 50
_table = t.party_import


def rows_path(data_dir: Path, import_id: UUID) -> Path:
    """Return where the read rows of a list lie."""
    return data_dir.resolve() / "imports" / f"{import_id}.rows"


def refused_path(data_dir: Path, import_id: UUID) -> Path:
    """Return where the refused rows lie, as CSV."""
    return data_dir / "imports" / f"{import_id}.refused.csv"


async def make_import(
    connection: AsyncConnection,
    tenant_id: TenantId,
    import_id: UUID,
    *,
    file_name: str,
    source: Mapping[str, Any],
    row_count: int,
    made_by: str,
) -> None:
    """Note a list that was read."""
    await connection.execute(
        insert(_table).values(
            tenant_id=tenant_id,
            import_id=import_id,
            file_name=file_name,
            source=dict(source),
            row_count=row_count,
            made_by=made_by,
        )
    )


async def import_of(connection: AsyncConnection, tenant_id: TenantId, import_id: UUID) -> Row[Any]:
    """Return the import; one whose job ended without saying so is set to where that leaves it.

    Raises:
        ImportNotFoundError: there is none.
    """
    query = select(_table).where(_table.c.tenant_id == tenant_id, _table.c.import_id == import_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise ImportNotFoundError(import_id)
    if row.state in _AFTER and row.job_id is not None:
        job = await job_of(connection, tenant_id, row.job_id)
        if job is None or job.state in ENDED:
            # read again: a job that ended well has said so meanwhile, in its own transaction
            row = (await connection.execute(query)).one()
            if row.state in _AFTER:
                state = _AFTER[row.state]
                if row.state == "running" and job is not None and job.state == "cancelled":
                    state = "cancelled"
                await set_import(connection, tenant_id, import_id, state=state)
                row = (await connection.execute(query)).one()
    return row


_AFTER: Mapping[str, ImportState] = {"previewing": "read", "running": "failed", "undoing": "failed"}


async def list_imports(connection: AsyncConnection, tenant_id: TenantId) -> list[Row[Any]]:
    """Return the last imports, newest first."""
    query = select(_table).where(_table.c.tenant_id == tenant_id)
    found = await connection.execute(query.order_by(_table.c.made_at.desc()).limit(LIST_ROWS_MAX))
    return list(found.all())


async def set_import(
    connection: AsyncConnection, tenant_id: TenantId, import_id: UUID, **values: Any
) -> None:
    """Write columns of an import."""
    mine = (_table.c.tenant_id == tenant_id, _table.c.import_id == import_id)
    await connection.execute(update(_table).where(*mine).values(**values))


async def advance(
    connection: AsyncConnection,
    tenant_id: TenantId,
    import_id: UUID,
    *,
    allowed: tuple[ImportState, ...],
) -> Row[Any]:
    """Lock the import for a next step; return it.

    Raises:
        ImportNotFoundError: there is none.
        ImportStateError: it is at another point.
    """
    mine = (_table.c.tenant_id == tenant_id, _table.c.import_id == import_id)
    await connection.execute(select(_table.c.import_id).where(*mine).with_for_update())
    row = await import_of(connection, tenant_id, import_id)
    if row.state not in allowed:
        raise ImportStateError(row.state)
    return row
