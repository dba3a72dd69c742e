"""Reports by mail, to a real SMTP server on this machine: sent once, tried again, noted, allowed."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pydantic import SecretStr
from python_calamine import CalamineWorkbook
from sqlalchemy import select, update

from app.auth.permissions import Role
from app.db import tables
from app.db.session import DEFAULT_TENANT, Database
from app.figures import mailer
from app.figures.definitions import ReportDefinition
from app.figures.mail import message_of
from app.figures.mailer import ReportMailer
from app.figures.report_mail_texts import mail_text
from app.figures.report_rows import make_report
from app.figures.schedule_rows import make_schedule
from app.figures.schedules import TRIES_MAX, Every, FileFormat, Schedule
from app.settings import MailSettings, Settings
from tests.app.auth.people import add_account, browser, disable, people, sign_in

pytestmark = pytest.mark.db

ZONE = ZoneInfo("UTC")  # as long as no calendar names another
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
MORNING = datetime(2026, 11, 26, 7, 0, 30, tzinfo=UTC)


class Post:
    """What a mail server received; ``answers`` are given to the next mails before it takes one."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.answers: list[str] = []
        self.refused: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, list(envelope.rcpt_tos)))
        return "250 taken"


class _Controller(Controller):
    """Listens where there is room, and says so before it looks whether it is heard."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def _post(**more: Any) -> Iterator[tuple[Post, MailSettings]]:
    post = Post()
    server = _Controller(post, hostname="127.0.0.1", port=0, **more)
    server.start()
    try:
        port = server.port
        yield (
            post,
            MailSettings(host="127.0.0.1", port=port, security="none", sender="reports@centre.example"),
        )
    finally:
        server.stop()


class Floor:
    """A database with a supervisor, her report, and a clock that is set."""

    def __init__(self, database: Database, settings: MailSettings, owner: str) -> None:
        self.database, self.owner, self.at = database, owner, NOON
        self.mailer = self.another(settings)

    def another(self, settings: MailSettings) -> ReportMailer:
        return ReportMailer(
            settings,
            self.database,
            DEFAULT_TENANT,
            origin="https://centre.example",
            now=lambda: self.at,
        )

    async def schedule(self, report_id: str | None = None, **asked: Any) -> None:
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            if report_id is None:
                made = await make_report(
                    connection,
                    DEFAULT_TENANT,
                    name="佇列: 日報",
                    definition=ReportDefinition(columns=("offered_count", "SL-C")),
                    owner=self.owner,
                    owner_name="Sue",
                )
                report_id = str(made)
            await make_schedule(
                connection,
                DEFAULT_TENANT,
                report_id,
                Schedule.model_validate(
                    {"recipients": ["chief@example.org", "vice@example.org"], "at": "07:00"} | asked
                ),
                owner=self.owner,
                made_by="Sue",
                now=NOON,
                zone=ZONE,
            )

    async def sendings(self) -> list[tuple[str, int, str]]:
        async with self.database.transaction(DEFAULT_TENANT) as connection:
            rows = await connection.execute(
                select(tables.report_sending).order_by(tables.report_sending.c.due_at)
            )
            return [(row.state, row.try_count, row.reason) for row in rows]


async def _floor(database: Database, settings: MailSettings) -> Floor:
    account_id = await add_account(database, "sue", Role.SUPERVISOR, team_ids=("north",))
    return Floor(database, settings, f"account:{account_id}")


async def test_a_report_leaves_once_when_it_is_due_with_its_file(database: Database) -> None:
    with _post() as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule(file_format=FileFormat.XLSX, language="zh-Hant")
        assert await floor.mailer.look() == 0
        floor.at = MORNING
        assert await floor.mailer.look() == 1
        assert await floor.mailer.look() == 0
        (mail,) = post.mails
        assert post.envelopes == [("reports@centre.example", ["chief@example.org", "vice@example.org"])]
        assert mail["Subject"].startswith("佇列: 日報: 2026-11-")
        body = mail.get_body()
        assert body is not None
        assert "https://centre.example/figures?report=" in body.get_content()
        assert mail["Auto-Submitted"] == "auto-generated"
        (attached,) = mail.iter_attachments()
        assert str(attached.get_filename()).endswith(".xlsx")
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(attached.get_content())).get_sheet_by_index(0)
        assert sheet.to_python()[0][4:6] == ["offered_count", "SL-C"]
        assert await floor.sendings() == [("sent", 1, "")]


@pytest.mark.parametrize("name", ["a\u2028Bcc: x@example.org", "b\x85To: y", "{days} %s {0}", "=1+1"])
def test_a_name_stays_in_its_place_whatever_it_holds(name: str) -> None:
    said = mail_text("en", name=name, days="2026-11-25", who=name, link="", at=NOON, zone="UTC")
    sending_id = uuid4()
    message = message_of(
        said,
        ("a.csv", "text/csv; charset=utf-8", b"1"),
        sender="reports@centre.example",
        recipients=["chief@example.org"],
        sending_id=sending_id,
    )
    assert len(said.subject.splitlines()) == 1
    headers = message_from_bytes(message.as_bytes(), policy=policy.default).keys()
    assert {"Bcc"}.isdisjoint(headers)
    assert headers.count("To") == 1
    assert message["Message-ID"] == f"<{sending_id}@centre.example>"


async def test_two_servers_and_a_restart_send_it_once(database: Database) -> None:
    with _post() as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule()
        floor.at = MORNING
        servers = [floor.another(settings) for _ in range(3)]
        await asyncio.gather(*(server.look() for server in servers))
        await floor.another(settings).look()
        assert len(post.mails) == 1
        floor.at = MORNING + timedelta(days=3)  # nobody looked for three days
        await floor.another(settings).look()
        assert len(post.mails) == 2


async def test_a_fault_that_passes_is_tried_again_under_the_same_id(database: Database) -> None:
    with _post() as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule("queue_day", file_format=FileFormat.CSV)
        floor.at = MORNING
        post.answers = ["451 later"]
        assert await floor.mailer.look() == 1
        assert await floor.sendings() == [("waiting", 1, "mail_refused 451")]
        assert await floor.mailer.look() == 0
        floor.at = MORNING + timedelta(seconds=61)
        assert await floor.mailer.look() == 1
        assert [(state, tries) for state, tries, _ in await floor.sendings()] == [("sent", 2)]
        assert post.mails[0]["Message-ID"].endswith("@centre.example>")


async def test_without_an_answer_it_is_given_up_after_the_last_try(database: Database) -> None:
    with _post() as (_, settings):
        pass  # the server is gone, and nobody listens there any more
    floor = await _floor(database, settings)
    await floor.schedule("queue_day", every=Every.MONTH, month_day=26)
    floor.at = MORNING
    for _ in range(TRIES_MAX):
        assert await floor.mailer.look() == 1
        floor.at += timedelta(hours=5)
    assert await floor.mailer.look() == 0
    assert await floor.sendings() == [("failed", TRIES_MAX, "mail_unreachable")]


async def test_a_try_that_dies_in_the_middle_is_made_again(database: Database) -> None:
    with _post() as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule("queue_day")
        floor.at = MORNING
        stuck = threading.Event()  # the mail server has a thread and a loop of its own

        async def hang(_server: Any, _session: Any, _envelope: Any) -> str:
            stuck.set()
            await asyncio.Event().wait()
            return ""

        post.handle_DATA, taking = hang, post.handle_DATA  # type: ignore[method-assign]
        quick = settings.model_copy(update={"timeout_s": 1.0})
        work = asyncio.create_task(floor.another(quick).look())
        assert await asyncio.to_thread(stuck.wait, 10)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        post.handle_DATA = taking  # type: ignore[method-assign]
        assert await floor.sendings() == [("waiting", 1, "")]
        floor.at = MORNING + timedelta(seconds=61)
        await floor.another(settings).look()
        assert await floor.sendings() == [("sent", 2, "")]


async def test_while_the_database_is_away_it_is_said_once_and_tried_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "LOOK_EVERY_S", 0.01)
    away = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    looks: list[int] = []

    class Counting(ReportMailer):
        async def look(self) -> int:
            looks.append(1)
            return await super().look()

    part = asyncio.create_task(Counting(MailSettings(), away, DEFAULT_TENANT, origin="").run())
    async with asyncio.timeout(10):
        while len(looks) < 4:  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)
    part.cancel()
    await asyncio.gather(part, return_exceptions=True)
    await away.close()
    assert capsys.readouterr().out.count("wait for the database") == 1


@pytest.mark.parametrize(
    ("refused", "state", "reason", "mails"),
    [
        ({"vice@example.org": "550 no such box"}, "sent", "refused_for vice@example.org", 1),
        (
            {"vice@example.org": "550 no", "chief@example.org": "550 no"},
            "failed",
            "mail_recipients_refused 550",
            0,
        ),
        (
            {"vice@example.org": "550 no", "chief@example.org": "450 full"},
            "waiting",
            "mail_recipients_refused 550",
            0,
        ),
    ],
)
async def test_a_recipient_whom_the_mail_server_refuses_is_named(
    database: Database, refused: dict[str, str], state: str, reason: str, mails: int
) -> None:
    with _post() as (post, settings):
        post.refused = refused
        floor = await _floor(database, settings)
        await floor.schedule("queue_day")
        floor.at = MORNING
        await floor.mailer.look()
        assert await floor.sendings() == [(state, 1, reason)]
        assert len(post.mails) == mails


async def test_who_may_not_send_any_more_sends_nothing(database: Database) -> None:
    with _post() as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule()
        _, faces = people(database)
        await disable(faces, "sue")
        floor.at = MORNING
        await floor.mailer.look()
        async with database.transaction(DEFAULT_TENANT) as connection:
            await connection.execute(update(tables.account).values(disabled_at=None))
            await connection.execute(update(tables.report).values(owner="account:somebody-else"))
        floor.at += timedelta(days=1)
        await floor.mailer.look()
        elsewhere = floor.another(settings.model_copy(update={"domains_allowed": ("centre.example",)}))
        floor.at += timedelta(days=1)
        await elsewhere.look()
        floor.at += timedelta(days=1)
        await floor.another(MailSettings()).look()
        reasons = [reason for _, _, reason in await floor.sendings()]
        assert reasons == ["owner_gone", "report_gone", "recipient_not_allowed", "mail_not_set_up"]
        assert not post.mails


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_the_mail_server_may_ask_for_a_password_which_nothing_tells(
    database: Database, capsys: Any
) -> None:
    asked: list[bytes] = []

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        asked.append(data.password)
        return AuthResult(success=data.password == b"open sesame", handled=False)

    with _post(authenticator=check, auth_require_tls=False, auth_required=True) as (post, settings):
        floor = await _floor(database, settings)
        await floor.schedule("queue_day")
        for password, state in (("wrong sesame", "failed"), ("open sesame", "sent")):
            known = settings.model_copy(update={"user": "us", "password": SecretStr(password)})
            floor.at += timedelta(days=1)
            await floor.another(known).look()
            assert (await floor.sendings())[-1][0] == state
        assert list(dict.fromkeys(asked)) == [b"wrong sesame", b"open sesame"]  # by each way of signing in
        secured = settings.model_copy(update={"security": "starttls"})
        floor.at += timedelta(days=1)
        await floor.another(secured).look()
        assert (await floor.sendings())[-1] == ("failed", 1, "mail_not_secured")
        assert len(post.mails) == 1
    assert (await floor.sendings())[0][2].startswith("mail_login_refused")
    said = capsys.readouterr()
    assert "sesame" not in said.out + said.err + str(Settings(mail=known).model_dump())


async def test_schedules_are_made_changed_ended_and_brought_back_by_api(database: Database) -> None:
    with _post() as (post, settings):
        app, faces = people(database)
        app.state.server.settings = Settings(
            mail=settings.model_copy(update={"domains_allowed": ("example.org",)})
        )
        sue = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
        pat = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
        wanted = {"recipients": ["chief@example.org"], "at": "07:30", "file_format": "csv"}
        async with browser(app, sue) as mine, browser(app, pat) as other:
            asked = {"report_id": "queue_day", "schedule": wanted}
            made = await mine.post("/api/v1/report-schedules", json=asked)
            assert made.status_code == 201
            path = f"/api/v1/report-schedules/{made.json()['schedule_id']}"
            assert made.json()["next_at"] is not None
            listed = (await other.get("/api/v1/report-schedules?report_id=queue_day")).json()
            assert (listed["schedules"], listed["is_mail_set_up"]) == ([], True)
            for refused in (other.put(path, json=wanted), other.delete(path), other.post(f"{path}/send")):
                assert (await refused).status_code == 404
            away = await mine.put(path, json=wanted | {"recipients": ["x@elsewhere.example"]})
            assert away.json()["error_id"] == "recipient_not_allowed"
            off = await mine.put(path, json=wanted | {"is_on": False})
            assert (off.status_code, off.json()["next_at"]) == (200, None)
            assert (await mine.post(f"{path}/send")).status_code == 202
            await ReportMailer(settings, database, DEFAULT_TENANT, origin="").look()
            (shown,) = (await mine.get("/api/v1/report-schedules?report_id=queue_day")).json()["schedules"]
            (sending,) = shown["sendings"]
            assert (sending["state"], sending["is_test"]) == ("sent", True)
            assert len(post.mails) == 1
            assert (await mine.delete(path)).status_code == 204
            assert (await mine.put(path, json=wanted)).status_code == 404
            assert (await mine.post(f"{path}/restore")).json()["sendings"]
            unknown = {"report_id": "no_such", "schedule": wanted}
            assert (await mine.post("/api/v1/report-schedules", json=unknown)).status_code == 404
        app.state.server.settings = Settings()
        async with browser(app, sue) as mine:
            refused = await mine.post(f"{path}/send")
            assert refused.json()["error_id"] == "mail_not_set_up"
