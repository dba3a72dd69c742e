"""Consult, attended transfer and conference. Law: at every moment the customer is somewhere.

The agent who has the customer asks another agent or a number outside while the customer hears music; then
he goes back, hands the customer over, or brings all three together. What leaves first decides who goes on.
"""

from __future__ import annotations

import re

from routing.agent_states import Presence, SlotPhase
from routing.centre import Centre
from routing.commands import CompleteConsult, EndLeg, StartConference, StartConsult
from routing.consult_ends import asked_agent, end_consult
from routing.consult_moves import agent_left_conference, asked_left_conference, back, consult_of, hand_over
from routing.ids import AgentId, InteractionId
from routing.presence import settle
from routing.signals import Party, Signal
from routing.state import Consult, ConsultPhase, Interaction, Phase, Slot
from routing.talks import end_hold, participant
from routing.timers import Timer
from routing.transfer_events import (
    ConferenceStarted,
    ConsultOutcome,
    ConsultStarted,
)
from routing.transfer_signals import (
    ConferenceRequested,
    ConsultCancelled,
    ConsultCompleted,
    ConsultRequested,
)

UNANSWERED_MS = 45_000  # the PBX gives up ringing after 30 s and says so; this waits for its report
NUMBER = re.compile(r"\+?[0-9]{3,32}")


def request(centre: Centre, signal: ConsultRequested) -> None:
    """Ask somebody; what does not fit is refused, never guessed."""
    interaction = _of(centre, signal, signal.interaction_id, signal.by_agent_id)
    if interaction is None:
        return
    reason = ""
    if interaction.phase is not Phase.CONNECTED or interaction.gone:
        reason = "not_connected"
    elif interaction.consult is not None:
        reason = "in_consult"
    elif interaction.leg_id is None:
        reason = "phone_unknown"
    elif not _has_one_target(signal):
        reason = "bad_target"
    elif signal.to_agent_id is not None:
        reason = _not_able(centre, interaction, signal.to_agent_id)
    if reason:
        centre.ignore(signal, reason, signal.interaction_id, signal.by_agent_id)
        return
    _begin(centre, interaction, signal.to_agent_id, signal.to_number)


def _has_one_target(signal: ConsultRequested) -> bool:
    if not signal.to_number:
        return signal.to_agent_id is not None
    return signal.to_agent_id is None and NUMBER.fullmatch(signal.to_number) is not None


def _not_able(centre: Centre, interaction: Interaction, agent_id: AgentId) -> str:
    agent = centre.agents.get(agent_id)
    if agent is None:
        return "unknown_agent"
    free = agent.voice is None and not agent.busy_elsewhere and not agent.device_lost
    if agent.presence is Presence.SIGNED_OUT or agent.agent_id == interaction.agent_id or not free:
        return "agent_not_available"
    return ""


def _begin(centre: Centre, interaction: Interaction, to_agent_id: AgentId | None, to_number: str) -> None:
    agent, slot = participant(centre, interaction)
    when = centre.when(interaction, agent)
    end_hold(centre, interaction, when)
    interaction.attempt += 1
    interaction.consult = Consult(
        attempt=interaction.attempt, began_ms=when, to_agent_id=to_agent_id, to_number=to_number
    )
    slot.phase = SlotPhase.HOLDING
    centre.timers.arm(Timer.CONSULT, interaction.interaction_id, centre.at_ms + UNANSWERED_MS)
    centre.emit(
        ConsultStarted(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=interaction.attempt,
            to_agent_id=to_agent_id,
            to_number=to_number,
        )
    )
    assert interaction.leg_id is not None
    centre.command(
        StartConsult(
            interaction_id=interaction.interaction_id,
            leg_id=interaction.leg_id,
            attempt=interaction.attempt,
            to_agent_id=to_agent_id,
            to_number=to_number,
        )
    )
    settle(centre, agent, when)
    if to_agent_id is not None:
        asked = centre.agents[to_agent_id]
        asked.voice = Slot(
            interaction_id=interaction.interaction_id, phase=SlotPhase.ASKED, queue_id=interaction.queue_id
        )
        settle(centre, asked, max(when, asked.since_ms))


