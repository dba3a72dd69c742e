"""Settling an agent: after every change, what he now displays and whether he can be chosen.

The only place that emits ``AgentStateChanged`` and that enters agents among the ready.
"""

from __future__ import annotations

from routing.agent_states import NOT_READY_DEVICE_LOST, Presence, displayed
from routing.centre import Centre
from routing.commands import JoinFallback, LeaveFallback, PauseFallback
from routing.desk_events import PresenceWished
from routing.events import AgentState, AgentStateChanged
from routing.ids import QueueId
from routing.phone_events import PhoneChanged
from routing.state import Agent
from routing.timers import Timer


def settle(centre: Centre, agent: Agent, when: int) -> None:
    """Bring the displayed state and the ready index in line with presence and slot."""
    slot = agent.voice
    if agent.presence is Presence.READY and slot is None and agent.device_lost:
        agent.presence, agent.presence_reason = Presence.NOT_READY, NOT_READY_DEVICE_LOST
    state = displayed(agent.presence, slot.phase if slot else None, agent.busy_elsewhere)
    if state is AgentState.NOT_READY:
        reason = agent.presence_reason
    elif state is AgentState.BUSY_ELSEWHERE:
        reason = agent.busy_evidence
    else:
        reason = ""
    interaction_id = slot.interaction_id if slot else None
    if state is not agent.state or interaction_id != agent.interaction_id or reason != agent.reason:
        when = max(when, agent.since_ms)
        centre.emit(
            AgentStateChanged(
                at_ms=centre.at_ms,
                occurred_ms=when,
                agent_id=agent.agent_id,
                state=state,
                reason=reason,
                interaction_id=interaction_id,
                previous=agent.state,
                previous_reason=agent.reason,
                since_ms=agent.since_ms,
                queue_id=slot.queue_id if slot else None,
            )
        )
        agent.state, agent.reason, agent.interaction_id = state, reason, interaction_id
        agent.since_ms = when
    _tell_wish(centre, agent, when)
    _index(centre, agent, when)
    if agent.retired and slot is None and state is AgentState.SIGNED_OUT:
        _drop(centre, agent)


def tell_phone(centre: Centre, agent: Agent) -> None:
    """Record where the agent is rung and whether that phone can be reached."""
    agent.phone_since_ms = centre.occurred_ms
    centre.emit(
        PhoneChanged(
            at_ms=centre.at_ms,
            occurred_ms=centre.occurred_ms,
            agent_id=agent.agent_id,
            kind=agent.phone_kind,
            device=agent.phone_device,
            reachable=not agent.device_lost,
        )
    )


def _tell_wish(centre: Centre, agent: Agent, when: int) -> None:
    """Tell what the agent wants after a contact: no change of the displayed state tells it meanwhile."""
    wants_work = agent.presence is Presence.READY
    wish = "" if wants_work or agent.voice is None else f"{agent.presence}:{agent.presence_reason}"
    if wish == agent.told_wish:
        return
    agent.told_wish = wish
    if agent.voice is not None:
        centre.emit(
            PresenceWished(
                at_ms=centre.at_ms,
                occurred_ms=max(when, agent.since_ms),
                agent_id=agent.agent_id,
                presence=agent.presence,
                reason=agent.presence_reason,
            )
        )


def _index(centre: Centre, agent: Agent, when: int) -> None:
    lines, agent_id = centre.lines, agent.agent_id
    if agent.voice is not None:
        lines.remove_ready(agent_id)
        if centre.freed:
            centre.freed.pop(agent_id, None)
    elif agent.state is AgentState.READY and centre.agent_configs[agent_id].voice_slots > 0:
        if not lines.is_ready(agent_id):
            if agent.ready_since_ms is None:
                agent.ready_since_ms = when
            lines.add_ready(agent_id, agent.ready_since_ms)
            centre.freed[agent_id] = True
    else:
        lines.remove_ready(agent_id)
        centre.freed.pop(agent_id, None)


def _drop(centre: Centre, agent: Agent) -> None:
    agent_id = agent.agent_id
    clear_exclusions(centre, agent)
    for kind in (Timer.WRAP_UP, Timer.DEVICE_STABLE, Timer.BUSY_RETRY):
        centre.timers.cancel(kind, agent_id)
    centre.lines.drop_agent(agent_id)
    centre.unsynced.pop(agent_id, None)
    del centre.agents[agent_id]
    del centre.agent_configs[agent_id]


def clear_exclusions(centre: Centre, agent: Agent) -> None:
    """Let the agent be offered again what he did not take."""
    for interaction_id in agent.excluded_from:
        interaction = centre.interactions[interaction_id]
        del interaction.excluded[agent.agent_id]
        if centre.lines.is_waiting(interaction_id):
            centre.arrived[interaction_id] = True
    agent.excluded_from.clear()


# ---------------------------------------------------------------- the PBX's fallback queues


def join_fallback(centre: Centre, agent: Agent, queue_ids: tuple[QueueId, ...]) -> None:
    """Make the agent's fallback memberships these, commanding only what differs."""
    if not centre.link_up:
        centre.unsynced[agent.agent_id] = True
    for queue_id in agent.fallback_queue_ids:
        if queue_id not in queue_ids:
            centre.command(LeaveFallback(agent_id=agent.agent_id, queue_id=queue_id))
    for queue_id in queue_ids:
        if queue_id not in agent.fallback_queue_ids:
            centre.command(
                JoinFallback(agent_id=agent.agent_id, queue_id=queue_id, paused=agent.fallback_paused)
            )
    agent.fallback_queue_ids = queue_ids


def pause_fallback(centre: Centre, agent: Agent, paused: bool, reason: str = "") -> None:
    """Pause or unpause the agent in his fallback queues; only a deliberate wish does that."""
    if agent.fallback_paused == paused:
        return
    agent.fallback_paused = paused
    if not centre.link_up:
        centre.unsynced[agent.agent_id] = True
    centre.command(PauseFallback(agent_id=agent.agent_id, paused=paused, reason=reason))


def resync_fallback(centre: Centre, agent: Agent) -> None:
    """Say all memberships again, for a PBX that may have missed or forgotten them."""
    for queue_id in agent.fallback_queue_ids:
        centre.command(JoinFallback(agent_id=agent.agent_id, queue_id=queue_id, paused=agent.fallback_paused))
    if agent.presence is Presence.SIGNED_OUT:
        for queue_id in centre.lines.queue_ids_of(agent.agent_id):
            centre.command(LeaveFallback(agent_id=agent.agent_id, queue_id=queue_id))
    elif agent.fallback_queue_ids:
        centre.command(PauseFallback(agent_id=agent.agent_id, paused=agent.fallback_paused))
