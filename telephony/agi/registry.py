"""The registry of FastAGI routes: what a dialplan may ask, documented where it is written.

A route reads and decorates; it never routes and never makes a signal. It gets a request and returns
channel variables to set, out of those that it declared::

    registry = AgiRegistry()

    @registry.route("identify", doc="Who is calling.", returns={"CC_PARTY": "name of the party"})
    async def identify(request: AgiRequest) -> dict[str, str]:
        return {"CC_PARTY": await look_up(request.caller_number)}

The dialplan calls it with ``AGI(agi://host:port/identify?since=60)`` and looks at ``CC_DONE``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from telephony.agi.values import is_variable

DONE_VARIABLE: Final = "CC_DONE"
TIME_LIMIT_MS: Final = 150
QUERY_FIELDS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class AgiRequest:
    """What a route is asked.

    Attributes:
        path: The route's path, without slashes around it.
        query: What stood behind the ``?`` of the URL; of a repeated name the last counts.
        environment: The ``agi_*`` lines.
        variables: The channel variables that the route declared to read.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def uniqueid(self) -> str:
        """Asterisk's id of the channel that asks."""
        return self.environment.get("agi_uniqueid", "")

    @property
    def caller_number(self) -> str:
        """The caller's number as Asterisk knows it; empty when it is withheld."""
        return self._known("agi_callerid")

    @property
    def caller_name(self) -> str:
        """The caller's name as Asterisk knows it; empty when there is none. Anybody may write anything."""
        return self._known("agi_calleridname")

    @property
    def dialled_number(self) -> str:
        """The number that the caller dialled; empty when unknown."""
        return self._known("agi_dnid")

    def _known(self, name: str) -> str:
        value = self.environment.get(name, "")
        return "" if value == "unknown" else value


Answer = Callable[[AgiRequest], Awaitable[Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class AgiRoute:
    """One route.

    Attributes:
        path: Where it is reached, for instance ``ivr/next``.
        doc: One sentence for whoever writes a dialplan.
        answer: The coroutine function behind it.
        returns: Every variable that it may set, with its meaning.
        defaults: What is set when it fails or is late; other variables stay as they are.
        parameters: Every query field that it reads, with its meaning.
        reads: Channel variables that it wants to see (one round trip each; a query field costs none).
        time_limit_ms: How long the caller waits for it.
    """

    path: str
    doc: str
    answer: Answer
    returns: Mapping[str, str]
    defaults: Mapping[str, str]
    parameters: Mapping[str, str]
    reads: tuple[str, ...]
    time_limit_ms: int

    def describe(self) -> dict[str, Any]:
        """Return the route's documentation as plain values."""
        return {
            "path": self.path,
            "doc": self.doc,
            "parameters": dict(self.parameters),
            "reads": list(self.reads),
            "returns": dict(self.returns),
            "defaults": dict(self.defaults),
            "time_limit_ms": self.time_limit_ms,
        }


class AgiRegistry:
    """All routes of a server."""

    def __init__(self) -> None:
        self._routes: dict[str, AgiRoute] = {}

    def route(
        self,
        path: str,
        *,
        doc: str,
        returns: Mapping[str, str],
        defaults: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        reads: tuple[str, ...] = (),
        time_limit_ms: int = TIME_LIMIT_MS,
    ) -> Callable[[Answer], Answer]:
        """Register the decorated coroutine function under *path*."""
        path = path.strip("/")
        assert path, "a route needs a path"
        assert path not in self._routes, f"two routes at {path}"
        assert DONE_VARIABLE not in returns, f"{DONE_VARIABLE} is set by the server alone"
        assert all(map(is_variable, (*returns, *reads))), "only plain channel variables"
        assert set(defaults or {}) <= set(returns), "a default for a variable that is not declared"
        assert time_limit_ms > 0

        def register(answer: Answer) -> Answer:
            self._routes[path] = AgiRoute(
                path=path,
                doc=doc,
                answer=answer,
                returns=dict(returns),
                defaults=dict(defaults or {}),
                parameters=dict(parameters or {}),
                reads=reads,
                time_limit_ms=time_limit_ms,
            )
            return answer

        return register

    def find(self, path: str) -> AgiRoute | None:
        """Return the route at *path*, None when there is none."""
        return self._routes.get(path)

    def describe(self) -> list[dict[str, Any]]:
        """Return the documentation of all routes, by path."""
        return [self._routes[path].describe() for path in sorted(self._routes)]


def request_of(environment: Mapping[str, str]) -> AgiRequest:
    """Return the request that an environment makes; its path is empty when it names none.

    >>> request_of({"agi_network_script": "ivr/next?menu=main&step=2"}).query
    {'menu': 'main', 'step': '2'}
    """
    script = environment.get("agi_network_script", "")
    try:
        parts = urlsplit(f"agi://pbx/{script.lstrip('/')}")
        query = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX))
    except ValueError:
        return AgiRequest("", {}, environment)
    return AgiRequest(parts.path.strip("/"), query, environment)
