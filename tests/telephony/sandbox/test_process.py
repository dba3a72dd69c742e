"""A process is gone when its last thread is, not when its first one is."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from pathlib import Path

from telephony.sandbox.process import reap, started_ticks

# The system call that ends the calling thread alone.
_EXIT = {"x86_64": 60, "aarch64": 93}
_FIRST_THREAD_ENDS = """
import ctypes, sys, threading
rest = threading.Thread(target=sys.stdin.read)
rest.start()
sys.stdout.write("ready\\n")
sys.stdout.flush()
ctypes.CDLL(None).syscall({number}, 0)
"""


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_process_whose_first_thread_ended_is_there_until_the_others_have() -> None:
    program = _FIRST_THREAD_ENDS.format(number=_EXIT[platform.machine()])
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        try:
            began = started_ticks(process.pid)
            assert began is not None
            deadline = time.monotonic() + 5.0
            while _state_of(process.pid) != "Z":
                assert time.monotonic() < deadline, "the first thread did not end"
            reap(process.pid)
            assert started_ticks(process.pid) == began
        finally:
            process.kill()
        process.wait()
        assert started_ticks(process.pid) is None
