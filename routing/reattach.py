"""A browser phone that is lost in mid-call: music for the customer, and the same agent again.

The page was reloaded or the network was away; nobody hung up. Law: it stays one conversation. The
customer hears music at once; when the phone is back it is rung and answers by itself; when it does not
come back in time, the customer goes to the front of the queue, for the same agent first.
"""

from __future__ import annotations

from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.commands import HoldInteraction, ReattachInteraction
from routing.consult_ends import close
from routing.ids import LegId
from routing.offers import await_end
from routing.phone_events import ReattachBegan, ReattachDialled, Reattached
from routing.presence import settle
from routing.signals import (
    InteractionSeen,
    OfferAnswered,
    OfferFailed,
    OfferFailure,
    OfferRang,
    Party,
    PbxPhase,
)
from routing.state import Interaction, Phase, Reattach
from routing.talks import end_gap, end_hold, finish_talk, participant
from routing.timers import Timer
from routing.transfer_events import ConsultOutcome
from routing.visits import command_back, enter

REATTACH_MS = 30_000  # so long the customer waits for the phone
CLEAR_MS = 150  # the PBX takes the lost leg down within 110 ms; until then it calls the phone busy
AGAIN_MS = 500
FRONT_MS = 3_600_000  # the head start that makes the front of the queue
PHONE_LOST = "phone_lost"

_FINAL = frozenset({OfferFailure.NO_ANSWER, OfferFailure.REJECTED, OfferFailure.BUSY})


def begin(centre: Centre, interaction: Interaction) -> None:
    """The phone of a conversation is gone: music for the customer, and a deadline for the phone."""
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    end_hold(centre, interaction, when)
    close(centre, interaction, when, ConsultOutcome.LOST, Party.SYSTEM)
    until_ms = centre.at_ms + REATTACH_MS
    interaction.phase = Phase.RE_ATTACH
    interaction.reattach = Reattach(began_ms=when, until_ms=until_ms)
    slot.phase = SlotPhase.RE_ATTACH
    centre.timers.arm(Timer.REATTACH, interaction.interaction_id, until_ms)
    centre.emit(
        ReattachBegan(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            until_ms=until_ms,
        )
    )
    centre.command(HoldInteraction(interaction_id=interaction.interaction_id))
    settle(centre, agent, when)


def lose_again(centre: Centre, interaction: Interaction) -> None:
    """The phone went away while it was being rung again: back to the music."""
    waited = _waited(interaction)
    centre.timers.cancel(Timer.REATTACH_AGAIN, interaction.interaction_id)
    if waited.attempt is not None:
        waited.attempt = None
        centre.command(HoldInteraction(interaction_id=interaction.interaction_id))


def phone_back(centre: Centre, interaction: Interaction) -> None:
    """The phone can be reached: ring it, but not before the PBX has taken the lost leg down."""
    waited = _waited(interaction)
    if waited.attempt is None and not interaction.gone:
        due_ms = max(centre.at_ms, waited.until_ms - REATTACH_MS + CLEAR_MS)
        if due_ms <= centre.at_ms:
            _dial(centre, interaction)
        else:
            centre.timers.arm(Timer.REATTACH_AGAIN, interaction.interaction_id, due_ms)


def try_again(centre: Centre, interaction: Interaction) -> None:
    """It is time to ring the phone, when it can be reached."""
    waited = _waited(interaction)
    agent, _ = participant(centre, interaction)
    if waited.attempt is None and not agent.device_lost and not interaction.gone:
        _dial(centre, interaction)


def _dial(centre: Centre, interaction: Interaction) -> None:
    waited = _waited(interaction)
    agent, _ = participant(centre, interaction)
    interaction.attempt += 1
    waited.attempt = interaction.attempt
    centre.emit(
        ReattachDialled(
            at_ms=centre.at_ms,
            occurred_ms=centre.when(interaction, agent),
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=interaction.attempt,
        )
    )
    centre.command(
        ReattachInteraction(
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=interaction.attempt,
        )
    )


# ---------------------------------------------------------------- what the PBX reports


def is_about(centre: Centre, signal: OfferRang | OfferAnswered | OfferFailed) -> bool:
    """Whether a report is of the present dial of a lost phone, and of no offer."""
    interaction = centre.interactions.get(signal.interaction_id)
    return (
        interaction is not None
        and interaction.phase is Phase.RE_ATTACH
        and (interaction.agent_id, _waited(interaction).attempt) == (signal.agent_id, signal.attempt)
    )


