"""The least of SDP that a telephone needs (RFC 4566, 3264): one audio stream, G.711 and keys. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from telephony.synthetic.errors import SipParseError

BODY_BYTES_MAX: Final = 16_384
PCMU: Final = 0
PCMA: Final = 8
KEYS: Final = 101  # our number for telephone-event; the peer may have another
_AUDIO = re.compile(r"m=audio ([0-9]{1,5})(?:/[0-9]+)? RTP/[A-Z/]+((?: [0-9]{1,3})+)\s*")
_KEYS_MAP = re.compile(r"a=rtpmap:([0-9]{1,3}) telephone-event/8000\s*", re.IGNORECASE)
_CONNECTION = re.compile(r"c=IN IP[46] ([0-9A-Za-z.:_-]{1,255})(?:/[0-9/]+)?\s*")
_ORIGIN = re.compile(r"o=\S+ ([0-9]{1,20}) ([0-9]{1,20}) IN .*")


class Direction(StrEnum):
    """Which way sound goes, seen from the side that says it."""

    BOTH = "sendrecv"
    SEND = "sendonly"
    RECEIVE = "recvonly"
    NONE = "inactive"


_MIRRORED = {
    Direction.BOTH: Direction.BOTH,
    Direction.SEND: Direction.RECEIVE,
    Direction.RECEIVE: Direction.SEND,
    Direction.NONE: Direction.NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One side of a call's media.

    Attributes:
        host, port: Where this side wants sound; port 0 declines the stream.
        codecs: ``PCMU`` and ``PCMA``, best first; others are not kept.
        keys: RTP number of telephone-event; None: no keys.
        session_id, version: Of the ``o=`` line; the version grows with every change.
    """

    host: str
    port: int
    codecs: tuple[int, ...] = (PCMU, PCMA)
    keys: int | None = KEYS
    direction: Direction = Direction.BOTH
    session_id: int = 1
    version: int = 1

    def turned(self, direction: Direction) -> Session:
        """Return the next version, with another direction (hold is ``SEND``)."""
        return replace(self, direction=direction, version=self.version + 1)


def parse_sdp(body: bytes) -> Session:
    """Read a session description; streams other than the first audio are passed over.

    Raises:
        SipParseError: it is none, or has no audio.
    """
    if len(body) > BODY_BYTES_MAX:
        raise SipParseError(f"{len(body)} bytes of SDP")
    host, origin, keys, direction = "", (1, 1), None, Direction.BOTH
    audio: re.Match[str] | None = None
    in_audio = before_media = True
    for line in body.decode("utf-8", "replace").split("\n"):
        if line.startswith("m="):
            in_audio = audio is None and bool(found := _AUDIO.fullmatch(line))
            audio = found if in_audio else audio
            before_media = False
        elif not in_audio and not before_media:
            continue
        elif found := _CONNECTION.fullmatch(line):
            host = found[1]
        elif found := _ORIGIN.fullmatch(line.strip()):
            origin = (int(found[1]), int(found[2]))
        elif found := _KEYS_MAP.fullmatch(line):
            keys = int(found[1])
        elif line.startswith("a=") and line[2:].strip() in _DIRECTIONS:
            direction = Direction(line[2:].strip())
    if audio is None or not host or int(audio[1]) > 65_535:
        raise SipParseError("an SDP without audio")
    numbers = [int(word) for word in audio[2].split()]
    return Session(
        host=host,
        port=int(audio[1]),
        codecs=tuple(dict.fromkeys(number for number in numbers if number in (PCMU, PCMA))),
        keys=keys if keys in numbers else None,
        direction=direction,
        session_id=origin[0],
        version=origin[1],
    )


_DIRECTIONS = frozenset(Direction)


def write_sdp(session: Session) -> bytes:
    """Return the body of a session description."""
    numbers = [*session.codecs, *([session.keys] if session.keys is not None else [])]
    lines = [
        "v=0",
        f"o=- {session.session_id} {session.version} IN IP4 {session.host}",
        "s=-",
        f"c=IN IP4 {session.host}",
        "t=0 0",
        f"m=audio {session.port} RTP/AVP {' '.join(map(str, numbers))}",
        *(f"a=rtpmap:{codec} {'PCMU' if codec == PCMU else 'PCMA'}/8000" for codec in session.codecs),
    ]
    if session.keys is not None:
        lines += [f"a=rtpmap:{session.keys} telephone-event/8000", f"a=fmtp:{session.keys} 0-15"]
    return "\r\n".join([*lines, f"a={session.direction}", ""]).encode()


def answer_to(offer: Session, own: Session) -> Session:
    """Return our answer: the offer's first codec that we have, its number for keys, its direction mirrored.

    Raises:
        SipParseError: no codec in common.

    >>> offer = Session(host="10.0.0.9", port=4000, codecs=(8, 0), keys=96, direction=Direction.SEND)
    >>> answer = answer_to(offer, Session(host="10.0.0.1", port=9))
    >>> answer.codecs, answer.keys, str(answer.direction)
    ((8,), 96, 'recvonly')
    """
    common = [codec for codec in offer.codecs if codec in own.codecs]
    if not common:
        raise SipParseError("no codec in common")
    return replace(
        own,
        codecs=(common[0],),
        keys=offer.keys if own.keys is not None else None,
        direction=_MIRRORED[offer.direction],
    )
