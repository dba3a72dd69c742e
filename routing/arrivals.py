"""What callers do while they wait: arrive, make their laps, press keys."""

from __future__ import annotations

from routing import reattach
from routing.centre import Centre
from routing.commands import MarkHeard
from routing.events import KeyNoted
from routing.ids import InteractionId
from routing.offers import take_back
from routing.signals import InteractionArrived, InteractionWaiting, KeyPressed, Party
from routing.state import Interaction, Phase
from routing.talks import finish_talk
from routing.timers import Timer
from routing.visits import adopt_event, back_to_queue, enter, leave_by_key


def arrive(centre: Centre, signal: InteractionArrived) -> None:
    """A contact begins; it waits in no queue yet."""
    interaction_id = signal.interaction_id
    if interaction_id in centre.interactions:
        centre.ignore(signal, "duplicate", interaction_id)
        return
    if interaction_id in centre.ended:
        centre.ignore(signal, "interaction_ended", interaction_id)
        return
    centre.begin(
        interaction_id,
        began_ms=centre.occurred_ms,
        medium=signal.medium,
        direction=signal.direction,
        entry_point=signal.entry_point,
        caller_number=signal.caller_number,
        caller_name=signal.caller_name,
        attributes=signal.attributes,
    )


def lap(centre: Centre, signal: InteractionWaiting) -> None:
    """A waiting lap: the first of a visit queues the interaction, later ones show that it is there."""
    interaction_id = signal.interaction_id
    interaction = centre.interactions.get(interaction_id)
    adopted = interaction is None
    queue = centre.queue_or_default(signal.queue_id)
    if interaction is None:
        ended = centre.ended.get(interaction_id)
        if ended is not None and ended.reason == "hangup":
            centre.ignore(signal, "interaction_ended", interaction_id)
            return
        began_ms = signal.queued_at_ms if signal.queued_at_ms is not None else centre.occurred_ms
        interaction = centre.begin(interaction_id, began_ms=began_ms)
    interaction.attributes.update(signal.attributes)
    rank_attempt = interaction.offer.attempt if interaction.offer else 0
    interaction.attempt = max(interaction.attempt, signal.attempt)
    match interaction.phase:
        case Phase.QUEUED:
            if interaction.gone:
                _found_again(centre, interaction)
            centre.heard[interaction_id] = True
            return
        case Phase.OFFERED if signal.attempt < rank_attempt:
            return  # a lap that began before the hand-over took place
        case Phase.OFFERED:
            take_back(centre, interaction, centre.when(interaction), "returned_to_queue")
            back_to_queue(centre, interaction)
            centre.heard[interaction_id] = True
            return
        case Phase.CONNECTED:
            finish_talk(centre, interaction, centre.when(interaction), Party.AGENT)
        case Phase.RE_ATTACH:
            reattach.back_in_laps(centre, interaction, signal.attempt)
            return
        case Phase.CLOSING if interaction.hangup_by is not None:
            centre.ignore(signal, "hangup_requested", interaction_id)
            return
        case _:
            pass
    if queue is None:
        centre.ignore(signal, "no_queue", interaction_id)
        return
    interaction.prefer_agent_id = signal.prefer_agent_id
    queued_at_ms = signal.queued_at_ms if signal.queued_at_ms is not None else centre.occurred_ms
    enter(
        centre,
        interaction,
        queue,
        started_ms=queued_at_ms if adopted else None,
        queued_at_ms=queued_at_ms,
        priority_ms=signal.priority_ms,
    )
    centre.heard[interaction_id] = True
    if adopted:
        adopt_event(centre, interaction, None)


def _found_again(centre: Centre, interaction: Interaction) -> None:
    """The PBX had said that there is no such channel, yet it makes its laps."""
    centre.timers.cancel(Timer.GRACE, interaction.interaction_id)
    interaction.gone = False
    back_to_queue(centre, interaction)  # the queue's timeout may have rested while it was gone


def note_key(centre: Centre, signal: KeyPressed) -> None:
    """The caller pressed a key while waiting."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id)
        return
    centre.emit(
        KeyNoted(
            at_ms=centre.at_ms,
            occurred_ms=centre.when(interaction),
            interaction_id=signal.interaction_id,
            digit=signal.digit,
        )
    )
    leave_by_key(centre, interaction, signal.digit)


def mark_heard(centre: Centre) -> None:
    """Tell the PBX that we hear those who still wait at the end of the step."""
    for interaction_id in centre.heard:
        if _still_waits(centre, interaction_id):
            centre.command(MarkHeard(interaction_id=interaction_id, heard_at_ms=centre.at_ms))
    centre.heard.clear()


def _still_waits(centre: Centre, interaction_id: InteractionId) -> bool:
    interaction = centre.interactions.get(interaction_id)
    return interaction is not None and interaction.phase in (Phase.QUEUED, Phase.RE_ATTACH)
