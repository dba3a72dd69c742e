"""What pages say on the socket, read strictly. Pure.

Whatever does not fit is refused with a stable word; nothing that was sent is repeated in an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from app.sockets.rules import SocketCursor

PROTOCOL = 1
MESSAGE_CHARS_MAX = 4_096
TOPIC_CHARS_MAX = 64
TICKET_CHARS_MAX = 256
_NUMBER_MAX = 1 << 53  # what a page can count


class BadMessage(Exception):
    """A message that cannot be read: the page's fault."""


@dataclass(frozen=True, slots=True)
class ShowTicket:
    """The first message: who is there."""

    ticket: str


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Follow a topic, from a place in it on or from a snapshot."""

    topic: str
    after: SocketCursor | None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Follow a topic no more."""

    topic: str


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """The pop is on the screen."""

    pop_id: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Still there; what time is it?"""


ClientMessage = ShowTicket | Subscribe | Unsubscribe | Acknowledge | Ping


def read(text: str) -> ClientMessage:
    """Return the message that *text* holds.

    Raises:
        BadMessage: it holds none of ours.

    >>> read('{"type":"subscribe","topic":"floor:all","from":{"epoch":3,"seq":7}}')
    Subscribe(topic='floor:all', after=SocketCursor(epoch=3, seq=7))
    """
    if len(text) > MESSAGE_CHARS_MAX:
        raise BadMessage("too long")
    try:
        plain = orjson.loads(text)
    except ValueError:
        raise BadMessage("no JSON") from None
    if not isinstance(plain, dict):
        raise BadMessage("no object")
    match plain.get("type"):
        case "ticket":
            return ShowTicket(_text(plain, "ticket", TICKET_CHARS_MAX))
        case "subscribe":
            return Subscribe(_text(plain, "topic", TOPIC_CHARS_MAX), _cursor(plain.get("from")))
        case "unsubscribe":
            return Unsubscribe(_text(plain, "topic", TOPIC_CHARS_MAX))
        case "ack":
            return Acknowledge(_number(plain, "pop_id"))
        case "ping":
            return Ping()
        case _:
            raise BadMessage("unknown type")


def _cursor(plain: Any) -> SocketCursor | None:
    if plain is None:
        return None
    if not isinstance(plain, dict):
        raise BadMessage("from is no object")
    return SocketCursor(_number(plain, "epoch"), _number(plain, "seq"))


def _text(plain: Mapping[str, Any], name: str, chars_max: int) -> str:
    found = plain.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= chars_max:
        raise BadMessage(f"{name} is no text of 1 to {chars_max} characters")
    return found


def _number(plain: Mapping[str, Any], name: str) -> int:
    found = plain.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= _NUMBER_MAX:
        raise BadMessage(f"{name} is no whole number")
    return found
