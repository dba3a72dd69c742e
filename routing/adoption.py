"""Merging a snapshot of the PBX. Law: for channels, bridges and devices the PBX wins; for presence,
reasons, deadlines, ready-since, exclusions and places in the queue the engine's memory wins.

After it every contact that the PBX holds is known once, every other one is closed, and the order
of those who wait is kept.
"""

from __future__ import annotations

from routing import outside, reattach
from routing.agent_states import SlotPhase
from routing.agents import note_busy, note_free, note_lost, note_reachable
from routing.centre import Centre
from routing.commands import EndInteraction
from routing.consult_ends import close
from routing.consult_moves import hand_over
from routing.consults import UNANSWERED_MS
from routing.events import PbxLinkChanged, QueueExit
from routing.fallback import serve, to_fallback
from routing.ids import InteractionId
from routing.offers import connect, note_ringing, take_back, watch_ringing
from routing.phones import use
from routing.presence import resync_fallback, settle
from routing.signals import (
    DeviceSeen,
    FallbackServed,
    InteractionSeen,
    Party,
    PbxLinkLost,
    PbxPhase,
    PbxSnapshotTaken,
)
from routing.state import WITH_AGENT, Agent, ConsultPhase, Interaction, Offer, Phase, Slot
from routing.talks import end, finish_talk, participant
from routing.timers import Timer
from routing.transfer_events import ConsultOutcome
from routing.visits import (
    adopt_event,
    arm_exits,
    back_to_queue,
    command_back,
    end_fallback_talk,
    enter,
    leave,
    place,
)


def lose(centre: Centre, signal: PbxLinkLost) -> None:
    """The PBX cannot be heard: nothing is offered until the next snapshot."""
    if not centre.link_up:
        centre.ignore(signal, "duplicate")
        return
    centre.link_up = False
    centre.emit(
        PbxLinkChanged(
            at_ms=centre.at_ms,
            occurred_ms=centre.occurred_ms,
            pbx_id=signal.pbx_id,
            up=False,
            boot_id=centre.boot_id,
            adopted_count=0,
            closed_count=0,
        )
    )


def merge(centre: Centre, signal: PbxSnapshotTaken) -> None:
    """Bring the engine in line with what the PBX holds."""
    rebooted = centre.boot_id is not None and centre.boot_id != signal.boot_id
    centre.boot_id = signal.boot_id
    centre.link_up = True
    seen_by_id = {seen.interaction_id: seen for seen in signal.interactions}
    closed_count = _close_missing(centre, seen_by_id, rebooted)
    adopted_count = 0
    for seen in sorted(seen_by_id.values(), key=lambda seen: (seen.queued_at_ms or 0, seen.interaction_id)):
        adopted_count += _merge_one(centre, seen)
    for device in signal.devices:
        _merge_device(centre, device)
    for agent in list(centre.agents.values()):
        if agent.phone_chosen:
            use(centre, agent)
        if rebooted or agent.agent_id in centre.unsynced:
            resync_fallback(centre, agent)
    centre.unsynced.clear()
    _rearm(centre)
    centre.match_all = True
    centre.emit(
        PbxLinkChanged(
            at_ms=centre.at_ms,
            occurred_ms=centre.occurred_ms,
            pbx_id=signal.pbx_id,
            up=True,
            boot_id=signal.boot_id,
            adopted_count=adopted_count,
            closed_count=closed_count,
        )
    )


def _close_missing(centre: Centre, seen_by_id: dict[InteractionId, InteractionSeen], rebooted: bool) -> int:
    """Close what the PBX holds no more; after a restart of the PBX that is everything."""
    count = 0
    for interaction in list(centre.interactions.values()):
        if rebooted:
            end(centre, interaction, Party.SYSTEM, 0, "lost_with_pbx", QueueExit.LOST_WITH_PBX)
        elif interaction.interaction_id not in seen_by_id:
            end(centre, interaction, Party.UNKNOWN, 0, "lost")
        else:
            continue
        count += 1
    return count


