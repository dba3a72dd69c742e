"""A live edit of the centre's configuration: re-index only what changed, strand nobody."""

from __future__ import annotations

from routing.agent_states import Presence
from routing.agents import leave_work
from routing.centre import Centre
from routing.config import AgentConfig, QueueConfig
from routing.events import AgentState, ConfigApplied, QueueExit
from routing.ids import QueueId
from routing.offers import take_back
from routing.presence import join_fallback, settle
from routing.signals import ConfigChanged
from routing.state import IN_QUEUE, Agent, Interaction, Phase
from routing.visits import arm_exits, command_back, enter, leave


def apply(centre: Centre, signal: ConfigChanged) -> None:
    """Bring agents and queues in line with a new configuration."""
    config = signal.config
    old_queues = dict(centre.queues)
    centre.config = config
    centre.queues = {queue.queue_id: queue for queue in config.queues}
    for queue in config.queues:
        if old_queues.get(queue.queue_id) != queue:
            centre.lines.put_queue(queue)
    waiting = sorted(
        (i for i in centre.interactions.values() if i.phase in IN_QUEUE), key=lambda i: i.ordinal
    )
    for interaction in waiting:
        assert interaction.queue_id is not None
        new = centre.queues.get(interaction.queue_id)
        if new is None:
            _rehouse(centre, interaction)
        elif new != old_queues[interaction.queue_id]:
            _renew(centre, interaction, old_queues[interaction.queue_id], new)
    for queue_id in sorted(old_queues.keys() - centre.queues.keys()):
        centre.lines.drop_queue(queue_id)
    _apply_agents(centre, {agent.agent_id: agent for agent in config.agents})
    centre.match_all = True
    centre.emit(
        ConfigApplied(
            at_ms=centre.at_ms,
            occurred_ms=centre.occurred_ms,
            version=signal.version,
            agent_count=len(config.agents),
            queue_count=len(config.queues),
            queue_ids=tuple(queue.queue_id for queue in config.queues),
            agent_ids=tuple(agent.agent_id for agent in config.agents),
            signed_in=tuple(sorted(a.agent_id for a in centre.agents.values() if not _is_out(a))),
        )
    )


def _rehouse(centre: Centre, interaction: Interaction) -> None:
    """The queue is gone: its callers go to the default queue and keep their place."""
    when = centre.when(interaction)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "queue_removed")
    gone = interaction.gone
    leave(centre, interaction, QueueExit.OVERFLOWED, interaction.last_ms)
    queue = centre.queue_or_default(None)
    if queue is None or gone:
        interaction.phase = Phase.ENTRY
        return
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=interaction.queued_at_ms,
        priority_ms=interaction.priority_ms,
    )
    if centre.link_up:
        command_back(centre, interaction)


def _renew(centre: Centre, interaction: Interaction, old: QueueConfig, new: QueueConfig) -> None:
    """The queue's head start or timeout changed."""
    if old.boost_ms != new.boost_ms:
        was_waiting = centre.lines.remove_waiting(interaction.interaction_id)
        interaction.effective_ms = interaction.queued_at_ms - new.boost_ms - interaction.priority_ms
        if was_waiting:
            centre.lines.add_waiting(interaction)
    if (old.queue_timeout_ms, old.overflow_after_ms) != (new.queue_timeout_ms, new.overflow_after_ms):
        arm_exits(centre, interaction, new)


def _apply_agents(centre: Centre, configs: dict[str, AgentConfig]) -> None:
    for agent in list(centre.agents.values()):
        if agent.agent_id not in configs and not agent.retired:
            _retire(centre, agent)
    for config in configs.values():
        known = centre.agents.get(config.agent_id)
        if known is None:
            known = centre.agents[config.agent_id] = Agent(agent_id=config.agent_id, since_ms=centre.at_ms)
        known.retired = False
        centre.agent_configs[config.agent_id] = config
        centre.lines.put_agent(config)
        if known.presence is not Presence.SIGNED_OUT:
            queue_ids: tuple[QueueId, ...] = centre.lines.queue_ids_of(config.agent_id)
            join_fallback(centre, known, queue_ids)
        settle(centre, known, centre.when(agent=known))


def _is_out(agent: Agent) -> bool:
    return agent.state is AgentState.SIGNED_OUT


def _retire(centre: Centre, agent: Agent) -> None:
    agent.retired = True
    if agent.presence is Presence.SIGNED_OUT:
        settle(centre, agent, centre.when(agent=agent))
    else:
        leave_work(centre, agent)
