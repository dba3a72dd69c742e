"""Which function does which kind of job; imported only in the worker that does it.

``app/job_kinds.py`` registers them all. A function is ``async def work(work: Work) -> dict`` and returns
what stands in the job's ``result``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from app.jobs.rules import job_kind
from app.jobs.work import Work

Function = Callable[[Work], Awaitable[dict[str, Any]]]

_PLACES: dict[str, str] = {}


def register(kind: str, place: str) -> None:
    """Let jobs of *kind* be done by the function at *place*, ``package.module:function``.

    Raises:
        ValueError: the kind has another function already, or is none.
    """
    if _PLACES.setdefault(job_kind(kind), place) != place:
        raise ValueError(f"jobs of kind {kind} are done by {_PLACES[kind]} already")


def function_of(kind: str) -> Function:
    """Return the function for *kind*, importing it.

    Raises:
        KeyError: nobody registered the kind.
    """
    module, _, name = _PLACES[kind].partition(":")
    function: Function = getattr(import_module(module), name)
    return function


def kinds() -> frozenset[str]:
    """Return the kinds that can be done."""
    return frozenset(_PLACES)
