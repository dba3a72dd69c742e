"""Conversations: hold, the end of a talk, the end of a contact, and the wrap-up after it."""

from __future__ import annotations

from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.desk_events import ContactReasonNoted
from routing.desk_signals import ReasonGiven
from routing.events import (
    HoldEnded,
    HoldStarted,
    QueueExit,
    TalkEnded,
    WrapUpCodeGiven,
    WrapUpDone,
    WrapUpLengthened,
    WrapUpStarted,
)
from routing.ids import QueueId
from routing.offers import take_back
from routing.presence import settle
from routing.signals import (
    AgentLegEnded,
    InteractionEnded,
    InteractionHeld,
    InteractionUnheld,
    Party,
    WrapUpCoded,
    WrapUpEnded,
    WrapUpExtended,
)
from routing.state import IN_QUEUE, WITH_AGENT, Agent, Interaction, Phase, Slot
from routing.timers import Timer
from routing.visits import abandon_exit, leave

WRAP_UP_MS_MAX = 3_600_000  # a wrap-up is not extended beyond this, counted from its start


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
    end_hold(centre, interaction, when)
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
        )
    )
    interaction.phase, interaction.agent_id = Phase.UNATTENDED, None
    if wrap_up:
        _start_wrap_up(centre, agent, slot, when)
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
    ended_by = interaction.hangup_by or ended_by
    when = centre.when(interaction)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "caller_left")
        when = interaction.last_ms
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, when, ended_by, "" if reason == "hangup" else reason)
        when = interaction.last_ms
    if interaction.phase in IN_QUEUE:
        leave(centre, interaction, queue_exit or abandon_exit(centre, interaction, when), when)
    centre.forget(interaction, when, ended_by, cause, reason)
    served_by = interaction.fallback_agent_id
    agent = centre.agents.get(served_by) if served_by is not None else None
    if agent is not None and agent.busy_elsewhere and agent.busy_evidence == "fallback":
        agent.busy_elsewhere, agent.busy_evidence = False, ""
        settle(centre, agent, when)


# ---------------------------------------------------------------- wrap-up


def _start_wrap_up(centre: Centre, agent: Agent, slot: Slot, when: int) -> None:
    mode, seconds_ms = _wrap_up_of(centre, agent, slot.queue_id)
    if mode == "optional":
        seconds_ms = slot.wrap_asked_ms
    if mode == "none" or (mode != "manual" and seconds_ms <= 0):
        agent.voice = None
        settle(centre, agent, when)
        return
    slot.phase = SlotPhase.WRAP_UP
    slot.wrap_started_ms = when
    slot.wrap_until_ms = None if mode == "manual" else when + seconds_ms
    if slot.wrap_until_ms is not None:
        centre.timers.arm(Timer.WRAP_UP, agent.agent_id, slot.wrap_until_ms)
    settle(centre, agent, when)
    centre.emit(
        WrapUpStarted(
            at_ms=centre.at_ms,
            occurred_ms=when,
            agent_id=agent.agent_id,
            interaction_id=slot.interaction_id,
            queue_id=slot.queue_id,
            until_ms=slot.wrap_until_ms,
        )
    )


def _wrap_up_of(centre: Centre, agent: Agent, queue_id: QueueId | None) -> tuple[str, int]:
    """Return mode and length; the agent's own length goes before the queue's."""
    queue = centre.queues.get(queue_id) if queue_id is not None else None
    if queue is None:
        return "none", 0
    own = centre.agent_configs[agent.agent_id].wrap_up_ms
    return queue.wrap_up_mode, queue.wrap_up_ms if own is None else own


def end_wrap_up(centre: Centre, agent: Agent) -> None:
    """The wrap-up is over; the agent's wish shows again."""
    slot = agent.voice
    assert slot is not None
    assert slot.phase is SlotPhase.WRAP_UP
    when = centre.when(agent=agent)
    centre.timers.cancel(Timer.WRAP_UP, agent.agent_id)
    agent.voice = None
    centre.emit(
        WrapUpDone(
            at_ms=centre.at_ms,
            occurred_ms=when,
            agent_id=agent.agent_id,
            interaction_id=slot.interaction_id,
            wrap_up_ms=when - slot.wrap_started_ms,
        )
    )
    settle(centre, agent, when)