def report(centre: Centre, signal: OfferRang | OfferAnswered | OfferFailed) -> None:
    """The phone rings, answered, or did not."""
    interaction = centre.interactions[signal.interaction_id]
    match signal:
        case OfferRang():
            pass
        case OfferAnswered():
            done(centre, interaction, signal.attempt, signal.leg_id)
        case OfferFailed():
            failed(centre, interaction, signal.cause)


def done(centre: Centre, interaction: Interaction, attempt: int, leg_id: LegId | None) -> None:
    """Agent and customer hear each other again."""
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    gap_ms = end_gap(centre, interaction, when)
    interaction.phase = Phase.CONNECTED
    interaction.leg_id = leg_id
    slot.phase = SlotPhase.TALKING
    centre.emit(
        Reattached(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=attempt,
            leg_id=leg_id,
            gap_ms=gap_ms,
        )
    )
    settle(centre, agent, when)


def failed(centre: Centre, interaction: Interaction, cause: OfferFailure) -> None:
    """The phone was not answered: a page that does not want is not asked twice, a phone not yet free is."""
    _waited(interaction).attempt = None
    if cause is OfferFailure.UNKNOWN_CHANNEL:
        await_end(centre, interaction)
    elif cause in _FINAL:
        give_up(centre, interaction)
    else:
        centre.timers.arm(Timer.REATTACH_AGAIN, interaction.interaction_id, centre.at_ms + AGAIN_MS)
        centre.heard[interaction.interaction_id] = True


def back_in_laps(centre: Centre, interaction: Interaction, attempt: int) -> None:
    """The customer stands in the waiting laps: a dial that ended brought him there."""
    waited = _waited(interaction)
    if waited.attempt is not None and attempt >= waited.attempt:
        failed(centre, interaction, OfferFailure.DEVICE_ERROR)
    centre.heard[interaction.interaction_id] = True


def give_up(centre: Centre, interaction: Interaction) -> None:
    """The phone is not coming: the customer goes to the front of the queue, for the same agent first.

    The agent gets no wrap-up for it: the customer is not served yet, and he may be the one who does it.
    """
    agent, _ = participant(centre, interaction)
    when = centre.when(interaction, agent)
    finish_talk(centre, interaction, when, Party.SYSTEM, PHONE_LOST, wrap_up=False)
    queue = centre.queue_or_default(interaction.queue_id)
    if queue is None:
        return  # nobody's queue: the dialplan's own laps end in the PBX's default queue
    first_ms = interaction.first_queued_ms
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=interaction.last_ms if first_ms is None else first_ms,
        priority_ms=max(interaction.priority_ms, FRONT_MS),
    )
    interaction.prefer_agent_id = agent.agent_id
    command_back(centre, interaction)


# ---------------------------------------------------------------- after a reconnect


def adopt(centre: Centre, interaction: Interaction, seen: InteractionSeen) -> bool:
    """Bring a wait for a phone in line with what the PBX shows; False: it shows something else.

    The PBX wins: the dial may have been answered meanwhile, or ended, or never have reached it.
    """
    waited = _waited(interaction)
    ours = seen.agent_id == interaction.agent_id
    talks = seen.phase is PbxPhase.TALKING or seen.bridged
    if talks and ours and seen.attempt == waited.attempt:
        done(centre, interaction, seen.attempt, seen.leg_id)
    elif talks and ours:  # the command that was to bring the music never arrived
        waited.attempt = None
        centre.command(HoldInteraction(interaction_id=interaction.interaction_id))
    elif talks or seen.phase is PbxPhase.FALLBACK or (seen.phase is PbxPhase.OFFERED and not ours):
        return False
    elif seen.phase is PbxPhase.OFFERED:
        waited.attempt = seen.attempt
    else:
        waited.attempt = None
    return True


def rearm(centre: Centre, interaction: Interaction) -> None:
    """Deadlines rested while the PBX could not be heard."""
    waited = interaction.reattach
    if waited is None:
        return
    centre.timers.arm(Timer.REATTACH, interaction.interaction_id, max(centre.at_ms, waited.until_ms))
    centre.timers.arm(Timer.REATTACH_AGAIN, interaction.interaction_id, centre.at_ms + CLEAR_MS)


def _waited(interaction: Interaction) -> Reattach:
    assert interaction.reattach is not None, interaction
    return interaction.reattach
