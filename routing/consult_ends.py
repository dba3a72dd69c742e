"""How a consult or a conference ends, whoever ends it. Law: after ``close`` nobody is asked any more.

The agent who was asked is free at once after a consult, for he served nobody; out of a conference he goes
with a participation of his own and the wrap-up behind it.
"""

from __future__ import annotations

from routing.agent_states import SlotPhase
from routing.centre import Centre
from routing.events import TalkEnded
from routing.ids import AgentId
from routing.presence import settle
from routing.signals import Party
from routing.state import Agent, Consult, ConsultPhase, Interaction
from routing.timers import Timer
from routing.transfer_events import ConferenceEnded, ConsultEnded, ConsultOutcome
from routing.wrap_ups import start_wrap_up

LEFT_CONFERENCE = "left_conference"
_OF_PARTY = {Party.CUSTOMER: ConsultOutcome.CALLER_LEFT, Party.AGENT: ConsultOutcome.AGENT_LEFT}


def outcome_by(party: Party) -> ConsultOutcome:
    """Return how a consult ended that went with the whole talk."""
    return _OF_PARTY.get(party, ConsultOutcome.LOST)


def close(
    centre: Centre, interaction: Interaction, when: int, outcome: ConsultOutcome, ended_by: Party
) -> None:
    """End what there is of a consult or a conference; nothing happens when there is none.

    The agent's own slot is the caller's affair; the time of the consult counts to his hold.
    """
    consult = interaction.consult
    if consult is None:
        return
    if consult.phase is ConsultPhase.CONFERENCE:
        leave_conference(centre, interaction, when, ended_by, left=consult.to_agent_id)
        return
    end_consult(centre, interaction, consult, when, outcome, ended_by)
    interaction.consult = None
    asked = asked_agent(centre, interaction, consult)
    if asked is not None:
        if consult.phase is ConsultPhase.TALKING:
            asked.ready_since_ms = None
        asked.voice = None
        settle(centre, asked, when)


def end_consult(
    centre: Centre,
    interaction: Interaction,
    consult: Consult,
    when: int,
    outcome: ConsultOutcome,
    ended_by: Party,
) -> None:
    """The customer is on hold for it no more."""
    assert interaction.agent_id is not None
    consult_ms = when - consult.began_ms
    interaction.hold_ms += consult_ms
    centre.timers.cancel(Timer.CONSULT, interaction.interaction_id)
    centre.emit(
        ConsultEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=interaction.agent_id,
            attempt=consult.attempt,
            to_agent_id=consult.to_agent_id,
            outcome=outcome,
            ended_by=ended_by,
            consult_ms=consult_ms,
        )
    )


def leave_conference(
    centre: Centre, interaction: Interaction, when: int, ended_by: Party, left: AgentId | None
) -> Consult:
    """One of the three is gone: the one who was asked, when *left* is he or nobody of ours.

    When it is the agent himself, his own talk is ended by whoever calls this.
    """
    consult = interaction.consult
    assert consult is not None
    assert interaction.agent_id is not None
    interaction.consult = None
    centre.emit(
        ConferenceEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=interaction.agent_id,
            attempt=consult.attempt,
            to_agent_id=consult.to_agent_id,
            left_agent_id=left,
            ended_by=ended_by,
        )
    )
    asked = asked_agent(centre, interaction, consult)
    if asked is None or left == interaction.agent_id:
        return consult
    assert consult.conference_ms is not None
    assert asked.voice is not None
    centre.emit(
        TalkEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=asked.agent_id,
            queue_id=interaction.queue_id,
            talk_ms=when - consult.conference_ms,
            hold_ms=0,
            ended_by=ended_by,
            reason=LEFT_CONFERENCE if ended_by is Party.AGENT else "",
        )
    )
    start_wrap_up(centre, asked, asked.voice, when)
    return consult


def asked_agent(centre: Centre, interaction: Interaction, consult: Consult) -> Agent | None:
    """Return the agent who is asked; None: a number outside is, or he has gone on to something else."""
    agent = centre.agents.get(consult.to_agent_id) if consult.to_agent_id is not None else None
    if agent is None or agent.voice is None or agent.voice.interaction_id != interaction.interaction_id:
        return None
    return agent if agent.voice.phase in (SlotPhase.ASKED, SlotPhase.CONSULTED) else None
