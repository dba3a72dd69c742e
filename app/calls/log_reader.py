"""The call log behind the web: the queries, each in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.calls.queries import CallFilter, call_story, list_calls
from app.calls.reader import CallPage
from app.db.session import Database, TenantId
from routing.ids import AgentId, InteractionId, QueueId


class LogReader:
    """``app.calls.reader.CallReader`` on PostgreSQL."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def page(
        self, *, limit: int, cursor: str | None, queue_id: QueueId | None, agent_id: AgentId | None
    ) -> CallPage:
        """Return one page.

        Raises:
            ValueError: the cursor is not one of ours.
        """
        wanted = CallFilter(queue_id=queue_id, agent_id=agent_id)
        return await self.matching(wanted, limit=limit, cursor=cursor)

    async def matching(self, wanted: CallFilter, *, limit: int, cursor: str | None) -> CallPage:
        """Return one page of the calls that *wanted* describes.

        Raises:
            ValueError: the cursor is not one of ours.
        """
        async with self._database.transaction(self._tenant_id) as connection:
            rows, following = await list_calls(
                connection, self._tenant_id, wanted, limit=limit, cursor=cursor
            )
        return CallPage(calls=_plain(rows), next_cursor=following)

    async def one(self, interaction_id: InteractionId) -> Mapping[str, Any] | None:
        """Return one call with its segments, offers and events; None when the log does not have it."""
        async with self._database.snapshot(self._tenant_id) as connection:
            story = await call_story(connection, self._tenant_id, interaction_id)
        if story is None:
            return None
        lists = {name: _plain(rows) for name, rows in story.items() if name != "interaction"}
        return {**_plain([story["interaction"]])[0], **lists}


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the columns that say nothing to a reader (tenant and partition)."""
    hidden = ("tenant_id", "day")
    return [{str(name): value for name, value in row.items() if name not in hidden} for row in rows]
