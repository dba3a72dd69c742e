"""What the PBX reports of a consult or a conference: a phone rings, answers, is hung up."""

from __future__ import annotations

from routing import outside
from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.consult_ends import asked_agent
from routing.consult_moves import agent_left_conference, agent_left_consult, asked_left_conference, back
from routing.ids import AgentId, InteractionId
from routing.presence import settle
from routing.signals import AgentLegEnded, OfferFailure, Party, Signal
from routing.state import Consult, ConsultPhase, Interaction, Phase
from routing.talks import leg_ended
from routing.timers import Timer
from routing.transfer_events import (
    ConsultAnswered,
    ConsultOutcome,
    ConsultRang,
)
from routing.transfer_signals import (
    ConsultAgentLeft,
    ConsultLegAnswered,
    ConsultLegEnded,
    ConsultLegRang,
)

_NOT_ANSWERED = {
    OfferFailure.NO_ANSWER: ConsultOutcome.NO_ANSWER,
    OfferFailure.REJECTED: ConsultOutcome.REJECTED,
    OfferFailure.BUSY: ConsultOutcome.REJECTED,
}


def rang(centre: Centre, signal: ConsultLegRang) -> None:
    """The phone of whom the agent asks rings."""
    found = _present(centre, signal, signal.interaction_id, signal.attempt)
    if found is None:
        return
    interaction, consult = found
    if consult.phase is not ConsultPhase.DIALLED:
        centre.ignore(signal, "duplicate", signal.interaction_id)
        return
    consult.phase, consult.leg_id = ConsultPhase.RINGING, signal.leg_id
    assert interaction.agent_id is not None
    centre.emit(
        ConsultRang(
            at_ms=centre.at_ms,
            occurred_ms=centre.when(interaction),
            interaction_id=signal.interaction_id,
            agent_id=interaction.agent_id,
            attempt=consult.attempt,
            to_agent_id=consult.to_agent_id,
            leg_id=signal.leg_id,
        )
    )


def answered(centre: Centre, signal: ConsultLegAnswered) -> None:
    """The agent and whom he asks hear each other."""
    found = _present(centre, signal, signal.interaction_id, signal.attempt)
    if found is None:
        return
    interaction, consult = found
    if consult.phase not in (ConsultPhase.DIALLED, ConsultPhase.RINGING):
        centre.ignore(signal, "duplicate", signal.interaction_id)
        return
    asked = asked_agent(centre, interaction, consult)
    when = centre.when(interaction, asked)
    consult.phase = ConsultPhase.TALKING
    consult.leg_id = signal.leg_id or consult.leg_id
    centre.timers.cancel(Timer.CONSULT, interaction.interaction_id)
    assert interaction.agent_id is not None
    centre.emit(
        ConsultAnswered(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=signal.interaction_id,
            agent_id=interaction.agent_id,
            attempt=consult.attempt,
            to_agent_id=consult.to_agent_id,
            leg_id=consult.leg_id,
        )
    )
    if asked is not None and asked.voice is not None:
        asked.voice.phase = SlotPhase.CONSULTED
        settle(centre, asked, when)


def leg_gone(centre: Centre, signal: ConsultLegEnded) -> None:
    """Whoever was asked did not answer, or hung up."""
    found = _present(centre, signal, signal.interaction_id, signal.attempt)
    if found is None:
        return
    interaction, consult = found
    by = Party.AGENT if consult.to_agent_id is not None else Party.OUTSIDE
    if consult.phase is ConsultPhase.CONFERENCE:
        asked_left_conference(centre, interaction, by)
    elif signal.cause is None:
        back(centre, interaction, ConsultOutcome.TARGET_LEFT, by)
    else:
        outcome = _NOT_ANSWERED.get(signal.cause, ConsultOutcome.FAILED)
        back(centre, interaction, outcome, Party.SYSTEM if outcome is ConsultOutcome.FAILED else by)


def phone_left(centre: Centre, signal: ConsultAgentLeft) -> None:
    """A phone that takes or took part in a consult was hung up by the one who holds it."""
    interaction = centre.interactions.get(signal.interaction_id)
    consult = interaction.consult if interaction is not None else None
    if interaction is None or interaction.phase is not Phase.CONNECTED:
        if interaction is not None and interaction.phase is Phase.EXTERNAL and signal.agent_id is None:
            outside.over(centre, interaction, None)
            return
        centre.ignore(signal, "not_connected", signal.interaction_id, signal.agent_id)
    elif consult is None:
        leg = AgentLegEnded(interaction_id=signal.interaction_id, agent_id=signal.agent_id or AgentId(""))
        leg_ended(centre, leg)
    elif consult.phase is ConsultPhase.CONFERENCE and signal.agent_id == consult.to_agent_id:
        by = Party.AGENT if consult.to_agent_id is not None else Party.OUTSIDE
        asked_left_conference(centre, interaction, by)
    elif signal.agent_id != interaction.agent_id:
        centre.ignore(signal, "not_connected", signal.interaction_id, signal.agent_id)
    elif consult.phase is ConsultPhase.CONFERENCE:
        agent_left_conference(centre, interaction)
    else:
        agent_left_consult(centre, interaction)


def give_up(centre: Centre, interaction: Interaction) -> None:
    """Nothing was heard of the dial: the agent has the customer again."""
    if interaction.consult is not None and interaction.phase is Phase.CONNECTED:
        back(centre, interaction, ConsultOutcome.FAILED, Party.SYSTEM)


def refused(centre: Centre, interaction: Interaction) -> None:
    """The PBX knows no such leg: whoever was asked is gone."""
    give_up(centre, interaction)


def _present(
    centre: Centre, signal: Signal, interaction_id: InteractionId, attempt: int
) -> tuple[Interaction, Consult] | None:
    interaction = centre.interactions.get(interaction_id)
    consult = interaction.consult if interaction is not None else None
    if interaction is None:
        reason = "interaction_ended" if interaction_id in centre.ended else "unknown_interaction"
    elif consult is None or consult.attempt != attempt:
        reason = "stale_attempt"
    else:
        return interaction, consult
    centre.ignore(signal, reason, interaction_id)
    return None