def wrap_up_ended(centre: Centre, signal: WrapUpEnded) -> None:
    """The agent finished by hand."""
    agent = centre.agents.get(signal.agent_id)
    if agent is None:
        centre.ignore(signal, "unknown_agent", agent_id=signal.agent_id)
    elif agent.voice is None or agent.voice.phase is not SlotPhase.WRAP_UP:
        centre.ignore(signal, "not_in_wrap_up", agent_id=signal.agent_id)
    else:
        end_wrap_up(centre, agent)


def wrap_up_extended(centre: Centre, signal: WrapUpExtended) -> None:
    """The agent needs longer; during the talk it asks for an optional wrap-up."""
    agent = centre.agents.get(signal.agent_id)
    slot = agent.voice if agent else None
    queue = centre.queues.get(slot.queue_id) if slot and slot.queue_id is not None else None
    if agent is None:
        reason = "unknown_agent"
    elif slot is None or slot.phase in (SlotPhase.RESERVED, SlotPhase.RINGING):
        reason = "not_in_wrap_up"
    elif signal.extend_ms <= 0:
        reason = "bad_value"
    elif queue is not None and not queue.wrap_up_extendable:
        reason = "not_extendable"
    elif slot.phase is not SlotPhase.WRAP_UP:
        if queue is not None and queue.wrap_up_mode == "optional":
            slot.wrap_asked_ms = min(slot.wrap_asked_ms + signal.extend_ms, WRAP_UP_MS_MAX)
            return
        reason = "not_in_wrap_up"
    elif slot.wrap_until_ms is None:
        reason = "no_deadline"
    else:
        limit_ms = slot.wrap_started_ms + WRAP_UP_MS_MAX
        longest_ms = max(slot.wrap_until_ms, limit_ms)
        slot.wrap_until_ms = min(slot.wrap_until_ms + signal.extend_ms, longest_ms)
        centre.timers.arm(Timer.WRAP_UP, agent.agent_id, slot.wrap_until_ms)
        centre.emit(
            WrapUpLengthened(
                at_ms=centre.at_ms,
                occurred_ms=centre.when(agent=agent),
                agent_id=agent.agent_id,
                interaction_id=slot.interaction_id,
                until_ms=slot.wrap_until_ms,
            )
        )
        return
    centre.ignore(signal, reason, agent_id=signal.agent_id)


def wrap_up_coded(centre: Centre, signal: WrapUpCoded) -> None:
    """The agent gave the interaction its code: during the talk, the wrap-up, or a while later."""
    if _handled(centre, signal):
        centre.emit(
            WrapUpCodeGiven(
                at_ms=centre.at_ms,
                occurred_ms=centre.occurred_ms,
                agent_id=signal.agent_id,
                interaction_id=signal.interaction_id,
                code=signal.code,
            )
        )


def reason_given(centre: Centre, signal: ReasonGiven) -> None:
    """The agent said what the contact was about: during the talk, the wrap-up, or a while later."""
    if _handled(centre, signal):
        centre.emit(
            ContactReasonNoted(
                at_ms=centre.at_ms,
                occurred_ms=centre.occurred_ms,
                agent_id=signal.agent_id,
                interaction_id=signal.interaction_id,
                reason_id=signal.reason_id,
                tree_version=signal.tree_version,
            )
        )


def _handled(centre: Centre, signal: WrapUpCoded | ReasonGiven) -> bool:
    """Whether the agent talked in the interaction, live or past; else the signal is ignored."""
    live = centre.interactions.get(signal.interaction_id)
    past = centre.ended.get(signal.interaction_id)
    if live is None and past is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id, signal.agent_id)
        return False
    handled_by = live.handled_by if live else past.handled_by if past else []
    if signal.agent_id not in handled_by:
        centre.ignore(signal, "not_your_interaction", signal.interaction_id, signal.agent_id)
        return False
    return True
