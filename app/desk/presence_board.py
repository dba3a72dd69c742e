"""Who of one's colleagues is there, ``presence:all``: what a desk needs to know before a call is handed on.

It tells ready, busy, not ready and signed out, and no more of anybody: no reason, no duration, no caller.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.desk.rules import presence_of
from app.desk.topic_values import Colleague, Presence
from app.sockets.rules import Json, Publisher
from routing import events as ev
from routing.events import Event
from routing.floor import Floor
from routing.ids import AgentId

TOPIC = "presence:all"


class PresenceBoard:
    """Shows colleagues to each other (``app.floor.live_floor.FloorWatcher``)."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._shown: dict[AgentId, Presence] = {}

    def seeded(self, floor: Floor) -> None:
        """Show *floor* from here on."""
        self._publisher.open(TOPIC)
        for agent_id in {**self._shown, **floor.agents}:
            self._show(floor, agent_id)

    def changed(self, floor: Floor, events: Sequence[Event]) -> None:
        """Show what *events* changed."""
        if any(isinstance(event, ev.ConfigApplied) for event in events):
            self.seeded(floor)
            return
        for event in events:
            if isinstance(event, ev.AgentStateChanged):
                self._show(floor, event.agent_id)

    def _show(self, floor: Floor, agent_id: AgentId) -> None:
        agent = floor.agents.get(agent_id)
        if agent is None:
            if self._shown.pop(agent_id, None) is not None:
                self._publisher.hide(TOPIC, f"agent/{agent_id}")
            return
        presence = presence_of(agent.state)
        if self._shown.get(agent_id) != presence:
            self._shown[agent_id] = presence
            value: Colleague = {"agent_id": agent_id, "presence": presence}
            self._publisher.show(TOPIC, f"agent/{agent_id}", Json(value))
