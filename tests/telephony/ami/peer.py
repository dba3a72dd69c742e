"""A hand-made AMI server that speaks real bytes and can misbehave on purpose."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from telephony.ami.codec import AmiDecoder, AmiMessage

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
CHALLENGE = "840415273"


def message(*pairs: tuple[str, str]) -> bytes:
    """Return the bytes of one message."""
    return "".join(f"{key}: {value}\r\n" for key, value in pairs).encode() + b"\r\n"


def event(name: str, *pairs: tuple[str, str]) -> bytes:
    """Return the bytes of one event."""
    return message(("Event", name), *pairs)


@dataclass
class Peer:
    """The server; one instance serves any number of connections, one after another.

    Attributes:
        secret: What the user must know.
        deaf: Accepts actions and answers nothing (half-open), from the moment it is set.
        banner: What it says first.
        answer: Answers every action but Challenge, Login and Ping; None: nobody answers.
        received: Every action, in order.
    """

    secret: str = "s3cret"
    deaf: bool = False
    banner: bytes = BANNER
    answer: Callable[[AmiMessage], bytes | None] = lambda action: None
    received: list[AmiMessage] = field(default_factory=list)
    logins: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def say(self, data: bytes) -> None:
        """Send bytes on the newest connection."""
        self._writers[-1].write(data)

    def cut(self) -> None:
        """Close every connection after what was said."""
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def asked_for(self, name: str) -> list[AmiMessage]:
        """Return the actions of this name."""
        return [action for action in self.received if action.get("Action") == name]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        writer.write(self.banner)
        decoder = AmiDecoder()
        try:
            while data := await reader.read(65_536):
                for action in decoder.receive(data):
                    self.received.append(action)
                    if not self.deaf and (reply := self._reply(action)):
                        writer.write(reply)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def _reply(self, action: AmiMessage) -> bytes | None:
        action_id = ("ActionID", action.get("ActionID", ""))
        match action.get("Action"):
            case "Challenge":
                return message(("Response", "Success"), action_id, ("Challenge", CHALLENGE))
            case "Login":
                key = hashlib.md5((CHALLENGE + self.secret).encode()).hexdigest()
                if action.get("Key") != key:
                    return message(("Response", "Error"), action_id, ("Message", "Authentication failed"))
                self.logins += 1
                return message(("Response", "Success"), action_id, ("Message", "Authentication accepted"))
            case "Ping":
                return message(("Response", "Success"), action_id, ("Ping", "Pong"))
        return self.answer(action)
