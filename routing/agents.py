"""Agents: signing in and out, ready and not ready, and what their phones tell.

A wish sets the presence at once; while the slot is in use the slot shows, so the wish takes effect
afterwards by itself. Only an offer that still rings is taken back when the agent wants no work.
"""

from __future__ import annotations

from routing.agent_states import NOT_READY_DEVICE_LOST, NOT_READY_SIGNED_IN, Presence, SlotPhase
from routing.centre import Centre
from routing.ids import AgentId
from routing.offers import DEVICE_STABLE_MS, take_back
from routing.phone_signals import PhoneKind
from routing.presence import clear_exclusions, join_fallback, pause_fallback, settle, tell_phone
from routing.signals import (
    AgentBusyElsewhere,
    AgentFreeElsewhere,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    DeviceLost,
    DeviceReachable,
    Signal,
)
from routing.state import Agent
from routing.timers import Timer
from routing.visits import back_to_queue, command_back, release_hold
from routing.wrap_ups import end_wrap_up

_OFFERED = (SlotPhase.RESERVED, SlotPhase.RINGING)


def sign_in(centre: Centre, signal: AgentSignedIn) -> None:
    """The agent began work, not ready yet; signing in again during a last contact cancels the sign-out."""
    agent = _known(centre, signal, signal.agent_id)
    if agent is None:
        return
    if agent.retired:
        centre.ignore(signal, "unknown_agent", agent_id=agent.agent_id)
        return
    if agent.presence is not Presence.SIGNED_OUT:
        centre.ignore(signal, "already_signed_in", agent_id=agent.agent_id)
        return
    agent.presence, agent.presence_reason = Presence.NOT_READY, NOT_READY_SIGNED_IN
    agent.fallback_paused = True
    join_fallback(centre, agent, centre.lines.queue_ids_of(agent.agent_id))
    settle(centre, agent, centre.when(agent=agent))


def sign_out(centre: Centre, signal: AgentSignedOut) -> None:
    """The agent stopped work."""
    agent = _signed_in(centre, signal, signal.agent_id)
    if agent is not None:
        leave_work(centre, agent)


def leave_work(centre: Centre, agent: Agent) -> None:
    """Sign the agent out, after his contact if he has one."""
    agent.presence, agent.presence_reason = Presence.SIGNED_OUT, ""
    agent.ready_since_ms = None
    join_fallback(centre, agent, ())
    for line in list(centre.lines.own_lines.get(agent.agent_id, {}).values()):
        for entry in list(line.waiting):
            release_hold(centre, centre.interactions[entry[3]])
    _stop_offer(centre, agent, "signed_out")
    if agent.agent_id in centre.agents:  # a retired agent may be gone with his offer
        settle(centre, agent, centre.when(agent=agent))


def make_ready(centre: Centre, signal: AgentReady) -> None:
    """The agent wants work: ends a wrap-up, clears ring-no-answer and exclusions."""
    agent = _signed_in(centre, signal, signal.agent_id)
    if agent is None:
        return
    if agent.device_lost and agent.phone_kind is PhoneKind.BROWSER:
        centre.ignore(signal, "phone_not_reachable", agent_id=agent.agent_id)
        return
    if agent.device_lost and agent.presence_reason == NOT_READY_DEVICE_LOST:
        centre.ignore(signal, "device_lost", agent_id=agent.agent_id)
        return
    wrapping_up = agent.voice is not None and agent.voice.phase is SlotPhase.WRAP_UP
    if agent.presence is Presence.READY and not agent.excluded_from and not wrapping_up:
        centre.ignore(signal, "already_ready", agent_id=agent.agent_id)
        return
    if agent.presence is not Presence.READY:
        agent.presence, agent.presence_reason = Presence.READY, ""
        agent.ready_since_ms = None
    centre.timers.cancel(Timer.DEVICE_STABLE, agent.agent_id)
    clear_exclusions(centre, agent)
    pause_fallback(centre, agent, False)
    if wrapping_up:
        end_wrap_up(centre, agent)
    else:
        settle(centre, agent, centre.when(agent=agent))


def make_not_ready(centre: Centre, signal: AgentNotReady) -> None:
    """The agent wants no work."""
    agent = _signed_in(centre, signal, signal.agent_id)
    if agent is None:
        return
    agent.presence, agent.presence_reason = Presence.NOT_READY, signal.reason
    agent.ready_since_ms = None
    centre.timers.cancel(Timer.DEVICE_STABLE, agent.agent_id)
    pause_fallback(centre, agent, True, signal.reason)
    _stop_offer(centre, agent, "not_ready")
    settle(centre, agent, centre.when(agent=agent))


