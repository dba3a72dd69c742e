"""What the tests of synthetic phones share: quick timers, a bounded wait, a network that loses packets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np

from telephony.synthetic.calls import Call
from telephony.synthetic.transactions import Peer, SipTimers
from telephony.synthetic.user_agent import UserAgent

QUICK = SipTimers(t1_s=0.01, t2_s=0.04, give_up_s=1.5, ring_max_s=5.0, linger_s=2.0)
IMPATIENT = SipTimers(t1_s=0.01, t2_s=0.04, give_up_s=0.2, ring_max_s=5.0, linger_s=0.3)
POLL_S = 0.002


async def until(condition: Callable[[], object], bound_s: float = 5.0) -> None:
    """Wait until the condition holds; AssertionError after the bound."""
    end_s = time.monotonic() + bound_s
    while not condition():
        assert time.monotonic() < end_s, f"did not happen within {bound_s} s"
        await asyncio.sleep(POLL_S)


def losing(share: float, seed: int) -> Callable[[], bool]:
    """Return a network that loses this share of all datagrams, the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    return lambda: bool(rng.random() < share)


class Told:
    """Collects what a call tells."""

    def __init__(self) -> None:
        self.states: list[str] = []

    def __call__(self, call: Call) -> None:
        if not self.states or self.states[-1] != call.state.value:
            self.states.append(call.state.value)


class Pair:
    """A caller and a phone that talk to each other without a PBX."""

    def __init__(self, here: UserAgent, there: UserAgent) -> None:
        self.here, self.there = here, there
        self.taken: list[Call] = []
        self.told, self.told_there = Told(), Told()

    def place(self, **shown: str) -> Call:
        return self.here.place("sip:phone@127.0.0.1", self.peer, on_change=self.told, **shown)

    @property
    def peer(self) -> Peer:
        return self.there.endpoint.local

    def take(self, call: Call) -> None:
        call.on_change = self.told_there
        self.taken.append(call)

    async def quiet(self) -> None:
        """Wait until nobody expects an answer any more."""
        await until(lambda: not self.here.endpoint.open_count and not self.there.endpoint.open_count)


@asynccontextmanager
async def pair(loss: float = 0.0, seed: int = 1, timers: SipTimers = QUICK) -> AsyncIterator[Pair]:
    """Open a caller and a phone on the loopback."""
    here = UserAgent("caller", timers=timers, is_lost=losing(loss, seed))
    there = UserAgent("phone", timers=timers, is_lost=losing(loss, seed + 1))
    both = Pair(here, there)
    there.on_call = both.take
    await here.open()
    await there.open()
    try:
        yield both
    finally:
        here.close()
        there.close()
