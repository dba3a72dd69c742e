"""The root of everything that can go wrong between Holdless and a PBX."""

from __future__ import annotations


class TelephonyError(Exception):
    """The PBX, the line to it, or the machine that runs it misbehaved."""
