"""The live core, assembled: engine, inbox, dispatcher, journal, bus and the PBX they drive.

What it does not have is the database: the core boots and routes while PostgreSQL is away.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from app.live.bus import Bus
from app.live.clock import Clock
from app.live.config_copy import LoadedConfig
from app.live.dispatcher import Dispatcher
from app.live.engines import Engines
from app.live.errors import LiveError
from app.live.inbox import Inbox
from app.live.journal import Journal
from app.live.lag import LagSampler
from app.live.metrics import LiveMetrics
from app.live.pbx_offset import PbxOffset
from app.live.restart import RestartReport, restart
from app.settings import AmiSettings
from routing.config import CentreConfig
from routing.engine import Engine
from routing.floor import Floor
from routing.floor_of import floor_of
from routing.ids import PbxId
from routing.signals import ConfigChanged, PbxLinkLost, Signal
from telephony.ami.errors import AmiError
from telephony.ami.link import AmiLink
from telephony.fence import read_fence
from telephony.pbx import AsteriskPbx

STALL_READ_S = 0.5  # cutting the connection loses what its socket holds: let that be read first

log = structlog.get_logger()


class Deposed(LiveError):
    """Another server leads this PBX with a higher epoch; this one must not command it any more."""


@dataclass(slots=True)
class LiveCore:
    """Everything that runs between the PBX and the journal."""

    clock: Clock
    inbox: Inbox
    offset: PbxOffset
    journal: Journal
    bus: Bus
    pbx: AsteriskPbx
    dispatcher: Dispatcher
    metrics: LiveMetrics
    lag: LagSampler
    epoch: int
    report: RestartReport
    config: CentreConfig = field(default_factory=CentreConfig)  # put in force last

    def configure(self, version: int, config: CentreConfig) -> asyncio.Future[Any]:
        """Put a configuration in force; returns the future of the engine's step."""
        self.config = config
        self.pbx.set_devices({agent.agent_id: agent.device for agent in config.agents if agent.device})
        return self.inbox.put(ConfigChanged(version=version, config=config))

    def floor(self) -> Floor:
        """Return the floor as the engine sees it now."""
        engine = self.dispatcher.engine
        return floor_of(engine.centre) if isinstance(engine, Engine) else Floor()

    async def run(self) -> None:
        """Drive the engine until ``stop``.

        Raises:
            Deposed: another server took over.
            EngineStuck: the engine fails on everything.
        """
        helpers = [
            asyncio.create_task(self.pbx.run(), name="pbx"),
            asyncio.create_task(self.lag.run(), name="loop lag"),
        ]
        dispatching = asyncio.create_task(self.dispatcher.run(), name="dispatcher")
        try:
            done, _ = await asyncio.wait([dispatching, *helpers], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in helpers:
                task.cancel()
            self.dispatcher.stop()
            await asyncio.gather(dispatching, *helpers, return_exceptions=True)

    def stop(self) -> None:
        """Let ``run`` return after the present batch; callers stay in the dialplan."""
        self.dispatcher.stop()


async def boot(
    *, data_dir: Path, ami: AmiSettings, systemname: str, loaded: LoadedConfig, database_epoch: int
) -> LiveCore:
    """Bring the engine back from the journal, take a new epoch, and wire everything; nothing runs yet.

    Raises:
        JournalUnavailable: rights, a full disk, or another server on the same data directory.
    """
    clock = Clock()
    fence_epoch = await _fence(ami)
    again = await restart(
        data_dir / "journal.db",
        Engines(),
        clock,
        fence_epoch=fence_epoch,
        database_epoch=database_epoch,
    )
    offset = PbxOffset()
    inbox = Inbox(clock, offset)
    inbox.remember(again.requests)
    metrics = LiveMetrics()
    metrics.watch(inbox=inbox, journal=again.journal, bus=again.bus, clock=clock)

    def put(signal: Signal) -> None:
        if signal.occurred_ms is not None:
            offset.sample(signal.occurred_ms, clock.now_ms())
        inbox.put(signal)

    def lead(fence: int) -> int:
        if fence > again.epoch:
            raise Deposed(
                f"the PBX is led with epoch {fence}, ours is {again.epoch}: another server took over. "
                "Stop one of the two; if there is no other, start this one again"
            )
        return again.epoch

    pbx = AsteriskPbx(
        events=_link(ami, events=True),
        control=_link(ami, events=False),
        put=put,
        pbx_id=PbxId(systemname),
        lead=lead,
    )

    def stalled() -> Signal:
        asyncio.get_running_loop().call_later(STALL_READ_S, pbx.read_anew, "the server stood still")
        return PbxLinkLost(pbx_id=PbxId(systemname), reason="stalled")

    if isinstance(again.engine, Engine):
        agents = again.engine.centre.agents.values()
        pbx.set_phones({agent.agent_id: agent.phone_device for agent in agents})
    inbox.on_facts_lost = lambda: pbx.read_anew("facts were lost in the inbox")
    dispatcher = Dispatcher(
        engine=again.engine,
        maker=Engines(),
        rescue=again.rescue,
        epoch=again.epoch,
        inbox=inbox,
        journal=again.journal,
        pbx=pbx,
        bus=again.bus,
        metrics=metrics,
        poison_dir=data_dir / "failed-signals",
        on_anew=lambda: pbx.read_anew("the engine began anew"),
        on_stalled=stalled,
    )
    core = LiveCore(
        clock=clock,
        inbox=inbox,
        offset=offset,
        journal=again.journal,
        bus=again.bus,
        pbx=pbx,
        dispatcher=dispatcher,
        metrics=metrics,
        lag=LagSampler(metrics.loop_lag.observe),
        epoch=again.epoch,
        report=again.report,
    )
    # Until the first snapshot the engine only remembers what the PBX held: nothing may be offered.
    inbox.put(PbxLinkLost(pbx_id=PbxId(systemname), reason="boot"))
    core.configure(loaded.version, loaded.config)
    return core


async def _fence(ami: AmiSettings) -> int:
    try:
        return await read_fence(_link(ami, events=False))
    except AmiError as error:
        log.warning("the PBX cannot be asked for its fence yet", problem=f"{type(error).__name__}: {error}")
        return 0


def _link(ami: AmiSettings, *, events: bool) -> AmiLink:
    user, secret = (ami.events_user, ami.events_secret) if events else (ami.control_user, ami.control_secret)
    return AmiLink(ami.host, ami.port, user, secret.get_secret_value(), events=events)
