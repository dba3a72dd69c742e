"""What writing before acting costs: journal appends against bare SQLite autocommit, on this disk.

Run: ``python -m benchmarks.journal [seconds per case | --quick]``. Prints a table and, last, one JSON object.
Steps arrive at Poisson times (seeded) and are appended one by one as they come, like a dispatcher
under that load; a row is about 1 kB.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from app.live.journal import Journal, JournalRow

RATES_PER_S = (25, 100, 1_000)
SECONDS, SECONDS_QUICK = 10.0, 2.0
SEED = 7
_SCRATCH = Path(".holdless")  # on the disk of the checkout: /tmp may be memory
_SIGNAL = b'{"type":"InteractionWaiting","v":1,"pad":"' + b"x" * 300 + b'"}'
_EVENTS = b'[{"type":"QueueEntered","v":1,"pad":"' + b"x" * 500 + b'"}]'
_COMMANDS = b'[{"type":"OfferInteraction","v":1,"pad":"' + b"x" * 150 + b'"}]'


def quantile_ms(values_s: list[float], q: float) -> float:
    """Return the *q*-quantile of durations in seconds, in milliseconds, rounded to microseconds."""
    ordered = sorted(values_s)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))] * 1_000, 3)


def seconds_asked() -> float:
    """Return the seconds per case that the command line asks for."""
    asked = sys.argv[1] if len(sys.argv) > 1 else ""
    return SECONDS_QUICK if asked == "--quick" else float(asked or SECONDS)


def arrivals_s(rate_per_s: int, duration_s: float) -> list[float]:
    """Return Poisson arrival times, in seconds from the start."""
    dice = random.Random(SEED)
    times, at_s = [], 0.0
    while (at_s := at_s + dice.expovariate(rate_per_s)) < duration_s:
        times.append(at_s)
    return times


async def journal_appends(path: Path, times_s: list[float]) -> list[float]:
    """Return how long each append took, in seconds."""
    journal = await Journal.open(path)
    took_s: list[float] = []
    begin_s = time.perf_counter()
    waiting: set[asyncio.Task[None]] = set()

    async def append(seq: int) -> None:
        began_s = time.perf_counter()
        assert await journal.append([JournalRow(1, seq, seq, _SIGNAL, _EVENTS, _COMMANDS)])
        took_s.append(time.perf_counter() - began_s)

    for seq, at_s in enumerate(times_s, 1):
        if (wait_s := begin_s + at_s - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        task = asyncio.create_task(append(seq))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    await asyncio.gather(*waiting)
    assert not journal.late_count
    await journal.close()
    return took_s


def bare_appends(path: Path, times_s: list[float], synchronous: str) -> list[float]:
    """Return how long each autocommitted INSERT took, rollback journal and all, in seconds."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute(
        "CREATE TABLE step(epoch, seq, at_ms, signal, events, commands, PRIMARY KEY(epoch, seq))"
    )
    took_s: list[float] = []
    begin_s = time.perf_counter()
    for seq, at_s in enumerate(times_s, 1):
        if (wait_s := begin_s + at_s - time.perf_counter()) > 0:
            time.sleep(wait_s)
        began_s = time.perf_counter()
        connection.execute("INSERT INTO step VALUES (1,?,?,?,?,?)", (seq, seq, _SIGNAL, _EVENTS, _COMMANDS))
        took_s.append(time.perf_counter() - began_s)
    connection.close()
    return took_s


async def bulk_rows_per_s(path: Path, count: int = 50_000) -> int:
    """Return rows per second when the dispatcher always has a full batch of 64."""
    journal = await Journal.open(path)
    began_s = time.perf_counter()
    for first in range(1, count, 64):
        rows = [JournalRow(1, first + n, first, _SIGNAL, _EVENTS, _COMMANDS) for n in range(64)]
        assert await journal.append(rows)
    took_s = time.perf_counter() - began_s
    await journal.close()
    return round(count / took_s)


async def run(seconds: float) -> dict[str, object]:
    """Measure all cases, *seconds* each."""
    result: dict[str, object] = {"seed": SEED, "seconds_per_case": seconds, "row_bytes": 1_000}
    print(f"{'steps/s':>8} {'way':<24} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    with tempfile.TemporaryDirectory(dir=_SCRATCH, prefix="bench-") as directory:
        for rate_per_s in RATES_PER_S:
            times_s = arrivals_s(rate_per_s, seconds)
            base = Path(directory) / str(rate_per_s)
            base.mkdir()
            ways = {
                "journal": await journal_appends(base / "journal.sqlite3", times_s),
                "sqlite_autocommit_full": await asyncio.to_thread(
                    bare_appends, base / "full.sqlite3", times_s, "FULL"
                ),
                "sqlite_autocommit_normal": await asyncio.to_thread(
                    bare_appends, base / "normal.sqlite3", times_s, "NORMAL"
                ),
            }
            for way, took_s in ways.items():
                p50, p99, worst = (quantile_ms(took_s, q) for q in (0.5, 0.99, 1.0))
                print(f"{rate_per_s:>8} {way:<24} {p50:>8} {p99:>8} {worst:>8}")
                result[f"{way}_{rate_per_s}"] = {"p50_ms": p50, "p99_ms": p99, "max_ms": worst}
        result["bulk_rows_per_s"] = await bulk_rows_per_s(Path(directory) / "bulk.sqlite3")
    return result


def main() -> None:
    """Run and print the JSON object last."""
    _SCRATCH.mkdir(exist_ok=True)
    print(json.dumps(asyncio.run(run(seconds_asked()))))


if __name__ == "__main__":
    main()
