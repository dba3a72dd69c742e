"""How fast the journal drains into PostgreSQL, beside a bare ``executemany`` of the same events.

The drainer does more than that: it inserts each event once, folds it, writes the interaction's rows,
and moves its cursor in the same transaction. Both run on the same embedded, durable server.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import orjson

from app.db.bulk import moment
from app.db.migrate import migrate
from app.db.provider import Provider
from app.db.session import DEFAULT_TENANT, Database, driver
from app.live.drainer import PAGE_ROWS_MAX, Drainer, events_in
from app.live.journal_writer import JournalRow

CALLS = 4_000
CALLS_LIVE = 300
_QUEUE, _AGENTS = "sales", 50
_MOMENT = "timestamptz 'epoch' + {} * interval '1 millisecond'"
_INSERT = (
    "INSERT INTO event (tenant_id, day, epoch, seq, ordinal, at, occurred_at, type, v, interaction_id, "
    f"agent_id, queue_id, body) VALUES ($1, $2, $3, $4, $5, {_MOMENT.format('$6')}, {_MOMENT.format('$7')}, "
    "$8, $9, $10, $11, $12, $13::text::jsonb)"
)


class _ListJournal:
    def __init__(self, rows: list[JournalRow]) -> None:
        self._rows = rows

    async def read_after(self, epoch: int, seq: int, count_max: int = 1_000) -> list[JournalRow]:
        begin = seq if epoch == self._rows[0].epoch else 0
        return self._rows[begin : begin + count_max]


def journal_of(epoch: int, calls: int) -> list[JournalRow]:
    """Steps of answered calls, 13 events each, forty calls going on at once."""
    start_ms = int(time.time() * 1000) - 3_600_000
    steps: list[tuple[int, list[dict[str, object]]]] = []
    for number in range(calls):
        call = f"bench-{start_ms // 1000 + epoch}.{number}"
        agent = f"a{1000 + number % _AGENTS}"
        at_ms = start_ms + number * 500
        one = {"v": 1, "interaction_id": call}
        base: dict[str, object] = {"agent_id": agent, "attempt": 1}
        visit: dict[str, object] = {"queue_id": _QUEUE, "visit": 1}
        wrap: dict[str, object] = {"agent_id": agent, "queue_id": _QUEUE, "until_ms": None}
        plan: list[tuple[int, list[tuple[str, dict[str, object]]]]] = [
            (0, [("ContactStarted", _contact())]),
            (300, [("QueueEntered", visit | {"queued_at_ms": at_ms + 300, "priority_ms": 0})]),
            (
                900,
                [("InteractionOffered", base | visit | {"wait_ms": 600, "explanation": {"chosen": agent}})],
            ),
            (1_100, [("AgentRang", base | {"leg_id": None, "offered_at_ms": at_ms + 900})]),
            (
                5_000,
                [
                    ("QueueLeft", visit | {"exit": "answered", "wait_ms": 4_700}),
                    (
                        "InteractionAnswered",
                        base | visit | {"leg_id": None, "wait_ms": 4_700, "ring_ms": 3_900},
                    ),
                ],
            ),
            (9_000, [("HoldStarted", {"agent_id": agent})]),
            (11_000, [("HoldEnded", {"agent_id": agent, "hold_ms": 2_000})]),
            (
                20_000,
                [
                    (
                        "TalkEnded",
                        {
                            "agent_id": agent,
                            "queue_id": _QUEUE,
                            "talk_ms": 13_000,
                            "hold_ms": 2_000,
                            "ended_by": "customer",
                            "reason": "",
                        },
                    ),
                    ("WrapUpStarted", wrap),
                    ("ContactEnded", {"ended_by": "customer", "hangup_cause": 16, "reason": "hangup"}),
                ],
            ),
            (30_000, [("WrapUpDone", {"agent_id": agent, "wrap_up_ms": 10_000})]),
        ]
        for after_ms, events in plan:
            stamp = {"at_ms": at_ms + after_ms + 20, "occurred_ms": at_ms + after_ms}
            steps.append((at_ms + after_ms, [{"type": name} | one | stamp | body for name, body in events]))
    steps.sort(key=lambda step: step[0])
    return [
        JournalRow(epoch, seq, at_ms, b"{}", orjson.dumps(events), b"[]")
        for seq, (at_ms, events) in enumerate(steps, 1)
    ]


def _contact() -> dict[str, object]:
    return {
        "medium": "voice",
        "direction": "in",
        "entry_point": "8000",
        "caller_number": "+886912345678",
        "caller_name": "王小明",
        "attributes": {},
    }


async def _executemany(database: Database, rows: list[JournalRow]) -> float:
    """Insert the same events, 1,000 steps to a transaction; return the seconds."""
    values = [
        [
            (
                *(DEFAULT_TENANT, item.day, item.epoch, item.seq, item.ordinal, moment(item.at_ms)),
                *(moment(item.at_ms), item.body["type"], 1, item.interaction_id, item.body.get("agent_id")),
                *(item.body.get("queue_id"), orjson.dumps(item.body).decode()),
            )
            for row in rows[begin : begin + 1_000]
            for item in events_in(row)
        ]
        for begin in range(0, len(rows), 1_000)
    ]
    started_s = time.perf_counter()
    for page in values:
        async with database.transaction(DEFAULT_TENANT) as connection:
            await (await driver(connection)).executemany(_INSERT, page)
    return time.perf_counter() - started_s


async def drained_s(database: Database, rows: list[JournalRow], page_rows: int) -> tuple[float, list[float]]:
    """Drain *rows*; return the seconds of all, and of each page, sorted."""
    drainer = Drainer(
        _ListJournal(rows), database, DEFAULT_TENANT, journal_id=str(rows[0].epoch), page_rows_max=page_rows
    )
    pages_s: list[float] = []
    started_s = time.perf_counter()
    while True:
        page_started_s = time.perf_counter()
        if await drainer.drain_page() == 0:
            break
        pages_s.append(time.perf_counter() - page_started_s)
    return time.perf_counter() - started_s, sorted(pages_s)


async def _figures(directory: Path) -> dict[str, object]:
    provider = Provider(None, directory)
    database = Database(await provider.start())
    await migrate(database, DEFAULT_TENANT)
    bare, drained, live = journal_of(1, CALLS), journal_of(2, CALLS), journal_of(3, CALLS_LIVE)
    event_count = sum(len(orjson.loads(row.events)) for row in bare)
    bare_s = await _executemany(database, bare)
    drain_s, _ = await drained_s(database, drained, PAGE_ROWS_MAX)
    live_s, live_pages_s = await drained_s(database, live, 5)
    await database.close()
    await provider.stop()
    return {
        "events": event_count,
        "executemany_events_per_s": round(event_count / bare_s),
        "drainer_events_per_s": round(event_count / drain_s),
        "drainer_calls_per_s": round(CALLS / drain_s),
        "live_page_of_5_steps_ms_p50": round(live_pages_s[len(live_pages_s) // 2] * 1000, 2),
        "live_page_of_5_steps_ms_p99": round(live_pages_s[int(len(live_pages_s) * 0.99)] * 1000, 2),
        "live_calls_per_s": round(CALLS_LIVE / live_s),
        "cores": os.cpu_count(),
    }


def main() -> None:
    """Print the figures as one JSON object."""
    directory = Path(tempfile.mkdtemp(prefix="holdless-bench-"))
    try:
        print(json.dumps({"recorder": asyncio.run(_figures(directory))}))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    main()
