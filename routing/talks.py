"""Conversations: hold, the end of a talk and the end of a contact."""

from __future__ import annotations

from routing import consult_ends, outside
from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.events import (
    HoldEnded,
    HoldStarted,
    QueueExit,
    TalkEnded,
)
from routing.offers import take_back
from routing.presence import settle
from routing.signals import (
    AgentLegEnded,
    InteractionEnded,
    InteractionHeld,
    InteractionUnheld,
    Party,
)
from routing.state import IN_QUEUE, WITH_AGENT, Agent, Interaction, Phase, Slot
from routing.timers import Timer
from routing.visits import abandon_exit, end_fallback_talk, leave
from routing.wrap_ups import start_wrap_up

# ---------------------------------------------------------------- hold


def hold(centre: Centre, signal: InteractionHeld) -> None:
    """The agent put the customer on hold."""
    interaction = _connected(centre, signal)
    if interaction is None:
        return
    if interaction.hold_started_ms is not None:
        centre.ignore(signal, "already_held", signal.interaction_id, signal.agent_id)
        return
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    interaction.hold_started_ms = when
    slot.phase = SlotPhase.HOLDING
    centre.emit(
        HoldStarted(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=signal.interaction_id,
            agent_id=signal.agent_id,
        )
    )
    settle(centre, agent, when)


def unhold(centre: Centre, signal: InteractionUnheld) -> None:
    """The agent took the customer back."""
    interaction = _connected(centre, signal)
    if interaction is None:
        return
    if interaction.hold_started_ms is None:
        centre.ignore(signal, "not_held", signal.interaction_id, signal.agent_id)
        return
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    end_hold(centre, interaction, when)
    slot.phase = SlotPhase.TALKING
    settle(centre, agent, when)


def end_hold(centre: Centre, interaction: Interaction, when: int) -> None:
    """The customer is on hold no more; nothing happens when he was not."""
    if interaction.hold_started_ms is None:
        return
    assert interaction.agent_id is not None
    hold_ms = when - interaction.hold_started_ms
    interaction.hold_ms += hold_ms
    interaction.hold_started_ms = None
    centre.emit(
        HoldEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=interaction.agent_id,
            hold_ms=hold_ms,
        )
    )


def _connected(centre: Centre, signal: InteractionHeld | InteractionUnheld) -> Interaction | None:
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        reason = "unknown_interaction"
    elif interaction.phase is not Phase.CONNECTED or interaction.agent_id != signal.agent_id:
        reason = "not_connected"
    elif interaction.consult is not None:
        reason = (
            "in_consult"  # the customer hears music or all of them; the phone's key changes nothing of it
        )
    else:
        return interaction
    centre.ignore(signal, reason, signal.interaction_id, signal.agent_id)
    return None


def participant(centre: Centre, interaction: Interaction) -> tuple[Agent, Slot]:
    """Return the agent who has the customer, and his slot."""
    assert interaction.agent_id is not None, interaction
    agent = centre.agents[interaction.agent_id]
    assert agent.voice is not None, agent
    return agent, agent.voice


# ---------------------------------------------------------------- the end of a talk, of a contact


def leg_ended(centre: Centre, signal: AgentLegEnded) -> None:
    """The agent's leg ended first; the customer may still be there."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        ended = centre.ended.get(signal.interaction_id)
        reason = "unknown_interaction" if ended is None else "interaction_ended"
        centre.ignore(signal, reason, signal.interaction_id, signal.agent_id)
        return
    if interaction.phase is not Phase.CONNECTED or interaction.agent_id != signal.agent_id:
        centre.ignore(signal, "not_connected", signal.interaction_id, signal.agent_id)
        return
    agent, _ = participant(centre, interaction)
    ended_by = interaction.hangup_by or Party.AGENT
    finish_talk(centre, interaction, centre.when(interaction, agent), ended_by)
    interaction.hangup_by = ended_by


def end_gap(centre: Centre, interaction: Interaction, when: int) -> int:
    """The wait for a lost phone is over; return how long it took, 0 when there was none."""
    waited = interaction.reattach
    if waited is None:
        return 0
    interaction.reattach = None
    gap_ms = when - waited.began_ms
    interaction.reattach_ms += gap_ms
    for kind in (Timer.REATTACH, Timer.REATTACH_AGAIN):
        centre.timers.cancel(kind, interaction.interaction_id)
    return gap_ms


def finish_talk(
    centre: Centre,
    interaction: Interaction,
    when: int,
    ended_by: Party,
    reason: str = "",
    *,
    wrap_up: bool = True,
) -> None:
    """End the agent's participation; he goes to wrap-up, the customer is unattended for now.

    Args:
        wrap_up: False when the customer shall come back to him: his slot is free at once.
    """
    agent, slot = participant(centre, interaction)
    when = interaction.last_ms = max(when, agent.since_ms, interaction.last_ms)
    was_held = interaction.hold_started_ms is not None or (
        interaction.consult is not None and interaction.consult.conference_ms is None
    )
    end_hold(centre, interaction, when)
    consult_ends.close(centre, interaction, when, consult_ends.outcome_by(ended_by), ended_by)
    end_gap(centre, interaction, when)
    centre.emit(
        TalkEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            queue_id=interaction.queue_id,
            talk_ms=when - interaction.talk_started_ms - interaction.hold_ms - interaction.reattach_ms,
            hold_ms=interaction.hold_ms,
            ended_by=ended_by,
            reason=reason,
            was_held=was_held,
        )
    )
    interaction.phase, interaction.agent_id, interaction.leg_id = Phase.UNATTENDED, None, None
    if wrap_up:
        start_wrap_up(centre, agent, slot, when)
    else:
        agent.voice = None
        settle(centre, agent, when)


def ended(centre: Centre, signal: InteractionEnded) -> None:
    """The customer's channel is gone."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        if signal.interaction_id not in centre.ended:  # a second report of an end is no news
            centre.ignore(signal, "unknown_interaction", signal.interaction_id)
        return
    end(centre, interaction, signal.ended_by, signal.hangup_cause)


def end(
    centre: Centre,
    interaction: Interaction,
    ended_by: Party,
    cause: int = 0,
    reason: str = "hangup",
    queue_exit: QueueExit | None = None,
) -> None:
    """Close a contact in whatever phase it is.

    Args:
        queue_exit: How an open visit ends; None: abandoned, short or not.
    """
    if interaction.fallback_agent_id is not None and ended_by is Party.SYSTEM:
        ended_by = Party.AGENT  # the PBX lets the caller go when the member of its queue has left
    ended_by = interaction.hangup_by or ended_by
    when = centre.when(interaction)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "caller_left")
        when = interaction.last_ms
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, when, ended_by, "" if reason == "hangup" else reason)
        when = interaction.last_ms
    outside.left_by(centre, interaction, when, ended_by)
    end_fallback_talk(centre, interaction, when, ended_by)
    if interaction.phase in IN_QUEUE:
        leave(centre, interaction, queue_exit or abandon_exit(centre, interaction, when), when)
    centre.forget(interaction, when, ended_by, cause, reason)
