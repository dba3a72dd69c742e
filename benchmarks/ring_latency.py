"""From the decision to a ringing phone, on a real Asterisk under load, beside the PBX alone.

Run: ``python -m benchmarks.ring_latency [--quick]``. Prints a table and, last, one JSON object.
*Decision to ring* is the product's own log: the offer's stamp to the stamp of the PBX's "ringing".
*Waiting to INVITE* is from the PBX's stamp of the waiting caller to the INVITE at the phone, and
*call to INVITE* from the caller's INVITE to the agent's; both include the PBX's share. The limit, in
the same run: a caller who waits and is redirected at once by a bare AMI client, and plain ``Dial()``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.journal import quantile_ms
from benchmarks.live_centre import (
    LiveCentre,
    entry_of,
    load_average,
    open_centre,
    plain_dial,
    plain_wait,
    quantile_of_ms,
)
from benchmarks.players import Played
from telephony.ami.codec import AmiMessage
from telephony.ami.link import AmiLink

CALLS_PER_S = (10, 25)
SECONDS, SECONDS_PLAIN = 30.0, 20.0
SECONDS_QUICK = 5.0
SETTLE_S = 20.0
_POLL_S = 0.2
_SCRATCH = Path(".holdless")
_ENDED = (
    "SELECT count(*) AS n FROM event WHERE tenant_id = :tenant AND type = 'ContactEnded' AND at >= :since"
)
_RANG = (
    "SELECT extract(epoch FROM at)::float8 - (body ->> 'offered_at_ms')::float8 / 1000 AS s FROM event"
    " WHERE tenant_id = :tenant AND type = 'AgentRang' AND at >= :since"
)
_WAITED = (
    "SELECT c.body ->> 'caller_number' AS number, extract(epoch FROM q.occurred_at)::float8 * 1000 AS ms"
    " FROM event q JOIN event c USING (tenant_id, day, interaction_id) WHERE tenant_id = :tenant"
    " AND q.type = 'QueueEntered' AND c.type = 'ContactStarted' AND q.at >= :since"
)
_HANDED_OVER = (
    "SELECT count(*) AS n FROM event"
    " WHERE tenant_id = :tenant AND type = 'InteractionHandedOver' AND at >= :since"
)


async def product(centre: LiveCentre, calls_per_s: int, seconds: float) -> dict[str, Any]:
    """Measure the product at one rate."""
    since, before, cpu = datetime.now(UTC), await centre.metrics(), centre.cpu()
    played = await centre.players.play(entry_of, calls_per_s, seconds)
    used, after = centre.cpu() - cpu, await centre.metrics()
    for _ in range(round(SETTLE_S / _POLL_S)):
        if (await centre.rows(_ENDED, since=since))[0].n >= len(played.calls):
            break
        await asyncio.sleep(_POLL_S)
    rang_s = [row.s for row in await centre.rows(_RANG, since=since)]
    waited_ms = {row.number: row.ms for row in await centre.rows(_WAITED, since=since)}
    invited_s = [
        (call.invited_ms - waited_ms[call.number]) / 1000
        for call in played.calls
        if call.invited_ms is not None and call.number in waited_ms
    ]

    def figure(name: str, q: float) -> float:
        return quantile_of_ms(before, after, f"holdless_{name}_seconds", q)

    return {
        **_seen(played),
        "logged_count": (await centre.rows(_ENDED, since=since))[0].n,
        "handed_to_fallback_count": (await centre.rows(_HANDED_OVER, since=since))[0].n,
        **_spread("decision_to_ring", rang_s),
        **_spread("waiting_to_invite", invited_s),
        "decision_ms_p50": figure("decision", 0.5),
        "decision_ms_p99": figure("decision", 0.99),
        "journal_append_ms_p99": figure("journal_append", 0.99),
        "loop_lag_ms_p50": figure("loop_lag", 0.5),
        "loop_lag_ms_p99": figure("loop_lag", 0.99),
        **used.per_call_ms(len(played.calls)),
    }


async def plain(
    centre: LiveCentre, entry: Callable[[int], str], calls_per_s: int, seconds: float
) -> dict[str, Any]:
    """Measure the PBX by itself at one rate."""
    cpu = centre.cpu()
    played = await centre.players.play(entry, calls_per_s, seconds)
    used = (centre.cpu() - cpu).per_call_ms(len(played.calls))
    return {**_seen(played), "asterisk_cpu_ms_per_call": used["asterisk_cpu_ms_per_call"]}


async def redirected(centre: LiveCentre, calls_per_s: int, seconds: float) -> dict[str, Any]:
    """Measure a bare AMI client that redirects every waiting caller at once."""
    sandbox = centre.sandbox
    asked_s: dict[str, float] = {}
    rang_s: list[float] = []

    def hear(message: AmiMessage) -> None:
        if message.get("UserEvent") == "BenchWaiting":
            channel, agent = message.get("Uniqueid", ""), message.get("Agent", "")
            asked_s[channel] = time.perf_counter()
            control.send(
                (
                    ("Action", "Redirect"),
                    ("Channel", channel),
                    ("Context", "bench-go"),
                    ("Exten", agent),
                    ("Priority", "1"),
                )
            )
        elif message.name == "DialState" and message.get("DialStatus") == "RINGING":
            channel = message.get("Uniqueid", "")
            if channel in asked_s:
                rang_s.append(time.perf_counter() - asked_s.pop(channel))

    def link(name: str, secret: str, events: bool) -> AmiLink:
        return AmiLink(sandbox.host, sandbox.ami_port, name, secret, events=events, on_message=hear)

    control = link(sandbox.control_user.name, sandbox.control_user.secret, False)
    events = link(sandbox.events_user.name, sandbox.events_user.secret, True)
    running = [asyncio.create_task(one.run()) for one in (control, events)]
    try:
        for _ in range(round(SETTLE_S / _POLL_S)):
            if control.connected and events.connected:
                break
            await asyncio.sleep(_POLL_S)
        figures = await plain(centre, plain_wait, calls_per_s, seconds)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return {**figures, **_spread("decision_to_ring", rang_s)}


def _seen(played: Played) -> dict[str, Any]:
    return {
        "calls": len(played.calls),
        "failed": len(played.failed),
        **_spread("call_to_invite", played.invite_to_invite_s()),
        "retransmitted": played.retransmitted_count,
        "players_cpu_share": round(played.cpu_share, 2),
        "load_average": load_average(),
    }


def _spread(name: str, values_s: list[float]) -> dict[str, float]:
    if not values_s:
        return {}
    return {
        f"{name}_ms_p50": quantile_ms(values_s, 0.5),
        f"{name}_ms_p99": quantile_ms(values_s, 0.99),
        f"{name}_ms_max": quantile_ms(values_s, 1.0),
    }


async def run(scratch: Path, *, quick: bool) -> dict[str, Any]:
    """Measure all cases."""
    seconds, seconds_plain = (SECONDS_QUICK, SECONDS_QUICK) if quick else (SECONDS, SECONDS_PLAIN)
    result: dict[str, Any] = {"load_average_before": load_average()}
    top = CALLS_PER_S[-1]
    with tempfile.TemporaryDirectory(dir=scratch, prefix="bench-") as directory:
        async with open_centre(Path(directory)) as centre:
            for calls_per_s in CALLS_PER_S:
                result[f"product_{calls_per_s}"] = await product(centre, calls_per_s, seconds)
            await centre.stop_server()
            result[f"redirect_{top}"] = await redirected(centre, top, seconds_plain)
            result[f"plain_dial_{top}"] = await plain(centre, plain_dial, top, seconds_plain)
    return result


def table(cases: dict[str, dict[str, Any]]) -> Table:
    """Return the cases side by side."""
    names = list(dict.fromkeys(name for figures in cases.values() for name in figures))
    shown = Table("figure", *cases)
    for name in names:
        shown.add_row(name, *(str(figures.get(name, "")) for figures in cases.values()))
    return shown


def main() -> None:
    """Run and print the JSON object last."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a few seconds per case")
    quick = options.parse_args().quick
    _SCRATCH.mkdir(exist_ok=True)
    result = asyncio.run(run(_SCRATCH, quick=quick))
    Console(width=200).print(
        table({name: figures for name, figures in result.items() if isinstance(figures, dict)})
    )
    print(json.dumps(result))


if __name__ == "__main__":
    main()
