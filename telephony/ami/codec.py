"""AMI bytes ↔ messages. Pure: no I/O, no clock; any cut of the bytes gives the same messages.

A message is a list of pairs, because keys repeat. It is parsed lazily: most events are of no
interest and are known by their name alone; the first ``get`` indexes the headers, once. The pairs
themselves are not kept: a queue of messages stays small, and parsing anew costs less than keeping.

Text is UTF-8; a byte that is not UTF-8 becomes U+FFFD. It is replaced and not smuggled through as
a surrogate, because what is read here goes on to JSON, PostgreSQL and back to the PBX, and all three
refuse surrogates; ids, channel names and everything that we send back are ASCII and unharmed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, overload

from telephony.ami.errors import AmiInjectionError, AmiProtocolError

MESSAGE_BYTES_MAX: Final = 256 * 1024
# Asterisk reads an action into lines of 1,024 bytes and 128 headers; what is longer it would cut, and
# what stands behind the cut could pass for a header of its own.
LINE_BYTES_MAX: Final = 1_000
HEADERS_MAX: Final = 120

_END = b"\r\n\r\n"
_EVENT = "Event: "
_CONTROL = re.compile("[\x00-\x1f\x7f]")

Pair = tuple[str, str]


class AmiMessage:
    """One message: an event when it has an ``Event`` header, else a response.

    ``Event`` is tested first, because OriginateResponse is an event that also carries ``Response``.
    Header names are matched exactly, as Asterisk writes them.

    >>> message = AmiMessage.of(("Event", "Hangup"), ("Uniqueid", "p-7"), ("ChanVariable", "CC_STATE=held"))
    >>> message.name, message.get("Uniqueid"), message.variables()
    ('Hangup', 'p-7', {'CC_STATE': 'held'})
    """

    __slots__ = ("_first_values", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._first_values: dict[str, str] | None = None

    @classmethod
    def of(cls, *pairs: Pair) -> AmiMessage:
        """Return the message with these headers (for tests and simulated PBXs)."""
        return cls("\r\n".join(f"{key}: {value}" for key, value in pairs))

    @property
    def name(self) -> str:
        """The event's name; empty for a response. Found without parsing the other headers."""
        text = self.text
        if text.startswith(_EVENT):
            end = text.find("\r\n", 7)
            return text[7:end] if end > 0 else text[7:]
        return self.get("Event", "")

    @property
    def is_event(self) -> bool:
        """Whether it has an ``Event`` header."""
        return self.text.startswith(_EVENT) or self.get("Event") is not None

    @property
    def is_response(self) -> bool:
        """Whether it answers an action: a ``Response`` header and no ``Event`` header."""
        return not self.is_event and self.get("Response") is not None

    @property
    def succeeded(self) -> bool:
        """Whether it is a response that says anything but Error."""
        return self.is_response and self.get("Response") != "Error"

    @property
    def action_id(self) -> str | None:
        """The id of the action that it belongs to; None when it belongs to none."""
        return self.get("ActionID") or None

    @property
    def starts_list(self) -> bool:
        """Whether it is a response that rows will follow."""
        return self.get("EventList", "").lower() == "start"

    @property
    def ends_list(self) -> bool:
        """Whether it is the event after the last row of a list."""
        return self.get("EventList", "").lower() in ("complete", "cancelled")

    @property
    def pairs(self) -> list[Pair]:
        """All headers in order, parsed anew each time; a line without a colon has the empty name."""
        return [
            (key, value) if sep else _pair_without_space(key)
            for line in self.text.split("\r\n")
            for key, sep, value in [line.partition(": ")]
        ]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    def get(self, key: str, default: str | None = None) -> str | None:
        """Return the first value of *key*, else *default*."""
        return self._index().get(key, default)

    def all(self, key: str) -> list[str]:
        """Return every value of *key*, in order."""
        return [value for name, value in self.pairs if name == key] if key in self._index() else []

    def variables(self, header: str = "ChanVariable") -> dict[str, str]:
        """Return the channel variables, sent as ``ChanVariable: NAME=value``.

        Those of the channel that was dialled stand in ``DestChanVariable``.
        """
        return {name: value for name, _, value in (line.partition("=") for line in self.all(header))}

    def _index(self) -> dict[str, str]:
        if self._first_values is None:
            self._first_values = dict(reversed(self.pairs))
        return self._first_values

    def __repr__(self) -> str:
        # the headers hold callers' numbers and names, which do not belong into a log
        count = self.text.count("\n") + 1
        return f"<AmiMessage {self.name or self.get('Response', '?')}, {count} headers>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AmiMessage) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


