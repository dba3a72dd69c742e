"""One call as a telephone sees it, placed or taken: ring, answer, talk, hold, transfer, hang up.

A call ends once, at the moment when this side hangs up or learns that the peer did; what still has to
be said to the peer (CANCEL, BYE, a late ACK) goes on beneath. Every change is told by ``on_change``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from telephony.synthetic.dialogs import SDP_TYPE, Dialog
from telephony.synthetic.errors import SipParseError
from telephony.synthetic.sdp import Direction, answer_to, parse_sdp, write_sdp
from telephony.synthetic.sip_addresses import Address, escape_user
from telephony.synthetic.sip_codec import SipRequest, SipResponse, response_to
from telephony.synthetic.transactions import ClientTransaction, Peer, ServerTransaction

if TYPE_CHECKING:
    from telephony.synthetic.user_agent import UserAgent

TURNS_MAX: Final = 4  # tries of one re-INVITE that crosses the peer's own
GLARE_S: Final = (2.1, 1.0)  # pause before the next try: of the side that placed the call, of the other
TRANSFER_S: Final = 5.0  # an accepted REFER of whose outcome nothing is heard for so long has worked
_SIPFRAG = re.compile(rb"SIP/2\.0 ([1-6][0-9]{2})")


class CallState(StrEnum):
    """Where a call is; only forwards."""

    STARTING = "starting"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


class EndedBy(StrEnum):
    """Who ended a call; nobody: an answer that never came."""

    US = "us"
    PEER = "peer"
    NOBODY = "nobody"


class Call:
    """One call.

    Attributes:
        remote: Who called, or who was called.
        started_ms, rang_ms, answered_ms, ended_ms: Milliseconds since the Unix epoch (UTC). ``rang_ms``
            is when ringing was said or heard; ``answered_ms`` when the 2xx was sent or received.
        status: The final status of a call that was not answered; 0 otherwise.
        is_on_hold, is_held: We hold the peer; the peer holds us.
        peer_sound: Where the peer of a call that we placed wants sound; None until it says so, or on hold.
        transfer_status: Of our REFER: 0 none asked, 100 under way, else its outcome.
        on_change: Called after every change of ``state``, ``is_on_hold``, ``is_held``, ``transfer_status``.
    """

    def __init__(
        self, agent: UserAgent, dialog: Dialog, peer: Peer, *, invite: ServerTransaction | None
    ) -> None:
        self._agent, self._dialog, self._peer, self._invite = agent, dialog, peer, invite
        self._placed: ClientTransaction | None = None
        self._reinvite: ServerTransaction | None = None
        self._heard = self._is_cancelled = self._is_turning = False
        self._turn_next: Direction | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._own = agent.session()
        self.remote: Address = dialog.remote
        self.state = CallState.STARTING
        self.started_ms = agent.now_ms()
        self.rang_ms: float | None = None
        self.answered_ms: float | None = None
        self.ended_ms: float | None = None
        self.ended_by: EndedBy | None = None
        self.status = 0
        self.is_on_hold = self.is_held = False
        self.peer_sound: Peer | None = None
        self.transfer_status = 0
        self.on_change: Callable[[Call], None] | None = None
        if invite is not None:
            invite.on_cancel = self._cancelled
            invite.on_no_ack = self._never_acknowledged

    @property
    def is_incoming(self) -> bool:
        """Whether the peer placed the call."""
        return self._invite is not None

    @property
    def call_id(self) -> str:
        """The SIP Call-ID."""
        return self._dialog.call_id

    @property
    def invite(self) -> SipRequest | None:
        """The INVITE that was received; None for a call that we placed."""
        return self._invite.request if self._invite is not None else None

    def start(self) -> None:
        """Send the INVITE of a call that we place."""
        request = self._dialog.request("INVITE", body=write_sdp(self._own))
        self._agent.send(request, self._peer, self._on_answer, dialog=self._dialog, started=self._place)

    def ring(self) -> None:
        """Say that the phone rings."""
        if self._invite is not None and self.state is CallState.STARTING:
            self._invite.respond(self._response(180, "Ringing"))
            self.rang_ms = self._agent.now_ms()
            self._become(CallState.RINGING)

    def answer(self) -> None:
        """Pick up; an offer that we cannot take is refused with 488."""
        if self._invite is None or self.state not in (CallState.STARTING, CallState.RINGING):
            return
        body = self._invite.request.body
        try:
            if body:
                self._own = answer_to(parse_sdp(body), self._own)
        except SipParseError:
            self.reject(488, "Not Acceptable Here")
            return
        self._invite.respond(self._response(200, "OK", body=write_sdp(self._own)))
        self.answered_ms = self._agent.now_ms()
        self._become(CallState.TALKING)

    def reject(self, status: int = 486, reason: str = "Busy Here") -> None:
        """Refuse a call that was not answered; *status* is in [300, 699]."""
        assert 300 <= status <= 699
        if self._invite is not None and self.state in (CallState.STARTING, CallState.RINGING):
            self._invite.respond(self._response(status, reason))
            self._end(EndedBy.US, status)

    def hang_up(self) -> None:
        """End the call, whatever it is doing: BYE, CANCEL, or 603."""
        match self.state:
            case CallState.TALKING:
                self._say_bye()
                self._end(EndedBy.US)
            case CallState.STARTING | CallState.RINGING if self._invite is not None:
                self.reject(603, "Decline")
            case CallState.STARTING | CallState.RINGING:
                self._end(EndedBy.US, 487)
                if self._heard:
                    self._send_cancel()
            case CallState.ENDED:
                pass

    def hold(self) -> None:
        """Put the peer on hold."""
        self._turn(Direction.SEND)

    def resume(self) -> None:
        """Take the peer back from hold."""
        self._turn(Direction.BOTH)

    def refer(self, user: str) -> None:
        """Transfer the peer, blindly, to a user of the PBX; this call ends when that is done."""
        if self.state is not CallState.TALKING:
            return
        host, port = self._peer
        target = f"<sip:{escape_user(user)}@{host}:{port}>"
        request = self._dialog.request(
            "REFER", ("Refer-To", target), ("Referred-By", f"<{self._agent.contact}>")
        )
        self.transfer_status = 100
        self._agent.send(request, self._peer, self._on_referred, dialog=self._dialog)

    def on_request(self, transaction: ServerTransaction) -> None:
        """Take the peer's request within the call."""
        request = transaction.request
        if not self._dialog.accepts(request):
            transaction.respond(response_to(request, 481, "Call/Transaction Does Not Exist"))
            return
        match request.method:
            case "BYE":
                transaction.respond(response_to(request, 200, "OK"))
                if self._invite is not None and not self._invite.is_final:
                    self._invite.respond(self._response(487, "Request Terminated"))
                self._end(EndedBy.PEER)
            case "INVITE":
                self._on_reinvite(transaction)
            case "NOTIFY":
                transaction.respond(response_to(request, 200, "OK"))
                if (found := _SIPFRAG.match(request.body)) and self.transfer_status:
                    self._tell_transfer(int(found[1]))
            case "INFO":
                transaction.respond(response_to(request, 200, "OK"))
            case "REFER":
                transaction.respond(response_to(request, 603, "Decline"))
            case _:
                transaction.respond(response_to(request, 405, "Method Not Allowed"))

    def on_ack(self, request: SipRequest) -> None:
        """Take the ACK of our 2xx."""
        if self._dialog.accepts(request):
            for answered in (self._invite, self._reinvite):
                if answered is not None and answered.request.cseq.number == request.cseq.number:
                    answered.acknowledge()

    # ------------------------------------------------------------------ what the peer says to our INVITE

    def _place(self, transaction: ClientTransaction) -> None:
        self._placed = transaction

    def _on_answer(self, response: SipResponse | None) -> None:
        if response is None:
            self._end(EndedBy.NOBODY, 408)
        elif not response.is_final:
            self._heard = True
            if self.state is CallState.ENDED:
                self._send_cancel()
            elif response.status >= 180 and self.state is CallState.STARTING:
                self.rang_ms = self._agent.now_ms()
                self._become(CallState.RINGING)
        elif response.status >= 300:
            self._end(EndedBy.PEER, response.status)
        else:
            self._on_picked_up(response)

    def _on_picked_up(self, response: SipResponse) -> None:
        try:
            self._dialog.confirm(response)
        except SipParseError:
            self._end(EndedBy.NOBODY, 500)
            return
        self._acknowledge(response)
        self._hear_of_sound(response.body)
        if self.state is CallState.ENDED:  # it was picked up while we hung up
            self._say_bye()
            return
        self.answered_ms = self._agent.now_ms()
        self._become(CallState.TALKING)

    def _hear_of_sound(self, body: bytes) -> None:
        """Note where the peer wants sound; a description that cannot be read leaves it as it was."""
        if not body:
            return
        try:
            session = parse_sdp(body)
        except SipParseError:
            return
        wants = session.port and session.direction in (Direction.BOTH, Direction.RECEIVE)
        self.peer_sound = (session.host, session.port) if wants else None

    def _acknowledge(self, response: SipResponse) -> None:
        assert self._placed is not None
        ack = self._dialog.request("ACK", number=response.cseq.number)
        self._placed.acknowledge(self._agent.endpoint.with_via(ack))

    def _send_cancel(self) -> None:
        if self._is_cancelled:
            return
        self._is_cancelled = True
        assert self._placed is not None
        invite = self._placed.request
        kept = tuple(h for h in invite.headers if h[0] in ("From", "To", "Call-ID", "Max-Forwards", "Route"))
        cancel = SipRequest(
            method="CANCEL", uri=invite.uri, headers=(*kept, ("CSeq", f"{invite.cseq.number} CANCEL"))
        )
        self._placed.expect_end()
        self._agent.endpoint.request(cancel, self._peer, _ignore, branch=invite.branch)

    # ------------------------------------------------------------------ re-INVITE, ours and the peer's

    def _turn(self, direction: Direction, *, try_count: int = 1) -> None:
        if self.state is not CallState.TALKING:
            return
        if self._is_turning:
            self._turn_next = direction
            return
        if self._timer is not None:
            self._timer.cancel()  # a later wish than the one that was to be tried again
        self._is_turning = True
        self._own = self._own.turned(direction)

        def take(response: SipResponse | None) -> None:
            if response is not None and not response.is_final:
                return
            self._is_turning = False
            if response is None or response.status in (408, 481):
                self._end(EndedBy.NOBODY)
            elif response.status < 300:
                self._acknowledge(response)
                self.is_on_hold = direction is Direction.SEND
                self._tell()
            elif response.status == 491 and try_count < TURNS_MAX:
                pause_s = GLARE_S[1] if self.is_incoming else GLARE_S[0]
                self._after(pause_s, lambda: self._turn(direction, try_count=try_count + 1))
                return
            following, self._turn_next = self._turn_next, None
            if following is not None and self.state is CallState.TALKING:
                self._turn(following)

        request = self._dialog.request("INVITE", body=write_sdp(self._own))
        self._agent.send(request, self._peer, take, dialog=self._dialog, started=self._place)

    def _on_reinvite(self, transaction: ServerTransaction) -> None:
        request = transaction.request
        if self._is_turning:
            transaction.respond(response_to(request, 491, "Request Pending"))
            return
        own = self._own.turned(self._own.direction)
        try:
            offer = parse_sdp(request.body) if request.body else None
            self._own = answer_to(offer, own) if offer is not None else own
        except SipParseError:
            transaction.respond(response_to(request, 488, "Not Acceptable Here"))
            return
        answer = response_to(request, 200, "OK").with_headers(
            ("Contact", f"<{self._agent.contact}>"), SDP_TYPE
        )
        self._reinvite = transaction
        transaction.respond(
            SipResponse(status=200, reason="OK", headers=answer.headers, body=write_sdp(self._own))
        )
        if offer is not None:
            self.is_held = offer.direction in (Direction.SEND, Direction.NONE)
            self._hear_of_sound(request.body)
        self._tell()

    # ------------------------------------------------------------------ transfer and end

    def _on_referred(self, response: SipResponse | None) -> None:
        if response is not None and not response.is_final:
            return
        if response is None or response.status >= 300:
            self._tell_transfer(408 if response is None else response.status)
        else:
            self._after(TRANSFER_S, self.hang_up)

    def _tell_transfer(self, status: int) -> None:
        self.transfer_status = status
        self._tell()
        if 200 <= status < 300:
            self.hang_up()  # the PBX leaves that to the phone, and waits a minute for it

    def _cancelled(self) -> None:
        if self._invite is not None and not self._invite.is_final:
            self._invite.respond(self._response(487, "Request Terminated"))
        self._end(EndedBy.PEER, 487)

    def _never_acknowledged(self) -> None:
        if self.state is CallState.TALKING:
            self._say_bye()
            self._end(EndedBy.NOBODY)

    def _say_bye(self) -> None:
        self._agent.send(self._dialog.request("BYE"), self._peer, _ignore, dialog=self._dialog)

    def _response(self, status: int, reason: str, *, body: bytes = b"") -> SipResponse:
        assert self._invite is not None
        plain = response_to(self._invite.request, status, reason, to_tag=self._dialog.local.tag)
        routes = tuple(("Record-Route", value) for value in self._invite.request.all("Record-Route"))
        extra = (*routes, ("Contact", f"<{self._agent.contact}>"), *((SDP_TYPE,) if body else ()))
        return SipResponse(status=status, reason=reason, headers=(*plain.headers, *extra), body=body)

    def _after(self, pause_s: float, action: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._agent.endpoint.loop.call_later(pause_s, action)

    def _end(self, by: EndedBy, status: int = 0) -> None:
        if self.state is CallState.ENDED:
            return
        if self._timer is not None:
            self._timer.cancel()
        for answered in (self._invite, self._reinvite):
            if answered is not None and self.answered_ms is not None:
                answered.acknowledge()  # the end is newer than our answer
        self.ended_ms = self._agent.now_ms()
        self.ended_by = by
        if self.answered_ms is None:
            self.status = status
        self._agent.calls.pop(self.call_id, None)
        self._become(CallState.ENDED)

    def _become(self, state: CallState) -> None:
        self.state = state
        self._tell()

    def _tell(self) -> None:
        if self.on_change is not None:
            self.on_change(self)


def _ignore(_response: SipResponse | None) -> None:
    """What the peer says to BYE and CANCEL changes nothing."""
