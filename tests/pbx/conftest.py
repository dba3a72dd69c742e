from __future__ import annotations

from tests.pbx.fixtures import control, events, programs, sandbox, shared_sandbox, sipp

__all__ = ["control", "events", "programs", "sandbox", "shared_sandbox", "sipp"]
