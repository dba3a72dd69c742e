"""The call log as the web reads it: pages of plain rows, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.calls.rules import CallFilter, Sight
from routing.ids import InteractionId


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

    async def page(self, wanted: CallFilter, sight: Sight, *, limit: int, cursor: str | None) -> CallPage:
        """Return one page.

        Raises:
            ValueError: the cursor is not one of ours.
        """

    async def count(self, wanted: CallFilter, sight: Sight, *, at_most: int) -> int:
        """Return how many calls are meant, counting no further than *at_most*."""

    async def one(self, interaction_id: InteractionId, sight: Sight) -> Mapping[str, Any] | None:
        """Return one call whole; None when the log does not have it, or *sight* does not reach it."""

    async def choices(self) -> Mapping[str, Any]:
        """Return what calls can be asked for by: queues, agents, teams, codes, entry points, with names."""
