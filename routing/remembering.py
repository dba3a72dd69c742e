"""The engine's snapshot: everything it knows, as JSON-able values, and the way back.

What can be recomputed (lines, groups, who is ready) is not written but rebuilt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from routing.agent_states import Presence
from routing.centre import Centre
from routing.config import AgentConfig, CentreConfig
from routing.events import AgentState
from routing.ids import AgentId, BootId
from routing.plain import PlainError, from_plain, to_plain
from routing.state import Agent, Ended, Interaction, Phase
from routing.timers import Timer

SNAPSHOT_VERSION = 1


def remember(centre: Centre) -> dict[str, Any]:
    """Return the centre as JSON-able values."""
    return {
        "v": SNAPSHOT_VERSION,
        "at_ms": centre.at_ms,
        "config": to_plain(centre.config),
        "retired": [to_plain(centre.agent_configs[a.agent_id]) for a in centre.agents.values() if a.retired],
        "interactions": [to_plain(interaction) for interaction in centre.interactions.values()],
        "agents": [to_plain(agent) for agent in centre.agents.values()],
        "ended": [to_plain(ended) for ended in centre.ended.values()],
        "timers": centre.timers.as_rows(),
        "link_up": centre.link_up,
        "boot_id": centre.boot_id,
        "ordinal": centre.ordinal,
        "unsynced": list(centre.unsynced),
    }


def recall(centre: Centre, body: Mapping[str, Any]) -> None:
    """Fill an empty centre from what ``remember`` wrote.

    Raises:
        PlainError: another version, or values that do not fit.
    """
    if body.get("v") != SNAPSHOT_VERSION:
        raise PlainError(f"a snapshot of version {body.get('v')!r}; this engine reads {SNAPSHOT_VERSION}")
    centre.at_ms = centre.occurred_ms = body["at_ms"]
    config: CentreConfig = from_plain(CentreConfig, body["config"])
    centre.config = config
    centre.queues = {queue.queue_id: queue for queue in config.queues}
    for queue in config.queues:
        centre.lines.put_queue(queue)
    retired: list[AgentConfig] = [from_plain(AgentConfig, plain) for plain in body["retired"]]
    for agent_config in (*config.agents, *retired):
        centre.agent_configs[agent_config.agent_id] = agent_config
        centre.lines.put_agent(agent_config)
    for plain in body["interactions"]:
        interaction: Interaction = from_plain(Interaction, plain)
        centre.interactions[interaction.interaction_id] = interaction
        if interaction.phase is Phase.QUEUED and interaction.parked_until_ms is None and not interaction.gone:
            centre.lines.add_waiting(interaction)
    for plain in body["agents"]:
        agent: Agent = from_plain(Agent, plain)
        centre.agents[agent.agent_id] = agent
        able = agent.state is AgentState.READY and agent.presence is Presence.READY
        if able and centre.agent_configs[agent.agent_id].voice_slots > 0:
            assert agent.ready_since_ms is not None
            centre.lines.add_ready(agent.agent_id, agent.ready_since_ms)
    for plain in body["ended"]:
        ended: Ended = from_plain(Ended, plain)
        centre.ended[ended.interaction_id] = ended
    for kind, owner, due_ms in body["timers"]:
        centre.timers.arm(Timer(kind), owner, due_ms)
    centre.link_up = body["link_up"]
    centre.boot_id = None if body["boot_id"] is None else BootId(body["boot_id"])
    centre.ordinal = body["ordinal"]
    centre.unsynced = {AgentId(agent_id): True for agent_id in body["unsynced"]}
