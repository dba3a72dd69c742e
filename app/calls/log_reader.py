"""The call log behind the web: the queries, each in a transaction of the tenant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.calls.queries import call_story, choices, count_calls, list_calls
from app.calls.reader import CallPage
from app.calls.rules import WHOLE_SIGHT, CallFilter, Sight
from app.db.session import Database, TenantId
from routing.ids import InteractionId


class LogReader:
    """``app.calls.reader.CallReader`` on PostgreSQL."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id

    async def page(
        self, wanted: CallFilter, sight: Sight = WHOLE_SIGHT, *, limit: int, cursor: str | None
    ) -> CallPage:
        """Return one page of the calls that *wanted* describes and *sight* reaches.

        Raises:
            ValueError: the cursor is not one of ours.
        """
        async with self._database.transaction(self._tenant_id) as connection:
            rows, following = await list_calls(
                connection, self._tenant_id, wanted, sight=sight, limit=limit, cursor=cursor
            )
        return CallPage(calls=_plain(rows), next_cursor=following)

    async def count(self, wanted: CallFilter, sight: Sight = WHOLE_SIGHT, *, at_most: int) -> int:
        """Return how many calls are meant, counting no further than *at_most*."""
        async with self._database.transaction(self._tenant_id) as connection:
            return await count_calls(connection, self._tenant_id, wanted, sight=sight, at_most=at_most)

    async def one(
        self, interaction_id: InteractionId, sight: Sight = WHOLE_SIGHT
    ) -> Mapping[str, Any] | None:
        """Return one call with its segments, offers and events; None when the log does not have it."""
        async with self._database.snapshot(self._tenant_id) as connection:
            story = await call_story(connection, self._tenant_id, interaction_id, sight=sight)
        if story is None:
            return None
        lists = {name: _plain(rows) for name, rows in story.items() if name != "interaction"}
        return {**_plain([story["interaction"]])[0], **lists}

    async def choices(self) -> Mapping[str, Any]:
        """Return what calls can be asked for by."""
        async with self._database.transaction(self._tenant_id) as connection:
            return await choices(connection, self._tenant_id)


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Leave out the columns that say nothing to a reader (tenant and partition)."""
    hidden = ("tenant_id", "day")
    return [{str(name): value for name, value in row.items() if name not in hidden} for row in rows]
