"""AGI bytes ↔ environment, replies and commands. Pure: any cut of the bytes gives the same items.

One command at a time: Asterisk reads commands through a buffered stream and then waits on the socket,
so it does not see a command that came together with the one before (measured on 22.10: commands sent
in one segment stall the session).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from telephony.agi.errors import AgiInjectionError, AgiProtocolError

ENVIRONMENT_BYTES_MAX: Final = 64 * 1024
REPLY_BYTES_MAX: Final = 64 * 1024
# Asterisk reads a command into 2,048 bytes; what is longer it would cut and read the rest as a command.
COMMAND_BYTES_MAX: Final = 2_000
COMMAND_WORDS_MAX: Final = 100

_CONTROL = re.compile("[\x00-\x1f\x7f]")
_BARE = re.compile(r"[A-Za-z0-9_.:/@*#+=-]+")
_REPLY = re.compile(r"(?P<code>\d{3})(?P<more>[ -])(?P<text>.*)", re.DOTALL)
_RESULT = re.compile(r"result=(?P<result>\S*)(?: \((?P<value>.*)\))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AgiEnvironment:
    """The ``agi_*`` lines that open a session; of a repeated name the first counts."""

    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AgiReply:
    """The answer to one command.

    Attributes:
        code: 200 done; 510 unknown command; 511 channel is dead; 520 wrong syntax.
        result: What stands behind ``result=``; empty when there is none.
        value: What stands in parentheses behind the result; None when there are none.
        text: The whole text behind the code; for 520 all its lines.
    """

    code: int
    result: str = ""
    value: str | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class AgiHangup:
    """The notice that the channel has hung up."""


AgiItem = AgiEnvironment | AgiReply | AgiHangup


class AgiDecoder:
    """Turn the bytes of one session into its environment, then replies and hang-up notices.

    Bytes that are not UTF-8 become U+FFFD, as in AMI.

    Raises:
        AgiProtocolError: not AGI, or longer than the limits.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._in_environment = True
        self._multiline: list[str] = []
        self._multiline_letters = 0

    def receive(self, data: bytes) -> list[AgiItem]:
        """Take in *data* and return the items that are now complete."""
        self._buffer += data
        items: list[AgiItem] = []
        if self._in_environment:
            environment = self._take_environment()
            if environment is None:
                return []
            items.append(environment)
        items.extend(self._take_replies())
        return items

    def _take_environment(self) -> AgiEnvironment | None:
        end = self._buffer.find(b"\n\n")
        if end < 0:
            if len(self._buffer) > ENVIRONMENT_BYTES_MAX:
                raise AgiProtocolError(f"{len(self._buffer)} bytes without an end of the environment")
            return None
        variables: dict[str, str] = {}
        for line in self._buffer[:end].decode("utf-8", "replace").split("\n"):
            name, colon, value = line.partition(":")
            if not colon or not name.startswith("agi_"):
                raise AgiProtocolError("the environment holds a line that is not agi_name: value")
            variables.setdefault(name, value.removeprefix(" "))
        del self._buffer[: end + 2]
        self._in_environment = False
        return AgiEnvironment(variables)

    def _take_replies(self) -> Iterator[AgiItem]:
        *lines, rest = bytes(self._buffer).split(b"\n")
        waiting = len(rest) + self._multiline_letters
        if waiting > REPLY_BYTES_MAX:
            raise AgiProtocolError(f"{waiting} bytes without an end of the reply")
        self._buffer[:] = rest
        for line in lines:
            if item := self._take_line(line.decode("utf-8", "replace")):
                yield item

    def _take_line(self, line: str) -> AgiItem | None:
        if self._multiline:
            return self._take_more(line)
        if line == "HANGUP":
            return AgiHangup()
        if line.startswith("520-") or (line.startswith("200 result=") and "(" in line and ")" not in line):
            self._multiline.append(line)  # the usage; or a value with a line break in it
            self._multiline_letters = len(line)
            return None
        return _reply(line)

    def _take_more(self, line: str) -> AgiItem | None:
        self._multiline.append(line)
        self._multiline_letters += len(line) + 1
        if self._multiline_letters > REPLY_BYTES_MAX:
            raise AgiProtocolError("a reply of several lines does not end")
        is_usage = self._multiline[0].startswith("520-")
        if not (line.startswith("520 ") if is_usage else ")" in line):
            return None
        whole = "\n".join(self._multiline)
        self._multiline.clear()
        self._multiline_letters = 0
        return _reply(whole)


def encode_command(*words: str) -> bytes:
    """Return the bytes of one command; words that need it are quoted.

    Raises:
        AgiInjectionError: a word holds a control byte or is no text, or the command is too long.

    >>> encode_command("SET", "VARIABLE", "CC_PARTY", 'O"Neil')
    b'SET VARIABLE CC_PARTY "O\\\\"Neil"\\n'
    """
    if not words or len(words) > COMMAND_WORDS_MAX:
        raise AgiInjectionError(f"{len(words)} words are not in 1 to {COMMAND_WORDS_MAX}")
    for number, word in enumerate(words):
        if _CONTROL.search(word):
            raise AgiInjectionError(f"word {number} of {words[0]!r} holds a control byte")
    try:
        line = " ".join(map(_quoted, words)).encode() + b"\n"
    except UnicodeEncodeError:
        raise AgiInjectionError(f"a word of {words[0]!r} is not text") from None
    if len(line) > COMMAND_BYTES_MAX:
        raise AgiInjectionError(f"{words[0]!r} is longer than {COMMAND_BYTES_MAX} bytes")
    return line


def _quoted(word: str) -> str:
    if _BARE.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _reply(text: str) -> AgiReply | None:
    found = _REPLY.fullmatch(text)
    if found is None:
        raise AgiProtocolError("a reply does not begin with its code")
    if found["code"] == "100":  # "trying": the answer is still to come
        return None
    result = _RESULT.match(found["text"])
    if result is None:
        return AgiReply(int(found["code"]), text=found["text"])
    return AgiReply(int(found["code"]), result["result"], result["value"], found["text"])
