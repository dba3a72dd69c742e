"""SIP transactions over UDP: say it until it is answered, answer it once (RFC 3261 section 17).

They run on timers of the event loop, without a task per call, so that hundreds of phones are cheap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from telephony.synthetic.sip_codec import SipRequest, SipResponse, serialise

if TYPE_CHECKING:
    from telephony.synthetic.endpoint import Endpoint

Peer = tuple[str, int]
"""Host (an address, not a name) and UDP port."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipTimers:
    """The timers of RFC 3261, in seconds.

    Attributes:
        t1_s: Round trip estimate: the first retransmission goes out so long after the request.
        t2_s: Longest pause between retransmissions (INVITE requests go on doubling).
        give_up_s: Without an answer until then, there is none (timers B, F and H).
        ring_max_s: A call that rings longer has failed (timer C).
        linger_s: How long a finished transaction answers repeated messages (timers D and J).
    """

    t1_s: float = 0.5
    t2_s: float = 4.0
    give_up_s: float = 32.0
    ring_max_s: float = 300.0
    linger_s: float = 33.0

    def __post_init__(self) -> None:
        assert self.linger_s > self.give_up_s, "an answer is repeated until it is given up"


class _Repeating:
    """A message that goes out again and again, at growing intervals, until stopped or given up."""

    __slots__ = ("_data", "_endpoint", "_on_give_up", "_pause_s", "_peer", "_since_s", "_t2_s", "_timer")

    def __init__(
        self, endpoint: Endpoint, data: bytes, peer: Peer, t2_s: float, on_give_up: Callable[[], None]
    ) -> None:
        self._endpoint, self._data, self._peer = endpoint, data, peer
        self._pause_s, self._t2_s, self._on_give_up = endpoint.timers.t1_s, t2_s, on_give_up
        self._since_s = endpoint.loop.time()
        endpoint.send(data, peer)
        self._timer = endpoint.loop.call_later(self._pause_s, self._again)

    def stop(self) -> None:
        self._timer.cancel()

    def only_wait(self, bound_s: float) -> None:
        """Send no more, yet give up after so long."""
        self._timer.cancel()
        self._timer = self._endpoint.loop.call_later(bound_s, self._on_give_up)

    def slow_down(self) -> None:
        """From now on at the longest interval (a provisional response to another request came)."""
        self._pause_s = self._t2_s

    def _again(self) -> None:
        left_s = self._since_s + self._endpoint.timers.give_up_s - self._endpoint.loop.time()
        if left_s <= 0:
            self._on_give_up()
            return
        self._endpoint.counts["retransmitted"] += 1
        self._endpoint.send(self._data, self._peer)
        self._pause_s = min(2 * self._pause_s, self._t2_s)
        self._timer = self._endpoint.loop.call_later(max(0.001, min(self._pause_s, left_s)), self._again)


