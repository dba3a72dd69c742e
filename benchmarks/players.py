"""Callers and agents' phones for benchmarks: every call has an agent by its number, and a fixed length.

A caller's last two digits name one of a hundred agents, and numbers count up: whoever dials by them
comes back to an agent a hundred calls later, so plain dialplan needs no choice of its own.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from telephony.sandbox.instance import Sandbox
from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.phone import Phone
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.user_agent import UserAgent

AGENT_COUNT = 100
PICK_UP_MS = 250
TALK_MS = 750
PATIENCE_MS = 5_000  # a caller whom nobody has answered by then counts as failed
DRAIN_S = 8.0
SEED = 11
_REGISTER_AT_ONCE = 20
_POLL_S = 0.02


@dataclass(slots=True, kw_only=True)
class PlayedCall:
    """One call as both ends saw it; milliseconds since the Unix epoch (UTC)."""

    number: str
    called_ms: float
    invited_ms: float | None = None
    answered_ms: float | None = None
    ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One stretch of calls.

    Attributes:
        cpu_share: CPU of this process (callers and phones) over the stretch: at 1 it is the bottleneck.
        retransmitted_count: SIP datagrams sent again, all of the players'.
    """

    calls: list[PlayedCall]
    cpu_share: float
    retransmitted_count: int

    @property
    def failed(self) -> list[PlayedCall]:
        """Calls that no agent answered, or that never ended."""
        return [call for call in self.calls if call.answered_ms is None or not call.ended]

    def invite_to_invite_s(self) -> list[float]:
        """Return how long each caller's INVITE took to become one at an agent's phone."""
        return [(c.invited_ms - c.called_ms) / 1000 for c in self.calls if c.invited_ms is not None]


def agent_names() -> list[str]:
    """Return the agents' ids: ``a1000`` to ``a1099``."""
    return [f"a{1000 + number}" for number in range(AGENT_COUNT)]


class Players:
    """A hundred phones and a trunk, for the length of a benchmark."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._pbx = (sandbox.host, sandbox.sip_port)
        self._trunk = UserAgent("trunk")
        self._calls: dict[str, PlayedCall] = {}
        self._callers: dict[str, SyntheticCaller] = {}
        self._serial = 20_000_000
        self._dice = random.Random(SEED)
        self._phones = [
            Phone(
                name,
                sandbox.agent_secrets[name],
                *self._pbx,
                behaviour=self._take,
                on_change=self._changed,
                expires_s=600,
            )
            for name in agent_names()
        ]

    async def open(self) -> None:
        """Register every phone.

        Raises:
            RegistrationRefused: the PBX did not take one.
        """
        await self._trunk.open()
        room = asyncio.Semaphore(_REGISTER_AT_ONCE)

        async def register(phone: Phone) -> None:
            async with room:
                await phone.register()

        await asyncio.gather(*map(register, self._phones))

    def close(self) -> None:
        """Close every socket."""
        for caller in list(self._callers.values()):
            caller.hang_up()
        for phone in self._phones:
            phone.close()
        self._trunk.close()

    async def play(self, entry: Callable[[int], str], calls_per_s: float, seconds: float) -> Played:
        """Let customers call at Poisson times and let their calls end.

        Args:
            entry: The number that the n-th caller dials.
        """
        self._calls = {}
        retransmitted, cpu_s, began_s = self._retransmitted(), time.process_time(), time.perf_counter()
        at_s, count = self._dice.expovariate(calls_per_s), 0
        while at_s < seconds:
            if (wait_s := began_s + at_s - time.perf_counter()) > 0:
                await asyncio.sleep(wait_s)
            self._place(entry(count))
            count += 1
            at_s += self._dice.expovariate(calls_per_s)
        for _ in range(round(DRAIN_S / _POLL_S)):
            if not self._callers:
                break
            await asyncio.sleep(_POLL_S)
        took_s = time.perf_counter() - began_s
        return Played(
            calls=list(self._calls.values()),
            cpu_share=(time.process_time() - cpu_s) / took_s,
            retransmitted_count=self._retransmitted() - retransmitted,
        )

    def _retransmitted(self) -> int:
        agents = (self._trunk, *(phone.agent for phone in self._phones))
        return sum(agent.endpoint.counts["retransmitted"] for agent in agents)

    def _place(self, entry: str) -> None:
        self._serial += 1
        number = f"09{self._serial:08d}"
        caller = place_call(
            self._trunk,
            self._pbx,
            entry=entry,
            number=number,
            patience_ms=PATIENCE_MS,
            on_end=lambda _: self._ended(number),
        )
        self._callers[number] = caller
        self._calls[number] = PlayedCall(number=number, called_ms=caller.call.started_ms)

    def _ended(self, number: str) -> None:
        del self._callers[number]
        self._calls[number].ended = True

    def _take(self, call: Call) -> CallPlan:
        played = self._calls.get(call.remote.user)
        if played is not None and played.invited_ms is None:
            played.invited_ms = call.started_ms
        return CallPlan(pick_up_ms=PICK_UP_MS, talk_ms=TALK_MS)

    def _changed(self, call: Call) -> None:
        played = self._calls.get(call.remote.user)
        if played is None or call.state is not CallState.TALKING or played.answered_ms is not None:
            return
        played.answered_ms = call.answered_ms
        if (caller := self._callers.get(call.remote.user)) is not None:
            caller.connected()
