"""One FastAGI session: the connection of one channel that asks one question."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import cast

from telephony.agi.codec import AgiDecoder, AgiEnvironment, AgiHangup, AgiReply, encode_command
from telephony.agi.errors import AgiCommandRefused, AgiError, AgiProtocolError, AgiSessionLost
from telephony.agi.values import assignments, is_variable


class AgiSession(asyncio.Protocol):
    """A connection from the PBX.

    Args:
        on_begin: Called when the environment is complete.
        on_end: Called once when the connection is gone.

    Attributes:
        environment: The ``agi_*`` lines.
        hung_up: The channel has hung up; commands may be refused from now on.
    """

    def __init__(
        self, on_begin: Callable[[AgiSession], object], on_end: Callable[[AgiSession], object]
    ) -> None:
        self._on_begin, self._on_end = on_begin, on_end
        self._decoder = AgiDecoder()
        self._transport: asyncio.Transport | None = None
        self._awaited: asyncio.Future[AgiReply] | None = None
        self._lost: AgiError | None = None
        self.environment: Mapping[str, str] = {}
        self.hung_up = False

    # ------------------------------------------------------------ asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The TCP connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        if self._lost is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Frame what came and give it to whoever waits."""
        try:
            for item in self._decoder.receive(data):
                match item:
                    case AgiEnvironment():
                        self.environment = item.variables
                        self._on_begin(self)
                    case AgiHangup():
                        self.hung_up = True
                    case AgiReply():
                        self._take(item)
        except AgiProtocolError as error:
            self.abort(error)

    def connection_lost(self, error: Exception | None) -> None:
        """The TCP connection is gone."""
        self._fail(AgiSessionLost(str(error) if error else "closed by the PBX"))
        self._on_end(self)

    # ------------------------------------------------------------ commands

    async def command(self, *words: str) -> AgiReply:
        """Send one command and return its reply, whatever its code is.

        Raises:
            AgiInjectionError: nothing was sent.
            AgiSessionLost, AgiProtocolError: the session ended.
        """
        assert self._awaited is None, "AGI takes one command at a time"
        data = encode_command(*words)
        if self._lost is not None or self._transport is None:
            raise self._lost or AgiSessionLost("not connected")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        try:
            return await self._awaited
        finally:
            self._awaited = None

    async def set_variables(self, values: Mapping[str, str]) -> None:
        """Set channel variables in order, cleaned, in one round trip as a rule.

        Raises:
            AgiCommandRefused: the PBX refused.
        """
        for arguments in assignments(values):
            _check(await self.command("EXEC", "MSet", arguments))

    async def set_variable(self, name: str, value: str) -> None:
        """Set one channel variable, cleaned; raises as ``set_variables`` does."""
        await self.set_variables({name: value})

    async def get_variable(self, name: str) -> str | None:
        """Return a channel variable, None when it is not set."""
        assert is_variable(name)
        reply = _check(await self.command("GET", "VARIABLE", name))
        return reply.value or "" if reply.result == "1" else None

    async def verbose(self, text: str, level: int = 1) -> None:
        """Write a line to the PBX's console and log."""
        await self.command("VERBOSE", text, str(level))

    def close(self) -> None:
        """End the session after what was written; the dialplan goes on."""
        if self._transport is not None:
            self._transport.close()

    def abort(self, reason: AgiError) -> None:
        """End the session at once."""
        self._fail(reason)
        if self._transport is not None:
            self._transport.abort()

    def _take(self, reply: AgiReply) -> None:
        if self._awaited is None or self._awaited.done():
            raise AgiProtocolError("a reply to no command")
        self._awaited.set_result(reply)

    def _fail(self, reason: AgiError) -> None:
        self._lost = self._lost or reason
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(self._lost)


def _check(reply: AgiReply) -> AgiReply:
    if reply.code != 200 or reply.result in ("-1", "-2"):
        raise AgiCommandRefused(f"{reply.code} result={reply.result}")
    return reply