def _stop_offer(centre: Centre, agent: Agent, reason: str) -> None:
    """Take back an offer that still rings; without a link the PBX's own ring timeout does it."""
    slot = agent.voice
    if slot is None or slot.phase not in _OFFERED or not centre.link_up:
        return
    interaction = centre.interactions[slot.interaction_id]
    command_back(centre, interaction)
    take_back(centre, interaction, centre.when(interaction, agent), reason)
    back_to_queue(centre, interaction)


# ---------------------------------------------------------------- phones


def busy_elsewhere(centre: Centre, signal: AgentBusyElsewhere) -> None:
    """The phone is in use; what our own call causes is no news."""
    agent = _known(centre, signal, signal.agent_id)
    if agent is not None:
        note_busy(centre, agent, signal.evidence)


def note_busy(centre: Centre, agent: Agent, evidence: str) -> None:
    """Mark the agent as busy elsewhere, unless the engine itself occupies him."""
    slot = agent.voice
    if slot is not None and slot.phase is not SlotPhase.WRAP_UP:
        return
    centre.timers.cancel(Timer.BUSY_RETRY, agent.agent_id)
    if agent.busy_elsewhere and agent.busy_evidence == "fallback":
        return
    agent.busy_elsewhere, agent.busy_evidence = True, evidence
    agent.ready_since_ms = None
    settle(centre, agent, centre.when(agent=agent))


def free_elsewhere(centre: Centre, signal: AgentFreeElsewhere) -> None:
    """The phone is no longer in use by something else."""
    agent = _known(centre, signal, signal.agent_id)
    if agent is not None:
        note_free(centre, agent)


def note_free(centre: Centre, agent: Agent) -> None:
    """Unmark a busy agent; nothing happens when he was not marked."""
    if agent.busy_elsewhere:
        centre.timers.cancel(Timer.BUSY_RETRY, agent.agent_id)
        agent.busy_elsewhere, agent.busy_evidence = False, ""
        settle(centre, agent, centre.when(agent=agent))


def device_lost(centre: Centre, signal: DeviceLost) -> None:
    """The phone cannot be reached: a ready agent stands down until it can."""
    agent = _known(centre, signal, signal.agent_id)
    if agent is not None:
        note_lost(centre, agent)


def note_lost(centre: Centre, agent: Agent) -> None:
    """Mark the phone as lost."""
    if not agent.device_lost:
        agent.device_lost = True
        tell_phone(centre, agent)
    centre.timers.cancel(Timer.DEVICE_STABLE, agent.agent_id)
    settle(centre, agent, centre.when(agent=agent))


def device_reachable(centre: Centre, signal: DeviceReachable) -> None:
    """The phone can be reached again; the agent's former state returns when that lasts."""
    agent = _known(centre, signal, signal.agent_id)
    if agent is not None:
        note_reachable(centre, agent)


def note_reachable(centre: Centre, agent: Agent) -> None:
    """Mark the phone as reachable and, where it had stood the agent down, wait for it to be stable."""
    if agent.device_lost:
        agent.device_lost = False
        tell_phone(centre, agent)
        if agent.presence_reason == NOT_READY_DEVICE_LOST:
            centre.timers.arm(Timer.DEVICE_STABLE, agent.agent_id, centre.at_ms + DEVICE_STABLE_MS)


def recover(centre: Centre, agent: Agent) -> None:
    """The phone has been reachable long enough: the former state, which was ready, returns.

    So do the callers whom the phone failed: it was not the agent who refused them, and an agent who is
    ready already has no reason to say so again.
    """
    if agent.presence is Presence.NOT_READY and agent.presence_reason == NOT_READY_DEVICE_LOST:
        agent.presence, agent.presence_reason = Presence.READY, ""
        clear_exclusions(centre, agent)
        settle(centre, agent, centre.when(agent=agent))


# ---------------------------------------------------------------- inside


def _known(centre: Centre, signal: Signal, agent_id: AgentId) -> Agent | None:
    agent = centre.agents.get(agent_id)
    if agent is None:
        centre.ignore(signal, "unknown_agent", agent_id=agent_id)
    return agent


def _signed_in(centre: Centre, signal: Signal, agent_id: AgentId) -> Agent | None:
    agent = _known(centre, signal, agent_id)
    if agent is not None and agent.presence is Presence.SIGNED_OUT:
        centre.ignore(signal, "signed_out", agent_id=agent.agent_id)
        return None
    return agent
