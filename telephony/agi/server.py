"""The FastAGI server: answers the dialplan's short questions, and never keeps a caller waiting.

The law of a session: the route is boxed by its time limit; whatever happens to it, its values (or the
defaults that it declared) are set, and ``CC_DONE=1`` last of all, in the same command as a rule. The
dialplan looks at that variable and at nothing else, because Asterisk says SUCCESS even when a server
dies in the middle of a session.

A path that no route has: a line on the PBX's console, ``CC_DONE`` not set, so that the dialplan takes
the way it takes when no server is there. A route that is late goes on for a while, and what it finds
then goes to ``on_late`` (the page is updated, the dialplan is not). A session too many is closed at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from telephony.agi.errors import AgiError, AgiSessionLost, AgiUndeclaredVariable
from telephony.agi.registry import DONE_VARIABLE, AgiRegistry, AgiRequest, AgiRoute, request_of
from telephony.agi.session import AgiSession

SESSIONS_MAX: Final = 512
SESSION_LIMIT_S: Final = 1.8  # the dialplan itself gives up after 2 s
LATE_ROUTES_MAX: Final = 256
LATE_LIMIT_S: Final = 5.0
_STOP_LIMIT_S: Final = 2.0
_BACKLOG: Final = 512  # connections that wait to be accepted; one too many waits a second to try again


class AgiResult(StrEnum):
    """How a session ended."""

    OK = "ok"
    LATE = "late"  # the route missed its time limit; defaults were set
    FAILED = "failed"  # the route raised, or returned what it never declared; defaults were set
    UNKNOWN_ROUTE = "unknown_route"
    LOST = "lost"  # the session ended before CC_DONE was set
    TOO_MANY = "too_many"  # closed unheard


@dataclass(frozen=True, slots=True)
class AgiOutcome:
    """One session, for counters and logs.

    Attributes:
        path: The path asked for, as it came; empty for a session that was closed unheard.
        took_ms: From the complete environment to the end, in milliseconds.
        error: What went wrong, if anything did.
    """

    path: str
    result: AgiResult
    took_ms: float = 0.0
    error: BaseException | None = None


class AgiServer:
    """A FastAGI server on one port.

    Args:
        registry: The routes.
        on_outcome: Gets every session's end.
        on_late: Gets what a route returned after its time limit.
    """

    def __init__(
        self,
        registry: AgiRegistry,
        *,
        on_outcome: Callable[[AgiOutcome], object] = lambda outcome: None,
        on_late: Callable[[AgiRequest, Mapping[str, str]], object] = lambda request, values: None,
        sessions_max: int = SESSIONS_MAX,
        session_limit_s: float = SESSION_LIMIT_S,
        late_limit_s: float = LATE_LIMIT_S,
    ) -> None:
        self._registry = registry
        self._on_outcome, self._on_late = on_outcome, on_late
        self._sessions_max, self._session_limit_s = sessions_max, session_limit_s
        self._late_limit_s = late_limit_s
        self._sessions: dict[AgiSession, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.outcomes: Counter[tuple[str, AgiResult]] = Counter()

    @property
    def port(self) -> int:
        """The port it listens on."""
        assert self._server is not None, "not started"
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def sessions_count(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Port 0: any free one.

        Raises:
            OSError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_session, host, port, backlog=_BACKLOG)

    async def stop(self) -> None:
        """Take no more sessions, let those that run end, then cut what is left."""
        if self._server is None:
            return
        self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_LIMIT_S)
        for session in list(self._sessions):
            session.abort(AgiSessionLost("the server stops"))
        tasks = [*self._tasks, *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    # ------------------------------------------------------------ sessions

    def _make_session(self) -> AgiSession:
        session = AgiSession(self._begin, self._end)
        limit_s, reason = self._session_limit_s, f"longer than {self._session_limit_s} s"
        if len(self._sessions) >= self._sessions_max:
            limit_s, reason = 0.0, f"more than {self._sessions_max} sessions"
            self._report(AgiOutcome("", AgiResult.TOO_MANY))
        loop = asyncio.get_running_loop()
        self._sessions[session] = loop.call_later(limit_s, session.abort, AgiSessionLost(reason))
        return session

    def _begin(self, session: AgiSession) -> None:
        request = request_of(session.environment)
        task = asyncio.create_task(self._serve(session, request), name="agi-session")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end(self, session: AgiSession) -> None:
        self._sessions.pop(session).cancel()

    async def _serve(self, session: AgiSession, request: AgiRequest) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        result, error = AgiResult.LOST, None
        try:
            route = self._registry.find(request.path)
            if route is None:
                result = AgiResult.UNKNOWN_ROUTE
                await session.verbose("Holdless has no such AGI route; see docs/agi-routes.md")
            else:
                values, outcome, error = await self._answer(session, route, request)
                await session.set_variables({**values, DONE_VARIABLE: "1"})
                result = outcome
        except AgiError as failure:
            error = failure
        finally:
            session.close()
            self._report(AgiOutcome(request.path, result, (loop.time() - begun) * 1000, error))

    async def _answer(
        self, session: AgiSession, route: AgiRoute, request: AgiRequest
    ) -> tuple[Mapping[str, str], AgiResult, BaseException | None]:
        """Return what to set, how it went, and what went wrong."""
        if route.reads:
            variables = {name: await session.get_variable(name) or "" for name in route.reads}
            request = replace(request, variables=variables)
        look_up = asyncio.ensure_future(route.answer(request))
        try:
            await asyncio.wait((look_up,), timeout=route.time_limit_ms / 1000)
        except asyncio.CancelledError:
            look_up.cancel()
            raise
        if not look_up.done():
            self._let_finish(look_up, request)
            return route.defaults, AgiResult.LATE, None
        if look_up.cancelled():
            return route.defaults, AgiResult.FAILED, None
        if error := look_up.exception():
            return route.defaults, AgiResult.FAILED, error
        values = look_up.result()
        if undeclared := sorted(set(values) - set(route.returns)):
            return route.defaults, AgiResult.FAILED, AgiUndeclaredVariable(", ".join(undeclared))
        return values, AgiResult.OK, None

    def _let_finish(self, look_up: asyncio.Future[Mapping[str, str]], request: AgiRequest) -> None:
        if len(self._late) >= LATE_ROUTES_MAX:
            look_up.cancel()
            return
        task = asyncio.create_task(self._finish(look_up, request), name="agi-late")
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _finish(self, look_up: asyncio.Future[Mapping[str, str]], request: AgiRequest) -> None:
        try:
            async with asyncio.timeout(self._late_limit_s):
                values = await look_up
        except Exception as error:  # noqa: BLE001 - the guard of a task that nobody waits for
            self._report(AgiOutcome(request.path, AgiResult.FAILED, error=error))
        else:
            self._on_late(request, values)

    def _report(self, outcome: AgiOutcome) -> None:
        known = self._registry.find(outcome.path) is not None
        self.outcomes[outcome.path if known else "", outcome.result] += 1  # a bounded number of names
        self._on_outcome(outcome)
