"""A SIP user agent: one socket, its calls, and what every telephone answers by itself.

Calls are found by Call-ID. Requests within a dialog go to the address that the peer's messages come
from, as behind a NAT: names are never looked up.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from itertools import count
from typing import Final

from telephony.synthetic.calls import Call
from telephony.synthetic.dialogs import ALLOW, Dialog
from telephony.synthetic.digest import Credentials, authorization, strongest
from telephony.synthetic.endpoint import Endpoint
from telephony.synthetic.errors import SipParseError
from telephony.synthetic.sdp import PCMA, PCMU, Session
from telephony.synthetic.sip_addresses import Address, escape_user, parse_address
from telephony.synthetic.sip_codec import SipRequest, SipResponse, response_to
from telephony.synthetic.transactions import ClientTransaction, Peer, ServerTransaction, SipTimers

CALLS_MAX: Final = 10_000
DISCARD_PORT: Final = 9  # sound sent there is dropped; no PBX checks
_CHALLENGES = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}


class UserAgent:
    """One socket that places and takes calls.

    Attributes:
        on_call: Decides over an incoming call (``ring``, ``answer``, ``reject``, now or later); None
            refuses every call.
        rtp_port: Named in SDP as where we want sound. A user agent sends and receives none itself: whoever
            binds the port does (``telephony.synthetic.rtp``).
        codecs: What is offered and taken, best first.
        calls: Calls that have not ended, by Call-ID.
    """

    def __init__(
        self,
        user: str,
        *,
        credentials: Credentials | None = None,
        on_call: Callable[[Call], None] | None = None,
        timers: SipTimers | None = None,
        is_lost: Callable[[], bool] | None = None,
        rtp_port: int = DISCARD_PORT,
        codecs: tuple[int, ...] = (PCMU, PCMA),
    ) -> None:
        self.user = user
        self.on_call = on_call
        self.rtp_port, self.codecs = rtp_port, codecs
        self.calls: dict[str, Call] = {}
        self.endpoint = Endpoint(self, timers=timers, is_lost=is_lost)
        self._credentials = credentials
        self._ids = count(1)
        self._prefix = secrets.token_hex(6)
        self._epoch_ms = time.time() * 1000 - time.monotonic() * 1000

    async def open(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Bind the socket.

        Raises:
            OSError: the port is taken.
        """
        await self.endpoint.open(host, port)

    def close(self) -> None:
        """Close the socket; calls that still stand are left as they are, without a word to the peer."""
        self.endpoint.close()
        self.calls.clear()

    def now_ms(self) -> float:
        """Milliseconds since the Unix epoch (UTC) that never jump while this process lives."""
        return self._epoch_ms + time.monotonic() * 1000

    @property
    def contact(self) -> str:
        """The URI at which the peer reaches this socket."""
        host, port = self.endpoint.local
        return f"sip:{escape_user(self.user)}@{host}:{port}"

    def fresh_id(self) -> str:
        """Return text that no other call, tag or nonce of this machine bears."""
        return f"{self._prefix}{next(self._ids):x}"

    def session(self) -> Session:
        """Return the sound that we can take."""
        host, _ = self.endpoint.local
        return Session(host=host, port=self.rtp_port, codecs=self.codecs, session_id=next(self._ids))

    def place(
        self,
        target: str,
        peer: Peer,
        *,
        number: str | None = None,
        name: str = "",
        on_change: Callable[[Call], None],
    ) -> Call:
        """Call somebody.

        Args:
            target: The URI called.
            peer: Where its INVITE goes.
            number, name: What From shows, any text; None: this agent's own user.
            on_change: Called after every change of the call's ``state``.

        Raises:
            SipFieldError: the name holds a control character.
        """
        host, _ = self.endpoint.local
        shown = f"sip:{escape_user(self.user if number is None else number)}@{host}"
        dialog = Dialog(
            call_id=f"{self.fresh_id()}@{host}",
            local=Address(uri=shown, name=name, params={"tag": self.fresh_id()}),
            remote=Address(uri=target),
            contact=self.contact,
            target=target,
        )
        call = Call(self, dialog, peer, invite=None)
        call.on_change = on_change
        self.calls[dialog.call_id] = call
        try:
            call.start()
        except BaseException:
            del self.calls[dialog.call_id]
            raise
        return call

    def send(
        self,
        request: SipRequest,
        peer: Peer,
        on_response: Callable[[SipResponse | None], None],
        *,
        dialog: Dialog | None = None,
        started: Callable[[ClientTransaction], None] | None = None,
    ) -> None:
        """Send a request; a challenge is answered once, under the dialog's next number.

        Args:
            on_response: Gets provisional responses and a final one; None when none came.
            started: Gets the transaction, and the next one after a challenge.
        """

        def take(response: SipResponse | None) -> None:
            if response is not None and response.status in _CHALLENGES and self._credentials is not None:
                again = self._authorised(request, response)
                if again is not None:
                    if dialog is not None:
                        dialog.number = again.cseq.number
                    second = self.endpoint.request(again, peer, on_response)
                    if started is not None:
                        started(second)
                    return
            on_response(response)

        first = self.endpoint.request(request, peer, take)
        if started is not None:
            started(first)

    def _authorised(self, request: SipRequest, response: SipResponse) -> SipRequest | None:
        assert self._credentials is not None
        asked, answered = _CHALLENGES[response.status]
        try:
            challenge = strongest(response.all(asked))
        except SipParseError:
            return None
        number, method = request.cseq
        value = authorization(
            self._credentials, challenge, method=method, uri=request.uri, cnonce=secrets.token_hex(8)
        )
        return request.with_headers(("CSeq", f"{number + 1} {method}"), (answered, value))

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take a new request of the peer."""
        request = transaction.request
        call = self.calls.get(request.call_id)
        try:
            has_tag = bool(parse_address(request.get("To")).tag)
            if request.method == "OPTIONS":
                self._answer(transaction, 200, "OK", ("Allow", ALLOW), ("Accept", "application/sdp"))
            elif request.method == "INVITE" and not has_tag:
                self._take_invite(transaction)
            elif call is not None:
                call.on_request(transaction)
            elif request.method == "NOTIFY":
                self._answer(transaction, 200, "OK")  # the last word on a transfer, after its call
            else:
                self._answer(transaction, 481, "Call/Transaction Does Not Exist")
        except SipParseError:
            if not transaction.is_final:
                self._answer(transaction, 400, "Bad Request")

    def on_ack(self, request: SipRequest) -> None:
        """Take the ACK of an answered call."""
        call = self.calls.get(request.call_id)
        if call is not None:
            call.on_ack(request)

    def _take_invite(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if request.call_id in self.calls:
            self._answer(transaction, 482, "Loop Detected")
            return
        if self.on_call is None or len(self.calls) >= CALLS_MAX:
            self._answer(transaction, 486, "Busy Here")
            return
        dialog = Dialog.of_invite(request, tag=self.fresh_id(), contact=self.contact)
        call = Call(self, dialog, transaction.peer, invite=transaction)
        self.calls[dialog.call_id] = call
        transaction.respond(response_to(request, 100, "Trying"))
        self.on_call(call)

    def _answer(
        self, transaction: ServerTransaction, status: int, reason: str, *headers: tuple[str, str]
    ) -> None:
        response = response_to(transaction.request, status, reason, to_tag=self.fresh_id())
        if headers:
            response = response.with_headers(*headers)
        transaction.respond(response)
