"""A synthetic desk phone: it registers, and does with each call what its behaviour says.

It sends no sound. One socket per phone, one call at a time unless told otherwise; a call more is busy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.digest import Credentials
from telephony.synthetic.errors import RegistrationRefused, SipParseError
from telephony.synthetic.plans import CallPlan
from telephony.synthetic.sip_addresses import escape_user, parse_address, split_list
from telephony.synthetic.sip_codec import SipRequest, SipResponse
from telephony.synthetic.transactions import Peer, SipTimers
from telephony.synthetic.user_agent import UserAgent

RETRY_S: Final = 5.0  # pause before the next try when a registration could not be renewed


Behaviour = Callable[[Call], CallPlan]


class Phone:
    """One phone.

    Attributes:
        behaviour: Asked once for every incoming call that the phone has room for.
        on_change: Called after every change of such a call.
        is_registered: Whether the registrar took the last REGISTER.
        calls: Calls that have not ended.
    """

    def __init__(
        self,
        user: str,
        secret: str,
        registrar_host: str,
        registrar_port: int,
        *,
        behaviour: Behaviour,
        on_change: Callable[[Call], None] | None = None,
        expires_s: int = 120,
        calls_max: int = 1,
        timers: SipTimers | None = None,
        is_lost: Callable[[], bool] | None = None,
    ) -> None:
        self.user = user
        self.behaviour = behaviour
        self.on_change = on_change
        self.is_registered = False
        self.calls: list[Call] = []
        self._registrar: Peer = (registrar_host, registrar_port)
        self._expires_s = expires_s
        self._calls_max = calls_max
        self._number = 0
        self._register_id = ""
        self._refresh: asyncio.TimerHandle | None = None
        self._plans: dict[Call, list[asyncio.TimerHandle]] = {}
        credentials = Credentials(username=user, secret=secret)
        self.agent = UserAgent(
            user, credentials=credentials, on_call=self._take_call, timers=timers, is_lost=is_lost
        )

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind the phone's socket without registering.

        Raises:
            OSError: the port is taken.
        """
        await self.agent.open(host, port)
        self._register_id = self.agent.fresh_id()

    async def register(self) -> None:
        """Register, and stay registered until ``unregister`` or ``close``; opens the socket if need be.

        Raises:
            RegistrationRefused: the registrar refused, or did not answer.
        """
        if not self._register_id:
            await self.open()
        response = await self._ask(self._expires_s)
        if response is None or response.status >= 300:
            raise _refusal(response)

    async def unregister(self) -> None:
        """Take the registration away.

        Raises:
            RegistrationRefused: the registrar refused, or did not answer.
        """
        response = await self._ask(0)
        if response is None or response.status >= 300:
            raise _refusal(response)

    def close(self) -> None:
        """Go away without a word, as a phone that lost its power."""
        self._stop_refreshing()
        for timers in self._plans.values():
            for timer in timers:
                timer.cancel()
        self._plans.clear()
        self.calls.clear()
        self.agent.close()

    def call(self, user: str, *, on_change: Callable[[Call], None]) -> Call:
        """Call a user of the PBX; a challenge is answered with the phone's password."""
        host, port = self._registrar
        target = f"sip:{escape_user(user)}@{host}:{port}"
        return self.agent.place(target, self._registrar, on_change=on_change)

    # ------------------------------------------------------------------ registration

    async def _ask(self, expires_s: int) -> SipResponse | None:
        self._stop_refreshing()
        answered: asyncio.Future[SipResponse | None] = self.agent.endpoint.loop.create_future()

        def take(response: SipResponse | None) -> None:
            if (response is None or response.is_final) and not answered.done():
                answered.set_result(response)

        self._send_register(expires_s, take)
        return await answered

    def _send_register(self, expires_s: int, then: Callable[[SipResponse | None], None]) -> None:
        host, port = self._registrar
        address = f"<sip:{escape_user(self.user)}@{host}:{port}>"
        self._number += 2  # a challenge takes the number between
        request = SipRequest(
            method="REGISTER",
            uri=f"sip:{host}:{port}",
            headers=(
                ("From", f"{address};tag={self._register_id}"),
                ("To", address),
                ("Call-ID", self._register_id),
                ("CSeq", f"{self._number} REGISTER"),
                ("Contact", f"<{self.agent.contact}>;expires={expires_s}"),
                ("Expires", str(expires_s)),
                ("Max-Forwards", "70"),
            ),
        )

        def take(response: SipResponse | None) -> None:
            if response is None or response.is_final:
                self._registered(response, expires_s)
            then(response)

        self.agent.send(request, self._registrar, take)

    def _registered(self, response: SipResponse | None, expires_s: int) -> None:
        is_taken = response is not None and response.status < 300
        self.is_registered = is_taken and expires_s > 0
        if expires_s == 0:
            return
        if is_taken:
            assert response is not None
            pause_s = _granted_s(response, self.agent.contact, expires_s) / 2
        else:
            pause_s = RETRY_S
        self._stop_refreshing()
        self._refresh = self.agent.endpoint.loop.call_later(
            pause_s, self._send_register, self._expires_s, _ignore
        )

    def _stop_refreshing(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()
            self._refresh = None

    # ------------------------------------------------------------------ calls

    def _take_call(self, call: Call) -> None:
        if len(self.calls) >= self._calls_max:
            call.reject(486, "Busy Here")
            return
        self.calls.append(call)
        call.on_change = self._changed
        plan = self.behaviour(call)
        timers = self._plans[call] = []
        if plan.rings:
            call.ring()
        if plan.pick_up_ms is not None:
            timers.append(self._later(plan.pick_up_ms, lambda: self._pick_up(call, plan)))

    def _pick_up(self, call: Call, plan: CallPlan) -> None:
        if plan.refuse_status is not None:
            call.reject(plan.refuse_status, "Busy Here" if plan.refuse_status == 486 else "Decline")
            return
        call.answer()
        if call.state is not CallState.TALKING:
            return
        timers = self._plans[call]
        if plan.hold_at_ms is not None:
            timers.append(self._later(plan.hold_at_ms, call.hold))
            timers.append(self._later(plan.hold_at_ms + plan.hold_for_ms, call.resume))
        if plan.refer_at_ms is not None:
            timers.append(self._later(plan.refer_at_ms, lambda: call.refer(plan.refer_to)))
        elif plan.talk_ms is not None:
            timers.append(self._later(plan.talk_ms, call.hang_up))

    def _later(self, pause_ms: int, action: Callable[[], None]) -> asyncio.TimerHandle:
        return self.agent.endpoint.loop.call_later(pause_ms / 1000, action)

    def _changed(self, call: Call) -> None:
        if call.state is CallState.ENDED:
            for timer in self._plans.pop(call, ()):
                timer.cancel()
            if call in self.calls:
                self.calls.remove(call)
        if self.on_change is not None:
            self.on_change(call)


def _granted_s(response: SipResponse, contact: str, asked_s: int) -> int:
    """Return the seconds that the registrar granted our contact; what was asked when it does not say."""
    said = response.get("Expires")
    for value in response.all("Contact"):
        for one in split_list(value):
            try:
                address = parse_address(one)
            except SipParseError:
                continue  # somebody else's, and none of ours
            if address.uri == contact:
                said = address.params.get("expires", said)
    return max(2, min(int(said), asked_s)) if said.isascii() and said.isdigit() else asked_s


def _refusal(response: SipResponse | None) -> RegistrationRefused:
    if response is None:
        return RegistrationRefused(408, "Request Timeout")
    return RegistrationRefused(response.status, response.reason)


def _ignore(_response: SipResponse | None) -> None:
    """A renewal that failed is tried again by its timer."""
