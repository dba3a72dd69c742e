"""The least of a PBX, for tests of phones and crowds without one: a registrar, and a hand that connects.

A call from the trunk is answered at once and offered to the free phones in the order of registration,
one after the other, for ``ring_s`` each. It declines transfers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from telephony.synthetic.calls import Call, CallState
from telephony.synthetic.digest import Challenge, Credentials, digest_response, parse_pairs
from telephony.synthetic.sip_addresses import parse_address
from telephony.synthetic.sip_codec import SipRequest, response_to
from telephony.synthetic.transactions import Peer, ServerTransaction, SipTimers
from telephony.synthetic.user_agent import UserAgent

REALM = "little"


@dataclass
class LittlePbx(UserAgent):
    """Registrar and exchange on one socket.

    Attributes:
        secrets: Passwords by phone.
        algorithm: Of its challenges.
        granted_s: Longest registration that it grants.
        contacts: Phones that are registered, and where.
        registers: REGISTER requests that were taken, by phone.
    """

    secrets: dict[str, str]
    algorithm: str = "MD5"
    granted_s: int = 60
    ring_s: float = 0.3
    sip_timers: SipTimers | None = None
    contacts: dict[str, Peer] = field(default_factory=dict)
    registers: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__("pbx", on_call=self._arrived, timers=self.sip_timers)
        self._nonces = 0
        self._busy: set[str] = set()
        self._waiting: list[tuple[Call, tuple[str, ...]]] = []

    def on_request(self, transaction: ServerTransaction) -> None:
        if transaction.request.method == "REGISTER":
            self._register(transaction)
        else:
            super().on_request(transaction)

    def _register(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        user = parse_address(request.get("To")).user
        if not self._proves(request, user):
            self._nonces += 1
            asked = f'Digest realm="{REALM}", nonce="n{self._nonces}", algorithm={self.algorithm}, qop="auth"'
            told = response_to(request, 401 if user in self.secrets else 403, "No", to_tag="r")
            transaction.respond(told.with_headers(("WWW-Authenticate", asked)))
            return
        expires_s = min(int(request.get("Expires")), self.granted_s)
        if expires_s:
            self.contacts[user] = transaction.peer
        else:
            self.contacts.pop(user, None)
        self.registers.append(user)
        contact = request.get("Contact").partition(";")[0]
        told = response_to(request, 200, "OK", to_tag="r")
        transaction.respond(told.with_headers(("Contact", f"{contact};expires={expires_s}")))
        self._match()

    def _proves(self, request: SipRequest, user: str) -> bool:
        if not request.get("Authorization"):
            return False
        told = parse_pairs(request.get("Authorization"))
        challenge = Challenge(realm=REALM, nonce=told["nonce"], algorithm=self.algorithm)
        right = digest_response(
            Credentials(username=user, secret=self.secrets.get(user, "")),
            challenge,
            method="REGISTER",
            uri=told["uri"],
            cnonce=told["cnonce"],
        )
        return told["response"] == right and user in self.secrets

    def _arrived(self, caller: Call) -> None:
        caller.on_change = self._caller_changed
        caller.answer()
        self._waiting.append((caller, ()))
        self._match()

    def _caller_changed(self, caller: Call) -> None:
        if caller.state is CallState.ENDED:
            self._waiting = [entry for entry in self._waiting if entry[0] is not caller]

    def _match(self) -> None:
        for entry in list(self._waiting):
            caller, tried = entry
            user = next((user for user in self.contacts if user not in self._busy | set(tried)), None)
            if user is None and tried and set(tried) >= set(self.contacts):
                user = next((user for user in self.contacts if user not in self._busy), None)
                tried = ()
            if user is not None:
                self._waiting.remove(entry)
                self._offer(caller, user, (*tried, user))

    def _offer(self, caller: Call, user: str, tried: tuple[str, ...]) -> None:
        self._busy.add(user)
        loop = asyncio.get_running_loop()
        number, name = caller.remote.user, caller.remote.name

        def changed(leg: Call) -> None:
            if leg.state is CallState.TALKING:
                rings.cancel()
            if leg.state is not CallState.ENDED or user not in self._busy:
                return
            rings.cancel()
            self._busy.discard(user)
            caller.on_change = self._caller_changed
            if leg.answered_ms is not None:
                caller.hang_up()
            elif caller.state is not CallState.ENDED:
                self._waiting.append((caller, tried))
            loop.call_soon(self._match)

        def caller_changed(changed_caller: Call) -> None:
            if changed_caller.state is CallState.ENDED:
                leg.hang_up()

        leg = self.place(
            f"sip:{user}@127.0.0.1", self.contacts[user], number=number, name=name, on_change=changed
        )
        rings = loop.call_later(self.ring_s, leg.hang_up)
        caller.on_change = caller_changed
