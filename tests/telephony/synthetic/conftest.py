"""A private Asterisk for the tests here that want a real one."""

from __future__ import annotations

from tests.pbx.fixtures import control, events, programs, sandbox, shared_sandbox

__all__ = ["control", "events", "programs", "sandbox", "shared_sandbox"]
