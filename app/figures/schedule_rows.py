"""Schedules and sendings as rows.

A sending is a row before it is a mail: one per schedule and due moment, whoever looks and however often. It
is worked on under its row's lock and noted in the same transaction; a server that dies gives the lock back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables
from app.db.ids import new_id
from app.db.session import TenantId
from app.figures.schedules import TRIES_MAX, Schedule, at_text, next_due, next_try_s

SCHEDULES_MAX: Final = 500
SENDINGS_SHOWN: Final = 10
_LEASE_S: Final = 60  # as long as a try may take before it counts as dead
_schedule, _sending = tables.report_schedule.c, tables.report_sending.c


class SchedulesFull(Exception):
    """There are too many schedules."""


def schedule_of(row: Row[Any]) -> Schedule:
    """Return a row as what it says."""
    return Schedule(
        every=row.every,
        at=at_text(row.at_minute),
        weekday=row.weekday,
        month_day=row.month_day,
        recipients=tuple(row.recipients),
        file_format=row.file_format,
        language=row.language,
        is_on=row.is_on,
    )


async def list_schedules(
    connection: AsyncConnection, tenant_id: TenantId, report_id: str, *, owner: str | None
) -> Sequence[Row[Any]]:
    """Return the schedules of a report, the oldest first; *owner* None: everybody's."""
    query = select(tables.report_schedule).where(
        _schedule.tenant_id == tenant_id, _schedule.report_id == report_id, _schedule.deleted_at.is_(None)
    )
    if owner is not None:
        query = query.where(_schedule.owner == owner)
    return (await connection.execute(query.order_by(_schedule.schedule_id))).all()


async def one_schedule(
    connection: AsyncConnection, tenant_id: TenantId, schedule_id: UUID, *, deleted: bool = False
) -> Row[Any] | None:
    """Return a schedule; None: there is none (or, with *deleted*, none that is deleted)."""
    query = select(tables.report_schedule).where(
        _schedule.tenant_id == tenant_id,
        _schedule.schedule_id == schedule_id,
        _schedule.deleted_at.is_not(None) if deleted else _schedule.deleted_at.is_(None),
    )
    return (await connection.execute(query)).one_or_none()


async def make_schedule(
    connection: AsyncConnection,
    tenant_id: TenantId,
    report_id: str,
    schedule: Schedule,
    *,
    owner: str,
    made_by: str,
    now: datetime,
    zone: ZoneInfo,
) -> UUID:
    """Make a schedule; return its id.

    Raises:
        SchedulesFull: there are ``SCHEDULES_MAX`` already.
    """
    alive = (
        select(func.count())
        .select_from(tables.report_schedule)
        .where(_schedule.tenant_id == tenant_id, _schedule.deleted_at.is_(None))
    )
    if int((await connection.execute(alive)).scalar_one()) >= SCHEDULES_MAX:
        raise SchedulesFull
    schedule_id = new_id()
    await connection.execute(
        insert(tables.report_schedule).values(
            tenant_id=tenant_id,
            schedule_id=schedule_id,
            report_id=report_id,
            owner=owner,
            made_by=made_by,
            **_values(schedule, now, zone),
        )
    )
    return schedule_id


