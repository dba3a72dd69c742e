"""Days of the log that were changed: whoever writes calls says so in the same transaction.

A day has a version, one more with every change. What was computed from a day holds as long as the version is
the one it was computed from, so nothing has to be told when a fact of long ago is corrected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from app.db.session import TenantId

_CHANGE = (
    "INSERT INTO rollup_day AS known (tenant_id, day, version)"
    " SELECT $1, day, 1 FROM unnest($2::date[]) AS day"
    " ON CONFLICT (tenant_id, day) DO UPDATE SET version = known.version + 1, changed_at = now()"
)


async def note_changed_days(driver: Any, tenant_id: TenantId, days: Iterable[date]) -> None:
    """Say that calls, visits or offers of these days are being changed.

    Args:
        driver: asyncpg's connection, in the transaction that changes them.
    """
    if changed := sorted(set(days)):  # in one order, so that two who write never wait for each other
        await driver.execute(_CHANGE, tenant_id, changed)
