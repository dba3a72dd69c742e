"""Sends reports by mail when they fall due: notes what is due, computes, hands over, notes what came of it.

A due moment becomes one row, however many servers look and however often they start; the row is worked on
under its lock. So a report is sent once for each of its times. Where a server dies between the mail server's
*accepted* and our note, it is sent again under the same ``Message-ID``: more than that SMTP does not allow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.permissions import Role, reach_of
from app.auth.principal import Principal
from app.db import tables
from app.db.session import Database, TenantId
from app.figures.mail import NotSent, message_of, send
from app.figures.reader import NO_ZONE
from app.figures.report_mail_texts import mail_text
from app.figures.report_reader import MEDIA_TYPES, file_name, file_of, open_report, run_report
from app.figures.report_rights import Sharing, is_seen
from app.figures.schedule_rows import (
    begin_try,
    held_sending,
    note_due,
    note_not_sent,
    note_sent,
    schedule_of,
)
from app.settings import MailSettings
from app.wall.queries import centre_zone
from routing.ids import TeamId
from workforce.errors import WorkforceError

LOOK_EVERY_S: Final = 2.0
SENT_AT_ONCE_MAX: Final = 50  # then what falls due is looked for again
_AWAY: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError)
_REFUSED_MAX: Final = 500

log = structlog.get_logger()


class ReportMailer:
    """The mail of one server.

    Args:
        origin: Under which address people see our pages; empty: mails hold no link.
        now: With its zone.
    """

    def __init__(
        self,
        settings: MailSettings,
        database: Database,
        tenant_id: TenantId,
        *,
        origin: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._database, self._tenant_id = settings, database, tenant_id
        self._origin, self._now = origin, now

    async def run(self) -> None:
        """Look for what is due and send it. Runs until cancelled."""
        is_away = False
        while True:
            try:
                await self.look()
                is_away = False
            except _AWAY as error:
                if not is_away:  # once, not every two seconds of an hour
                    log.warning("reports by mail wait for the database", error=type(error).__name__)
                is_away = True
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Send what is due now; return how many were tried."""
        async with self._database.transaction(self._tenant_id) as connection:
            zone = ZoneInfo(await centre_zone(connection, self._tenant_id) or NO_ZONE)
            await note_due(connection, self._tenant_id, self._now(), zone)
        tried_count = 0
        while tried_count < SENT_AT_ONCE_MAX:
            async with self._database.transaction(self._tenant_id) as connection:
                begun = await begin_try(connection, self._tenant_id, self._now())
            if begun is None:
                break
            tried_count += 1
            async with self._database.transaction(self._tenant_id) as connection:
                held = await held_sending(connection, self._tenant_id, begun)
                if held is not None:
                    await self._try(connection, *held, zone)
        return tried_count

    async def _try(
        self, connection: AsyncConnection, sending: Row[Any], schedule: Row[Any], zone: ZoneInfo
    ) -> None:
        try:
            reason = await self._send(connection, sending, schedule, zone)
        except NotSent as error:
            is_tried_again = await note_not_sent(
                connection,
                self._tenant_id,
                sending,
                self._now(),
                reason=error.reason,
                may_try_again=error.may_try_again,
            )
            log.warning(
                "a report was not sent by mail",
                reason=error.reason,
                schedule_id=str(schedule.schedule_id),
                is_tried_again=is_tried_again,
            )
            return
        await note_sent(connection, self._tenant_id, sending, self._now(), reason=reason)
        log.info("a report was sent by mail", schedule_id=str(schedule.schedule_id))

    async def _send(
        self, connection: AsyncConnection, sending: Row[Any], schedule: Row[Any], zone: ZoneInfo
    ) -> str:
        """Compute and hand over; return for whom it was not taken.

        Raises:
            NotSent: it could not be computed, may not be sent, or was not taken.
        """
        if not self._settings.host:
            raise NotSent("mail_not_set_up", False)
        if schedule.deleted_at is not None:
            raise NotSent("schedule_gone", False)
        if not all(is_allowed(each, self._settings) for each in sending.recipients):
            raise NotSent("recipient_not_allowed", False)
        opened = await open_report(self._database, self._tenant_id, schedule.report_id)
        owner = await owner_now(connection, self._tenant_id, schedule.owner)
        if owner is None:
            raise NotSent("owner_gone", False)
        if opened is None or not (opened.row is None or _sees(owner, opened.row)):
            raise NotSent("report_gone", False)
        wanted, now = schedule_of(schedule), self._now()
        # What was due yesterday evening and could not leave is the report of yesterday evening's day.
        day_of = now if sending.is_test else sending.due_at
        try:
            table = await run_report(self._database, self._tenant_id, opened.definition, now, day_of=day_of)
        except WorkforceError:
            raise NotSent("report_not_computed", False) from None
        name, language = opened.named(wanted.language), wanted.language
        content = await file_of(
            table, opened.definition.shape, wanted.file_format, title=name, language=language
        )
        first, last = table.asked.first, table.asked.last
        said = mail_text(
            language,
            name=name,
            days=f"{first}" if first == last else f"{first} – {last}",
            who=schedule.made_by,
            link=f"{self._origin}/figures?report={opened.report_id}" if self._origin else "",
            at=now.astimezone(zone),
            zone=zone.key,
        )
        message = message_of(
            said,
            (
                file_name(opened.name, first, last, wanted.file_format),
                MEDIA_TYPES[wanted.file_format],
                content,
            ),
            sender=self._settings.sender,
            recipients=sending.recipients,
            sending_id=sending.sending_id,
        )
        sent = await asyncio.to_thread(send, self._settings, message, sending.recipients)
        return f"refused_for {', '.join(sent.refused)}"[:_REFUSED_MAX] if sent.refused else ""


def is_allowed(recipient: str, settings: MailSettings) -> bool:
    """Say whether mail may go to this address."""
    domain = recipient.rpartition("@")[2].lower()
    return not settings.domains_allowed or domain in {each.lower() for each in settings.domains_allowed}


async def owner_now(connection: AsyncConnection, tenant_id: TenantId, owner: str) -> Principal | None:
    """Return who owns a schedule as their account is now; None: it may send nothing any more."""
    kind, _, name = owner.partition(":")
    if kind != "account":
        return None
    account = tables.account.c
    query = select(tables.account).where(
        account.tenant_id == tenant_id, account.account_id == UUID(name), account.disabled_at.is_(None)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None or reach_of(Role(row.role), "report.send") is None:
        return None
    return Principal(
        role=Role(row.role),
        name=row.login,
        account_id=row.account_id,
        team_ids=frozenset(map(TeamId, row.team_ids)),
    )


def _sees(owner: Principal, row: Row[Any]) -> bool:
    reach = reach_of(owner.role, "report.read")
    return reach is not None and is_seen(
        owner, reach, owner=row.owner, sharing=Sharing(row.sharing), shared_with=row.shared_with
    )
