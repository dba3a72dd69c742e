"""The call log as the web reads it: pages of plain rows, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from routing.ids import AgentId, InteractionId, QueueId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPage:
    """One page.

    Attributes:
        calls: Rows, JSON-able.
        next_cursor: Opaque; None on the last page.
    """

    calls: Sequence[Mapping[str, Any]]
    next_cursor: str | None


class CallReader(Protocol):
    """The call log."""

    async def page(
        self,
        *,
        limit: int,
        cursor: str | None,
        queue_id: QueueId | None,
        agent_id: AgentId | None,
    ) -> CallPage:
        """Return one page.

        Raises:
            ValueError: the cursor is not one of ours.
        """

    async def one(self, interaction_id: InteractionId) -> Mapping[str, Any] | None:
        """Return one call with its segments; None when the log does not have it."""
