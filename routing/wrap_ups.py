"""The work after a contact: wrap-up begun, lengthened and ended, its code and what the contact was about."""

from __future__ import annotations

from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.desk_events import ContactReasonNoted
from routing.desk_signals import ReasonGiven
from routing.events import WrapUpCodeGiven, WrapUpDone, WrapUpLengthened, WrapUpStarted
from routing.ids import QueueId
from routing.presence import settle
from routing.signals import WrapUpCoded, WrapUpEnded, WrapUpExtended
from routing.state import Agent, Slot
from routing.timers import Timer

WRAP_UP_MS_MAX = 3_600_000  # a wrap-up is not extended beyond this, counted from its start


def start_wrap_up(centre: Centre, agent: Agent, slot: Slot, when: int) -> None:
    """The agent is with the customer no more: after-call work as queue or agent have it, or none."""
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
