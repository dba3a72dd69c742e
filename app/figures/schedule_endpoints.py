"""``/report-schedules``: when reports are sent by mail and to whom; send one now; what became of each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row

from app.auth.gate import may
from app.auth.permissions import Reach, reach_of
from app.auth.principal import Principal
from app.figures.mailer import is_allowed
from app.figures.reader import NO_ZONE
from app.figures.report_reader import open_report
from app.figures.report_rights import Sharing, is_seen, may_change, owner_of
from app.figures.schedule_rows import (
    SchedulesFull,
    add_test,
    change_schedule,
    list_schedules,
    make_schedule,
    one_schedule,
    schedule_of,
    sendings_of,
    set_schedule_deleted,
)
from app.figures.schedules import Schedule
from app.http.errors import ApiError
from app.http.state import state_of
from app.wall.queries import centre_zone

router = APIRouter(prefix="/report-schedules", tags=["reports"])

Sender = Annotated[Principal, Depends(may("report.send", scope="mine"))]
ReportId = Annotated[str, Query(pattern=r"^[a-z0-9_-]{1,36}$")]


class ScheduleBody(BaseModel):
    """A schedule to make, of one report."""

    model_config = ConfigDict(extra="forbid")

    report_id: str
    schedule: Schedule


class SendingShown(BaseModel):
    """One mail.

    Attributes:
        state: ``waiting`` until it is tried (again), ``sent``: the mail server took it, ``failed``.
        reason: Stable word of what went wrong last, and the mail server's code.
    """

    due_at: datetime
    is_test: bool
    state: str
    try_count: int
    next_try_at: datetime | None
    recipients: list[str]
    reason: str
    ended_at: datetime | None


class ScheduleShown(BaseModel):
    """A schedule, when it is due next, and its last mails, the newest first."""

    schedule_id: UUID
    report_id: str
    schedule: Schedule
    next_at: datetime | None
    made_by: str
    is_own: bool
    sendings: list[SendingShown]


class ScheduleList(BaseModel):
    """The schedules of a report that one may change.

    Attributes:
        is_mail_set_up: Whether the server has a mail server; without one nothing is sent.
        zone: On whose clocks the times are.
    """

    is_mail_set_up: bool
    zone: str
    schedules: list[ScheduleShown]


@router.get("")
async def list_all(request: Request, report_id: ReportId, sender: Sender) -> ScheduleList:
    """List when a report is sent, and what became of it."""
    state = state_of(request)
    reach: Reach = request.state.reach
    owner = None if reach is Reach.ALL else owner_of(sender)
    async with state.faces.database.transaction(state.faces.tenant_id) as connection:
        rows = await list_schedules(connection, state.faces.tenant_id, report_id, owner=owner)
        sendings = await sendings_of(connection, state.faces.tenant_id, [row.schedule_id for row in rows])
        zone = await centre_zone(connection, state.faces.tenant_id) or NO_ZONE
    return ScheduleList(
        is_mail_set_up=bool(state.settings.mail.host),
        zone=zone,
        schedules=[
            _shown(sender, row, [one for one in sendings if one.schedule_id == row.schedule_id])
            for row in rows
        ],
    )


@router.post("", status_code=201)
async def make(request: Request, body: ScheduleBody, sender: Sender) -> ScheduleShown:
    """Have a report that one sees sent from now on."""
    faces = state_of(request).faces
    _check(request, body.schedule)
    if sender.account_id is None:
        raise ApiError(403, "needs_account", "sign in: mail is sent on behalf of a person")
    opened = await open_report(faces.database, faces.tenant_id, body.report_id)
    reach = reach_of(sender.role, "report.read")
    if opened is None or reach is None or not (opened.row is None or _sees(sender, reach, opened.row)):
        raise ApiError(404, "unknown_report", "there is no such report, or none that you may see")
    try:
        async with faces.database.transaction(faces.tenant_id) as connection:
            schedule_id = await make_schedule(
                connection,
                faces.tenant_id,
                body.report_id,
                body.schedule,
                owner=owner_of(sender),
                made_by=sender.display_name or sender.name,
                now=datetime.now(UTC),
                zone=ZoneInfo(await centre_zone(connection, faces.tenant_id) or NO_ZONE),
            )
            row = await one_schedule(connection, faces.tenant_id, schedule_id)
    except SchedulesFull:
        raise ApiError(409, "too_many_schedules", "delete schedules that nobody needs any more") from None
    assert row is not None
    return _shown(sender, row, [])


@router.put("/{schedule_id:uuid}")
async def change(request: Request, schedule_id: UUID, schedule: Schedule, sender: Sender) -> ScheduleShown:
    """Change when a report is sent, to whom and how; or stop it for a time."""
    faces = state_of(request).faces
    _check(request, schedule)
    await _own(request, sender, schedule_id)
    async with faces.database.transaction(faces.tenant_id) as connection:
        zone = ZoneInfo(await centre_zone(connection, faces.tenant_id) or NO_ZONE)
        await change_schedule(
            connection, faces.tenant_id, schedule_id, schedule, now=datetime.now(UTC), zone=zone
        )
    return await _now(request, sender, schedule_id)


@router.delete("/{schedule_id:uuid}", status_code=204)
async def delete(request: Request, schedule_id: UUID, sender: Sender) -> None:
    """Send a report no more; it can be brought back."""
    await _set_deleted(request, sender, schedule_id, deleted=True)


@router.post("/{schedule_id:uuid}/restore")
async def restore(request: Request, schedule_id: UUID, sender: Sender) -> ScheduleShown:
    """Bring a schedule back; what fell due meanwhile is not sent."""
    await _set_deleted(request, sender, schedule_id, deleted=False)
    return await _now(request, sender, schedule_id)


@router.post("/{schedule_id:uuid}/send", status_code=202)
async def send_now(request: Request, schedule_id: UUID, sender: Sender) -> ScheduleShown:
    """Send a report now, beside its times."""
    faces = state_of(request).faces
    if not state_of(request).settings.mail.host:
        raise ApiError(409, "mail_not_set_up", "name a mail server: mail.host in the server's settings")
    row = await _own(request, sender, schedule_id)
    async with faces.database.transaction(faces.tenant_id) as connection:
        await add_test(
            connection,
            faces.tenant_id,
            row,
            made_by=sender.display_name or sender.name,
            now=datetime.now(UTC),
        )
    return await _now(request, sender, schedule_id)


# ---------------------------------------------------------------- what the routes share


def _check(request: Request, schedule: Schedule) -> None:
    settings = state_of(request).settings.mail
    if refused := [each for each in schedule.recipients if not is_allowed(each, settings)]:
        raise ApiError(
            422,
            "recipient_not_allowed",
            "mail goes to the domains of mail.domains_allowed alone",
            params={"recipient": refused[0]},
        )


async def _own(request: Request, sender: Principal, schedule_id: UUID, *, deleted: bool = False) -> Row[Any]:
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await one_schedule(connection, faces.tenant_id, schedule_id, deleted=deleted)
    if row is None or not may_change(sender, reach_of(sender.role, "report.send"), owner=row.owner):
        raise ApiError(404, "unknown_schedule", "there is no such schedule, or it is somebody else's")
    return row


async def _set_deleted(request: Request, sender: Principal, schedule_id: UUID, *, deleted: bool) -> None:
    faces = state_of(request).faces
    row = await _own(request, sender, schedule_id, deleted=not deleted)
    async with faces.database.transaction(faces.tenant_id) as connection:
        zone = ZoneInfo(await centre_zone(connection, faces.tenant_id) or NO_ZONE)
        await set_schedule_deleted(
            connection, faces.tenant_id, row, deleted=deleted, now=datetime.now(UTC), zone=zone
        )


async def _now(request: Request, sender: Principal, schedule_id: UUID) -> ScheduleShown:
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await one_schedule(connection, faces.tenant_id, schedule_id)
        sendings = await sendings_of(connection, faces.tenant_id, [schedule_id])
    if row is None:
        raise ApiError(404, "unknown_schedule", "somebody deleted it meanwhile")
    return _shown(sender, row, sendings)


def _sees(principal: Principal, reach: Reach, row: Row[Any]) -> bool:
    return is_seen(
        principal, reach, owner=row.owner, sharing=Sharing(row.sharing), shared_with=row.shared_with
    )


def _shown(sender: Principal, row: Row[Any], sendings: Any) -> ScheduleShown:
    return ScheduleShown(
        schedule_id=row.schedule_id,
        report_id=row.report_id,
        schedule=schedule_of(row),
        next_at=row.next_at,
        made_by=row.made_by,
        is_own=row.owner == owner_of(sender),
        sendings=[
            SendingShown(
                due_at=one.due_at,
                is_test=one.is_test,
                state=one.state,
                try_count=one.try_count,
                next_try_at=one.next_try_at if one.state == "waiting" else None,
                recipients=one.recipients,
                reason=one.reason,
                ended_at=one.ended_at,
            )
            for one in sendings
        ],
    )
