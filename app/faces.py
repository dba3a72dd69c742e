"""The parts behind the pages, built once for one running server: sessions, sockets, pops, phones, jobs.

They read the bus and the record and put signals into the inbox; none of them decides about a call.
Whoever adds a part builds it here and, when it has work of its own, names it in ``parts``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from app.auth.first_run import FirstRun
from app.auth.origins import Origins
from app.auth.sessions import Sessions
from app.auth.sign_in import SignIn
from app.auth.tickets import Tickets
from app.customers.identify_rules import Match
from app.db.session import Database, TenantId
from app.desk.news import DeskNews
from app.figures.mailer import ReportMailer
from app.figures.retention import Retention
from app.figures.rollup_keeper import RollupKeeper
from app.floor.live_floor import LiveFloor
from app.jobs.file_keeper import FileKeeper
from app.jobs.runner import JobRunner
from app.live.core import LiveCore
from app.live.journal_tail import JournalTail
from app.live_pages import LivePages
from app.phones.phones import Phones
from app.settings import Settings
from app.sockets.door import SessionDoor
from app.wall.links import WallLinks
from app.wall.live_wall import LiveWall
from routing.ids import QueueId


class Faces:
    """Everything that the web's endpoints ask besides inbox, floor and log.

    Args:
        database: The record; it may be away.
        core: The live core: its bus, clock and inbox are read, never its engine.
        floor: The live floor.
        not_ready: What keeps the server from serving calls.
        keep_match: Keeps who a call was from with its row.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        tenant_id: TenantId,
        core: LiveCore,
        floor: LiveFloor,
        *,
        not_ready: Callable[[], Mapping[str, str]],
        keep_match: Callable[[str, Match], None],
    ) -> None:
        self.settings = settings
        self.database, self.tenant_id = database, tenant_id
        self.core, self.floor = core, floor
        self.sessions = Sessions(
            database,
            tenant_id,
            now_ms=core.clock.now_ms,
            idle_ms=settings.sign_in.idle_s * 1_000,
            life_ms=settings.sign_in.life_s * 1_000,
        )
        self.sign_in = SignIn(database, tenant_id, self.sessions, now_ms=core.clock.now_ms)
        origins = Origins.of(settings.http.origins, settings.http.port)
        self._first_run = FirstRun(database, tenant_id, origins, core.clock.now_ms)
        self.wall_links = WallLinks(database, tenant_id)
        self.tickets = Tickets(
            core.clock.now_ms,
            lambda owner: self.sessions.live(owner) is not None or self.wall_links.is_live(owner),
        )
        self.phones = Phones(
            settings.phones,
            database=database,
            tenant_id=tenant_id,
            inbox=core.inbox,
            clock=core.clock,
            sessions=self.sessions,
            agents=lambda: floor.now.agents,
            registry=core.metrics.registry,
        )
        self.wall = LiveWall(
            bus=core.bus,
            clock=core.clock,
            tail=JournalTail(core.journal),
            database=database,
            tenant_id=tenant_id,
            threshold_ms=self._threshold_ms,
        )
        self.live = LivePages(
            core,
            floor,
            self.wall,
            SessionDoor(self.tickets, self.sessions, origins, self.wall_links.is_live, floor.team_of),
            database,
            tenant_id,
            not_ready=not_ready,
            region=settings.region,
            area_code=settings.area_code,
            keep_match=keep_match,
        )
        self.desk: DeskNews = self.live.desk
        self.gateway = self.live.gateway
        self.sessions.watch(self.gateway.end_sessions)
        self.wall_links.watch(self.gateway.end_sessions)
        self.jobs = JobRunner(
            database,
            tenant_id,
            settings.data_dir,
            region=settings.region,
            area_code=settings.area_code,
        )
        self._rollups = RollupKeeper(database, tenant_id)
        self._retention = Retention(database, settings.log.keep_days)
        self._files = FileKeeper(settings.data_dir, settings.files.keep_days)
        self._mailer = ReportMailer(
            settings.mail, database, tenant_id, origin=next(iter(settings.http.origins), "")
        )

    def parts(self) -> Mapping[str, Callable[[], Awaitable[None]]]:
        """Return what runs beside the core, by name; each begins again when it fails."""
        return {
            "files": self._files.run,
            "first run": self._first_run.run,
            "jobs": self.jobs.run,
            "phones": self.phones.run,
            "report mail": self._mailer.run,
            "retention": self._retention.run,
            "rollups": self._rollups.run,
            "sessions": self.sessions.run,
            "wall": self.wall.run,
            "wall links": self.wall_links.run,
            **self.live.parts(),
        }

    def _threshold_ms(self) -> Mapping[QueueId, int]:
        """The thresholds in force, by queue."""
        return {queue.queue_id: queue.threshold_ms for queue in self.core.config.queues}
