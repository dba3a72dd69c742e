"""What the desk's endpoints tell the live desk: it shows at once what was kept."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from app.desk.topic_values import Draft
from routing.ids import AgentId, InteractionId


class DeskNews(Protocol):
    """The live desk, as the endpoints see it."""

    def draft_changed(self, agent_id: AgentId, interaction_id: InteractionId, draft: Draft | None) -> None:
        """A draft was kept, or (None) said and dropped."""

    def party_linked(self, interaction_id: InteractionId, party_id: UUID | None, by: str) -> None:
        """The agent said who the caller is."""


class NobodyShows:
    """No live desk is there to show it; what was kept is kept all the same."""

    def draft_changed(self, agent_id: AgentId, interaction_id: InteractionId, draft: Draft | None) -> None:
        """Show nothing."""

    def party_linked(self, interaction_id: InteractionId, party_id: UUID | None, by: str) -> None:
        """Show nothing."""
