"""SIP messages: bytes ↔ objects (RFC 3261). Pure: no I/O, no clock, no dice.

One datagram is one message. Reading is tolerant (compact header names, folded lines, any case) and
bounded; whatever the bytes are, it returns a message or raises ``SipParseError``. Writing refuses a
field that holds a control character, so that no caller name can become a header of its own.

``Content-Length`` is no header here: reading cuts the body by it and writing adds it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple, Self

from telephony.synthetic.errors import SipFieldError, SipParseError
from telephony.synthetic.sip_addresses import parse_address, split_list

MESSAGE_BYTES_MAX: Final = 65_535
HEADERS_MAX: Final = 128
CSEQ_MAX: Final = 2**31 - 1

_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To",
    "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
_SPELLED = {
    "call-id": "Call-ID",
    "cseq": "CSeq",
    "www-authenticate": "WWW-Authenticate",
    "mime-version": "MIME-Version",
}
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,64}")
_REQUEST_LINE = re.compile(r"([A-Z][A-Z0-9_.!-]{0,31}) (\S{1,2048}) SIP/2\.0")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?(.*)")
_CSEQ = re.compile(r"([0-9]{1,10})[ \t]+([A-Z][A-Z0-9_.!-]{0,31})")
_BRANCH = re.compile(r";\s*branch\s*=\s*([^;,\s\"]{1,256})", re.IGNORECASE)
_SENT_BY = re.compile(r"SIP\s*/\s*2\.0\s*/\s*[A-Za-z]{1,8}\s+([^;,\s]{1,255})", re.IGNORECASE)

_SPACE = " \t"

Header = tuple[str, str]


class CSeq(NamedTuple):
    """A request's number within its dialog, and its method."""

    number: int
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SipMessage:
    """What requests and responses have in common.

    Attributes:
        headers: In order, by canonical name (``Call-ID``, ``CSeq``, ``Via``); names may repeat.
        body: Usually SDP; empty when there is none.
    """

    headers: tuple[Header, ...] = ()
    body: bytes = b""

    def get(self, name: str, default: str = "") -> str:
        """Return the first header of this canonical name."""
        for key, value in self.headers:
            if key == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Return every header of this canonical name, in order."""
        return [value for key, value in self.headers if key == name]

    def with_headers(self, *headers: Header) -> Self:
        """Return the message with these headers in place of all others of the same names."""
        names = {name for name, _ in headers}
        kept = tuple(header for header in self.headers if header[0] not in names)
        return replace(self, headers=headers + kept)

    @property
    def call_id(self) -> str:
        """The Call-ID; never empty in a message that was parsed."""
        return self.get("Call-ID")

    @property
    def cseq(self) -> CSeq:
        """The CSeq.

        Raises:
            SipParseError: there is none, or it is none.
        """
        found = _CSEQ.fullmatch(self.get("CSeq"))
        if found is None or int(found[1]) > CSEQ_MAX:
            raise SipParseError("no CSeq")
        return CSeq(int(found[1]), found[2])

    @property
    def branch(self) -> str:
        """The branch of the topmost Via; empty when it has none."""
        found = _BRANCH.search(split_list(self.get("Via"))[0])
        return found[1] if found else ""

    @property
    def sent_by(self) -> str:
        """Host and port of the topmost Via, as written there."""
        found = _SENT_BY.match(self.get("Via"))
        return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SipRequest(SipMessage):
    """A request."""

    method: str
    uri: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SipResponse(SipMessage):
    """A response; ``status`` is in [100, 699]."""

    status: int
    reason: str = ""

    @property
    def is_final(self) -> bool:
        """Whether no other response to the same request follows."""
        return self.status >= 200


def parse(data: bytes) -> SipRequest | SipResponse:
    """Read one datagram.

    Raises:
        SipParseError: it is no SIP message, or one without what routes it (Via, From, To, Call-ID, CSeq).

    >>> parse(b"OPTIONS sip:a@h SIP/2.0\\r\\nv: SIP/2.0/UDP h;branch=z9hG4bK1\\r\\nf: <sip:b@h>;tag=1\\r\\n"
    ...       b"t: <sip:a@h>\\r\\ni: 7\\r\\nCSeq: 1 OPTIONS\\r\\n\\r\\n").call_id
    '7'
    """
    if len(data) > MESSAGE_BYTES_MAX:
        raise SipParseError(f"{len(data)} bytes in one message")
    head, _, body = data.lstrip(b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    headers, length = _headers(lines[1:])
    if length is not None:
        if length > len(body):
            raise SipParseError(f"a body of {len(body)} bytes where {length} were announced")
        body = body[:length]
    message = _started(lines[0], headers, body)
    for name in ("Via", "From", "To", "Call-ID"):
        if not message.get(name):
            raise SipParseError(f"no {name}")
    if isinstance(message, SipRequest) and message.cseq.method != message.method:
        raise SipParseError("the method of CSeq is another one")
    assert message.cseq.number >= 0
    return message


def _started(line: str, headers: tuple[Header, ...], body: bytes) -> SipRequest | SipResponse:
    if _CONTROL.search(line):
        raise SipParseError("a control character in the first line")
    if found := _STATUS_LINE.fullmatch(line):
        return SipResponse(status=int(found[1]), reason=found[2].strip(_SPACE), headers=headers, body=body)
    if found := _REQUEST_LINE.fullmatch(line):
        return SipRequest(method=found[1], uri=found[2], headers=headers, body=body)
    raise SipParseError("the first line is neither a request's nor a response's")


def _headers(lines: list[str]) -> tuple[tuple[Header, ...], int | None]:
    if len(lines) > HEADERS_MAX:
        raise SipParseError(f"{len(lines)} header lines")
    headers: list[Header] = []
    length: int | None = None
    for line in lines:
        if line[:1] in (" ", "\t"):
            if not headers:
                raise SipParseError("a continuation of nothing")
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip(_SPACE)}".strip(_SPACE))
            continue
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if not colon or not _TOKEN.fullmatch(name) or _CONTROL.search(value):
            raise SipParseError("a line that is no header")
        headers.append((canonical_name(name), value.strip(_SPACE)))
    kept: list[Header] = []
    for header in headers:
        if header[0] != "Content-Length":
            kept.append(header)
        elif re.fullmatch("[0-9]{1,8}", header[1]):
            length = int(header[1])
        else:
            raise SipParseError("a Content-Length that is no number")
    if any(_CONTROL.search(value) for _, value in kept):
        raise SipParseError("a control character in a header")
    return tuple(kept), length


@lru_cache(maxsize=512)
def canonical_name(name: str) -> str:
    """Return the one spelling of a header's name.

    >>> canonical_name("i"), canonical_name("CALL-ID"), canonical_name("x-thing")
    ('Call-ID', 'Call-ID', 'X-Thing')
    """
    small = name.lower()
    return _COMPACT.get(small) or _SPELLED.get(small) or "-".join(map(str.capitalize, small.split("-")))


def serialise(message: SipRequest | SipResponse) -> bytes:
    """Return the bytes of a message, with its Content-Length.

    Raises:
        SipFieldError: a field holds a control character or half a surrogate pair, or it is too long.
    """
    if isinstance(message, SipRequest):
        lines = [f"{message.method} {message.uri} SIP/2.0"]
    else:
        lines = [f"SIP/2.0 {message.status} {message.reason}"]
    lines += [f"{name}: {value}" for name, value in message.headers]
    lines.append(f"Content-Length: {len(message.body)}")
    if any(map(_CONTROL.search, lines)):
        raise SipFieldError("a control character in a SIP field")
    try:
        head = "\r\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise SipFieldError("half a surrogate pair in a SIP field") from error
    if len(head) + 4 + len(message.body) > MESSAGE_BYTES_MAX or len(lines) - 1 > HEADERS_MAX:
        raise SipFieldError("a SIP message too long for one datagram")
    return head + b"\r\n\r\n" + message.body


def response_to(request: SipRequest, status: int, reason: str, *, to_tag: str = "") -> SipResponse:
    """Return a bare response: the request's Via, From, To, Call-ID and CSeq, with our tag in To."""
    to = request.get("To")
    if to_tag and status > 100 and not parse_address(to).tag:
        to = f"{to};tag={to_tag}"
    headers = [*(("Via", via) for via in request.all("Via")), ("From", request.get("From")), ("To", to)]
    headers += [("Call-ID", request.call_id), ("CSeq", request.get("CSeq"))]
    return SipResponse(status=status, reason=reason, headers=tuple(headers))
