"""The live core without a PBX: inbox, real engine, real journal, and a PBX that answers at once.

Run: ``python -m benchmarks.dispatch [seconds per case | --quick]``. Prints a table, then JSON.
A call is six signals: arrived, waiting, rang, answered, ended, wrap-up ended. *Decision* is
from the put of the signal that lets the engine decide to the moment the offer is handed to the PBX
adapter: queueing, engine, journal commit and hand-over.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

from app.live.clock import Clock
from app.live.dispatcher import Dispatcher
from app.live.engines import Engines
from app.live.inbox import Inbox
from app.live.lag import LagSampler
from app.live.metrics import LiveMetrics
from app.live.restart import restart
from app.live.tuning import tune_interpreter
from benchmarks.journal import arrivals_s, quantile_ms, seconds_asked
from routing.commands import Command, OfferInteraction
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId, SkillId
from routing.signals import (
    AgentReady,
    AgentSignedIn,
    ConfigChanged,
    DeviceSeen,
    InteractionArrived,
    InteractionEnded,
    InteractionWaiting,
    OfferAnswered,
    OfferRang,
    Party,
    PbxSnapshotTaken,
    WrapUpEnded,
)

AGENT_COUNT = 100
QUEUE_COUNT = 10
CALLS_PER_S = (25, 100, 300)
WINDOW_CALLS = 50  # in flight at full speed
_SCRATCH = Path(".holdless")
_BASE_S = 1_763_790_000


class AnsweringPbx:
    """Takes offers and answers each at once: rings, is answered, ends, wraps up."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.put_s: dict[InteractionId, float] = {}
        self.decisions_s: list[float] = []
        self.window = asyncio.Semaphore(WINDOW_CALLS)

    def send(self, command: Command, epoch: int) -> None:
        """Carry out an offer; everything else is silence."""
        if not isinstance(command, OfferInteraction):
            return
        call, agent, attempt = command.interaction_id, command.agent_id, command.attempt
        self.decisions_s.append(time.perf_counter() - self.put_s.pop(call))
        self._inbox.put(OfferRang(interaction_id=call, agent_id=agent, attempt=attempt))
        self._inbox.put(OfferAnswered(interaction_id=call, agent_id=agent, attempt=attempt))
        self._inbox.put(InteractionEnded(interaction_id=call, ended_by=Party.CUSTOMER))
        self._inbox.put(WrapUpEnded(agent_id=agent))
        self.window.release()