def _merge_one(centre: Centre, seen: InteractionSeen) -> bool:
    """Merge one customer's channel. Returns whether it was unknown, or known otherwise."""
    interaction = centre.interactions.get(seen.interaction_id)
    unknown = interaction is None
    if interaction is None:
        began_ms = next((ms for ms in (seen.arrived_ms, seen.queued_at_ms) if ms is not None), centre.at_ms)
        interaction = centre.begin(
            seen.interaction_id,
            began_ms=began_ms,
            entry_point=seen.entry_point,
            caller_number=seen.caller_number,
            caller_name=seen.caller_name,
        )
    interaction.attempt = max(interaction.attempt, seen.attempt)
    before = (interaction.phase, interaction.agent_id)
    _bring_in_line(centre, interaction, seen, unknown)
    if interaction.phase is Phase.QUEUED:
        centre.heard[seen.interaction_id] = True
    known_otherwise = (interaction.phase, interaction.agent_id) != before
    if unknown or known_otherwise:
        adopt_event(centre, interaction, interaction.agent_id or seen.agent_id)
    return unknown or known_otherwise


def _bring_in_line(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool) -> None:
    if interaction.hangup_by is not None and interaction.phase is Phase.CLOSING:
        centre.command(EndInteraction(interaction_id=interaction.interaction_id))
    elif interaction.phase is Phase.RE_ATTACH and reattach.adopt(centre, interaction, seen):
        return
    elif seen.phase is PbxPhase.HELD and not seen.bridged:
        _held(centre, interaction, seen, unknown)
    elif seen.phase in (PbxPhase.CONSULT, PbxPhase.CONFERENCE, PbxPhase.EXTERNAL):
        _with_a_third(centre, interaction, seen, unknown)
    elif seen.served_by_fallback or seen.phase is PbxPhase.FALLBACK:
        _in_fallback(centre, interaction, seen)
    elif seen.phase in (PbxPhase.TALKING, PbxPhase.HELD) or seen.bridged:
        _talking(centre, interaction, seen)
    elif seen.phase is PbxPhase.OFFERED:
        _offered(centre, interaction, seen, unknown)
    elif seen.phase is PbxPhase.WAITING:
        _waiting(centre, interaction, seen, unknown)


def _with_a_third(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool) -> None:
    """A consult, a conference or a number outside: what we know of goes on, another one is brought home."""
    consult = interaction.consult
    if seen.phase is PbxPhase.EXTERNAL:
        if interaction.phase is not Phase.EXTERNAL:
            _close_present(centre, interaction)
            outside.begin(centre, interaction, seen.attempt, "", answered=seen.bridged)
    elif seen.phase is PbxPhase.CONSULT:
        if consult is None or consult.phase is ConsultPhase.CONFERENCE:
            _held(centre, interaction, seen, unknown)
    elif interaction.phase is not Phase.CONNECTED:  # the room's variables do not tell who of us stayed
        _talking(centre, interaction, seen)


def _close_present(centre: Centre, interaction: Interaction) -> None:
    """End offer, visit or talk: the PBX shows the customer with nobody of ours."""
    when = centre.when(interaction)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "link_lost")
        when = interaction.last_ms
    if interaction.phase is Phase.QUEUED:
        leave(centre, interaction, QueueExit.OVERFLOWED, when)
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, when, Party.UNKNOWN)
    end_fallback_talk(centre, interaction, interaction.last_ms, Party.UNKNOWN)
    centre.timers.cancel(Timer.GRACE, interaction.interaction_id)
    interaction.gone = False


def _in_fallback(centre: Centre, interaction: Interaction, seen: InteractionSeen) -> None:
    """The PBX's own queue has the caller: never pulled back."""
    if interaction.phase is not Phase.FALLBACK:
        if interaction.phase is Phase.OFFERED:
            take_back(centre, interaction, centre.when(interaction), "link_lost")
        to_fallback(centre, interaction)
    if seen.served_by_fallback and seen.agent_id != interaction.fallback_agent_id:
        serve(
            centre,
            interaction,
            FallbackServed(interaction_id=interaction.interaction_id, agent_id=seen.agent_id),
        )


