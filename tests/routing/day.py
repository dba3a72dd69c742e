"""A random but plausible day: a small machine plays PBX, phones, callers and agents for the engine.

What the machine does depends on its seed and on the engine's commands alone; a share of what it
says is nonsense on purpose (doubles, late reports, unknown ids).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from routing import commands as cmd
from routing import signals as sig
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.engine import Engine, Step
from routing.ids import AgentId, BootId, InteractionId, PbxId, QueueId, SkillId
from routing.signals import OfferFailure, Party, PbxPhase, Signal
from tests.routing.ways_on import with_ways_on

START_MS = 1_763_790_000_000
PBX = PbxId("pbx1")
SKILLS = [SkillId(name) for name in ("sales", "support", "billing")]
_GAPS_MS = (0, 0, 1, 20, 100, 200, 300, 900, 2_000)
_CALLS_MAX = 25


@dataclass
class Call:
    """One customer's channel at the PBX."""

    interaction_id: InteractionId
    arrived_ms: int
    queued_at_ms: int | None = None
    phase: PbxPhase = PbxPhase.ENTRY
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None
    attempt: int = 0
    lap: int = 0
    ringing: bool = False
    served: bool = False


def centre(rng: random.Random, agent_count: int = 6) -> CentreConfig:
    """A small centre: overlapping skills, every wrap-up mode, one queue with a timeout."""
    agents = []
    for number in range(agent_count):
        skills = {skill: rng.randint(1, 10) for skill in SKILLS if rng.random() < 0.6}
        agents.append(AgentConfig(agent_id=AgentId(f"a{1001 + number}"), skills=skills))
    modes = ("none", "optional", "timed", "manual")
    queues = [
        QueueConfig(
            queue_id=QueueId(f"q_{skill}"),
            requires={skill: rng.randint(1, 4)},
            boost_ms=rng.choice((0, 0, 20_000)),
            max_wait_ms=rng.choice((30_000, 600_000)),
            wrap_up_mode=rng.choice(modes),
            wrap_up_ms=rng.choice((0, 4_000, 15_000)),
            queue_timeout_ms=rng.choice((None, None, None, 90_000)),
        )
        for skill in SKILLS
    ]
    queues = with_ways_on(queues)
    return CentreConfig(agents=tuple(agents), queues=tuple(queues), default_queue_id=queues[0].queue_id)


