"""Logging: static text plus fields. Numbers and names of people stand in the field ``pii`` alone.

Whoever ships logs away drops one field; and no caller can write lines into a log, because what came
from outside is never part of a message and control characters never reach the output.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal

import structlog

VALUE_CHARS_MAX = 2_000
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), 0x7F)} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
}


def set_up_logs(level: str, form: Literal["text", "json"], *, pii: bool = True) -> None:
    """Set up logging for the whole process.

    Args:
        level: ``debug | info | warning | error``.
        form: ``text`` for people, ``json`` for machines (one object a line).
        pii: Whether the field ``pii`` is written; False drops it.
    """
    numeric = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if not pii:
        processors.append(_without_pii)
    if form == "json":
        processors += [structlog.processors.format_exc_info, _tamed, structlog.processors.JSONRenderer()]
    else:
        processors += [_tamed, _console()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(
        level=numeric, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )


def _console() -> structlog.dev.ConsoleRenderer:
    # Tracebacks plain: drawing one with its variables takes seconds, on the loop that routes calls.
    plain = structlog.dev.plain_traceback
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)


def tame(text: str) -> str:
    """Return *text* as one printable line of bounded length.

    >>> tame("Eve\\r\\nAction: Originate")
    'Eve\\\\r\\\\nAction: Originate'
    """
    shown = text[:VALUE_CHARS_MAX].translate(_CONTROLS)
    return shown + "…" if len(text) > VALUE_CHARS_MAX else shown


def _without_pii(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event.pop("pii", None)
    return event


def _tamed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if name != "exception":
            event[name] = _tame_all(value)
    return event


def _tame_all(value: Any) -> Any:
    match value:
        case str():
            return tame(value)
        case Mapping():
            return {tame(str(key)): _tame_all(item) for key, item in value.items()}
        case list() | tuple():
            return [_tame_all(item) for item in value]
        case _:
            return value
