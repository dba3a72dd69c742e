"""How long agents' figures take over a month of a big centre, beside the limits of the other figures.

    .venv/bin/python -m benchmarks.agents_figures [--quick]

Each of 200 agents works ten hours on each of 30 days: 300 spans a day, every third of them a talk with its
offer. The rows are made in the database itself; each question is asked several times in a new transaction.
Makes a PostgreSQL of its own and leaves nothing.
"""

from __future__ import annotations

import asyncio
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text

from app.db.embedded import DATABASE, EmbeddedPostgres
from app.db.migrate import migrate
from app.db.provider import make_database
from app.db.session import DEFAULT_TENANT, Database
from app.figures.agent_facts import AgentsBy
from app.figures.agent_reader import AgentsAsked, AgentsDrill, agents_line, read_agents, read_behind
from app.figures.agent_schemas import agents_shown
from workforce.periods import PeriodStep

AGENTS, DAYS, SPANS = 200, 30, 300
AGENTS_QUICK, DAYS_QUICK = 5, 3
ZONE: Final = "Asia/Taipei"
DAY_S_MAX: Final = 1.0
_TRIES: Final = 5
_PLANT: Final = (
    """
    INSERT INTO agent (tenant_id, agent_id, display_name)
    SELECT 'main', 'a' || number, 'Agent ' || number FROM generate_series(1, :agents) AS number
    """,
    """
    INSERT INTO agent_membership (tenant_id, agent_id, valid_from)
    SELECT 'main', agent_id, '2000-01-01' FROM agent
    """,
    """
    INSERT INTO agent_span (tenant_id, day, agent_id, started_at, ended_at, state, reason, interaction_id)
    SELECT 'main', (began AT TIME ZONE 'UTC')::date, 'a' || agent, began,
        CASE WHEN span = :spans THEN began + interval '1 second' ELSE began + make_interval(secs => 120) END,
        (ARRAY['ready', 'talking', 'wrap_up'])[span % 3 + 1], '', CASE WHEN span % 3 > 0 THEN 'call' END
    FROM generate_series(1, :agents) AS agent, generate_series(0, :days - 1) AS day,
        generate_series(1, :spans) AS span,
        LATERAL (
            SELECT CAST(:first AS timestamptz) + make_interval(days => day, secs => 120 * span) AS began
        ) AS at
    """,
    """
    INSERT INTO interaction (tenant_id, day, interaction_id, medium, direction, started_at)
    SELECT 'main', day, 'c-' || agent_id || '-' || extract(epoch FROM started_at), 'voice', 'in', started_at
    FROM agent_span WHERE state = 'talking'
    """,
    """
    INSERT INTO offer (tenant_id, day, interaction_id, attempt, agent_id, offered_at, ended_at, outcome,
        talk_ended_at, talk_ms)
    SELECT 'main', day, 'c-' || agent_id || '-' || extract(epoch FROM started_at), 1, agent_id, started_at,
        started_at, 'answered', ended_at, 120000
    FROM agent_span WHERE state = 'talking'
    """,
)


async def _plant(database: Database, first: datetime, agents: int, days: int) -> int:
    values = {"agents": agents, "days": days, "spans": SPANS, "first": first}
    dates = [(first + timedelta(days=number)).date() for number in range(-1, days + 2)]
    async with database.owner_transaction() as connection:
        await connection.execute(text("SELECT ensure_log_partitions(:days)"), {"days": dates})
        for statement in _PLANT:
            needed = {name: value for name, value in values.items() if f":{name}" in statement}
            await connection.execute(text(statement), needed)
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM ANALYZE"))
    return agents * days * SPANS


async def _say(what: str, ask: Callable[[], Awaitable[int]], limit_s: float | None) -> bool:
    times, count = [], 0
    for _ in range(_TRIES):
        began_s = time.perf_counter()
        count = await ask()
        times.append(time.perf_counter() - began_s)
    again_s = statistics.median(times[1:])
    beside = "" if limit_s is None else f"   limit {limit_s * 1000:.0f} ms"
    print(
        f"{what:<44} {again_s * 1000:8.0f} ms (first {times[0] * 1000:.0f}), {count} rows{beside}", flush=True
    )
    return limit_s is None or again_s <= limit_s


async def run(server: EmbeddedPostgres, agents: int, days: int) -> bool:
    """Plant, ask, print; return whether the limits were held."""
    await make_database(server, DATABASE)
    database = Database(server.url())
    await migrate(database, DEFAULT_TENANT)
    first = datetime.now(UTC).replace(hour=1, minute=0, second=0, microsecond=0) - timedelta(days=days)
    count = await _plant(database, first, agents, days)
    print(f"{count:,} spans of {agents} agents on {days} days", flush=True)
    now_ms = int(time.time() * 1000)
    last = (first + timedelta(days=days - 1)).date()

    def table(since: date, step: PeriodStep, by: AgentsBy) -> Callable[[], Awaitable[int]]:
        asked = AgentsAsked(first=since, last=last, step=step, by=by, zone=ZONE)

        async def ask() -> int:
            shown = await asyncio.to_thread(
                agents_shown, await read_agents(database, DEFAULT_TENANT, asked, now_ms)
            )
            return len(shown.rows)

        return ask

    def behind(figure: str, key: str | None) -> Callable[[], Awaitable[int]]:
        asked = AgentsAsked(first=last, last=last, zone=ZONE)
        line = agents_line(figure)
        assert line is not None

        async def ask() -> int:
            wanted = AgentsDrill(line=line, key=key)
            return (await read_behind(database, DEFAULT_TENANT, asked, wanted, now_ms)).row_count

        return ask

    asked: list[tuple[str, Callable[[], Awaitable[Any]], float | None]] = [
        ("day by agent", table(last, PeriodStep.DAY, AgentsBy.AGENT), DAY_S_MAX),
        ("day by agent and quarter of an hour", table(last, PeriodStep.QUARTER, AgentsBy.AGENT), None),
        ("spans behind one agent's occupancy of a day", behind("OCCUPANCY", "a1"), DAY_S_MAX),
        ("calls behind everybody's AHT of a day", behind("AHT", None), DAY_S_MAX),
        ("month by team and day", table(first.date(), PeriodStep.DAY, AgentsBy.TEAM), None),
        ("month by agent", table(first.date(), PeriodStep.RANGE, AgentsBy.AGENT), None),
    ]
    held = [await _say(*one) for one in asked]
    await database.close()
    return all(held)


def main() -> None:
    """Run; the exit status says whether the limits were held."""
    is_quick = "--quick" in sys.argv[1:]
    directory = Path(tempfile.mkdtemp(prefix="holdless-bench-"))
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    try:
        size = (AGENTS_QUICK, DAYS_QUICK) if is_quick else (AGENTS, DAYS)
        held = asyncio.run(run(server, *size))
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)
    print("the limits were held" if held else "the limits were NOT held")
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
