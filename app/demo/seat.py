"""Callers for the one seat that a person takes: when it is ready, a customer rings and can be heard.

One caller at a time, each a customer whom the centre knows (now and then one it does not), with a voice of
numbers. The caller never hangs up on the person: the talk lasts as long as the person likes. When nobody is
ready any more, the caller who still waits goes after a while, as callers do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

from app.centre.demo import SEAT_AGENT_ID, SEAT_ENTRY_POINT, demo_customers
from telephony.synthetic.caller import SyntheticCaller, place_call
from telephony.synthetic.calls import CallState
from telephony.synthetic.rtp import RtpStream
from telephony.synthetic.sdp import PCMU
from telephony.synthetic.sound import greeting
from telephony.synthetic.tally import CallSeen, CrowdTally
from telephony.synthetic.transactions import Peer
from telephony.synthetic.user_agent import UserAgent

COMES_S: Final = (3.0, 9.0)
"""So long after the seat became ready the next caller rings: within twenty seconds, and not at once."""
PATIENCE_S: Final = 90.0
_LOOK_S: Final = 0.5
_STRANGER_RATIO: Final = 0.15
_LAST_WORDS_S: Final = 3.0
_OCCUPIED: Final = ("talking", "holding", "reserved", "ringing")
_POLL_S: Final = 0.02

FloorNow = Callable[[], Awaitable[Mapping[str, Any]]]


class SeatCallers:
    """Plays the callers of the person's seat.

    Args:
        pbx: Where the trunk's calls go.
        tally: Gets the calls, so that the report knows who was on the line.
        seed: The same seed brings the same customers in the same order.
    """

    def __init__(self, pbx: Peer, tally: CrowdTally, seed: int) -> None:
        self._pbx, self._tally = pbx, tally
        self._dice = Random(f"seat:{seed}")
        self._customers = _interesting(self._dice)
        self._sound = greeting()
        self._caller: SyntheticCaller | None = None
        self._stream: RtpStream | None = None
        self._trunk: UserAgent | None = None
        self._waits_since_s: float | None = None
        self._placed_count = 0

    @property
    def is_on_the_line(self) -> bool:
        """Whether a caller is there now."""
        return self._caller is not None and not self._caller.has_ended

    @property
    def heard_max(self) -> float:
        """How loud the person was at the loudest, in [0, 1], in the call that stands."""
        return 0.0 if self._stream is None else self._stream.heard_max

    async def run(self, floor: FloorNow) -> None:
        """Look at the seat and send callers. Runs for ever.

        Args:
            floor: Gives the floor's picture.
        """
        loop = asyncio.get_running_loop()
        rings_at_s: float | None = None
        while True:
            await asyncio.sleep(_LOOK_S)
            state = _seat_state(await floor())
            self._mind_patience(state, loop.time())
            if self.is_on_the_line or state != "ready":
                rings_at_s = None
            elif rings_at_s is None:
                rings_at_s = loop.time() + self._dice.uniform(*COMES_S)
            elif loop.time() >= rings_at_s:
                rings_at_s = None
                await self._place()

    async def stop(self) -> None:
        """End the call that stands and let its sockets go; may be called twice."""
        if self.is_on_the_line and self._caller is not None:
            self._seen(self._caller).was_cut = True
            self._caller.hang_up()
        await self._close_sockets()

    # ------------------------------------------------------------------ inside

    async def _place(self) -> None:
        await self._close_sockets()
        number, name = self._next_customer()
        self._stream = stream = RtpStream(self._sound)
        port = await stream.open()
        self._trunk = trunk = UserAgent("trunk", rtp_port=port, codecs=(PCMU,))
        await trunk.open()
        self._caller = caller = place_call(
            trunk, self._pbx, entry=SEAT_ENTRY_POINT, number=number, name=name, on_end=self._ended
        )
        self._waits_since_s = asyncio.get_running_loop().time()
        self._tally.calls.append(
            CallSeen(
                entry=SEAT_ENTRY_POINT,
                number=number,
                name=name,
                patience_ms=round(PATIENCE_S * 1000),
                started_ms=caller.call.started_ms,
                sip_call_id=caller.call.call_id,
            )
        )
        stream.speak(lambda: caller.call.peer_sound if caller.call.state is CallState.TALKING else None)

    def _next_customer(self) -> tuple[str, str]:
        self._placed_count += 1
        if self._placed_count > 1 and self._dice.random() < _STRANGER_RATIO:
            return f"09{self._dice.randint(20_000_000, 89_999_999)}", ""
        return self._customers[(self._placed_count - 1) % len(self._customers)]

    def _mind_patience(self, state: str, now_s: float) -> None:
        """A caller whom nobody is there to answer goes after a while; one who is talked to never does."""
        if not self.is_on_the_line or state in _OCCUPIED:
            self._waits_since_s = now_s
        elif (
            self._caller is not None
            and self._waits_since_s is not None
            and now_s - self._waits_since_s > PATIENCE_S
        ):
            self._seen(self._caller).gave_up = True
            self._caller.hang_up()

    def _ended(self, caller: SyntheticCaller) -> None:
        seen, call = self._seen(caller), caller.call
        seen.pbx_answered_ms, seen.ended_ms = call.answered_ms, call.ended_ms
        seen.ended_by = call.ended_by.value if call.ended_by is not None else ""
        seen.status = call.status

    def _seen(self, caller: SyntheticCaller) -> CallSeen:
        return next(seen for seen in reversed(self._tally.calls) if seen.sip_call_id == caller.call.call_id)

    async def _close_sockets(self) -> None:
        if self._trunk is not None:
            endpoint = self._trunk.endpoint
            for _ in range(round(_LAST_WORDS_S / _POLL_S)):
                if not endpoint.open_count:
                    break
                await asyncio.sleep(_POLL_S)
            self._trunk.close()
            self._trunk = None
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def _seat_state(picture: Mapping[str, Any]) -> str:
    state: str = picture["agents"].get(SEAT_AGENT_ID, {}).get("state", "signed_out")
    return state


def _interesting(dice: Random) -> Sequence[tuple[str, str]]:
    """Customers in an order that shows something: a person, two on one line, a company, then anybody."""
    customers = demo_customers()
    by_number: dict[str, int] = {}
    for customer in customers:
        by_number[customer.shown_number] = by_number.get(customer.shown_number, 0) + 1
    person = [each for each in customers if by_number[each.shown_number] == 1 and each.kind == "person"]
    family = [each for each in customers if by_number[each.shown_number] == 2]
    company = [each for each in customers if each.kind == "organisation"]
    rest = dice.sample(person, len(person))
    first = [rest[0], family[0], company[0], *rest[1:]]
    return [(each.shown_number, each.display_name) for each in first]
