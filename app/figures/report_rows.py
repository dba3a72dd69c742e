"""Reports as rows: make, read, change, delete and bring back; every version stays.

Every function works inside the caller's transaction of one tenant.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables
from app.db.ids import new_id
from app.db.session import TenantId
from app.figures.definitions import ReportDefinition
from app.figures.report_rights import Sharing

REPORTS_MAX: Final = 1_000
VERSIONS_MAX: Final = 500
_report, _version = tables.report.c, tables.report_version.c


class ReportsFull(Exception):
    """There are too many reports, or too many versions of one."""


class ReportChanged(Exception):
    """Somebody else saved it meanwhile."""


async def list_reports(connection: AsyncConnection, tenant_id: TenantId) -> Sequence[Row[Any]]:
    """Return the reports that are not deleted, each with its newest definition."""
    query = (
        select(tables.report, _version.definition)
        .join(
            tables.report_version,
            (_version.tenant_id == _report.tenant_id)
            & (_version.report_id == _report.report_id)
            & (_version.version == _report.version),
        )
        .where(_report.tenant_id == tenant_id, _report.deleted_at.is_(None))
        .order_by(func.lower(_report.display_name), _report.report_id)
        .limit(REPORTS_MAX)
    )
    return (await connection.execute(query)).all()


async def report_of(
    connection: AsyncConnection, tenant_id: TenantId, report_id: UUID, *, deleted: bool = False
) -> Row[Any] | None:
    """Return a report; None: there is none (or, with *deleted*, none that is deleted)."""
    query = select(tables.report).where(
        _report.tenant_id == tenant_id,
        _report.report_id == report_id,
        _report.deleted_at.is_not(None) if deleted else _report.deleted_at.is_(None),
    )
    return (await connection.execute(query)).one_or_none()


async def versions_of(
    connection: AsyncConnection, tenant_id: TenantId, report_id: UUID
) -> Sequence[Row[Any]]:
    """Return all versions, the newest first."""
    query = (
        select(tables.report_version)
        .where(_version.tenant_id == tenant_id, _version.report_id == report_id)
        .order_by(_version.version.desc())
    )
    return (await connection.execute(query)).all()


async def make_report(
    connection: AsyncConnection,
    tenant_id: TenantId,
    *,
    name: str,
    definition: ReportDefinition,
    owner: str,
    owner_name: str,
) -> UUID:
    """Make a report that its owner alone sees; return its id.

    Raises:
        ReportsFull: there are ``REPORTS_MAX`` already.
    """
    alive = (
        select(func.count())
        .select_from(tables.report)
        .where(_report.tenant_id == tenant_id, _report.deleted_at.is_(None))
    )
    if int((await connection.execute(alive)).scalar_one()) >= REPORTS_MAX:
        raise ReportsFull
    report_id = new_id()
    await connection.execute(
        insert(tables.report).values(
            tenant_id=tenant_id,
            report_id=report_id,
            display_name=name,
            owner=owner,
            owner_name=owner_name,
        )
    )
    await _add_version(connection, tenant_id, report_id, 1, name, definition, owner_name)
    return report_id


async def save_report(
    connection: AsyncConnection,
    tenant_id: TenantId,
    report_id: UUID,
    *,
    name: str,
    definition: ReportDefinition,
    base_version: int,
    made_by: str,
) -> None:
    """Save what a report asks for as its next version.

    Args:
        base_version: The version that was changed.

    Raises:
        ReportChanged: it is not the newest any more, or the report is gone.
        ReportsFull: it has ``VERSIONS_MAX`` already.
    """
    if base_version >= VERSIONS_MAX:
        raise ReportsFull
    saved = await connection.execute(
        update(tables.report)
        .where(
            _report.tenant_id == tenant_id,
            _report.report_id == report_id,
            _report.version == base_version,
            _report.deleted_at.is_(None),
        )
        .values(display_name=name, version=base_version + 1, changed_at=func.now())
    )
    if saved.rowcount != 1:
        raise ReportChanged
    await _add_version(connection, tenant_id, report_id, base_version + 1, name, definition, made_by)


async def share_report(
    connection: AsyncConnection,
    tenant_id: TenantId,
    report_id: UUID,
    sharing: Sharing,
    shared_with: Sequence[str],
) -> None:
    """Share a report, or no longer."""
    await connection.execute(
        update(tables.report)
        .where(_report.tenant_id == tenant_id, _report.report_id == report_id)
        .values(sharing=sharing.value, shared_with=list(shared_with))
    )


async def set_deleted(
    connection: AsyncConnection, tenant_id: TenantId, report_id: UUID, *, deleted: bool
) -> None:
    """Delete a report, or bring it back with all its versions."""
    await connection.execute(
        update(tables.report)
        .where(_report.tenant_id == tenant_id, _report.report_id == report_id)
        .values(deleted_at=func.now() if deleted else None)
    )


async def _add_version(
    connection: AsyncConnection,
    tenant_id: TenantId,
    report_id: UUID,
    version: int,
    name: str,
    definition: ReportDefinition,
    made_by: str,
) -> None:
    await connection.execute(
        insert(tables.report_version).values(
            tenant_id=tenant_id,
            report_id=report_id,
            version=version,
            display_name=name,
            definition=definition.model_dump(mode="json", exclude_defaults=False),
            made_by=made_by,
        )
    )
