"""A synthetic customer: calls in from the trunk, waits with patience, hangs up when it is used up.

The PBX answers the caller's leg at once and then lets wait, so a caller cannot hear from SIP whether a
person answered: whoever plays the scene says so by ``connected``. All callers share one user agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.sip_addresses import escape_user
from telephony.synthetic.transactions import Peer
from telephony.synthetic.user_agent import UserAgent


class SyntheticCaller:
    """One customer on the line; made by ``place_call``.

    Attributes:
        call: The call as SIP sees it.
        gave_up: Whether patience ended the call.
    """

    def __init__(self, agent: UserAgent, on_end: Callable[[SyntheticCaller], None] | None) -> None:
        self._loop = agent.endpoint.loop
        self._on_end = on_end
        self._timer: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[Call] = self._loop.create_future()
        self.call: Call
        self.gave_up = False

    @property
    def has_ended(self) -> bool:
        """Whether the call is over."""
        return self._ended.done()

    async def ended(self) -> Call:
        """Wait until the call is over, and return it."""
        return await asyncio.shield(self._ended)

    def wait(self, patience_ms: int | None) -> None:
        """Wait (again) for an agent: hang up after so long; None: never."""
        self._forget_timer()
        if patience_ms is not None and not self.has_ended:
            self._timer = self._loop.call_later(patience_ms / 1000, self._give_up)

    def connected(self, hang_up_after_ms: int | None = None) -> None:
        """An agent answered: patience no longer counts; the caller ends the talk after so long, or never."""
        self._forget_timer()
        if hang_up_after_ms is not None and not self.has_ended:
            self._timer = self._loop.call_later(hang_up_after_ms / 1000, self.call.hang_up)

    def hang_up(self) -> None:
        """End the call now."""
        self.call.hang_up()

    def _give_up(self) -> None:
        self.gave_up = self.call.state is not CallState.ENDED
        self.call.hang_up()

    def _changed(self, call: Call) -> None:
        if call.state is CallState.ENDED and not self._ended.done():
            self._forget_timer()
            self._ended.set_result(call)
            if self._on_end is not None:
                self._on_end(self)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def place_call(
    agent: UserAgent,
    pbx: Peer,
    *,
    entry: str,
    number: str,
    name: str = "",
    patience_ms: int | None = None,
    on_end: Callable[[SyntheticCaller], None] | None = None,
) -> SyntheticCaller:
    """Call the entry point (the number dialled) from the trunk.

    Args:
        agent: Shared by all callers, and open.
        number, name: What the caller shows: any text, hostile text too.
        patience_ms: From now; None: waits as long as the PBX lets.
        on_end: Called once, when the call is over.

    Raises:
        SipFieldError: the name holds a control character, which no SIP message can carry.
    """
    caller = SyntheticCaller(agent, on_end)
    host, port = pbx
    target = f"sip:{escape_user(entry)}@{host}:{port}"
    # nothing is heard before the loop runs again, so the call is bound in time
    caller.call = agent.place(target, pbx, number=number, name=name, on_change=caller._changed)
    caller.wait(patience_ms)
    return caller
