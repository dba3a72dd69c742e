"""The floor as the engine itself sees it: what a fold of events begins from after a restart. Pure.

The counts of a day are not in the engine; a floor begun here counts from the restart on, those who
wait included.
"""

from __future__ import annotations

from routing.centre import Centre
from routing.floor import AgentFloor, Floor, InteractionFloor, QueueFloor
from routing.state import IN_QUEUE, WITH_AGENT


def floor_of(centre: Centre) -> Floor:
    """Return the floor now."""
    floor = Floor(at_ms=centre.at_ms, link_up=centre.link_up)
    for queue_id in centre.queues:
        floor.queues[queue_id] = QueueFloor()
    for agent in centre.agents.values():
        floor.agents[agent.agent_id] = AgentFloor(
            state=agent.state,
            reason=agent.reason,
            since_ms=agent.since_ms,
            interaction_id=agent.interaction_id,
            phone_kind=agent.phone_kind,
            phone_device=agent.phone_device,
            phone_reachable=not agent.device_lost,
            phone_since_ms=agent.phone_since_ms,
            wish=agent.presence.value if agent.told_wish else "",
            wish_reason=agent.presence_reason if agent.told_wish else "",
            wrap_up_until_ms=agent.voice.wrap_until_ms if agent.voice else None,
        )
    for live in centre.interactions.values():
        floor.interactions[live.interaction_id] = InteractionFloor(
            started_ms=live.arrived_ms,
            phase=live.phase,
            queue_id=live.queue_id,
            visit=live.visit,
            agent_id=live.offer.agent_id if live.offer else live.agent_id,
            held=live.hold_started_ms is not None,
            held_since_ms=live.hold_started_ms,
            entry_point=live.entry_point,
            caller_number=live.caller_number,
            caller_name=live.caller_name,
            queued_at_ms=live.queued_at_ms or None,
            attempt=live.attempt if live.offer or live.phase in WITH_AGENT else 0,
            offered_at_ms=live.offer.offered_at_ms if live.offer else None,
            answered_at_ms=live.talk_started_ms if live.phase in WITH_AGENT else None,
        )
        if live.phase in IN_QUEUE and live.queue_id is not None:
            queue = floor.queues.setdefault(live.queue_id, QueueFloor())
            queue.waiting[live.interaction_id] = live.visit_started_ms
            queue.offered_count += 1
    return floor
