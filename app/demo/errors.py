"""What can go wrong with a demo; every message says what to do or where to look."""

from __future__ import annotations


class DemoError(Exception):
    """The demo cannot go on."""