def centre() -> CentreConfig:
    """Return ten queues with a skill each, and a hundred agents with three skills each."""
    skills = [SkillId(f"s{n}") for n in range(QUEUE_COUNT)]
    agents = tuple(
        AgentConfig(
            agent_id=AgentId(f"a{1_000 + n}"),
            skills={skills[(n + k * (1 + n // QUEUE_COUNT % 3)) % QUEUE_COUNT]: 5 + k for k in range(3)},
        )
        for n in range(AGENT_COUNT)
    )
    queues = tuple(
        QueueConfig(queue_id=QueueId(f"q{n}"), requires={skills[n]: 1}) for n in range(QUEUE_COUNT)
    )
    return CentreConfig(agents=agents, queues=queues, default_queue_id=QueueId("q0"))


class Centre:
    """A live core that is open for calls."""

    def __init__(self, inbox: Inbox, pbx: AnsweringPbx, metrics: LiveMetrics) -> None:
        self.inbox = inbox
        self.pbx = pbx
        self.metrics = metrics
        self._number = 0

    async def open(self) -> None:
        """Configure, sign everybody in, and tell the engine that the PBX is there."""
        self.inbox.put(ConfigChanged(version=1, config=centre()))
        devices = tuple(
            DeviceSeen(agent_id=agent.agent_id, reachable=True, in_use=False) for agent in centre().agents
        )
        self.inbox.put(PbxSnapshotTaken(pbx_id=PbxId("pbx1"), boot_id=BootId("b1"), devices=devices))
        for agent in centre().agents:
            self.inbox.put(AgentSignedIn(agent_id=agent.agent_id))
            await self.inbox.put(AgentReady(agent_id=agent.agent_id))

    def call(self) -> None:
        """One call arrives and waits."""
        self._number += 1
        call = InteractionId(f"pbx1-{_BASE_S}.{self._number}")
        self.inbox.put(InteractionArrived(interaction_id=call, entry_point="021", caller_number="0912345678"))
        self.pbx.put_s[call] = time.perf_counter()
        self.inbox.put(
            InteractionWaiting(interaction_id=call, queue_id=QueueId(f"q{self._number % QUEUE_COUNT}"))
        )

    def steps(self) -> float:
        """How many signals were stepped."""
        return self.metrics.registry.get_sample_value("holdless_steps_total") or 0.0


async def at_rate(centre_: Centre, calls_per_s: int, seconds: float) -> None:
    """Let calls arrive at Poisson times."""
    begin_s = time.perf_counter()
    for at_s in arrivals_s(calls_per_s, seconds):
        if (wait_s := begin_s + at_s - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        centre_.call()


async def at_full_speed(centre_: Centre, seconds: float) -> None:
    """Keep a window of calls in flight."""
    ends_s = time.perf_counter() + seconds
    while time.perf_counter() < ends_s:
        await centre_.pbx.window.acquire()
        centre_.call()


async def measure(directory: Path, calls_per_s: int | None, seconds: float) -> dict[str, float]:
    """Run one case on a fresh core; None: at full speed."""
    clock, metrics = Clock(), LiveMetrics()
    core = await restart(directory / "journal.sqlite3", Engines(), clock)
    inbox = Inbox(clock)
    pbx = AnsweringPbx(inbox)
    dispatcher = Dispatcher(
        engine=core.engine,
        maker=Engines(),
        rescue=core.rescue,
        epoch=core.epoch,
        inbox=inbox,
        journal=core.journal,
        pbx=pbx,
        bus=core.bus,
        metrics=metrics,
        poison_dir=directory / "failed-signals",
    )
    lag = LagSampler()
    tasks = [asyncio.create_task(dispatcher.run()), asyncio.create_task(lag.run())]
    open_centre = Centre(inbox, pbx, metrics)
    await open_centre.open()
    steps, cpu_s, began_s = open_centre.steps(), time.process_time(), time.perf_counter()
    if calls_per_s is None:
        await at_full_speed(open_centre, seconds)
    else:
        await at_rate(open_centre, calls_per_s, seconds)
    took_s, cpu_s, steps = (
        time.perf_counter() - began_s,
        time.process_time() - cpu_s,
        open_centre.steps() - steps,
    )
    dispatcher.stop()
    await tasks[0]
    tasks[1].cancel()
    await core.journal.close()
    assert not core.journal.late_count
    return {
        "signals_per_s": round(steps / took_s),
        "decision_ms_p50": quantile_ms(pbx.decisions_s, 0.5),
        "decision_ms_p99": quantile_ms(pbx.decisions_s, 0.99),
        "loop_lag_ms_p99": round(lag.quantile_ms(0.99), 3),
        "cpu_ms_per_signal": round(cpu_s / max(1.0, steps) * 1_000, 3),
        "decision_count": len(pbx.decisions_s),
    }


async def run(seconds: float, scratch: Path) -> dict[str, object]:
    """Measure all cases."""
    result: dict[str, object] = {"agents": AGENT_COUNT, "queues": QUEUE_COUNT, "seconds_per_case": seconds}
    for calls_per_s in (*CALLS_PER_S, None):
        name = "full_speed" if calls_per_s is None else f"calls_per_s_{calls_per_s}"
        with tempfile.TemporaryDirectory(dir=scratch, prefix="bench-") as directory:
            figures = await measure(Path(directory), calls_per_s, seconds)
        print(name, "  ".join(f"{key}={value}" for key, value in figures.items()))
        result[name] = figures
    return result


def main() -> None:
    """Run and print the JSON object last."""
    _SCRATCH.mkdir(exist_ok=True)
    tune_interpreter()
    print(json.dumps(asyncio.run(run(seconds_asked(), _SCRATCH))))


if __name__ == "__main__":
    main()