class ClientTransaction:
    """A request of ours on its way.

    ``on_response`` gets provisional responses and one final one; ``None`` means that none came.
    """

    __slots__ = (
        "_acknowledgement",
        "_endpoint",
        "_is_ending",
        "_is_final",
        "_on_response",
        "_repeating",
        "peer",
        "request",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        request: SipRequest,
        peer: Peer,
        on_response: Callable[[SipResponse | None], None],
    ) -> None:
        self._endpoint, self.request, self.peer, self._on_response = endpoint, request, peer, on_response
        self._acknowledgement = b""
        self._is_final = self._is_ending = False
        longest_s = endpoint.timers.give_up_s if request.method == "INVITE" else endpoint.timers.t2_s
        self._repeating = _Repeating(endpoint, serialise(request), peer, longest_s, self._give_up)

    def receive(self, response: SipResponse) -> None:
        """Take a response that matches."""
        if self._is_final:  # the peer did not hear our ACK, or the network repeats itself
            if response.is_final and self._acknowledgement:
                self._endpoint.send(self._acknowledgement, self.peer)
            return
        is_invite = self.request.method == "INVITE"
        if not response.is_final:
            if is_invite and not self._is_ending:
                self._repeating.only_wait(self._endpoint.timers.ring_max_s)
            elif not is_invite:
                self._repeating.slow_down()
            self._on_response(response)
            return
        self._is_final = True
        self._repeating.stop()
        if is_invite and response.status >= 300:
            self.acknowledge(_ack_of_refusal(self.request, response))
        self._endpoint.finish(self)
        self._on_response(response)

    def acknowledge(self, ack: SipRequest) -> None:
        """Send this ACK now and again whenever the final response is repeated."""
        self._acknowledgement = serialise(ack)
        self._endpoint.send(self._acknowledgement, self.peer)

    def expect_end(self) -> None:
        """The INVITE was cancelled: its final response comes soon or never."""
        self._is_ending = True
        if not self._is_final:
            self._repeating.only_wait(self._endpoint.timers.give_up_s)

    def stop(self) -> None:
        """Forget the request; nothing is called any more."""
        self._is_final = True
        self._repeating.stop()

    def _give_up(self) -> None:
        self._is_final = True
        self._endpoint.counts["unanswered"] += 1
        self._endpoint.finish(self)
        self._on_response(None)

    @property
    def key(self) -> tuple[str, str]:
        """What a response is matched by."""
        return self.request.branch, self.request.method


class ServerTransaction:
    """A request of the peer, to be answered once.

    Attributes:
        on_cancel: Called when the peer cancels this INVITE before its final response.
        on_no_ack: Called when the peer never acknowledged our 2xx.
    """

    __slots__ = (
        "_endpoint",
        "_last",
        "_repeating",
        "is_final",
        "key",
        "on_cancel",
        "on_no_ack",
        "peer",
        "request",
    )

    def __init__(
        self, endpoint: Endpoint, request: SipRequest, peer: Peer, key: tuple[str, str, str]
    ) -> None:
        self._endpoint, self.request, self.peer, self.key = endpoint, request, peer, key
        self._last = b""
        self._repeating: _Repeating | None = None
        self.is_final = False
        self.on_cancel: Callable[[], None] | None = None
        self.on_no_ack: Callable[[], None] | None = None

    def respond(self, response: SipResponse) -> None:
        """Send a response; a final one to an INVITE repeats until its ACK comes."""
        assert not self.is_final, "a request has one final response"
        self._last = serialise(response)
        self.is_final = response.is_final
        if not self.is_final:
            self._endpoint.send(self._last, self.peer)
            return
        if self.request.method == "INVITE":
            t2_s = self._endpoint.timers.t2_s
            self._repeating = _Repeating(
                self._endpoint, self._last, self.peer, t2_s, self._never_acknowledged
            )
        else:
            self._endpoint.send(self._last, self.peer)
        self._endpoint.finish(self)

    def repeat(self) -> None:
        """Answer a repeated request as before."""
        self._endpoint.counts["repeated"] += 1
        if self._last and self._repeating is None:
            self._endpoint.send(self._last, self.peer)

    def acknowledge(self) -> None:
        """The ACK came."""
        if self._repeating is not None:
            self._repeating.stop()

    def stop(self) -> None:
        """Repeat nothing any more."""
        self.acknowledge()

    def _never_acknowledged(self) -> None:
        self._endpoint.counts["unacknowledged"] += 1
        if self.on_no_ack is not None:
            self.on_no_ack()


def _ack_of_refusal(invite: SipRequest, response: SipResponse) -> SipRequest:
    """Return the ACK of a final response that is no 2xx: part of the INVITE's own transaction."""
    headers = [("Via", invite.get("Via")), ("From", invite.get("From")), ("To", response.get("To"))]
    headers += [("Call-ID", invite.call_id), ("CSeq", f"{invite.cseq.number} ACK"), ("Max-Forwards", "70")]
    return SipRequest(method="ACK", uri=invite.uri, headers=tuple(headers))
