"""A SIP dialog (RFC 3261 section 12): who talks to whom under which numbers. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from telephony.synthetic.errors import SipParseError
from telephony.synthetic.sip_addresses import Address, parse_address, split_list
from telephony.synthetic.sip_codec import Header, SipRequest, SipResponse

ALLOW = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, INFO, REFER"
SDP_TYPE: Header = ("Content-Type", "application/sdp")


@dataclass(slots=True, kw_only=True)
class Dialog:
    """One side of a dialog.

    Attributes:
        local, remote: Values of From and To in our requests, with tags (the peer's once it is known).
        contact: URI at which the peer reaches us within the dialog.
        target: URI at which we reach the peer.
        number: CSeq number of our last request.
        peer_number: CSeq number of the peer's last request; -1 before the first.
        routes: Values of the Route headers of our requests.
    """

    call_id: str
    local: Address
    remote: Address
    contact: str
    target: str
    number: int = 0
    peer_number: int = -1
    routes: tuple[str, ...] = ()
    headers: tuple[Header, ...] = field(
        default=(("Max-Forwards", "70"), ("User-Agent", "Holdless synthetic"))
    )

    @classmethod
    def of_invite(cls, invite: SipRequest, *, tag: str, contact: str) -> Dialog:
        """Return the called side's dialog.

        Raises:
            SipParseError: the INVITE's addresses are none.
        """
        local = parse_address(invite.get("To"))
        return cls(
            call_id=invite.call_id,
            local=Address(uri=local.uri, name=local.name, params={**local.params, "tag": tag}),
            remote=parse_address(invite.get("From")),
            contact=contact,
            target=parse_address(invite.get("Contact")).uri,
            peer_number=invite.cseq.number,
            routes=_routes(invite.all("Record-Route")),
        )

    def confirm(self, response: SipResponse) -> None:
        """Take the peer's tag, target and routes from its answer to our INVITE.

        Raises:
            SipParseError: the answer has no Contact.
        """
        self.remote = parse_address(response.get("To"))
        self.target = parse_address(response.get("Contact")).uri
        self.routes = tuple(reversed(_routes(response.all("Record-Route"))))

    def accepts(self, request: SipRequest) -> bool:
        """Tell whether a request within the dialog is in order, and remember its number."""
        try:
            theirs, ours = parse_address(request.get("From")).tag, parse_address(request.get("To")).tag
        except SipParseError:
            return False
        if ours != self.local.tag or (self.remote.tag and theirs != self.remote.tag):
            return False
        number = request.cseq.number
        if number < self.peer_number:
            return False
        self.peer_number = number
        return True

    def request(
        self, method: str, *extra: Header, body: bytes = b"", number: int | None = None
    ) -> SipRequest:
        """Return our next request, without Via; an ACK names its INVITE's *number*."""
        if number is None:
            self.number += 1
            number = self.number
        headers = [("From", str(self.local)), ("To", str(self.remote)), ("Call-ID", self.call_id)]
        headers += [
            ("CSeq", f"{number} {method}"),
            *self.headers,
            *(("Route", route) for route in self.routes),
        ]
        if method in {"INVITE", "REFER"}:
            headers += [("Contact", f"<{self.contact}>"), ("Allow", ALLOW)]
        if body:
            headers.append(SDP_TYPE)
        return SipRequest(method=method, uri=self.target, headers=(*headers, *extra), body=body)


def _routes(values: list[str]) -> tuple[str, ...]:
    return tuple(route for value in values for route in split_list(value))