class Day:
    """Drives one engine; ``steps(count)`` yields every step."""

    def __init__(self, seed: int, *, explain: bool = True) -> None:
        self.rng = random.Random(seed)
        self.config = centre(self.rng)
        self.engine = Engine(explain=explain)
        self.at_ms = START_MS
        self.version = 1
        self.boot = 1
        self.call_count = 0
        self.link_up = True
        self.calls: dict[InteractionId, Call] = {}
        self.past: list[Signal] = []
        self.backlog: list[Signal] = [sig.ConfigChanged(version=1, config=self.config)]
        for agent in self.config.agents:
            self.backlog += [
                sig.AgentSignedIn(agent_id=agent.agent_id),
                sig.AgentReady(agent_id=agent.agent_id),
            ]

    def steps(self, count: int) -> Iterator[Step]:
        """Yield *count* steps."""
        for _ in range(count):
            step = self.engine.step(self._stamped(self._next()))
            for command in step.commands:
                self._obey(command)
            yield step

    # ------------------------------------------------------------ time

    def _stamped(self, signal: Signal) -> Signal:
        self.at_ms += self.rng.choice(_GAPS_MS)
        due_ms = self.engine.next_deadline_ms()
        if due_ms is not None and due_ms <= self.at_ms and self.rng.random() < 0.5:
            self.backlog.insert(0, signal)
            return sig.DeadlineReached(at_ms=max(due_ms, self.engine.centre.at_ms))
        late_ms = self.rng.choice((None, 0, 3, 40, 5_000))
        occurred_ms = None if late_ms is None else self.at_ms - late_ms
        stamped = replace(signal, at_ms=self.at_ms, occurred_ms=occurred_ms)
        self.past = [*self.past[-30:], stamped]
        return stamped

    # ------------------------------------------------------------ the world moves

    def _next(self) -> Signal:
        while True:
            if self.backlog:
                return self.backlog.pop(0)
            made = self._move()
            if made is not None:
                return made

    def _move(self) -> Signal | None:
        rng = self.rng
        roll = rng.random()
        if roll < 0.02:
            return self._nonsense()
        if roll < 0.023:
            return self._link()
        if roll < 0.026:
            return self._edit()
        if not self.link_up and roll < 0.3:
            return self._snapshot(same_boot=rng.random() < 0.85)
        if roll < 0.15:
            return self._agent_acts(rng.choice(self.config.agents).agent_id)
        if roll < 0.26 and len(self.calls) < _CALLS_MAX:
            return self._heard(self._arrive())
        if not self.calls:
            return None
        offered = [c for c in self.calls.values() if c.phase is PbxPhase.OFFERED]
        call = rng.choice(offered if offered and roll < 0.6 else list(self.calls.values()))
        return self._heard(self._call_acts(call))

    def _heard(self, signal: Signal | None) -> Signal | None:
        """What the PBX says while the link is down is lost."""
        return signal if self.link_up else None

    def _arrive(self) -> Signal:
        self.call_count += 1
        interaction_id = InteractionId(f"pbx1-{self.at_ms // 1000}.{self.call_count}")
        self.calls[interaction_id] = Call(interaction_id, arrived_ms=self.at_ms)
        return sig.InteractionArrived(interaction_id=interaction_id, caller_number="0223456789")

    def _call_acts(self, call: Call) -> Signal | None:
        rng, call_id = self.rng, call.interaction_id
        if rng.random() < 0.05:
            return self._hang_up(call, rng.choice(list(Party)))
        match call.phase:
            case PbxPhase.ENTRY | PbxPhase.WAITING:
                return self._waits(call)
            case PbxPhase.OFFERED:
                return self._offer_goes_on(call)
            case PbxPhase.TALKING | PbxPhase.HELD:
                return self._talks(call)
            case PbxPhase.FALLBACK if not call.served and rng.random() < 0.4:
                call.served, call.agent_id = True, rng.choice(self.config.agents).agent_id
                return sig.FallbackServed(interaction_id=call_id, agent_id=call.agent_id)
            case _:
                return None

    def _waits(self, call: Call) -> Signal:
        rng, call_id = self.rng, call.interaction_id
        roll = rng.random()
        if call.phase is PbxPhase.WAITING and roll < 0.08:
            return sig.KeyPressed(interaction_id=call_id, digit="1")
        if call.phase is PbxPhase.WAITING and roll < 0.09:
            call.phase = PbxPhase.FALLBACK
            return sig.FallbackEntered(interaction_id=call_id, cause="laps")
        if roll < 0.1:
            return sig.HangupRequested(interaction_id=call_id)
        if roll < 0.12:
            return sig.TransferRequested(interaction_id=call_id, to_queue_id=self._queue())
        if call.phase is PbxPhase.ENTRY:
            call.queue_id = self._queue() if rng.random() < 0.9 else QueueId("nowhere")
            call.queued_at_ms = self.at_ms
        return self._lap(call)

    def _lap(self, call: Call) -> Signal:
        call.phase, call.lap, call.agent_id = PbxPhase.WAITING, call.lap + 1, None
        return sig.InteractionWaiting(
            interaction_id=call.interaction_id,
            queue_id=call.queue_id,
            lap=call.lap,
            attempt=call.attempt,
            priority_ms=self.rng.choice((0, 0, 0, 30_000)) if call.lap == 1 else 0,
            queued_at_ms=call.queued_at_ms,
            prefer_agent_id=self._agent() if self.rng.random() < 0.1 else None,
        )

    def _offer_goes_on(self, call: Call) -> Signal | None:
        rng, call_id = self.rng, call.interaction_id
        assert call.agent_id is not None
        named: dict[str, Any] = {
            "interaction_id": call_id,
            "agent_id": call.agent_id,
            "attempt": call.attempt,
        }
        roll = rng.random()
        if not call.ringing and roll < 0.7:
            call.ringing = True
            return sig.OfferRang(**named)
        if roll < 0.8:
            call.phase = PbxPhase.TALKING
            return sig.OfferAnswered(**named)
        if roll < 0.95:
            cause = rng.choice(list(OfferFailure))
            if cause is OfferFailure.UNKNOWN_CHANNEL:
                del self.calls[call_id]
                return sig.CommandRefused(
                    command="OfferInteraction",
                    reason="unknown_channel",
                    interaction_id=call_id,
                    agent_id=call.agent_id,
                    attempt=call.attempt,
                )
            call.phase, call.ringing = PbxPhase.WAITING, False
            if self.link_up and rng.random() < 0.9:
                self.backlog.append(self._lap(call))
            failed = sig.OfferFailed(**named, cause=cause)
            return failed if rng.random() < 0.95 else None
        return None

    def _talks(self, call: Call) -> Signal | None:
        rng, call_id, agent_id = self.rng, call.interaction_id, call.agent_id
        assert agent_id is not None
        roll = rng.random()
        if roll < 0.25:
            held = call.phase is PbxPhase.HELD
            call.phase = PbxPhase.TALKING if held else PbxPhase.HELD
            kind = sig.InteractionUnheld if held else sig.InteractionHeld
            return kind(interaction_id=call_id, agent_id=agent_id)
        if roll < 0.35:
            call.phase = PbxPhase.ENTRY
            return sig.AgentLegEnded(interaction_id=call_id, agent_id=agent_id)
        if roll < 0.45:
            to_queue = rng.random() < 0.5
            return sig.TransferRequested(
                interaction_id=call_id,
                by_agent_id=agent_id,
                to_queue_id=self._queue() if to_queue else None,
                to_agent_id=None if to_queue else self._agent(),
            )
        if roll < 0.5:
            call.phase, call.lap, call.agent_id, call.ringing = PbxPhase.WAITING, 0, None, False
            return sig.InteractionTransferred(
                interaction_id=call_id, agent_id=agent_id, to_queue_id=self._queue()
            )
        if roll < 0.55:
            return sig.HangupRequested(interaction_id=call_id, by_agent_id=agent_id)
        if roll < 0.6:
            return sig.WrapUpCoded(agent_id=agent_id, interaction_id=call_id, code="sold")
        return None

    def _hang_up(self, call: Call, ended_by: Party) -> Signal | None:
        self.calls.pop(call.interaction_id, None)
        roll = self.rng.random()
        if roll < 0.03:
            return None  # the report is lost; a correction may follow
        if roll < 0.06:
            return sig.CallFactCorrected(
                interaction_id=call.interaction_id, started_ms=call.arrived_ms, ended_ms=self.at_ms
            )
        return sig.InteractionEnded(interaction_id=call.interaction_id, ended_by=ended_by, hangup_cause=16)

    def _agent_acts(self, agent_id: AgentId) -> Signal:
        rng = self.rng
        makers: tuple[Callable[[], Signal], ...] = (
            *[lambda: sig.AgentReady(agent_id=agent_id)] * 6,
            lambda: sig.AgentSignedIn(agent_id=agent_id),
            lambda: sig.AgentSignedIn(agent_id=agent_id),
            lambda: sig.AgentNotReady(agent_id=agent_id, reason=rng.choice(("lunch", "training"))),
            lambda: sig.AgentSignedOut(agent_id=agent_id),
            *[lambda: sig.WrapUpEnded(agent_id=agent_id)] * 4,
            lambda: sig.WrapUpExtended(agent_id=agent_id, extend_ms=rng.choice((0, 5_000))),
            lambda: sig.AgentBusyElsewhere(agent_id=agent_id, evidence="inuse"),
            *[lambda: sig.AgentFreeElsewhere(agent_id=agent_id)] * 3,
            lambda: sig.DeviceLost(agent_id=agent_id),
            *[lambda: sig.DeviceReachable(agent_id=agent_id)] * 4,
        )
        return rng.choice(makers)()

    def _nonsense(self) -> Signal:
        rng = self.rng
        if self.past and rng.random() < 0.7:
            double = rng.choice(self.past)
            if not isinstance(double, sig.ConfigChanged | sig.PbxSnapshotTaken):
                return double
        ghost = InteractionId("pbx1-1.1")
        return rng.choice(
            (
                sig.InteractionEnded(interaction_id=ghost),
                sig.OfferAnswered(interaction_id=ghost, agent_id=self._agent(), attempt=1),
                sig.AgentReady(agent_id=AgentId("a9999")),
                sig.HangupRequested(interaction_id=ghost),
                sig.CommandRefused(command="MarkHeard", reason="unknown_channel", interaction_id=self._any()),
                sig.WrapUpCoded(agent_id=self._agent(), interaction_id=ghost, code="x"),
            )
        )

    # ------------------------------------------------------------ link and configuration

    def _link(self) -> Signal | None:
        if not self.link_up:
            return None
        self.link_up = False
        return sig.PbxLinkLost(pbx_id=PBX)

    def _snapshot(self, *, same_boot: bool) -> Signal:
        if not same_boot:
            self.boot += 1
            self.calls.clear()
        self.link_up = True
        return sig.PbxSnapshotTaken(
            pbx_id=PBX,
            boot_id=BootId(f"b{self.boot}"),
            interactions=tuple(
                sig.InteractionSeen(
                    interaction_id=call.interaction_id,
                    phase=call.phase,
                    queue_id=call.queue_id,
                    agent_id=call.agent_id,
                    attempt=call.attempt,
                    arrived_ms=call.arrived_ms,
                    queued_at_ms=call.queued_at_ms,
                    bridged=call.phase in (PbxPhase.TALKING, PbxPhase.HELD),
                    served_by_fallback=call.served,
                )
                for call in self.calls.values()
            ),
            devices=tuple(
                sig.DeviceSeen(
                    agent_id=agent.agent_id,
                    reachable=self.rng.random() < 0.95,
                    in_use=any(
                        call.agent_id == agent.agent_id and call.phase in (PbxPhase.TALKING, PbxPhase.HELD)
                        for call in self.calls.values()
                    ),
                )
                for agent in self.config.agents
            ),
        )

    def _edit(self) -> Signal:
        edited = centre(self.rng, self.rng.randint(4, 7))
        queues = edited.queues[: self.rng.choice((2, 3, 3))]
        default = queues[0].queue_id if self.rng.random() < 0.9 else None
        self.config = replace(edited, queues=queues, default_queue_id=default)
        self.version += 1
        return sig.ConfigChanged(version=self.version, config=self.config)

    # ------------------------------------------------------------ the PBX obeys

    def _obey(self, command: cmd.Command) -> None:
        interaction_id = getattr(command, "interaction_id", None)
        if interaction_id is None or not self.link_up:
            return
        call = self.calls.get(interaction_id)
        if call is None:
            self.backlog.append(
                sig.CommandRefused(
                    command=type(command).__name__,
                    reason="unknown_channel",
                    interaction_id=interaction_id,
                    attempt=getattr(command, "attempt", 0),
                )
            )
            return
        match command:
            case cmd.OfferInteraction():
                assert command.attempt > call.attempt, "an attempt goes up"
                call.phase, call.agent_id, call.ringing = PbxPhase.OFFERED, command.agent_id, False
                call.attempt, call.served = command.attempt, False
            case cmd.MoveToQueue():
                call.phase, call.queue_id, call.lap = PbxPhase.WAITING, command.queue_id, 0
                call.queued_at_ms, call.agent_id, call.ringing = command.queued_at_ms, None, False
            case cmd.HandToFallback():
                call.phase, call.served, call.agent_id = PbxPhase.FALLBACK, False, None
            case cmd.EndInteraction():
                ended = self._hang_up(call, Party.UNKNOWN)
                if ended is not None:
                    self.backlog.append(ended)
            case _:
                pass

    def _queue(self) -> QueueId:
        return self.rng.choice(self.config.queues).queue_id

    def _agent(self) -> AgentId:
        return self.rng.choice(self.config.agents).agent_id

    def _any(self) -> InteractionId:
        return self.rng.choice(list(self.calls)) if self.calls else InteractionId("pbx1-1.2")
