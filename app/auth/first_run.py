"""The first run: while there is no administrator, the server prints the one link that makes the first.

There are no default users. The link goes to the terminal alone: where standard error is kept in a file, the
log says how to get one, and whoever may use the command line of this machine gets it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Final, TextIO

import structlog

from app.auth import account_rows, links
from app.auth.origins import Origins
from app.auth.sessions import AWAY
from app.db.session import Database, TenantId

log = structlog.get_logger()

RETRY_S: Final = 5.0


class FirstRun:
    """Tells how the first administrator signs in, once per start."""

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        origins: Origins,
        now_ms: Callable[[], int],
        terminal: TextIO | None = None,
    ) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._origins, self._now_ms = origins, now_ms
        self._terminal = terminal or sys.stderr

    async def run(self) -> None:
        """Tell it once the database answers. Runs until cancelled."""
        while True:
            try:
                await self.tell()
                break
            except AWAY:  # others tell of that
                await asyncio.sleep(RETRY_S)
        await asyncio.Event().wait()

    async def tell(self) -> None:
        """Print the link, or say in the log how to get it; nothing when there is an administrator."""
        async with self._database.transaction(self._tenant_id) as connection:
            if await account_rows.administrator_count(connection, self._tenant_id):
                return
            if not self._terminal.isatty():
                log.warning("nobody can sign in yet: run 'holdless accounts link --first'")
                return
            token = await links.make_first_link(
                connection, self._tenant_id, now_ms=self._now_ms(), made_by="first run"
            )
        if token is not None:
            minutes = links.LIFE_MS["first"] // 60_000
            self._terminal.write(
                f"\nThere is no administrator yet. Within {minutes} minutes, this link makes the first one:\n"
                f"  {self._origins.first}{links.LINK_PATH}{token}\n\n"
            )
            self._terminal.flush()
