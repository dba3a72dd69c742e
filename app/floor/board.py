"""The floor as topics: ``floor:all``, ``floor:team:<team>`` and ``wall:all``, kept up to date from events.

Only what an event touches is made anew; a value that several topics show is one value, encoded once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.floor.rules import Names, agent_row, board_formulas, queue_row, queues_of_agents, total_of
from app.sockets.rules import Json, Publisher
from routing import events as ev
from routing.config import CentreConfig, QueueConfig
from routing.events import Event
from routing.floor import AgentFloor, Floor, QueueFloor
from routing.ids import AgentId, QueueId, TeamId
from routing.phone_events import PhoneChanged

FLOOR = "floor:all"
WALL = "wall:all"
_TEAM = "floor:team:"


_FORMULAS = Json(board_formulas())
"""Of the figures on the boards, so that each can say what it is; the same bytes for all."""


class FloorBoard:
    """Shows the floor (``app.floor.live_floor.FloorWatcher``).

    Args:
        config: The configuration in force.
        figures_of: ``today`` and ``last_15_min`` of a queue, of all for None; the same object comes back as
            long as nothing has changed.
        facts: ``link_up`` apart, what ``meta`` shows: ``day_start_ms`` and ``not_ready``.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        config: Callable[[], CentreConfig],
        names: Callable[[], Names],
        figures_of: Callable[[QueueId | None], Any],
        as_plain: Callable[[Any], Mapping[str, Any]],
        facts: Callable[[], Mapping[str, Any]],
        now_ms: Callable[[], int],
    ) -> None:
        self._publisher = publisher
        self._config, self._names = config, names
        self._figures_of, self._as_plain = figures_of, as_plain
        self._facts, self._now_ms = facts, now_ms
        self._floor = Floor()
        self._queues: dict[QueueId, QueueConfig] = {}
        self._teams: dict[AgentId, TeamId | None] = {}
        self._queue_ids: dict[AgentId, tuple[QueueId, ...]] = {}
        self._states: dict[AgentId, str] = {}
        self._counts: dict[QueueId | None, Counter[str]] = {}
        self._figures: dict[QueueId | None, tuple[Any, Mapping[str, Any]]] = {}
        self._unseen: dict[AgentId, int] = {}
        self._meta: dict[str, Any] = {}
        self._meta_value: Json | None = None
        self._topic_names: list[str] = []

    # ------------------------------------------------------------ told

    def seeded(self, floor: Floor) -> None:
        """Show *floor* from here on."""
        self._floor = floor
        self._configure()

    def changed(self, floor: Floor, events: Sequence[Event]) -> None:
        """Show what *events* changed."""
        self._floor = floor
        queue_ids: dict[QueueId, None] = {}
        agent_ids: dict[AgentId, None] = {}
        for event in events:
            match event:
                case ev.AgentStateChanged() | PhoneChanged():
                    agent_ids[event.agent_id] = None
                case ev.QueueEntered() | ev.QueueLeft():
                    queue_ids[event.queue_id] = None
                case ev.ConfigApplied():
                    self._configure()
                    return
                case ev.PbxLinkChanged():
                    self._show_meta()
                case _:
                    pass
        for agent_id in agent_ids:
            queue_ids.update(dict.fromkeys(self._recount(agent_id)))
            self._show_agent(agent_id)
        for queue_id in queue_ids:
            self._show_queue(queue_id)
        if queue_ids or agent_ids:
            self._show_total()

    def refresh(self) -> None:
        """Show what no event tells: figures that moved on, what is out of order. Call it every second."""
        moved = [each for each in (*self._queues, None) if self._has_moved(each)]
        for queue_id in moved:
            if queue_id is not None:
                self._show_queue(queue_id)
        if moved:
            self._show_total()
        self._show_meta()

    def note_unseen(self, agent_id: AgentId, since_ms: int | None) -> None:
        """An agent talks since then without having seen who it is; None: not any more."""
        if self._unseen.get(agent_id) == since_ms:
            return
        if since_ms is None:
            self._unseen.pop(agent_id, None)
        else:
            self._unseen[agent_id] = since_ms
        self._show_agent(agent_id)

    # ------------------------------------------------------------ the centre

    def _configure(self) -> None:
        config = self._config()
        self._queues = {queue.queue_id: queue for queue in config.queues}
        self._teams = {agent.agent_id: agent.team_id for agent in config.agents}
        self._queue_ids = queues_of_agents(config)
        self._states.clear()
        self._counts = {queue_id: Counter() for queue_id in (*self._queues, None)}
        self._figures.clear()
        wanted = {FLOOR, WALL, *(f"{_TEAM}{team}" for team in self._teams.values() if team)}
        wanted |= {f"{_TEAM}{team_id}" for team_id in self._names().teams}
        for topic in self._topic_names:
            if topic not in wanted:
                self._publisher.close(topic)
        for topic in sorted(wanted):
            self._publisher.open(topic)
        self._topic_names = sorted(wanted)
        for agent_id in self._floor.agents:
            self._recount(agent_id)
        for agent_id in self._floor.agents:
            self._show_agent(agent_id)
        for queue_id in self._queues:
            self._show_queue(queue_id)
        self._show_total()
        self._show_meta()
        self._everywhere("formulas", _FORMULAS)
        self._sweep()

    def _sweep(self) -> None:
        """Take away who and what is no longer there, or in another team."""
        for topic in self._topic_names:
            for key in self._publisher.keys(topic):
                kind, _, name = key.partition("/")
                gone = (kind == "queue" and name not in self._queues) or (
                    kind == "agent" and not self._shows(topic, AgentId(name))
                )
                if gone:
                    self._publisher.hide(topic, key)

    def _shows(self, topic: str, agent_id: AgentId) -> bool:
        if agent_id not in self._floor.agents or topic == WALL:
            return False
        return topic == FLOOR or topic == f"{_TEAM}{self._teams.get(agent_id)}"

    # ------------------------------------------------------------ showing

    def _recount(self, agent_id: AgentId) -> tuple[QueueId, ...]:
        """Count the agent under the state of now; return the queues whose counts that changes."""
        agent = self._floor.agents.get(agent_id)
        before = self._states.pop(agent_id, None)
        after = str(agent.state) if agent is not None else None
        if after is not None:
            self._states[agent_id] = after
        if before == after:
            return ()
        queue_ids = self._queue_ids.get(agent_id, ())
        for queue_id in (*queue_ids, None):
            counts = self._counts[queue_id]
            if before is not None:
                counts[before] -= 1
                if not counts[before]:
                    del counts[before]
            if after is not None:
                counts[after] += 1
        return queue_ids

    def _show_agent(self, agent_id: AgentId) -> None:
        team_id = self._teams.get(agent_id)
        topics = [FLOOR, f"{_TEAM}{team_id}"] if team_id else [FLOOR]
        agent: AgentFloor | None = self._floor.agents.get(agent_id)
        key = f"agent/{agent_id}"
        if agent is None:
            for topic in topics:
                self._publisher.hide(topic, key)
            return
        row = Json(
            agent_row(
                agent_id,
                agent,
                self._names(),
                team_id,
                self._queue_ids.get(agent_id, ()),
                self._unseen.get(agent_id),
            )
        )
        for topic in topics:
            self._publisher.show(topic, key, row)

    def _show_queue(self, queue_id: QueueId) -> None:
        queue = self._queues.get(queue_id)
        if queue is None:
            return  # it left the configuration, and its last callers go
        self._has_moved(queue_id)
        floor = self._floor.queues.get(queue_id) or QueueFloor()
        row = Json(queue_row(queue, self._names(), floor, self._figures[queue_id][1], self._counts[queue_id]))
        self._everywhere(f"queue/{queue_id}", row)

    def _show_total(self) -> None:
        self._has_moved(None)
        floors: Iterable[QueueFloor] = (
            floor for queue_id, floor in self._floor.queues.items() if queue_id in self._queues
        )
        self._everywhere(
            "total",
            Json(total_of(floors, self._figures[None][1], self._counts[None])),
        )

    def _show_meta(self) -> None:
        meta = {"link_up": self._floor.link_up, **self._facts()}
        if meta != self._meta or not self._meta_value:
            self._meta = meta
            self._meta_value = Json({"at_ms": self._now_ms(), **meta})
        self._everywhere("meta", self._meta_value)

    def _everywhere(self, key: str, value: Json) -> None:
        for topic in self._topic_names:
            self._publisher.show(topic, key, value)

    def _has_moved(self, queue_id: QueueId | None) -> bool:
        """Take the figures of now; False: they are those that are shown."""
        found = self._figures_of(queue_id)
        shown = self._figures.get(queue_id)
        if shown is not None and shown[0] is found:
            return False
        self._figures[queue_id] = (found, self._as_plain(found))
        return True