def cancel(centre: Centre, signal: ConsultCancelled) -> None:
    """Back to the customer; out of a conference, whoever was asked is let go."""
    interaction = _consulting(centre, signal, signal.interaction_id, signal.by_agent_id)
    if interaction is None:
        return
    consult = consult_of(interaction)
    by = Party.SYSTEM if signal.by_agent_id is None else Party.AGENT
    if consult.phase is not ConsultPhase.CONFERENCE:
        back(centre, interaction, ConsultOutcome.CANCELLED, by)
        return
    if consult.leg_id is not None:
        centre.command(EndLeg(interaction_id=interaction.interaction_id, leg_id=consult.leg_id))
    asked_left_conference(centre, interaction, Party.SYSTEM)


def complete(centre: Centre, signal: ConsultCompleted) -> None:
    """Hand the customer over; out of a conference, the agent leaves the two others together."""
    interaction = _consulting(centre, signal, signal.interaction_id, signal.by_agent_id)
    if interaction is None:
        return
    consult = consult_of(interaction)
    if consult.phase is ConsultPhase.CONFERENCE:
        if interaction.leg_id is not None:
            centre.command(EndLeg(interaction_id=interaction.interaction_id, leg_id=interaction.leg_id))
        agent_left_conference(centre, interaction)
    elif consult.phase is ConsultPhase.TALKING:
        centre.command(
            CompleteConsult(
                interaction_id=interaction.interaction_id,
                attempt=consult.attempt,
                to_agent_id=consult.to_agent_id,
            )
        )
        hand_over(centre, interaction)
    else:
        centre.ignore(signal, "not_answered_yet", signal.interaction_id, signal.by_agent_id)


def confer(centre: Centre, signal: ConferenceRequested) -> None:
    """All three hear each other from now on."""
    interaction = _consulting(centre, signal, signal.interaction_id, signal.by_agent_id)
    if interaction is None:
        return
    consult = consult_of(interaction)
    if consult.phase is not ConsultPhase.TALKING or consult.leg_id is None or interaction.leg_id is None:
        reason = "in_conference" if consult.phase is ConsultPhase.CONFERENCE else "not_answered_yet"
        centre.ignore(signal, reason, signal.interaction_id, signal.by_agent_id)
        return
    agent, slot = participant(centre, interaction)
    asked = asked_agent(centre, interaction, consult)
    when = centre.when(interaction, agent)
    end_consult(centre, interaction, consult, when, ConsultOutcome.CONFERENCE, Party.AGENT)
    consult.phase, consult.conference_ms = ConsultPhase.CONFERENCE, when
    slot.phase = SlotPhase.TALKING
    if asked is not None and asked.agent_id not in interaction.handled_by:
        interaction.handled_by.append(asked.agent_id)
    centre.emit(
        ConferenceStarted(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=consult.attempt,
            to_agent_id=consult.to_agent_id,
        )
    )
    centre.command(
        StartConference(
            interaction_id=interaction.interaction_id,
            leg_id=interaction.leg_id,
            to_leg_id=consult.leg_id,
        )
    )
    settle(centre, agent, when)


def _of(
    centre: Centre, signal: Signal, interaction_id: InteractionId, by_agent_id: AgentId | None
) -> Interaction | None:
    interaction = centre.interactions.get(interaction_id)
    if interaction is None:
        reason = "unknown_interaction"
    elif by_agent_id not in (None, interaction.agent_id):
        reason = "not_your_interaction"
    elif not centre.link_up:
        reason = "pbx_link_down"
    else:
        return interaction
    centre.ignore(signal, reason, interaction_id, by_agent_id)
    return None


def _consulting(
    centre: Centre, signal: Signal, interaction_id: InteractionId, by_agent_id: AgentId | None
) -> Interaction | None:
    interaction = _of(centre, signal, interaction_id, by_agent_id)
    if interaction is not None and (interaction.consult is None or interaction.phase is not Phase.CONNECTED):
        centre.ignore(signal, "no_consult", interaction_id, by_agent_id)
        return None
    return interaction
