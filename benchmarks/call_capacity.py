"""The highest call rate without a failed call: the product beside plain ``Dial()`` on the same Asterisk.

Run: ``python -m benchmarks.call_capacity [--quick]``. Prints a table and, last, one JSON object. The
rate rises in steps until a call fails: no agent answered within five seconds, the call never ended, or
the PBX's fallback queue had to take it. CPU is per call, of each process. Callers and phones share the
machine: where ``players_cpu_share`` nears 1, they are the limit and not what they test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.journal import quantile_ms
from benchmarks.live_centre import LiveCentre, entry_of, load_average, open_centre, plain_dial
from benchmarks.players import Played
from benchmarks.ring_latency import table

RATES_PER_S = (10, 20, 30, 40, 50)
RATES_QUICK_PER_S = (10, 20)
SECONDS, SECONDS_QUICK = 8.0, 4.0
PAUSE_S = 1.0  # between two rates: what the last one left ends
SETTLE_S = 10.0
_POLL_S = 0.2
_SCRATCH = Path(".holdless")
_OUTCOMES = (
    "SELECT count(*) FILTER (WHERE type = 'ContactEnded') AS ended,"
    " count(*) FILTER (WHERE type = 'InteractionHandedOver') AS handed_over"
    " FROM event WHERE tenant_id = :tenant AND at >= :since"
)

Measure = Callable[[int], Awaitable[dict[str, Any]]]


async def product(centre: LiveCentre, calls_per_s: int, seconds: float) -> dict[str, Any]:
    """Play one rate through the product; what its log lacks has failed too."""
    since, cpu = datetime.now(UTC), centre.cpu()
    played = await centre.players.play(entry_of, calls_per_s, seconds)
    used = centre.cpu() - cpu
    for _ in range(round(SETTLE_S / _POLL_S)):
        outcomes = (await centre.rows(_OUTCOMES, since=since))[0]
        if outcomes.ended >= len(played.calls):
            break
        await asyncio.sleep(_POLL_S)
    failed_count = max(len(played.failed) + outcomes.handed_over, len(played.calls) - outcomes.ended)
    return {**_seen(played, failed_count), **used.per_call_ms(len(played.calls))}


async def plain(centre: LiveCentre, calls_per_s: int, seconds: float) -> dict[str, Any]:
    """Play one rate through plain dialplan."""
    cpu = centre.cpu()
    played = await centre.players.play(plain_dial, calls_per_s, seconds)
    used = (centre.cpu() - cpu).per_call_ms(len(played.calls))
    return {
        **_seen(played, len(played.failed)),
        "asterisk_cpu_ms_per_call": used["asterisk_cpu_ms_per_call"],
    }


def _seen(played: Played, failed_count: int) -> dict[str, Any]:
    invite_s = played.invite_to_invite_s()
    return {
        "calls": len(played.calls),
        "failed": failed_count,
        "call_to_invite_ms_p50": quantile_ms(invite_s, 0.5) if invite_s else None,
        "call_to_invite_ms_p99": quantile_ms(invite_s, 0.99) if invite_s else None,
        "retransmitted": played.retransmitted_count,
        "players_cpu_share": round(played.cpu_share, 2),
        "load_average": load_average(),
    }


async def climb(name: str, rates: tuple[int, ...], measure: Measure) -> dict[str, Any]:
    """Raise the rate until a call fails; return each rate's figures and the highest without a failure."""
    figures: dict[str, Any] = {f"{name}_calls_per_s_max": 0}
    for calls_per_s in rates:
        case = figures[f"{name}_{calls_per_s}"] = await measure(calls_per_s)
        if case["failed"]:
            break
        figures[f"{name}_calls_per_s_max"] = calls_per_s
        await asyncio.sleep(PAUSE_S)
    return figures


async def run(scratch: Path, *, quick: bool) -> dict[str, Any]:
    """Climb with both."""
    rates, seconds = (RATES_QUICK_PER_S, SECONDS_QUICK) if quick else (RATES_PER_S, SECONDS)
    result: dict[str, Any] = {"load_average_before": load_average()}
    with tempfile.TemporaryDirectory(dir=scratch, prefix="bench-") as directory:
        async with open_centre(Path(directory)) as centre:
            result |= await climb("product", rates, lambda rate: product(centre, rate, seconds))
            await centre.stop_server()
            result |= await climb("plain_dial", rates, lambda rate: plain(centre, rate, seconds))
    result["rate_tried_max"] = rates[-1]
    return result


def main() -> None:
    """Run and print the JSON object last."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="two rates of a few seconds each")
    quick = options.parse_args().quick
    _SCRATCH.mkdir(exist_ok=True)
    result = asyncio.run(run(_SCRATCH, quick=quick))
    console = Console(width=200)
    for name in ("product", "plain_dial"):
        console.print(
            table({key: value for key, value in result.items() if key.startswith(name) and key[-1].isdigit()})
        )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
