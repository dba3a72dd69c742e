"""Processes by number, made safe: a number alone may meanwhile belong to somebody else."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def started_ticks(pid: int) -> int | None:
    """Return when the process began (field 22 of its ``stat``), None when it is gone or a zombie.

    One whose first thread ended while others still do (field 20 counts them) is there: it holds its sockets.
    """
    try:
        fields = (
            Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    is_over = fields[0] in "ZX" and int(fields[17]) <= 1
    return None if is_over else int(fields[19])


def reap(pid: int) -> None:
    """Collect the process when it ended and is our child."""
    with contextlib.suppress(ChildProcessError):  # another process started it
        os.waitpid(pid, os.WNOHANG)
