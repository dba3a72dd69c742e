"""The floor as a read model: the fold of events that the engine's own view equals, kept up to date.

It reads the bus and never asks the engine. Whoever composes the server seeds it with the floor of
the restart and calls ``follow``; when the bus cuts it (``Gone``), it is seeded anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from app.live.bus import Subscription
from routing.events import Event
from routing.floor import AgentFloor, Floor
from routing.ids import AgentId, InteractionId, TeamId

EVENTS_AT_ONCE = 100  # then the loop's other tasks have their turn


class FloorWatcher(Protocol):
    """What is shown of the floor; it is told after each change, and reads the floor as it is then."""

    def seeded(self, floor: Floor) -> None:
        """Begin anew from *floor*: what happened before is not told."""

    def changed(self, floor: Floor, events: Sequence[Event]) -> None:
        """Take in *events*, which *floor* holds already."""


class LiveFloor:
    """Folds events and tells the floor.

    Args:
        floor: The floor so far.
        team_of: The team of an agent, by the configuration in force.
    """

    def __init__(
        self, floor: Floor | None = None, team_of: Callable[[AgentId], TeamId | None] = lambda _agent: None
    ) -> None:
        self._floor = floor or Floor()
        self._team_of = team_of
        self._watchers: list[FloorWatcher] = []

    def watch(self, watcher: FloorWatcher) -> None:
        """Tell *watcher* of every change, in the order in which they were added, beginning with a seed."""
        self._watchers.append(watcher)
        watcher.seeded(self._floor)

    @property
    def now(self) -> Floor:
        """The floor, to read."""
        return self._floor

    async def follow(self, subscription: Subscription) -> None:
        """Fold in what the bus carries. Runs until the subscription ends.

        Raises:
            Gone: the bus cut us; seed anew and follow again.
        """
        while True:
            events = [numbered.event for numbered in await subscription.take()]
            for start in range(0, len(events), EVENTS_AT_ONCE):
                some = events[start : start + EVENTS_AT_ONCE]
                for event in some:
                    self._floor.apply(event)
                for watcher in self._watchers:
                    watcher.changed(self._floor, some)
                if start:
                    await asyncio.sleep(0)

    def seed(self, floor: Floor) -> None:
        """Go on from *floor*."""
        self._floor = floor

    def agent(self, agent_id: AgentId) -> AgentFloor | None:
        """Return one agent now."""
        return self._floor.agents.get(agent_id)

    def team_of(self, agent_id: AgentId) -> TeamId | None:
        """Return the agent's team."""
        return self._team_of(agent_id)

    def agents_on(self, interaction_id: InteractionId) -> frozenset[AgentId]:
        """Return who rings for, talks to or wraps up this interaction now."""
        found = {
            agent_id
            for agent_id, agent in self._floor.agents.items()
            if agent.interaction_id == interaction_id
        }
        live = self._floor.interactions.get(interaction_id)
        if live is not None and live.agent_id is not None:
            found.add(live.agent_id)
        return frozenset(found)

    def picture(self) -> dict[str, Any]:
        """Return the floor now: ids, states and counts; times in milliseconds since the epoch (UTC)."""
        floor = self._floor
        return {
            "at_ms": floor.at_ms,
            "link_up": floor.link_up,
            "queues": {
                queue_id: {
                    "waiting_count": len(queue.waiting),
                    "oldest_since_ms": min(queue.waiting.values(), default=None),
                    "offered_count": queue.offered_count,
                    "answered_count": queue.answered_count,
                    "abandoned_count": queue.abandoned_count,
                    "exits": {str(way): count for way, count in sorted(queue.exits.items())},
                }
                for queue_id, queue in sorted(floor.queues.items())
            },
            "agents": {
                agent_id: {
                    "state": str(agent.state),
                    "reason": agent.reason,
                    "since_ms": agent.since_ms,
                    "interaction_id": agent.interaction_id,
                    "phone": {"kind": str(agent.phone_kind), "reachable": agent.phone_reachable},
                }
                for agent_id, agent in sorted(floor.agents.items())
            },
            "interactions": {
                interaction_id: {
                    "started_ms": live.started_ms,
                    "phase": str(live.phase),
                    "queue_id": live.queue_id,
                    "agent_id": live.agent_id,
                    "held": live.held,
                }
                for interaction_id, live in sorted(floor.interactions.items())
            },
        }
