"""Gaps in the log: stretches in which facts may have been missed, written with the events that tell of them.

A gap begins when the server was last alive before a restart, or when the PBX could not be heard any more; it
ends when a snapshot of the PBX was merged. At most one of these is open. What this version cannot read is a
gap of its own moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from app.db.bulk import moment
from app.db.session import TenantId
from routing import events as ev

SERVER_DOWN: Final = "server_down"
PBX_UNHEARD: Final = "pbx_unheard"
STEPS_LOST: Final = "steps_lost"
UNREADABLE: Final = "unreadable"

_OPEN: Final = """
INSERT INTO log_gap (tenant_id, started_at, cause)
SELECT $1, timestamptz 'epoch' + $2 * interval '1 millisecond', $3::text
WHERE NOT EXISTS (SELECT FROM log_gap WHERE tenant_id = $1 AND ended_at IS NULL)
ON CONFLICT DO NOTHING
"""
_CLOSE: Final = """
UPDATE log_gap SET ended_at = greatest(started_at, timestamptz 'epoch' + $2 * interval '1 millisecond')
WHERE tenant_id = $1 AND ended_at IS NULL
"""
_ADD: Final = """
INSERT INTO log_gap (tenant_id, started_at, ended_at, cause, lost_count)
VALUES ($1, timestamptz 'epoch' + $2 * interval '1 millisecond',
    timestamptz 'epoch' + $3 * interval '1 millisecond', $4, $5)
ON CONFLICT DO NOTHING
"""


class Restart(NamedTuple):
    """Another term of a server begins with *epoch*; *alive_ms*: until when the one before lived."""

    epoch: int
    alive_ms: int


class Told(NamedTuple):
    """An event and where it stands; None: it cannot be read."""

    epoch: int
    at_ms: int
    event: ev.Event | None


async def write_gaps(
    driver: Any, tenant_id: TenantId, told: Sequence[Told], restarts: Iterable[Restart]
) -> None:
    """Write what *told*, in the journal's order, says of gaps.

    Args:
        driver: asyncpg's connection, in the transaction that writes the events.
    """
    waiting = sorted(restarts)
    for epoch, at_ms, event in told:
        while waiting and waiting[0].epoch <= epoch:
            await driver.execute(_OPEN, tenant_id, moment(waiting.pop(0).alive_ms), SERVER_DOWN)
        if event is None:
            await add_gap(driver, tenant_id, at_ms, at_ms + 1, UNREADABLE, 1)
        elif isinstance(event, ev.PbxLinkChanged) and event.up:
            await driver.execute(_CLOSE, tenant_id, moment(event.occurred_ms))
        elif isinstance(event, ev.PbxLinkChanged):
            await driver.execute(_OPEN, tenant_id, moment(event.occurred_ms), PBX_UNHEARD)


async def add_gap(
    driver: Any, tenant_id: TenantId, from_ms: int, until_ms: int, cause: str, lost_count: int
) -> None:
    """Add a gap that is over; once, however often it is told."""
    ends_ms = max(until_ms, from_ms + 1)
    await driver.execute(_ADD, tenant_id, moment(from_ms), moment(ends_ms), cause, lost_count)
