"""The routes of an application as they are served, and the rights that they declare."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


@dataclass(frozen=True, slots=True)
class Declared:
    """One method of one route.

    Attributes:
        method: Of HTTP; ``WEBSOCKET`` for a socket.
        rights: Each right with its scope; exactly one, unless it is open.
        open_because: Why it asks for none; None: it does.
    """

    method: str
    path: str
    rights: frozenset[tuple[str, str]]
    open_because: str | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def route_table(app: FastAPI) -> list[Declared]:
    """Return every route that the application answers, whatever made it."""
    found = []
    for route in iter_route_contexts(app.routes):
        assert route.path is not None, f"{route} serves paths that nobody declared"
        gates = list(_gates(getattr(route, "dependant", None)))
        rights = frozenset((gate.permission, gate.scope) for gate in gates if hasattr(gate, "permission"))
        reasons = [gate.open_because for gate in gates if hasattr(gate, "open_because")]
        for method in sorted(route.methods or {"WEBSOCKET"}):
            found.append(Declared(method, route.path, rights, reasons[0] if reasons else None))
    return found


def _gates(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield dependant.call
        for inner in dependant.dependencies:
            yield from _gates(inner)
