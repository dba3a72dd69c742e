"""Every agent's own topic, ``agent:<agent>``: ``me``, ``call`` and the queues served, kept up from events.

A call in wrap-up is shown as it was when the talk ended, whatever becomes of the customer meanwhile; after a
restart it is read from the log (``learn``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from app.desk.rules import call_of, me_of
from app.desk.topic_values import DeskCall
from app.floor.rules import Names, queue_tile, queues_of_agents
from app.sockets.rules import Json, Publisher
from routing import events as ev
from routing.config import CentreConfig, QueueConfig
from routing.events import AgentState, Event
from routing.floor import AgentFloor, Floor, InteractionFloor, QueueFloor
from routing.ids import AgentId, InteractionId, QueueId

_TOPIC = "agent:"


def topic_of(agent_id: AgentId) -> str:
    """Return the topic of one agent's page."""
    return f"{_TOPIC}{agent_id}"


class AgentBoard:
    """Shows agents to themselves (``app.floor.live_floor.FloorWatcher``).

    Args:
        config: The configuration in force.
        wanted: Told which wrapped-up calls nothing is known of; ``learn`` brings them.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        config: Callable[[], CentreConfig],
        names: Callable[[], Names],
        wanted: Callable[[InteractionId], None] = lambda _interaction: None,
    ) -> None:
        self._publisher = publisher
        self._config, self._names, self._wanted = config, names, wanted
        self._floor = Floor()
        self._queues: dict[QueueId, QueueConfig] = {}
        self._agents_of: dict[QueueId, list[AgentId]] = {}
        self._calls: dict[AgentId, DeskCall] = {}
        self._codes: dict[AgentId, tuple[InteractionId, str]] = {}

    # ------------------------------------------------------------ told

    def seeded(self, floor: Floor) -> None:
        """Show *floor* from here on."""
        self._floor = floor
        self._configure()

    def changed(self, floor: Floor, events: Sequence[Event]) -> None:
        """Show what *events* changed."""
        self._floor = floor
        agent_ids: dict[AgentId, None] = {}
        queue_ids: dict[QueueId, None] = {}
        for event in events:
            match event:
                case ev.ConfigApplied():
                    self._configure()
                    return
                case ev.QueueEntered() | ev.QueueLeft():
                    queue_ids[event.queue_id] = None
                case ev.WrapUpCodeGiven():
                    self._codes[event.agent_id] = (event.interaction_id, event.code)
                    agent_ids[event.agent_id] = None
                case ev.TalkEnded():
                    self._keep(event)
                case _:
                    agent_id = getattr(event, "agent_id", None)
                    if agent_id is not None:
                        agent_ids[agent_id] = None
        for agent_id in agent_ids:
            self._show(agent_id)
        for queue_id in queue_ids:
            self._show_queue(queue_id)

    def learn(self, interaction_id: InteractionId, past: InteractionFloor, code: str | None) -> None:
        """Take in what the log knows of a call that is being wrapped up."""
        for agent_id, agent in self._floor.agents.items():
            if agent.interaction_id != interaction_id or agent_id in self._calls:
                continue
            call = call_of(interaction_id, agent, past, self._names())
            if call is not None:
                self._calls[agent_id] = call
                if code and agent_id not in self._codes:
                    self._codes[agent_id] = (interaction_id, code)
                self._show(agent_id)

    def queue_of(self, agent_id: AgentId, interaction_id: InteractionId) -> QueueId | None:
        """Return the queue of a call that the agent has or wraps up; None: none, or it is not theirs."""
        call = self._calls.get(agent_id)
        if call is None or call["interaction_id"] != interaction_id or call["queue_id"] is None:
            return None
        return QueueId(call["queue_id"])

    def call(self, agent_id: AgentId) -> DeskCall | None:
        """Return the call as the agent's page shows it."""
        return self._calls.get(agent_id)

    # ------------------------------------------------------------ showing

    def _keep(self, event: ev.TalkEnded) -> None:
        """The call as the talk left it: the floor may have moved on to the next agent already."""
        call = self._calls.get(event.agent_id)
        if call is not None and call["interaction_id"] == event.interaction_id:
            began_ms = event.occurred_ms - event.talk_ms - event.hold_ms
            self._calls[event.agent_id] = {**call, "answered_at_ms": call["answered_at_ms"] or began_ms}

    def _show(self, agent_id: AgentId) -> None:
        agent = self._floor.agents.get(agent_id)
        if agent is None:
            self._calls.pop(agent_id, None)
            self._publisher.close(topic_of(agent_id))  # left the centre, and the last call is over
            return
        call = self._call_now(agent_id, agent)
        topic = topic_of(agent_id)
        if call is None:
            self._calls.pop(agent_id, None)
            self._publisher.hide(topic, "call")
        else:
            before = self._calls.get(agent_id)
            is_news = before is None or before["phase"] != call["phase"]
            self._calls[agent_id] = call
            self._publisher.show(topic, "call", Json(call), urgent=is_news)
        coded = self._codes.get(agent_id)
        if coded is not None and coded[0] != agent.interaction_id:
            del self._codes[agent_id]
            coded = None
        queue_id = call["queue_id"] if call else None
        me = me_of(
            agent_id,
            agent,
            self._names(),
            queue=self._queues.get(queue_id) if queue_id else None,
            code=coded[1] if coded else None,
        )
        self._publisher.show(topic, "me", Json(me))

    def _call_now(self, agent_id: AgentId, agent: AgentFloor) -> DeskCall | None:
        interaction_id = agent.interaction_id
        if interaction_id is None:
            return None
        kept = self._calls.get(agent_id)
        if agent.state is AgentState.WRAP_UP:
            if kept is not None and kept["interaction_id"] == interaction_id:
                return {**kept, "phase": "wrap_up", "held_since_ms": None}
            self._wanted(interaction_id)
            return None
        return call_of(interaction_id, agent, self._floor.interactions.get(interaction_id), self._names())

    def _show_queue(self, queue_id: QueueId) -> None:
        queue = self._queues.get(queue_id)
        if queue is None:
            return
        tile = Json(queue_tile(queue, self._names(), self._floor.queues.get(queue_id) or QueueFloor()))
        for agent_id in self._agents_of.get(queue_id, ()):
            self._publisher.show(topic_of(agent_id), f"queue/{queue_id}", tile)

    # ------------------------------------------------------------ the centre

    def _configure(self) -> None:
        config = self._config()
        self._queues = {queue.queue_id: queue for queue in config.queues}
        served = queues_of_agents(config)
        self._agents_of = {}
        for agent_id, queue_ids in served.items():
            for queue_id in queue_ids:
                self._agents_of.setdefault(queue_id, []).append(agent_id)
        self._open({*served, *self._floor.agents})
        for agent_id in self._floor.agents:
            self._show(agent_id)
        for queue_id in self._queues:
            self._show_queue(queue_id)
        for agent_id in {*served, *self._floor.agents}:
            topic = topic_of(agent_id)
            shown = {f"queue/{queue_id}" for queue_id in served.get(agent_id, ())}
            for key in self._publisher.keys(topic):
                if key.startswith("queue/") and key not in shown:
                    self._publisher.hide(topic, key)

    def _open(self, agent_ids: Iterable[AgentId]) -> None:
        wanted = {topic_of(agent_id) for agent_id in agent_ids}
        for topic in self._publisher.names():
            if topic.startswith(_TOPIC) and topic not in wanted:
                self._publisher.close(topic)
        for topic in sorted(wanted):
            self._publisher.open(topic)
