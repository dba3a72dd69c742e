"""Logs of the tests: as the house has them by default, with plain tracebacks."""

from __future__ import annotations

import structlog


def plain_logs() -> None:
    """Set up the logs; to draw one traceback with its variables takes seconds."""
    structlog.reset_defaults()
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
