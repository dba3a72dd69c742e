"""What follows from the end of a consult or a conference: who has the customer now."""

from __future__ import annotations

from routing import outside
from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.commands import EndConsult
from routing.consult_ends import LEFT_CONFERENCE, asked_agent, close, end_consult, leave_conference
from routing.events import InteractionTransferred as TransferDone
from routing.presence import settle
from routing.reattach import FRONT_MS
from routing.signals import Party
from routing.state import Agent, Consult, Interaction, Phase
from routing.talks import finish_talk, participant
from routing.transfer_events import (
    ConsultOutcome,
    InteractionTaken,
)
from routing.transfer_signals import (
    TransferKind,
)
from routing.visits import command_back, enter


def back(centre: Centre, interaction: Interaction, outcome: ConsultOutcome, by: Party) -> None:
    """The agent talks with the customer again."""
    agent, slot = participant(centre, interaction)
    attempt = consult_of(interaction).attempt
    when = centre.when(interaction, agent)
    close(centre, interaction, when, outcome, by)
    slot.phase = SlotPhase.TALKING
    settle(centre, agent, when)
    if interaction.leg_id is not None:
        centre.command(
            EndConsult(
                interaction_id=interaction.interaction_id,
                agent_id=agent.agent_id,
                leg_id=interaction.leg_id,
                attempt=attempt,
            )
        )


def hand_over(centre: Centre, interaction: Interaction) -> None:
    """Whoever was asked has the customer, and the agent's part is over."""
    agent, _ = participant(centre, interaction)
    consult = consult_of(interaction)
    when = centre.when(interaction, agent)
    end_consult(centre, interaction, consult, when, ConsultOutcome.COMPLETED, Party.AGENT)
    interaction.consult = None
    finish_talk(centre, interaction, when, Party.SYSTEM, "attended_transfer")
    _take(centre, interaction, consult, agent, since_ms=interaction.last_ms)


def agent_left_conference(centre: Centre, interaction: Interaction) -> None:
    """The agent leaves the two others together."""
    agent, _ = participant(centre, interaction)
    when = centre.when(interaction, agent)
    consult = leave_conference(centre, interaction, when, Party.AGENT, agent.agent_id)
    finish_talk(centre, interaction, when, Party.AGENT, LEFT_CONFERENCE)
    assert consult.conference_ms is not None
    _take(centre, interaction, consult, agent, since_ms=consult.conference_ms)


def asked_left_conference(centre: Centre, interaction: Interaction, by: Party) -> None:
    """Whoever was asked leaves; agent and customer go on."""
    consult = consult_of(interaction)
    asked = asked_agent(centre, interaction, consult)
    leave_conference(centre, interaction, centre.when(interaction, asked), by, consult.to_agent_id)


def agent_left_consult(centre: Centre, interaction: Interaction) -> None:
    """His phone is gone, and with it the leg of whom he asked: the customer waits at the front again."""
    agent, _ = participant(centre, interaction)
    when = centre.when(interaction, agent)
    close(centre, interaction, when, ConsultOutcome.AGENT_LEFT, Party.AGENT)
    finish_talk(centre, interaction, when, Party.AGENT, "left_in_consult")
    queue = centre.queue_or_default(interaction.queue_id)
    if queue is None:
        return  # the dialplan lets the customer wait in the PBX's default queue when the music is over
    first_ms = interaction.first_queued_ms
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=interaction.last_ms if first_ms is None else first_ms,
        priority_ms=max(interaction.priority_ms, FRONT_MS),
    )
    command_back(centre, interaction)


def _take(centre: Centre, interaction: Interaction, consult: Consult, giver: Agent, *, since_ms: int) -> None:
    """Tell the transfer, and give the customer to whoever was asked."""
    when = interaction.last_ms
    centre.emit(
        TransferDone(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            from_agent_id=giver.agent_id,
            to_queue_id=None,
            to_agent_id=consult.to_agent_id,
            to_number=consult.to_number,
            kind=TransferKind.ATTENDED,
            attempt=consult.attempt,
        )
    )
    if consult.to_agent_id is None:
        outside.begin(centre, interaction, consult.attempt, consult.to_number, answered=True)
        return
    asked = asked_agent(centre, interaction, consult)
    if asked is None or asked.voice is None:
        return  # the PBX shows him elsewhere; whom it shows with the customer comes by the next report
    when = interaction.last_ms = max(when, asked.since_ms)
    interaction.phase, interaction.agent_id = Phase.CONNECTED, asked.agent_id
    interaction.leg_id = consult.leg_id
    interaction.talk_started_ms, interaction.hold_started_ms, interaction.hold_ms = since_ms, None, 0
    interaction.reattach_ms = 0
    if asked.agent_id not in interaction.handled_by:
        interaction.handled_by.append(asked.agent_id)
    asked.voice.phase = SlotPhase.TALKING
    asked.ready_since_ms = None
    centre.emit(
        InteractionTaken(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=asked.agent_id,
            queue_id=interaction.queue_id,
            attempt=consult.attempt,
            leg_id=consult.leg_id,
            since_ms=since_ms,
        )
    )
    settle(centre, asked, when)


def consult_of(interaction: Interaction) -> Consult:
    """Return the consult that there is."""
    assert interaction.consult is not None, interaction
    return interaction.consult
