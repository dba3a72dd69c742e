"""Agents for many intervals at once, beside pyworkforce in the same run; and how often each is wrong.

Run: ``python -m benchmarks.erlang``. pyworkforce brings large packages, so it is in no lock file: install it
into an environment of its own and name its interpreter, or its column stays empty:

    python -m venv .venv-peers && .venv-peers/bin/pip install -r requirements/peers.txt
    python -m benchmarks.erlang --peer .venv-peers/bin/python

Times are of the processor, best of three; other work on the machine disturbs wall clocks more than these.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.workforce.exact import erlang_b_sequence, erlang_c_missed
from workforce.staffing import staff

RUN_COUNT = 3
PEER_CASES = 1_000
PEER_ERL_MAX = 300.0
DEFAULT_PEER = Path(".venv-peers/bin/python")

# Runs in the peer's interpreter: cases as JSON on standard input, agents and seconds on standard output.
_PEER = """
import json, sys, time
from pyworkforce.queuing import ErlangC
cases = json.load(sys.stdin)
began = time.process_time()
agents = [
    ErlangC(transactions=calls, aht=aht / 60, interval=30, asa=limit / 60, shrinkage=0.0)
    .required_positions(service_level=target)["raw_positions"]
    for calls, aht, limit, target in cases
]
json.dump({"agents": agents, "took_s": time.process_time() - began}, sys.stdout)
"""


def cases(count: int, most_erl: float, seed: int) -> dict[str, Any]:
    """Return random intervals of half an hour."""
    rng = np.random.default_rng(seed)
    aht = rng.uniform(60.0, 600.0, count)
    return {
        "calls": 10 ** rng.uniform(0.0, np.log10(most_erl), count) * 1800.0 / aht,
        "interval_s": 1800.0,
        "aht_s": aht,
        "target": rng.uniform(0.5, 0.98, count),
        "threshold_s": rng.uniform(5.0, 60.0, count),
    }


def best_s(work: Callable[[], Any]) -> float:
    """Return the processor's seconds of the quickest of some runs."""
    took = []
    for _ in range(RUN_COUNT):
        began_s = time.process_time()
        work()
        took.append(time.process_time() - began_s)
    return min(took)


def wrong_count(given: dict[str, Any], agents: Any) -> int:
    """Count the cases in which *agents* are not the fewest that meet the target, by plain recursion."""
    wrong = 0
    for calls, aht, target, limit, n in zip(
        given["calls"], given["aht_s"], given["target"], given["threshold_s"], agents, strict=True
    ):
        traffic = float(calls / given["interval_s"] * aht)
        odds = erlang_b_sequence(traffic, int(n))
        at, below = (
            erlang_c_missed(odds[k], k, traffic, float(limit), float(aht)) for k in (int(n), int(n) - 1)
        )
        wrong += not (at <= 1 - target < below or (n == 1 and at <= 1 - target))
    return wrong


def peer_answer(interpreter: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Return what pyworkforce says, and its time."""
    columns = (given[name].tolist() for name in ("calls", "aht_s", "threshold_s", "target"))
    done = subprocess.run(
        [str(interpreter), "-c", _PEER],
        input=json.dumps(list(zip(*columns, strict=True))),
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def main() -> None:
    """Print a table and one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=Path, default=DEFAULT_PEER, help="interpreter that has pyworkforce")
    parser.add_argument("--quick", action="store_true", help="a short form")
    options = parser.parse_args()
    large_count = 10_000 if options.quick else 100_000
    figures: dict[str, float | int | None] = {}
    runs = [
        ("c_1000", 1_000, 1_000.0, {}, 10.0),
        ("a_1000", 1_000, 1_000.0, {"patience_s": 180.0}, 10.0),
        (f"c_{large_count}", large_count, 1e5, {}, 1_000.0),
        (f"a_{large_count}", large_count, 1e5, {"patience_s": 180.0}, 1_000.0),
        ("a_week_672", 672, 300.0, {"patience_s": 180.0}, 100.0),
        ("a_week_672_uncertain", 672, 300.0, {"patience_s": 180.0, "rate_cv": 0.1}, 100.0),
    ]
    print(f"{'run':<24}{'ms':>10}{'aim':>8}")
    for name, count, most_erl, more, aim_ms in runs:
        given = cases(count, most_erl, 1) | more
        took_ms = best_s(lambda given=given: staff(**given)) * 1_000  # type: ignore[misc]
        figures[f"{name}_ms"] = round(took_ms, 2)
        print(f"{name:<24}{took_ms:>10.1f}{aim_ms:>8.0f}")
    given = cases(PEER_CASES, PEER_ERL_MAX, 2)
    ours_s = best_s(lambda: staff(**given))
    figures["ours_1000_ms"] = round(ours_s * 1_000, 2)
    figures["ours_wrong"] = wrong_count(given, staff(**given).agents)
    figures["cases"] = PEER_CASES
    if options.peer.exists():
        peer = peer_answer(options.peer, given)
        figures["pyworkforce_1000_ms"] = round(peer["took_s"] * 1_000, 1)
        figures["pyworkforce_wrong"] = wrong_count(given, peer["agents"])
        figures["ratio_to_pyworkforce"] = round(peer["took_s"] / ours_s, 1)
    else:
        print("no pyworkforce: see the first lines of this file")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
