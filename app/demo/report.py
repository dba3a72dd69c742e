"""What a demo run was, read from the log and the PBX's own record: for people, and as a JSON object."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from app.calls.reconciliation import Reconciliation, reconcile
from app.db.session import DEFAULT_TENANT, Database
from app.figures.queries import queue_cells
from routing.events import QueueExit
from routing.ids import QueueId
from telephony.cel import read_calls
from telephony.sandbox.instance import Sandbox
from telephony.synthetic.tally import CrowdTally
from workforce.formulas import AB, ASA, SERVICE_LEVELS
from workforce.measures import Cell, total

SETTLE_S: Final = 20.0  # from the last hang-up to its row in the database
_POLL_S: Final = 0.2
_LATENCIES = text(
    "SELECT (extract(epoch FROM at) * 1000)::float - (body ->> 'offered_at_ms')::float AS ms FROM event"
    " WHERE tenant_id = :tenant AND type = 'AgentRang' AND at >= :since AND day >= :day"
)


@dataclass(frozen=True, slots=True)
class DemoReport:
    """One run.

    Attributes:
        figures: The JSON object; figures without calls are None.
        by_queue: Cells of the queue visits that began in the run.
        checked: The log beside the channel event log.
        placed_count: Calls that the synthetic customers placed.
    """

    figures: dict[str, Any]
    by_queue: dict[QueueId | None, Cell]
    checked: Reconciliation
    placed_count: int

    @property
    def adds_up(self) -> bool:
        """Whether callers, PBX and log tell of the same calls."""
        return self.checked.is_clean and self.checked.log_count == self.placed_count

    def print(self, console: Console) -> None:
        """Print the figures as a table, and every difference."""
        table = Table("queue", "offered", "answered", "abandoned", "SL-C", "ASA s", "abandoned %")
        for queue_id, cell in sorted(self.by_queue.items(), key=lambda item: item[0] or ""):
            table.add_row(queue_id or "-", *_row(cell))
        table.add_row("all", *_row(total(self.by_queue.values())))
        console.print(table)
        checked = self.checked
        console.print(
            f"{self.placed_count} calls placed, {checked.cel_count} in Asterisk's log,"
            f" {checked.log_count} in ours; missing {len(checked.cel_minus_log)},"
            f" too many {len(checked.log_minus_cel)}, twice {len(checked.twice)},"
            f" told differently {len(checked.differing)}"
        )
        for difference in checked.differing:
            console.print(f"  {difference}")


async def report_of(database: Database, sandbox: Sandbox, tally: CrowdTally, since: datetime) -> DemoReport:
    """Wait until the log has settled, and read it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + SETTLE_S
    while True:
        calls = await asyncio.to_thread(read_calls, sandbox.cel_path)
        until = datetime.now(UTC)
        async with database.snapshot(DEFAULT_TENANT) as connection:
            checked = await reconcile(connection, DEFAULT_TENANT, calls.values(), since, until)
        if (checked.is_clean and checked.log_count == len(tally.calls)) or loop.time() > deadline:
            break
        await asyncio.sleep(_POLL_S)
    async with database.snapshot(DEFAULT_TENANT) as connection:
        by_queue = await queue_cells(connection, DEFAULT_TENANT, since, until)
        values = {"tenant": DEFAULT_TENANT, "since": since, "day": since.date()}
        latencies = [row.ms for row in await connection.execute(_LATENCIES, values)]
    whole = total(by_queue.values())
    body = {
        "offered": whole.offered_count,
        "answered": whole.answered_count,
        "abandoned": whole.abandoned_count,
        "fallback": whole.exits(QueueExit.FALLBACK, QueueExit.QUEUE_TIMEOUT),
        "service_level": _rounded(SERVICE_LEVELS["SL-C"](whole), 4),
        "asa_s": _rounded(ASA(whole), 2),
        "cel_minus_log": len(checked.cel_minus_log),
        "log_minus_cel": len(checked.log_minus_cel),
        "decision_to_ring_ms_p50": _quantile(latencies, 0.50),
        "decision_to_ring_ms_p99": _quantile(latencies, 0.99),
    }
    return DemoReport(body, by_queue, checked, len(tally.calls))


def _row(cell: Cell) -> tuple[str, ...]:
    abandoned = AB(cell)
    level = SERVICE_LEVELS["SL-C"](cell)
    asa = ASA(cell)
    return (
        str(cell.offered_count),
        str(cell.answered_count),
        str(cell.abandoned_count),
        "" if level is None else f"{level:.1%}",
        "" if asa is None else f"{asa:.1f}",
        "" if abandoned is None else f"{abandoned:.1%}",
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _quantile(values: list[float], q: float) -> float | None:
    return None if not values else round(float(np.quantile(values, q)), 1)
