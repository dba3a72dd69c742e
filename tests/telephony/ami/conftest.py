from __future__ import annotations

from tests.pbx.fixtures import programs, sandbox, shared_sandbox

__all__ = ["programs", "sandbox", "shared_sandbox"]
