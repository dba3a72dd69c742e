"""A raw AMI client for tests: one socket, one reading thread, no code of the product."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from telephony.sandbox.config import AmiUser

Message = list[tuple[str, str]]
_ANSWER_S = 5.0


class RawAmi:
    """Log in, collect every message, send actions.

    ``raw`` is every byte read; ``messages`` are the blocks as lists of pairs, in order.
    """

    def __init__(self, port: int, user: AmiUser) -> None:
        self.raw = bytearray()
        self.messages: list[Message] = []
        self._changed = threading.Condition()
        self._ids = itertools.count(1)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S)
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        answer = self.act(Action="Login", Username=user.name, Secret=user.secret)
        assert get(answer, "Response") == "Success", answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):  # the PBX was quicker
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._reader.join(_ANSWER_S)

    def act(self, **headers: object) -> Message:
        """Send an action and return its response; underscores at the end of a name are dropped."""
        action_id = f"t{next(self._ids)}"
        pairs = {"ActionID": action_id, **{name.rstrip("_"): str(value) for name, value in headers.items()}}
        self._socket.sendall(
            ("".join(f"{name}: {value}\r\n" for name, value in pairs.items()) + "\r\n").encode()
        )
        return self.wait(
            lambda m: get(m, "ActionID") == action_id and get(m, "Response") != "" and get(m, "Event") == "",
            _ANSWER_S,
        )

    def list(self, end: str, **headers: object) -> list[Message]:
        """Send an action that answers with a list; return its rows, without response and end."""
        action_id = get(self.act(**headers), "ActionID")
        self.wait(lambda m: get(m, "Event") == end and get(m, "ActionID") == action_id, _ANSWER_S)
        mine = [m for m in self.messages if get(m, "ActionID") == action_id]
        return [m for m in mine if get(m, "Event") not in ("", end)]

    def wait(self, wanted: Callable[[Message], bool], bound_s: float, since: int = 0) -> Message:
        """Return the first message from index *since* on that is wanted; AssertionError after the bound."""
        deadline = time.monotonic() + bound_s
        index = since
        with self._changed:
            while True:
                while index < len(self.messages):
                    if wanted(self.messages[index]):
                        return self.messages[index]
                    index += 1
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
        seen = [f"{get(m, 'Event')} {get(m, 'UserEvent')} {get(m, 'CallID')}" for m in self.messages[since:]]
        raise AssertionError(f"not seen within {bound_s} s; seen since: {seen[-60:]}")

    def event(self, event: str, bound_s: float = 10, since: int = 0, **headers: str) -> Message:
        """Return the first event of that name (``CC…``: a UserEvent) with these headers."""
        name, key = (event, "UserEvent") if event.startswith("CC") else (event, "Event")

        def wanted(message: Message) -> bool:
            return get(message, key) == name and all(get(message, k) == v for k, v in headers.items())

        return self.wait(wanted, bound_s, since)

    def count(self, event: str, **headers: str) -> int:
        key = "UserEvent" if event.startswith("CC") else "Event"
        return sum(
            get(m, key) == event and all(get(m, k) == v for k, v in headers.items())
            for m in list(self.messages)
        )

    def mark(self) -> int:
        """Return where the next message will stand, for *since*."""
        return len(self.messages)

    def _read(self) -> None:
        buffer = b""
        while True:
            try:
                piece = self._socket.recv(65536)
            except OSError:
                return
            if not piece:
                return
            self.raw += piece
            *blocks, buffer = (buffer + piece).split(b"\r\n\r\n")
            with self._changed:
                self.messages += [_parse(block) for block in blocks]
                self._changed.notify_all()


def get(message: Message, name: str) -> str:
    """Return the first header of that name, empty when there is none."""
    return next((value for key, value in message if key == name), "")


def variables(message: Message, header: str = "ChanVariable") -> dict[str, str]:
    """Return the channel variables that a message carries."""
    return {value.partition("=")[0]: value.partition("=")[2] for key, value in message if key == header}


def timestamp_ms(message: Message) -> float:
    return float(get(message, "Timestamp")) * 1000


def _parse(block: bytes) -> Message:
    lines = block.decode("utf-8", "replace").split("\r\n")
    return [
        (key, value.lstrip(" ")) for key, colon, value in (line.partition(":") for line in lines) if colon
    ]
