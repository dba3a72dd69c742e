"""Carries into the log in which stretches the journal lost steps, so that figures of them are graded so."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog

from app.db.session import Database, TenantId, driver
from app.live.drainer import AWAY
from app.live.errors import JournalError
from app.live.gap_writer import STEPS_LOST, add_gap
from app.live.journal import Journal

log = structlog.get_logger()

LOOK_EVERY_S: Final = 5.0


class GapKeeper:
    """Looks at the journal's marks for ever; each is carried over once, and again after a restart in vain."""

    def __init__(self, journal: Journal, database: Database, tenant_id: TenantId) -> None:
        self._journal, self._database, self._tenant_id = journal, database, tenant_id
        self._since_ms = 0
        self._is_away = False

    async def run(self) -> None:
        """Carry over what there is. Runs until cancelled."""
        while True:
            try:
                await self.carry_over()
                self._is_away = False
            except (JournalError, *AWAY) as error:
                if not self._is_away:
                    log.warning("gaps of the journal are not in the log yet", error=type(error).__name__)
                self._is_away = True
            await asyncio.sleep(LOOK_EVERY_S)

    async def carry_over(self) -> int:
        """Write the stretches with lost steps that are not in the log; return how many were looked at.

        Raises:
            JournalError: the journal cannot be read.
            sqlalchemy.exc.SQLAlchemyError, OSError: the database is away.
        """
        spans = [span for span in await self._journal.degraded_spans(self._since_ms) if span.lost_count]
        if spans:
            async with self._database.transaction(self._tenant_id) as connection:
                raw: Any = await driver(connection)
                for span in spans:
                    await add_gap(
                        raw, self._tenant_id, span.from_ms, span.until_ms, STEPS_LOST, span.lost_count
                    )
            self._since_ms = max(span.until_ms for span in spans) + 1
        return len(spans)
