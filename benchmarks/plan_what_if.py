"""A what-if slider over HTTP: how long the agents of four weeks take, from the question to the whole answer.

Run: ``python -m benchmarks.plan_what_if [--quick]``. Prints a table and, last, one JSON object. Server and
client share a process and the loopback; between two questions the client waits, as a hand at a slider does.
``cpu`` is the processor's time of both together, which other work on the machine disturbs less; ``lag`` the
longest stretch for which the loop did nothing else; ``echo`` the same question refused at the door, which is
what the way there and back costs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import socket
import time
from typing import Any

import httpx2
import uvicorn

from app.http.app import create_app
from tests.app.http.web import KEY, SmallServer

AIM_MS = 100.0
PATH = "/api/v1/plan/staffing"
PAUSE_S = 0.05
_LOOK_S = 0.001
_STARTED_LOOKS_MAX = 3_000


def question(interval_min: int, goals: dict[str, float], size: float = 1.0) -> dict[str, Any]:
    """Return four weeks of open days from eight to eight, with two peaks and a doubt each.

    Args:
        interval_min: Length of an interval.
        goals: What is promised.
        size: 1 is 8 erlangs at the highest peak.
    """
    slots = 12 * 60 // interval_min
    cases = []
    for day in range(28):
        for slot in range(slots):
            share = slot / slots
            shape = (
                0.5
                + math.exp(-(((share - 0.25) / 0.12) ** 2))
                + 0.7 * math.exp(-(((share - 0.65) / 0.15) ** 2))
            )
            calls = round(size * interval_min * shape * (1.3 if day % 7 == 0 else 1.0), 2)
            cases.append({"calls": calls, "calls_low": calls * 0.8, "calls_high": calls * 1.25, "aht_s": 240})
    return {"interval_s": interval_min * 60, "goals": goals, "cost_per_hour": 300, "cases": cases}


async def _longest_lag_s(asked: asyncio.Event) -> float:
    longest = 0.0
    while not asked.is_set():
        began_s = time.perf_counter()
        await asyncio.sleep(_LOOK_S)
        longest = max(longest, time.perf_counter() - began_s - _LOOK_S)
    return longest


async def _one(
    client: httpx2.AsyncClient, body: bytes, headers: dict[str, str]
) -> tuple[float, float, float]:
    """Return milliseconds from question to answer, of the processor, and of the loop's longest lag."""
    asked = asyncio.Event()
    watching = asyncio.create_task(_longest_lag_s(asked))
    await asyncio.sleep(PAUSE_S)
    began_s, cpu_s = time.perf_counter(), time.process_time()
    answer = await client.post(PATH, content=body, headers=headers)
    took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    asked.set()
    assert answer.status_code in (200, 401), answer.text
    return took_s * 1_000, cpu_s * 1_000, await watching * 1_000


async def measure(repeats: int) -> dict[str, Any]:
    """Return the figures of every case."""
    server = uvicorn.Server(uvicorn.Config(create_app(SmallServer()), log_config=None, lifespan="off"))
    figures: dict[str, Any] = {}
    heads = f"{'rows':>6}{'p50 ms':>9}{'p95 ms':>9}{'cpu':>7}{'echo':>8}{'lag':>7}"
    print(f"{'case':<34}{heads}   aim {AIM_MS:.0f} ms")
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve(sockets=[door]))
        url = f"http://127.0.0.1:{door.getsockname()[1]}"
        async with httpx2.AsyncClient(base_url=url, timeout=60.0) as client:
            for _ in range(_STARTED_LOOKS_MAX):
                if server.started:
                    break
                await asyncio.sleep(0.01)
            for name, interval_min, goals, size in (
                ("half hours, Erlang C", 30, {}, 1.0),
                ("half hours, Erlang A", 30, {"patience_s": 180.0}, 1.0),
                ("half hours, C, uncertain", 30, {"rate_cv": 0.1}, 1.0),
                ("half hours, A, uncertain", 30, {"patience_s": 180.0, "rate_cv": 0.1}, 1.0),
                ("half hours, A, very uncertain", 30, {"patience_s": 180.0, "rate_cv": 0.4}, 1.0),
                ("quarter hours, Erlang A", 15, {"patience_s": 180.0}, 1.0),
                ("quarter hours, A, uncertain", 15, {"patience_s": 180.0, "rate_cv": 0.1}, 1.0),
                ("half hours, A, uncertain, 100 erl", 30, {"patience_s": 180.0, "rate_cv": 0.1}, 13.0),
            ):
                asked = question(interval_min, goals, size)
                body = json.dumps(asked).encode()
                headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
                await _one(client, body, headers)
                took = [await _one(client, body, headers) for _ in range(repeats)]
                refused = [
                    await _one(client, body, headers | {"Authorization": "Bearer no"}) for _ in range(5)
                ]
                times = sorted(each[0] for each in took)
                told = {
                    "rows": len(asked["cases"]),
                    "p50_ms": round(times[len(times) // 2], 1),
                    "p95_ms": round(times[math.ceil(0.95 * len(times)) - 1], 1),
                    "echo_ms": round(min(each[0] for each in refused), 1),
                    "cpu_ms": round(min(each[1] for each in took), 1),
                    "lag_ms": round(sorted(each[2] for each in took)[len(took) // 2], 1),
                }
                figures[name] = told
                columns = (
                    ("rows", 6),
                    ("p50_ms", 9),
                    ("p95_ms", 9),
                    ("cpu_ms", 7),
                    ("echo_ms", 8),
                    ("lag_ms", 7),
                )
                print(f"{name:<34}" + "".join(f"{told[column]:>{width}}" for column, width in columns))
        server.should_exit = True
        await serving
    return figures


def main() -> None:
    """Print a table and one JSON object."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="few repeats")
    print(json.dumps(asyncio.run(measure(5 if options.parse_args().quick else 40))))


if __name__ == "__main__":
    main()
