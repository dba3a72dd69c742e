"""Rolls up past days of the log by and by, beside everything else: one day at a time, the newest first."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from app.db.session import Database, TenantId
from app.figures.rollups import due_days, roll_up

log = structlog.get_logger()

LOOK_EVERY_S: Final = 60.0
_DAYS_AT_ONCE: Final = 50
_PAUSE_S: Final = 0.05  # between two days, for whoever waits for the database


class RollupKeeper:
    """Keeps the cells of past days whole; ``run`` begins again by itself when the database was away."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def run(self) -> None:
        """Roll up what is due, and look every minute. Runs until cancelled."""
        while True:
            day_count = await self.roll_up_due()
            if day_count:
                log.info("figures of past days rolled up", day_count=day_count)
            await asyncio.sleep(LOOK_EVERY_S)

    async def roll_up_due(self) -> int:
        """Roll up every past day that is out of date and quiet; return how many there were.

        Raises:
            sqlalchemy.exc.SQLAlchemyError, OSError: the database is away.
        """
        day_count = 0
        while days := await due_days(self._database, self._tenant_id, limit=_DAYS_AT_ONCE):
            rolled_count = 0
            for day in days:
                rolled_count += await roll_up(self._database, self._tenant_id, day)
                await asyncio.sleep(_PAUSE_S)
            day_count += rolled_count
            if not rolled_count:
                break  # all of them are being written: later
        return day_count
