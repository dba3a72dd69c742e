"""A scene: agents' phones and customers who call in, from one seed, on a real PBX.

A customer counts as connected when an agent's phone answers a call that shows the customer's number;
from then on patience no longer ends the call. The scene ends in order: no new callers, then the calls
that stand may end by themselves within a bound, then the rest is hung up, then the phones unregister.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import numpy as np

from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.draws import EntryPoint, Habits, Handling, PlannedCall, draw_calls, draw_handling
from telephony.synthetic.errors import RegistrationRefused
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.tally import CallSeen, CrowdTally, OfferSeen
from telephony.synthetic.transactions import SipTimers
from telephony.synthetic.user_agent import UserAgent

REGISTRATIONS_AT_ONCE: Final = 20
LAST_WORDS_S: Final = 3.0  # BYE and CANCEL of the last calls
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdAgent:
    """An agent's phone and how the agent treats calls."""

    user: str
    secret: str = field(repr=False)
    habits: Habits = field(default_factory=Habits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Who plays.

    Attributes:
        seed: The same seed and scene give the same calls, patience and habits.
        known: Numbers and names of known customers, each of whom calls at most once.
        known_ratio: Share of calls from them, in [0, 1].
        drain_s: After the last arrival, so long may calls end by themselves.
    """

    agents: Sequence[CrowdAgent]
    entry_points: Sequence[EntryPoint]
    seed: int
    known: Sequence[tuple[str, str]] = ()
    known_ratio: float = 0.0
    drain_s: float = 30.0


class Crowd:
    """Plays one scene: ``async with Crowd(...) as crowd: tally = await crowd.play(60)``.

    Attributes:
        tally: What was seen so far.
        phones: By user.
    """

    def __init__(self, scene: Scene, host: str, port: int, *, timers: SipTimers | None = None) -> None:
        self._scene = scene
        self._pbx = (host, port)
        self._callers: dict[str, tuple[SyntheticCaller, CallSeen]] = {}
        self._seen: dict[str, CallSeen] = {}
        self._offers: dict[Call, tuple[OfferSeen, Handling]] = {}
        draws, patience, *agents = np.random.SeedSequence(scene.seed).spawn(2 + len(scene.agents))
        self._calls_rng = np.random.default_rng(draws)
        self._patience_rng = np.random.default_rng(patience)
        self._trunk = UserAgent("trunk", timers=timers)
        self._patience_mean_ms = {point.number: point.patience_mean_ms for point in scene.entry_points}
        self.tally = CrowdTally()
        self.phones: dict[str, Phone] = {}
        for agent, seed in zip(scene.agents, agents, strict=True):
            self.phones[agent.user] = self._phone(agent, np.random.default_rng(seed), timers)

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Open the trunk and register every phone.

        Raises:
            RegistrationRefused: the PBX did not take a phone.
            OSError: no socket to be had.
        """
        await self._trunk.open()
        room = asyncio.Semaphore(REGISTRATIONS_AT_ONCE)

        async def register(phone: Phone) -> None:
            async with room:
                await phone.register()

        outcomes = await asyncio.gather(*map(register, self.phones.values()), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def play(self, for_s: float) -> CrowdTally:
        """Let customers call for so long, let the calls end, and return what was seen."""
        planned = draw_calls(
            self._scene.entry_points,
            for_ms=round(for_s * 1000),
            rng=self._calls_rng,
            known=self._scene.known,
            known_ratio=self._scene.known_ratio,
        )
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            for call in planned:
                await _until(loop, begun_s + call.at_ms / 1000)
                self._place(call)
            await _until(loop, begun_s + for_s)
            await _within(self._scene.drain_s, lambda: not self._callers and not self._offers)
        finally:
            await self._hang_up_all()
        return self.tally

    async def stop(self) -> None:
        """Hang up, unregister and close everything; may be called twice."""
        await self._hang_up_all()
        phones = [phone for phone in self.phones.values() if phone.is_registered]
        async with asyncio.TaskGroup() as group:
            for phone in phones:
                group.create_task(_unregister(phone))
        for phone in self.phones.values():
            phone.close()
        self._trunk.close()

    @property
    def waiting_count(self) -> int:
        """Customers on the line whom no agent has answered."""
        return len(self._callers) - self.talking_count

    @property
    def talking_count(self) -> int:
        """Agents' phones in conversation."""
        return sum(call.state is CallState.TALKING for call in self._offers)

    # ------------------------------------------------------------------ customers

    def _place(self, planned: PlannedCall) -> None:
        caller = place_call(
            self._trunk,
            self._pbx,
            entry=planned.entry,
            number=planned.number,
            name=planned.name,
            patience_ms=planned.patience_ms,
            on_end=lambda caller: self._caller_ended(planned.number, caller),
        )
        seen = CallSeen(
            entry=planned.entry,
            number=planned.number,
            name=planned.name,
            patience_ms=planned.patience_ms,
            started_ms=caller.call.started_ms,
            sip_call_id=caller.call.call_id,
        )
        self.tally.calls.append(seen)
        self._seen[planned.number] = seen
        self._callers[planned.number] = (caller, seen)

    def _caller_ended(self, number: str, caller: SyntheticCaller) -> None:
        _, seen = self._callers.pop(number)
        call = caller.call
        assert call.ended_by is not None
        seen.pbx_answered_ms, seen.ended_ms = call.answered_ms, call.ended_ms
        seen.ended_by, seen.status, seen.gave_up = call.ended_by.value, call.status, caller.gave_up

    # ------------------------------------------------------------------ agents

    def _phone(self, agent: CrowdAgent, rng: np.random.Generator, timers: SipTimers | None) -> Phone:
        def decide(call: Call) -> CallPlan:
            handling = draw_handling(agent.habits, rng)
            offer = OfferSeen(agent=agent.user, number=call.remote.user, invited_ms=call.started_ms)
            self._offers[call] = (offer, handling)
            seen = self._seen.get(offer.number)
            (self.tally.strangers if seen is None else seen.offers).append(offer)
            return handling.plan

        host, port = self._pbx
        return Phone(
            agent.user,
            agent.secret,
            host,
            port,
            behaviour=decide,
            on_change=self._offer_changed,
            timers=timers,
        )

    def _offer_changed(self, call: Call) -> None:
        if call not in self._offers:
            return
        offer, handling = self._offers[call]
        found = self._callers.get(offer.number)
        if call.state is CallState.TALKING and offer.answered_ms is None:
            offer.answered_ms = call.answered_ms
            if found is not None:
                found[0].connected(handling.caller_ends_ms)
        elif call.state is CallState.ENDED:
            del self._offers[call]
            offer.ended_ms, offer.status = call.ended_ms, call.status
            offer.ended_by = call.ended_by.value if call.ended_by is not None else ""
            offer.is_transfer = 100 <= call.transfer_status < 300
            if offer.is_transfer and found is not None:
                mean_ms = self._patience_mean_ms[found[1].entry]
                found[0].wait(int(self._patience_rng.exponential(mean_ms)))

    # ------------------------------------------------------------------ the end

    async def _hang_up_all(self) -> None:
        for caller, seen in list(self._callers.values()):
            seen.was_cut = True
            caller.hang_up()
        for call in list(self._offers):
            call.hang_up()
        agents = [self._trunk, *(phone.agent for phone in self.phones.values())]
        await _within(LAST_WORDS_S, lambda: not any(agent.endpoint.open_count for agent in agents))
        self.tally.retransmitted = _sum(agents, "retransmitted")
        self.tally.malformed = _sum(agents, "malformed")


async def _until(loop: asyncio.AbstractEventLoop, at_s: float) -> None:
    left_s = at_s - loop.time()
    if left_s > 0:
        await asyncio.sleep(left_s)


async def _within(bound_s: float, condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, or so long."""
    for _ in range(math.ceil(bound_s / _POLL_S)):
        if condition():
            return
        await asyncio.sleep(_POLL_S)


async def _unregister(phone: Phone) -> None:
    try:
        async with asyncio.timeout(LAST_WORDS_S):
            await phone.unregister()
    except (RegistrationRefused, TimeoutError):
        return  # the PBX may be gone already; the registration runs out by itself


def _sum(agents: Iterable[UserAgent], what: str) -> int:
    return sum(agent.endpoint.counts[what] for agent in agents)
