"""kill -9 and a disk that takes no more, on a process of its own and a real file."""

from __future__ import annotations

import select
import subprocess
import sys
import time
from pathlib import Path

from app.live.journal import Journal
from app.live.rows import signal_of
from routing.signals import HangupRequested

ROOT = Path(__file__).resolve().parents[3]
BOUND_S = 30.0


def lines_until(process: subprocess.Popen[bytes], count: int, prefix: str) -> list[str]:
    """Return the lines up to the *count*-th that begins with *prefix*."""
    assert process.stdout is not None
    ends_s = time.monotonic() + BOUND_S
    lines: list[str] = []
    found = 0
    while found < count:
        assert time.monotonic() < ends_s, "the server said too little in time"
        if select.select([process.stdout], [], [], 0.5)[0]:
            line = process.stdout.readline().decode().strip()
            assert line, "the server ended by itself"
            lines.append(line)
            found += line.startswith(prefix)
    return lines


def start(directory: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.app.live.killed_server", str(directory), *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )


async def journalled(path: Path) -> set[str]:
    journal = await Journal.open(path)
    kept = set()
    async for row in journal.tail_after(0, 0):
        signal = signal_of(row)
        if isinstance(signal, HangupRequested):
            kept.add(f"{row.epoch} {signal.interaction_id}")
    await journal.close()
    return kept


async def test_what_was_answered_or_sent_survives_kill_9_and_epochs_rise(tmp_path: Path) -> None:
    said: list[str] = []
    for kill in range(4):
        process = start(tmp_path)
        said += lines_until(process, 40 + 57 * kill, "answered")
        process.kill()
        assert process.stdout is not None
        said += process.stdout.read().decode().split("\n")[:-1]
        process.stdout.close()
        process.wait(timeout=BOUND_S)
    kept = await journalled(tmp_path / "journal.sqlite3")
    answered = {line.removeprefix("answered ") for line in said if line.startswith("answered")}
    sent = {line.removeprefix("sent ") for line in said if line.startswith("sent")}
    assert len(answered) >= 400
    assert answered <= kept
    assert sent <= kept
    assert {line.split()[0] for line in answered} == {"1", "2", "3", "4"}


async def test_a_file_that_may_not_grow_degrades_the_journal_and_not_the_routing(tmp_path: Path) -> None:
    process = start(tmp_path, str(512 * 1024))
    try:
        lines_until(process, 1, "degraded")
        lines_until(process, 500, "sent")  # at full speed, without the disk
        assert process.poll() is None
    finally:
        process.kill()
        process.wait(timeout=BOUND_S)
        assert process.stdout is not None
        process.stdout.close()
    assert len(await journalled(tmp_path / "journal.sqlite3")) > 100  # what was written before is whole
