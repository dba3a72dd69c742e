"""The past of a demo that starts: its newest days are waited for, the others follow by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

from app.db.session import DEFAULT_TENANT, Database
from app.demo.content import plant_content
from app.demo.history import fill_history
from app.demo.history_demand import ZONE

RECENT_DAYS: Final = 14
"""So many newest days are there before the pages are named."""
_POLL_S: Final = 0.1


class Past:
    """Fills the days before today, in tasks and processes of its own.

    Args:
        url: Of the database, for the processes that write.
    """

    def __init__(self, database: Database, url: str, *, days: int) -> None:
        self._database, self._days = database, days
        self._share = 0.0
        self._today = datetime.now(ZONE).date()
        self._task = asyncio.create_task(
            fill_history(
                database, url, DEFAULT_TENANT, today=self._today, days=days, progress=self._progressed
            ),
            name="past",
        )

    @property
    def share(self) -> float:
        """How much of it is done, in [0, 1]."""
        return 1.0 if self._task.done() else self._share

    async def recent(self, say: Callable[[str], None]) -> None:
        """Wait until the newest days are there, and put on them what agents wrote and promised.

        Raises:
            Exception: what kept the days from being filled.
        """
        enough = min(1.0, RECENT_DAYS / self._days)
        while self.share < enough:
            say(f"playing the past {min(1.0, self._share / enough):.0%}")
            await asyncio.sleep(_POLL_S)
        if self._task.done():
            self._task.result()
        await plant_content(self._database, DEFAULT_TENANT, datetime.now(ZONE))

    async def stop(self) -> None:
        """End the filling; the days that are written stay, the others follow at the next start."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _progressed(self, share: float) -> None:
        self._share = share