def _talking(centre: Centre, interaction: Interaction, seen: InteractionSeen) -> None:
    """The customer talks: to the agent whom the PBX names."""
    if interaction.phase is Phase.CONNECTED and interaction.consult is not None:
        _after_consult(centre, interaction, seen)
    if interaction.phase is Phase.CONNECTED and interaction.agent_id == seen.agent_id:
        interaction.leg_id = interaction.leg_id or seen.leg_id
        return
    _offered_to(centre, interaction, seen)
    if interaction.phase is Phase.OFFERED:
        connect(centre, interaction, seen.leg_id)
        return
    # the PBX names nobody we know: the customer is served, by whom stays open
    if interaction.phase is Phase.QUEUED:
        leave(centre, interaction, QueueExit.ANSWERED, centre.when(interaction))
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, centre.when(interaction), Party.UNKNOWN)
    interaction.phase = Phase.UNATTENDED


def _after_consult(centre: Centre, interaction: Interaction, seen: InteractionSeen) -> None:
    """The customer talks with one agent again: with the one who asked, or with whom he asked."""
    consult = interaction.consult
    assert consult is not None
    if consult.to_agent_id is not None and seen.agent_id == consult.to_agent_id:
        if consult.phase is not ConsultPhase.CONFERENCE:
            hand_over(centre, interaction)
        return
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    close(centre, interaction, when, ConsultOutcome.LOST, Party.UNKNOWN)
    slot.phase = SlotPhase.TALKING
    settle(centre, agent, when)


def _held(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool) -> None:
    """Music until fetched, in nobody's memory: wait for the phone of the agent whom the PBX names."""
    _talking(centre, interaction, seen)
    if interaction.phase is Phase.CONNECTED:
        reattach.begin(centre, interaction)
        return
    _waiting(centre, interaction, seen, unknown)
    if interaction.phase is Phase.QUEUED:
        command_back(centre, interaction)


def _offered(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool) -> None:
    """The PBX rings an agent for it."""
    _offered_to(centre, interaction, seen)
    if interaction.phase is not Phase.OFFERED:
        _waiting(centre, interaction, seen, unknown)


def _offered_to(centre: Centre, interaction: Interaction, seen: InteractionSeen) -> None:
    """Make the interaction an offer to the agent whom the PBX names, if that agent can have one."""
    agent = centre.agents.get(seen.agent_id) if seen.agent_id is not None else None
    offer = interaction.offer
    if offer is not None:
        if agent is not None and offer.agent_id == agent.agent_id:
            offer.attempt = max(offer.attempt, seen.attempt)
            if offer.rang_at_ms is None:
                note_ringing(centre, interaction, seen.leg_id)
            return
        take_back(centre, interaction, centre.when(interaction), "link_lost")
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, centre.when(interaction), Party.UNKNOWN)
    if agent is None:
        if interaction.offer is None and interaction.phase is Phase.QUEUED:
            place_again(centre, interaction)
        return
    _free_slot(centre, agent)
    if agent.voice is not None:
        if interaction.phase is Phase.QUEUED:
            place_again(centre, interaction)
        return
    if interaction.phase is not Phase.QUEUED:
        _enter(centre, interaction, seen)
    if interaction.phase is not Phase.QUEUED:
        return
    _adopt_offer(centre, interaction, agent, seen)


def _free_slot(centre: Centre, agent: Agent) -> None:
    """The PBX shows the agent with another customer: what the engine had him do is over."""
    slot = agent.voice
    other = centre.interactions.get(slot.interaction_id) if slot is not None else None
    if slot is not None and slot.phase is SlotPhase.WRAP_UP:
        centre.timers.cancel(Timer.WRAP_UP, agent.agent_id)
        agent.voice = None
    elif other is not None and other.phase is Phase.OFFERED:
        take_back(centre, other, centre.when(other, agent), "link_lost")
        back_to_queue(centre, other)


