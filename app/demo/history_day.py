"""A past day played on the engine itself: callers, agents and phones act, the engine decides.

Pure: no clock but the day's, no dice but the ones given. Every row of the demo's history is a fold of the
events that remain, as every row of a live day is; no figure is written that nobody produced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Final

from app.demo.history_demand import Arrival, DayPlan, draw_patience_ms, lognormal_ms
from routing import events as ev
from routing import signals as sig
from routing.commands import Command, EndInteraction, MoveToQueue, OfferInteraction
from routing.config import CentreConfig
from routing.engine import Engine
from routing.ids import AgentId, InteractionId, LegId, QueueId

PBX: Final = "demo"
PICK_UP_MEAN_MS: Final = 3_400
RONA_RATIO: Final = 0.025
REJECT_RATIO: Final = 0.005
HOLD_RATIO: Final = 0.18
HOLD_MEAN_MS: Final = 38_000
TRANSFER_RATIO: Final = 0.05
CALLER_ENDS_RATIO: Final = 0.62
AGAIN_AFTER_ABANDON_RATIO: Final = 0.4
AGAIN_AFTER_TALK_RATIO: Final = 0.05
CODED_RATIO: Final = 0.93
STEPS_MAX: Final = 200_000
_ENTRY_MS: Final = (900, 2_600)  # greeting, before the caller waits
HANDLE: Final[Mapping[str, tuple[int, float]]] = {  # mean talk, sigma of its logarithm
    "sales": (175_000, 0.75),
    "support": (210_000, 0.70),
    "billing": (150_000, 0.60),
}
OTHER_HANDLE: Final = (200_000, 0.6)
_IGNORED: Final = (ev.SignalIgnored, ev.PbxLinkChanged, ev.ConfigApplied)


@dataclass(slots=True)
class _Call:
    interaction_id: InteractionId
    arrival: Arrival
    queue_id: QueueId
    attempt: int = 0
    is_talking: bool = False
    is_over: bool = False
    tries: int = 1


@dataclass(slots=True)
class PastDay:
    """Plays one day; ``run`` returns what happened, in order.

    Args:
        codes: Wrap-up codes by queue.
    """

    plan: DayPlan
    config: CentreConfig
    codes: Mapping[QueueId, tuple[str, ...]]
    dice: Random
    _engine: Engine = field(init=False)
    _world: list[tuple[int, int, Callable[[], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _calls: dict[InteractionId, _Call] = field(default_factory=dict)
    _away: set[AgentId] = field(default_factory=set)
    _wrapping: dict[AgentId, InteractionId] = field(default_factory=dict)
    _happened: list[tuple[int, ev.Event]] = field(default_factory=list)
    _now_ms: int = 0
    _step_count: int = 0
    _ring_max_ms: dict[QueueId, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._engine = Engine(self.config)
        self._ring_max_ms = {queue.queue_id: queue.ring_timeout_ms for queue in self.config.queues}
        for arrival in self.plan.arrivals:
            self._at(arrival.at_ms, partial(self._arrive, arrival, 1))
        for shift in self.plan.shifts:
            self._at(shift.from_ms, partial(self._sign_in, shift.agent_id))
            for away in shift.away:
                self._at(away.from_ms, partial(self._leave, shift.agent_id, away.reason))
                self._at(away.until_ms, partial(self._come_back, shift.agent_id))
            self._at(shift.until_ms, partial(self._sign_out, shift.agent_id))

    def run(self) -> list[tuple[int, ev.Event]]:
        """Play the day to its end; return each event with the number of its step."""
        while self._step_count < STEPS_MAX:
            due_ms = self._engine.next_deadline_ms()
            if self._world and (due_ms is None or self._world[0][0] <= due_ms):
                at_ms, _, act = heappop(self._world)
                self._now_ms = max(self._now_ms, at_ms)
                act()
            elif due_ms is not None:
                self._now_ms = max(self._now_ms, due_ms)
                self._tell(sig.DeadlineReached(at_ms=self._now_ms))
            else:
                break
        return self._happened

    # ------------------------------------------------------------ time and the engine

    def _at(self, at_ms: int, act: Callable[[], None]) -> None:
        heappush(self._world, (at_ms, next(self._order), act))

    def _after(self, pause_ms: int, act: Callable[[], None]) -> None:
        self._at(self._now_ms + pause_ms, act)

    def _tell(self, signal: sig.Signal) -> None:
        step = self._engine.step(signal)
        self._step_count += 1
        for event in step.events:
            if not isinstance(event, _IGNORED):
                self._happened.append((self._step_count, event))
            match event:
                case ev.WrapUpStarted():
                    self._wrap_up(event)
                case ev.WrapUpDone():
                    self._wrapping.pop(event.agent_id, None)
                case _:
                    pass
        for command in step.commands:
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case OfferInteraction():
                call = self._calls[command.interaction_id]
                call.attempt = command.attempt
                pause_ms = self.dice.randint(30, 220)
                self._after(pause_ms, lambda: self._ring(call, command.agent_id, command.attempt))
            case MoveToQueue():
                call = self._calls[command.interaction_id]
                self._after(15, lambda: self._wait(call, command.queue_id, command.queued_at_ms))
            case EndInteraction():
                call = self._calls[command.interaction_id]
                self._after(10, lambda: self._end(call, sig.Party.SYSTEM))
            case _:
                pass  # what a PBX would need to know, and a past day does not

    # ------------------------------------------------------------ agents

    def _sign_in(self, agent_id: AgentId) -> None:
        self._tell(sig.AgentSignedIn(at_ms=self._now_ms, agent_id=agent_id))
        self._after(self.dice.randint(8_000, 70_000), lambda: self._come_back(agent_id))

    def _leave(self, agent_id: AgentId, reason: str) -> None:
        self._away.add(agent_id)
        self._tell(sig.AgentNotReady(at_ms=self._now_ms, agent_id=agent_id, reason=reason))

    def _come_back(self, agent_id: AgentId) -> None:
        self._away.discard(agent_id)
        self._tell(sig.AgentReady(at_ms=self._now_ms, agent_id=agent_id))

    def _sign_out(self, agent_id: AgentId) -> None:
        self._away.add(agent_id)
        self._tell(sig.AgentSignedOut(at_ms=self._now_ms, agent_id=agent_id))

    def _notice(self, agent_id: AgentId) -> None:
        """Notice a missed ring, unless the agent is away anyhow."""
        if agent_id not in self._away:
            self._tell(sig.AgentReady(at_ms=self._now_ms, agent_id=agent_id))

    def _wrap_up(self, event: ev.WrapUpStarted) -> None:
        agent_id, call_id = event.agent_id, event.interaction_id
        self._wrapping[agent_id] = call_id
        codes = self.codes.get(event.queue_id or QueueId(""), ())
        if codes and self.dice.random() < CODED_RATIO:
            code = self.dice.choices(codes, [1 / (1 + at) for at in range(len(codes))])[0]
            self._after(lognormal_ms(self.dice, 5_000, 0.4), lambda: self._give_code(agent_id, call_id, code))
        length_ms = lognormal_ms(self.dice, 17_000, 0.45)
        self._after(length_ms, lambda: self._finish_wrap_up(agent_id, call_id))

    def _give_code(self, agent_id: AgentId, call_id: InteractionId, code: str) -> None:
        self._tell(sig.WrapUpCoded(at_ms=self._now_ms, agent_id=agent_id, interaction_id=call_id, code=code))

    def _finish_wrap_up(self, agent_id: AgentId, call_id: InteractionId) -> None:
        if self._wrapping.get(agent_id) == call_id:
            self._tell(sig.WrapUpEnded(at_ms=self._now_ms, agent_id=agent_id))

    # ------------------------------------------------------------ callers

    def _arrive(self, arrival: Arrival, tries: int) -> None:
        interaction_id = InteractionId(self._fresh_id())
        call = self._calls[interaction_id] = _Call(interaction_id, arrival, arrival.queue_id, tries=tries)
        self._tell(
            sig.InteractionArrived(
                at_ms=self._now_ms,
                interaction_id=interaction_id,
                entry_point=arrival.entry_point,
                caller_number=arrival.number,
                caller_name=arrival.name,
            )
        )
        entry_ms = self.dice.randint(*_ENTRY_MS)
        self._after(entry_ms, lambda: self._wait(call, arrival.queue_id, None))
        self._after(entry_ms + arrival.patience_ms, lambda: self._give_up(call))

    def _wait(self, call: _Call, queue_id: QueueId, queued_at_ms: int | None) -> None:
        if not call.is_over:
            call.queue_id = queue_id
            self._tell(
                sig.InteractionWaiting(
                    at_ms=self._now_ms,
                    interaction_id=call.interaction_id,
                    queue_id=queue_id,
                    attempt=call.attempt,
                    queued_at_ms=queued_at_ms,
                )
            )

    def _give_up(self, call: _Call) -> None:
        if call.is_talking or call.is_over:
            return
        self._end(call, sig.Party.CUSTOMER)
        if call.tries < 3 and self.dice.random() < AGAIN_AFTER_ABANDON_RATIO:
            self._call_again(call, self.dice.randint(60_000, 1_200_000))

    def _call_again(self, call: _Call, pause_ms: int) -> None:
        patience_ms = draw_patience_ms(self.dice)
        at_ms = self._now_ms + pause_ms
        if any(at_ms < shift.until_ms for shift in self.plan.shifts):
            again = replace(call.arrival, at_ms=at_ms, patience_ms=patience_ms)
            self._at(at_ms, lambda: self._arrive(again, call.tries + 1))

    def _end(self, call: _Call, by: sig.Party) -> None:
        if not call.is_over:
            call.is_over = True
            ended = sig.InteractionEnded(
                at_ms=self._now_ms, interaction_id=call.interaction_id, ended_by=by, hangup_cause=16
            )
            self._tell(ended)

    # ------------------------------------------------------------ an offer, a talk

    def _ring(self, call: _Call, agent_id: AgentId, attempt: int) -> None:
        if call.is_over or call.attempt != attempt or call.is_talking:
            return
        leg_id = LegId(self._fresh_id())
        self._tell(
            sig.OfferRang(
                at_ms=self._now_ms,
                interaction_id=call.interaction_id,
                agent_id=agent_id,
                attempt=attempt,
                leg_id=leg_id,
            )
        )
        chance = self.dice.random()
        ring_max_ms = self._ring_max_ms[call.queue_id]
        if chance < RONA_RATIO:
            cause = sig.OfferFailure.NO_ANSWER
            self._after(ring_max_ms, lambda: self._fail(call, agent_id, attempt, cause))
        elif chance < RONA_RATIO + REJECT_RATIO:
            cause = sig.OfferFailure.REJECTED
            self._after(2_500, lambda: self._fail(call, agent_id, attempt, cause))
        else:
            pause_ms = min(lognormal_ms(self.dice, PICK_UP_MEAN_MS, 0.45), ring_max_ms - 500)
            self._after(pause_ms, lambda: self._answer(call, agent_id, attempt, leg_id))

    def _fail(self, call: _Call, agent_id: AgentId, attempt: int, cause: sig.OfferFailure) -> None:
        if call.is_over or call.attempt != attempt:
            return
        self._tell(
            sig.OfferFailed(
                at_ms=self._now_ms,
                interaction_id=call.interaction_id,
                agent_id=agent_id,
                attempt=attempt,
                cause=cause,
            )
        )
        self._after(self.dice.randint(15_000, 120_000), lambda: self._notice(agent_id))

    def _answer(self, call: _Call, agent_id: AgentId, attempt: int, leg_id: LegId) -> None:
        if call.is_over or call.attempt != attempt:
            return
        call.is_talking = True
        self._tell(
            sig.OfferAnswered(
                at_ms=self._now_ms,
                interaction_id=call.interaction_id,
                agent_id=agent_id,
                attempt=attempt,
                leg_id=leg_id,
            )
        )
        talk_ms = lognormal_ms(self.dice, *HANDLE.get(call.queue_id, OTHER_HANDLE))
        if self.dice.random() < HOLD_RATIO and talk_ms > 20_000:
            hold_ms = 2_000 + round(self.dice.expovariate(1 / HOLD_MEAN_MS))
            self._after(talk_ms // 2, lambda: self._hold(call, agent_id))
            self._after(talk_ms // 2 + hold_ms, lambda: self._unhold(call, agent_id))
            talk_ms += hold_ms
        self._after(talk_ms, lambda: self._finish(call, agent_id))

    def _hold(self, call: _Call, agent_id: AgentId) -> None:
        self._tell(
            sig.InteractionHeld(at_ms=self._now_ms, interaction_id=call.interaction_id, agent_id=agent_id)
        )

    def _unhold(self, call: _Call, agent_id: AgentId) -> None:
        self._tell(
            sig.InteractionUnheld(at_ms=self._now_ms, interaction_id=call.interaction_id, agent_id=agent_id)
        )

    def _finish(self, call: _Call, agent_id: AgentId) -> None:
        others = [queue.queue_id for queue in self.config.queues if queue.queue_id != call.queue_id]
        if others and call.queue_id == call.arrival.queue_id and self.dice.random() < TRANSFER_RATIO:
            call.is_talking = False
            call.queue_id = self.dice.choice(others)
            self._tell(
                sig.InteractionTransferred(
                    at_ms=self._now_ms,
                    interaction_id=call.interaction_id,
                    agent_id=agent_id,
                    to_queue_id=call.queue_id,
                )
            )
            self._after(draw_patience_ms(self.dice), lambda: self._give_up(call))
        elif self.dice.random() < CALLER_ENDS_RATIO:
            self._end(call, sig.Party.CUSTOMER)
            self._maybe_again(call)
        else:
            self._tell(
                sig.AgentLegEnded(at_ms=self._now_ms, interaction_id=call.interaction_id, agent_id=agent_id)
            )
            self._end(call, sig.Party.AGENT)
            self._maybe_again(call)

    def _maybe_again(self, call: _Call) -> None:
        if call.tries < 3 and self.dice.random() < AGAIN_AFTER_TALK_RATIO:
            self._call_again(call, self.dice.randint(600_000, 14_400_000))

    def _fresh_id(self) -> str:
        return f"{PBX}-{self._now_ms // 1000}.{next(self._numbers)}"