class AmiDecoder:
    """Turn a stream of bytes into messages.

    The banner is the first line, if it has no colon; it is kept in ``banner`` and is no message.

    Raises:
        AmiProtocolError: a message (or the banner) is longer than 256 KiB.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._first_line = True
        self.banner: str | None = None

    @property
    def buffered_bytes(self) -> int:
        """How many bytes wait for the end of their message."""
        return len(self._buffer)

    def receive(self, data: bytes) -> list[AmiMessage]:
        """Take in *data* and return the messages that are now complete."""
        buffer = self._buffer
        searched = len(buffer)
        buffer += data
        if self._first_line:
            if not self._take_banner():
                return []
            searched = 0
        end = buffer.rfind(_END, max(0, searched - len(_END) + 1))
        if end < 0:
            _check_length(len(buffer))
            return []
        # An end of message is ASCII, so no character is ever cut in two here.
        whole = bytes(buffer[: end + len(_END)])
        blocks = whole.decode("utf-8", "replace").split("\r\n\r\n")
        blank = len(blocks.pop())  # a blank line too many overlaps with the end that was found
        if end > MESSAGE_BYTES_MAX:
            _check_length(max(map(len, whole.split(_END))))
        del buffer[: end + len(_END) - blank]
        _check_length(len(buffer))
        return [AmiMessage(text) for block in blocks if (text := block.strip("\r\n"))]

    def _take_banner(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            _check_length(len(self._buffer))
            return False
        self._first_line = False
        if b":" not in self._buffer[:end]:
            self.banner = self._buffer[:end].decode("utf-8", "replace")
            del self._buffer[: end + 2]
        return True


def encode_action(pairs: Iterable[Pair]) -> bytes:
    """Return the bytes of one action. The only place where anything is written to AMI.

    Raises:
        AmiInjectionError: a name or a value could be read as more than one field: it holds a control
            byte (below 0x20, or 0x7F), a name is empty or holds a colon or a blank, the line is
            longer than 1,000 bytes, or there are more than 120 headers.
    """
    lines: list[str] = []
    for name, value in pairs:
        if not name or ":" in name or " " in name or _CONTROL.search(name):
            raise AmiInjectionError(name, "is not a header's name")
        if _CONTROL.search(value):
            raise AmiInjectionError(name, "holds a control byte")
        lines.append(f"{name}: {value}")
    if not lines or len(lines) > HEADERS_MAX:
        raise AmiInjectionError("", f"count of {len(lines)} is not in 1 to {HEADERS_MAX}")
    encoded: list[bytes] = []
    for line in lines:
        try:
            encoded.append(line.encode())
        except UnicodeEncodeError:
            raise AmiInjectionError(line.partition(":")[0], "is not text") from None
        if len(encoded[-1]) > LINE_BYTES_MAX:
            raise AmiInjectionError(line.partition(":")[0], f"is longer than {LINE_BYTES_MAX} bytes")
    return b"\r\n".join(encoded) + _END


def _pair_without_space(line: str) -> Pair:
    name, colon, value = line.partition(":")
    return (name, value) if colon else ("", line)


def _check_length(length: int) -> None:
    if length > MESSAGE_BYTES_MAX:
        raise AmiProtocolError(f"{length} bytes without an end of message")