def _adopt_offer(centre: Centre, interaction: Interaction, agent: Agent, seen: InteractionSeen) -> None:
    interaction_id = interaction.interaction_id
    centre.lines.remove_waiting(interaction_id)
    centre.arrived.pop(interaction_id, None)
    if interaction.parked_until_ms is not None:
        centre.timers.cancel(Timer.PARK, interaction_id)
        interaction.parked_until_ms = None
    centre.timers.cancel(Timer.GRACE, interaction_id)
    interaction.gone = False
    when = centre.when(interaction, agent)
    interaction.phase = Phase.OFFERED
    interaction.attempt = max(interaction.attempt, seen.attempt, 1)
    interaction.offer = Offer(agent_id=agent.agent_id, attempt=interaction.attempt, offered_at_ms=when)
    agent.voice = Slot(interaction_id=interaction_id, phase=SlotPhase.RESERVED, queue_id=interaction.queue_id)
    note_ringing(centre, interaction, seen.leg_id)


def _waiting(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool) -> None:
    """The caller waits: in the visit that is open, else in a new one with the place the PBX remembers."""
    centre.timers.cancel(Timer.GRACE, interaction.interaction_id)
    interaction.gone = False
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, centre.when(interaction), "link_lost")
        back_to_queue(centre, interaction)
    elif interaction.phase is Phase.QUEUED:
        place_again(centre, interaction)
    else:
        if interaction.phase in WITH_AGENT:
            finish_talk(centre, interaction, centre.when(interaction), Party.UNKNOWN)
        _enter(centre, interaction, seen, unknown)


def place_again(centre: Centre, interaction: Interaction) -> None:
    """Let a queued interaction wait in its line if it does not yet."""
    if not centre.lines.is_waiting(interaction.interaction_id):
        place(centre, interaction)


def _enter(centre: Centre, interaction: Interaction, seen: InteractionSeen, unknown: bool = False) -> None:
    queue = centre.queue_or_default(seen.queue_id)
    if queue is None:
        return
    queued_at_ms = seen.queued_at_ms if seen.queued_at_ms is not None else centre.occurred_ms
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=queued_at_ms,
        priority_ms=seen.priority_ms,
        started_ms=queued_at_ms if unknown else None,
    )


def _merge_device(centre: Centre, device: DeviceSeen) -> None:
    agent = centre.agents.get(device.agent_id)
    if agent is None:
        return
    if not device.reachable:
        note_lost(centre, agent)
    else:
        note_reachable(centre, agent)
    if device.in_use:
        note_busy(centre, agent, "device")
    else:
        note_free(centre, agent)
    settle(centre, agent, centre.when(agent=agent))


def _rearm(centre: Centre) -> None:
    """Deadlines of interactions rested while the PBX could not be heard."""
    for interaction in centre.interactions.values():
        interaction_id, timers = interaction.interaction_id, centre.timers
        if interaction.offer is not None:
            watch_ringing(centre, interaction)
        queue = centre.queues.get(interaction.queue_id) if interaction.queue_id is not None else None
        if interaction.phase in (Phase.QUEUED, Phase.OFFERED) and queue:
            arm_exits(centre, interaction, queue)
        consult = interaction.consult
        if consult is not None and consult.phase in (ConsultPhase.DIALLED, ConsultPhase.RINGING):
            timers.arm(Timer.CONSULT, interaction_id, centre.at_ms + UNANSWERED_MS)
        if interaction.exclusive:
            timers.arm(Timer.PREFER_HOLD, interaction_id, centre.at_ms)
        if interaction.parked_until_ms is not None:
            timers.arm(Timer.PARK, interaction_id, max(centre.at_ms, interaction.parked_until_ms))
        reattach.rearm(centre, interaction)
        if interaction.phase is Phase.CLOSING or interaction.gone:
            timers.arm(Timer.GRACE, interaction_id, centre.at_ms)
