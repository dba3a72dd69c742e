"""The running server: everything built once, in order, and ended in the reverse order.

The order is the law of a restart: the record's server (it may be away), the configuration, the
journal and the engine, the dialplan's door, the web. Nothing else wires parts together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import structlog
from prometheus_client import CollectorRegistry, Counter

from app.calls.log_reader import LogReader
from app.calls.reader import CallReader
from app.centre.document import Centre
from app.centre.exchange import CentreError
from app.centre.rows import current_version, load_centre, load_engine_config
from app.customers.identify_rules import Match
from app.customers.match_keeper import MatchKeeper
from app.db.epochs import last_epoch, note_epoch
from app.db.errors import DatabaseError
from app.db.migrate import migrate, misplaced_count
from app.db.provider import Provider
from app.db.session import Database, tenant
from app.faces import Faces
from app.floor.live_floor import LiveFloor
from app.floor.live_waits import LiveWaits
from app.hooks.routes import Hooks, register
from app.hooks.rules import CentreBook
from app.http.state import FloorReader, SignalInbox
from app.live.config_copy import ConfigCopy, load_config
from app.live.core import LiveCore, boot
from app.live.drainer import AWAY, Drainer
from app.live.errors import AddressTaken, Gone, JournalError, JournalUnavailable
from app.live.gap_keeper import GapKeeper
from app.live.witness import Witness
from app.server_metrics import watch_server
from app.settings import Settings
from routing.config import CentreConfig
from routing.ids import AgentId, InteractionId, TeamId
from telephony.agi.registry import AgiRegistry
from telephony.agi.server import AgiServer
from telephony.pbx import PbxState

log = structlog.get_logger()

CENTRE_EVERY_S = 1.0
PART_RETRY_S = 5.0
PARTITIONS_EVERY_S = 3600.0
PRUNE_EVERY_S = 600.0
JOURNAL_KEPT_MS = 7 * 24 * 3600 * 1000
DATABASE_RETRY_S = 5.0
LAST_DRAIN_S = 10.0
FLOOR_EVENTS_MAX = 20_000  # the floor may fall behind by this much before it is read anew
_AWAY = (*AWAY, DatabaseError)


class Server:
    """One running server (``app.http.state.AppState``). Made by ``Server.started``.

    Attributes:
        core: The live core.
        drainer: Carries the journal into PostgreSQL.
    """

    def __init__(self, settings: Settings, provider: Provider, database: Database, core: LiveCore) -> None:
        self.settings = settings
        self.core = core
        self.registry: CollectorRegistry = core.metrics.registry
        self._provider, self._database = provider, database
        self._tenant_id = tenant(settings.tenant)
        self._copy = ConfigCopy(settings.data_dir / "centre.json")
        self._book, self._book_is_due = CentreBook(), True
        self._version, self._config = 0, CentreConfig()
        self._teams: Mapping[AgentId, TeamId | None] = {}
        self.drainer = Drainer(core.journal, database, self._tenant_id)
        self._matches = MatchKeeper(database, self._tenant_id)
        self._floor = LiveFloor(core.floor(), self._teams_get)
        self._waits = LiveWaits(core.bus, core.clock)
        self._calls = LogReader(database, self._tenant_id)
        self._witness = Witness(
            settings.cel_path,
            database,
            self._tenant_id,
            pbx_id=settings.systemname,
            put=core.inbox.put,
            agent_of_device=core.pbx.agent_of_device,
            is_behind=lambda: self.drainer.lag.waiting,
            now_ms=core.clock.now_ms,
            in_our_time=core.offset.correct,
        )
        self.faces = Faces(
            settings,
            database,
            self._tenant_id,
            core,
            self._floor,
            not_ready=self.not_ready,
            keep_match=self._matches.keep,
        )
        text = "Faults of parts beside the core"
        self._part_failures = Counter("holdless_part_failures", text, ["part"], registry=self.registry)
        self._misplaced = watch_server(self.registry, core, self.drainer, self._witness)
        agi = AgiRegistry()
        register(agi, self._hooks())
        self._agi = AgiServer(agi)

    @classmethod
    async def started(cls, settings: Settings) -> Server:
        """Build and open everything for ``run`` to drive. What fails or is cancelled leaves nothing behind.

        Raises:
            DatabaseError: the embedded database cannot be had.
            JournalUnavailable: another server uses this data directory, or the disk refuses.
            NoConfiguration: PostgreSQL is away and was never there before.
            AddressTaken: the address of the dialplan's door cannot be had.
        """
        async with AsyncExitStack() as undo:
            server = await cls._built(settings, undo)
            undo.pop_all()
        return server

    @classmethod
    async def _built(cls, settings: Settings, undo: AsyncExitStack) -> Server:
        try:
            settings.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(
                f"the data directory {settings.data_dir} cannot be made: {error.strerror}; choose another"
            ) from error
        url = settings.database_url.get_secret_value() if settings.database_url else None
        provider = Provider(url, settings.data_dir)
        undo.push_async_callback(provider.stop)
        database = Database(await provider.start())
        undo.push_async_callback(database.close)
        tenant_id = tenant(settings.tenant)
        epoch = 0
        try:
            await migrate(database, tenant_id)
            epoch = await last_epoch(database, tenant_id)
        except _AWAY as error:
            if provider.is_embedded:
                raise
            log.warning("the database is away; calls are served without it", error=_said(error))

        async def fetch() -> tuple[int, CentreConfig]:
            return await load_engine_config(database, tenant_id)

        loaded = await load_config(fetch, ConfigCopy(settings.data_dir / "centre.json"), _AWAY)
        core = await boot(
            data_dir=settings.data_dir,
            ami=settings.ami,
            systemname=settings.systemname,
            loaded=loaded,
            database_epoch=epoch,
        )
        undo.push_async_callback(core.journal.close)
        server = cls(settings, provider, database, core)
        server._take(loaded.version, loaded.config)
        await server._load_book()
        at = settings.agi
        try:
            await server._agi.start(at.host, at.port)
        except OSError as error:
            raise AddressTaken(
                "the dialplan's FastAGI", at.host, at.port, "agi.port, HOLDLESS_AGI__PORT", error
            ) from error
        return server

    # ------------------------------------------------------------ what the web sees

    @property
    def inbox(self) -> SignalInbox:
        """The door to the engine."""
        return self.core.inbox

    @property
    def floor(self) -> FloorReader:
        """The live floor."""
        return self._floor

    @property
    def calls(self) -> CallReader:
        """The call log."""
        return self._calls

    def not_ready(self) -> Mapping[str, str]:
        """Return what keeps the server from serving calls: part to what is wrong; empty when ready."""
        wrong: dict[str, str] = {}
        if self.core.pbx.state is not PbxState.LIVE:
            wrong["pbx"] = self.core.pbx.last_problem or self.core.pbx.state
        if not self._config.queues:
            wrong["centre"] = "no queue is configured"
        return wrong

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Drive everything until cancelled or until the core ends for good; then end in order.

        Raises:
            LiveError: the core cannot go on (deposed, or an engine that fails on everything).
        """
        parts: dict[str, Callable[[], Awaitable[None]]] = {
            "drainer": self.drainer.run,
            "matches": self._matches.run,
            "gaps": GapKeeper(self.core.journal, self._database, self._tenant_id).run,
            "floor": lambda: self._keep_following(self._follow_floor),
            "waits": lambda: self._keep_following(self._waits.follow),
            "database": self._keep_database,
            "embedded database": self._keep_embedded,
            "centre": self._watch_centre,
            "pruner": self._prune,
            "witness": self._witness.run,
            **self.faces.parts(),
        }
        core = asyncio.create_task(self.core.run(), name="core")
        tasks = [
            core,
            *(asyncio.create_task(self._tend(name, work), name=name) for name, work in parts.items()),
        ]
        try:
            await asyncio.wait([core])
            core.result()
        finally:
            await self._end(tasks)

    async def _tend(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a part beside the core: its fault is told, it begins again, and calls go on meanwhile."""
        while True:
            try:
                await work()
            except Exception:  # the task's guard: no reader of the log may end the serving of calls
                log.exception("a part of the server failed and begins again", part=name)
                self._part_failures.labels(name).inc()
            await asyncio.sleep(PART_RETRY_S)

    async def reload(self) -> int:
        """Read the centre anew and put it in force; return its version.

        Raises:
            CentreError: the rows are no centre that the engine may have; the old one stays in force.
        """
        version, config = await load_engine_config(self._database, self._tenant_id)
        self._take(version, config)
        await self._load_book()
        await self.core.configure(version, config)
        try:
            await asyncio.to_thread(self._copy.save, version, config)
        except OSError as error:  # a full disk keeps nobody from the new centre
            log.error("the copy of the configuration could not be written", error=str(error))
        return version

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        await self._agi.stop()
        self.core.stop()
        core, *others = tasks
        await asyncio.gather(core, return_exceptions=True)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        try:
            async with asyncio.timeout(LAST_DRAIN_S):
                await self.drainer.drain_all()
        except (JournalError, *_AWAY) as error:
            log.warning(
                "the rest of the log stays in the journal until the next start", error=type(error).__name__
            )
        finally:
            await self.core.journal.close()
            await self._database.close()
            await self._provider.stop()

    # ------------------------------------------------------------ background work

    async def _keep_database(self) -> None:
        """Migrate when the database comes late, note our epoch, and make the coming days' partitions."""
        while True:
            try:
                await migrate(self._database, self._tenant_id)
                await note_epoch(self._database, self._tenant_id, self.core.epoch)
                self._misplaced.set(await misplaced_count(self._database))
            except _AWAY as error:
                log.warning("the database is away", error=_said(error))
                await asyncio.sleep(DATABASE_RETRY_S)
                continue
            await asyncio.sleep(PARTITIONS_EVERY_S)

    async def _keep_embedded(self) -> None:
        """Start our own PostgreSQL again when it has died: nobody else would."""
        while True:
            await asyncio.sleep(DATABASE_RETRY_S)
            try:
                if await self._provider.revive():
                    log.error("the embedded database had died; it was started again")
            except (OSError, DatabaseError) as error:
                log.error("the embedded database has died and does not start", problem=str(error))

    async def _watch_centre(self) -> None:
        """Follow the configuration: whoever commits a new version need not know who serves it."""
        is_away = False
        while True:
            await asyncio.sleep(CENTRE_EVERY_S)
            try:
                async with self._database.transaction(self._tenant_id) as connection:
                    version = await current_version(connection, self._tenant_id)
                if is_away:
                    log.info("the database is back")
                is_away = False
                if version != self._version:
                    await self.reload()
                    log.info("the centre has changed", version=version)
                elif self._book_is_due:  # the database was away when it was to be read
                    await self._load_book()
            except CentreError as error:
                self._version, self._book_is_due = version, False
                log.error("the new centre cannot be used; the old one stays in force", problems=str(error))
            except _AWAY as error:
                if not is_away:
                    log.warning("the database is away; calls are served without it", error=_said(error))
                is_away = True

    async def _prune(self) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_S)
            lag = self.drainer.lag
            try:
                await self.core.journal.prune(lag.epoch, lag.seq, self.core.clock.now_ms() - JOURNAL_KEPT_MS)
            except JournalError as error:  # a full disk: routing goes on, and the next round tries again
                log.error("the journal's old rows could not be deleted", error=str(error))

    async def _keep_following(self, follow: Callable[[], Awaitable[None]]) -> None:
        """Keep a read model on the bus; when it was cut, it begins again."""
        while True:
            try:
                await follow()
            except Gone as gone:
                log.warning("a read model was cut from the bus and begins anew", reason=str(gone))

    async def _follow_floor(self) -> None:
        with self.core.bus.subscribe(queue_max=FLOOR_EVENTS_MAX) as subscription:
            self._floor.seed(self.core.floor())
            await self._floor.follow(subscription)

    # ------------------------------------------------------------ the centre

    def _take(self, version: int, config: CentreConfig) -> None:
        self._version, self._config = version, config
        self._teams = {agent.agent_id: agent.team_id for agent in config.agents}

    def _teams_get(self, agent_id: AgentId) -> TeamId | None:
        return self._teams.get(agent_id)

    async def _load_book(self) -> None:
        """What the dialplan's questions are answered from; without the database the last one stays."""
        try:
            async with self._database.transaction(self._tenant_id) as connection:
                centre: Centre = await load_centre(connection, self._tenant_id)
        except _AWAY as error:
            log.warning("names, entry points and hours are not known yet", error=type(error).__name__)
            self._book_is_due = True
            return
        self._book, self._book_is_due = CentreBook.of(centre), False
        self.faces.live.take_centre(centre)

    def _hooks(self) -> Hooks:
        def keep(interaction_id: str, match: Match) -> None:
            self._matches.keep(interaction_id, match)
            self.faces.live.pops.learn(InteractionId(interaction_id), match)

        return Hooks(
            database=self._database,
            tenant_id=self._tenant_id,
            book=lambda: self._book,
            now=lambda: datetime.now(UTC),
            expected_wait=self._waits.expected,
            on_match=keep,
            on_late=keep,
        )


def _said(error: BaseException) -> str:
    """Our own errors name the remedy; of others the type is enough, for their text may quote values."""
    return str(error) if isinstance(error, DatabaseError) else type(error).__name__