async def change_schedule(
    connection: AsyncConnection,
    tenant_id: TenantId,
    schedule_id: UUID,
    schedule: Schedule,
    *,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """Change a schedule; what it sent stays noted."""
    await connection.execute(
        update(tables.report_schedule)
        .where(_schedule.tenant_id == tenant_id, _schedule.schedule_id == schedule_id)
        .values(**_values(schedule, now, zone))
    )


async def set_schedule_deleted(
    connection: AsyncConnection,
    tenant_id: TenantId,
    schedule: Row[Any],
    *,
    deleted: bool,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    """End a schedule, or bring it back; what fell due meanwhile is not sent."""
    await connection.execute(
        update(tables.report_schedule)
        .where(_schedule.tenant_id == tenant_id, _schedule.schedule_id == schedule.schedule_id)
        .values(
            deleted_at=now if deleted else None,
            next_at=None if deleted else _next(schedule_of(schedule), now, zone),
        )
    )


async def sendings_of(
    connection: AsyncConnection, tenant_id: TenantId, schedule_ids: Sequence[UUID]
) -> Sequence[Row[Any]]:
    """Return the last sendings of each schedule, the newest first."""
    number = func.row_number().over(
        partition_by=_sending.schedule_id, order_by=(_sending.due_at.desc(), _sending.sending_id.desc())
    )
    ranked = (
        select(tables.report_sending, number.label("number"))
        .where(_sending.tenant_id == tenant_id, _sending.schedule_id.in_(schedule_ids))
        .subquery()
    )
    query = select(ranked).where(ranked.c.number <= SENDINGS_SHOWN).order_by(ranked.c.number)
    return (await connection.execute(query)).all()


async def add_test(
    connection: AsyncConnection, tenant_id: TenantId, schedule: Row[Any], *, made_by: str, now: datetime
) -> None:
    """Have a report sent now, beside its times."""
    await connection.execute(
        insert(tables.report_sending).values(
            tenant_id=tenant_id,
            sending_id=new_id(),
            schedule_id=schedule.schedule_id,
            due_at=now,
            next_try_at=now,
            is_test=True,
            recipients=schedule.recipients,
            made_by=made_by,
        )
    )


async def note_due(connection: AsyncConnection, tenant_id: TenantId, now: datetime, zone: ZoneInfo) -> int:
    """Make the sendings that have fallen due, and set when each schedule is due next; return how many."""
    query = (
        select(tables.report_schedule)
        .where(_schedule.tenant_id == tenant_id, _schedule.is_on, _schedule.next_at <= now)
        .with_for_update(skip_locked=True)
    )
    due = (await connection.execute(query)).all()
    for row in due:
        made = upsert(tables.report_sending).values(
            tenant_id=tenant_id,
            sending_id=new_id(),
            schedule_id=row.schedule_id,
            due_at=row.next_at,
            next_try_at=now,
            recipients=row.recipients,
            made_by=row.made_by,
        )
        await connection.execute(made.on_conflict_do_nothing())
        await connection.execute(
            update(tables.report_schedule)
            .where(_schedule.tenant_id == tenant_id, _schedule.schedule_id == row.schedule_id)
            .values(next_at=next_due(schedule_of(row), now, zone))
        )
    return len(due)


async def begin_try(connection: AsyncConnection, tenant_id: TenantId, now: datetime) -> Row[Any] | None:
    """Count a try of a sending that waits, and return it; None: none waits.

    It is due again after its time of backing off, whatever becomes of this try: what breaks or dies in the
    middle is neither lost nor tried without end.
    """
    query = (
        select(tables.report_sending)
        .where(_sending.tenant_id == tenant_id, _sending.state == "waiting", _sending.next_try_at <= now)
        .order_by(_sending.next_try_at, _sending.sending_id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    sending = (await connection.execute(query)).one_or_none()
    if sending is None:
        return None
    try_count = sending.try_count + 1
    if try_count > TRIES_MAX:
        broke = {"state": "failed", "ended_at": now, "reason": sending.reason or "sending_broke"}
        await _note(connection, tenant_id, sending.sending_id, broke)
        return None
    wait_s = next_try_s(try_count) or _LEASE_S
    noted = {"try_count": try_count, "next_try_at": now + timedelta(seconds=max(wait_s, _LEASE_S))}
    await _note(connection, tenant_id, sending.sending_id, noted)
    return sending


async def held_sending(
    connection: AsyncConnection, tenant_id: TenantId, begun: Row[Any]
) -> tuple[Row[Any], Row[Any]] | None:
    """Return the sending whose try was begun, and its schedule, locked until the transaction ends.

    None: another server is at it, or it has ended.
    """
    query = (
        select(tables.report_sending)
        .where(
            _sending.tenant_id == tenant_id,
            _sending.sending_id == begun.sending_id,
            _sending.state == "waiting",
            _sending.try_count == begun.try_count + 1,
        )
        .with_for_update(skip_locked=True)
    )
    sending = (await connection.execute(query)).one_or_none()
    if sending is None:
        return None
    where = (_schedule.tenant_id == tenant_id, _schedule.schedule_id == sending.schedule_id)
    return sending, (await connection.execute(select(tables.report_schedule).where(*where))).one()


async def note_sent(
    connection: AsyncConnection, tenant_id: TenantId, sending: Row[Any], now: datetime, *, reason: str
) -> None:
    """Note that the mail server took it; *reason* says for whom it did not."""
    noted = {"state": "sent", "ended_at": now, "reason": reason}
    await _note(connection, tenant_id, sending.sending_id, noted)


async def note_not_sent(
    connection: AsyncConnection,
    tenant_id: TenantId,
    sending: Row[Any],
    now: datetime,
    *,
    reason: str,
    may_try_again: bool,
) -> bool:
    """Note why it was not sent; return whether it is tried again."""
    is_over = not may_try_again or next_try_s(sending.try_count) is None
    ended = {"state": "failed", "ended_at": now} if is_over else {}
    await _note(connection, tenant_id, sending.sending_id, {"reason": reason, **ended})
    return not is_over


async def _note(
    connection: AsyncConnection, tenant_id: TenantId, sending_id: UUID, noted: Mapping[str, Any]
) -> None:
    where = (_sending.tenant_id == tenant_id, _sending.sending_id == sending_id)
    await connection.execute(update(tables.report_sending).where(*where).values(**noted))


def _next(schedule: Schedule, now: datetime, zone: ZoneInfo) -> datetime | None:
    return next_due(schedule, now, zone) if schedule.is_on else None


def _values(schedule: Schedule, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "every": schedule.every.value,
        "at_minute": schedule.at_minute,
        "weekday": schedule.weekday,
        "month_day": schedule.month_day,
        "recipients": list(schedule.recipients),
        "file_format": schedule.file_format.value,
        "language": schedule.language,
        "is_on": schedule.is_on,
        "next_at": _next(schedule, now, zone),
    }
