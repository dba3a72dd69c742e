"""What the PBX does without us, refuses to do for us, or proves afterwards."""

from __future__ import annotations

from routing import consult_reports, outside, reattach
from routing.agents import note_busy
from routing.centre import Centre
from routing.events import FactCorrected, InteractionHandedOver, QueueExit
from routing.offers import await_end, fail, take_back
from routing.signals import (
    CallFactCorrected,
    CommandRefused,
    FallbackEntered,
    FallbackServed,
    OfferFailure,
    Party,
)
from routing.state import WITH_AGENT, Interaction, Phase
from routing.talks import end, finish_talk
from routing.timers import Timer
from routing.visits import adopt_event, end_fallback_talk, leave


def entered(centre: Centre, signal: FallbackEntered) -> None:
    """The dialplan handed the caller to the PBX's own queue."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        if signal.interaction_id in centre.ended:
            centre.ignore(signal, "interaction_ended", signal.interaction_id)
            return
        interaction = centre.begin(signal.interaction_id, began_ms=centre.occurred_ms)
        interaction.phase = Phase.FALLBACK
        adopt_event(centre, interaction, None)
    elif interaction.phase is Phase.OFFERED:
        # our Redirect is behind it on the wire and will fetch the caller out again
        centre.ignore(signal, "offer_pending", signal.interaction_id)
        return
    _hand_over(centre, interaction, signal.cause)


def served(centre: Centre, signal: FallbackServed) -> None:
    """A member of the PBX's own queue took the caller."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id, signal.agent_id)
        return
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, centre.when(interaction), "served")
    if interaction.phase is not Phase.FALLBACK:
        _hand_over(centre, interaction, "served")
    serve(centre, interaction, signal)


def serve(centre: Centre, interaction: Interaction, signal: FallbackServed) -> None:
    """Record who serves a caller in the fallback; that agent is busy elsewhere."""
    agent = centre.agents.get(signal.agent_id) if signal.agent_id is not None else None
    when = centre.when(interaction)
    end_fallback_talk(centre, interaction, when, Party.UNKNOWN)
    centre.emit(
        InteractionHandedOver(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=signal.agent_id,
            cause="served",
        )
    )
    if agent is not None:
        interaction.fallback_agent_id, interaction.fallback_talk_ms = agent.agent_id, when
        if agent.agent_id not in interaction.handled_by:
            interaction.handled_by.append(agent.agent_id)
        note_busy(centre, agent, "fallback")


def _hand_over(centre: Centre, interaction: Interaction, cause: str) -> None:
    to_fallback(centre, interaction)
    centre.emit(
        InteractionHandedOver(
            at_ms=centre.at_ms,
            occurred_ms=interaction.last_ms,
            interaction_id=interaction.interaction_id,
            agent_id=None,
            cause=cause,
        )
    )


def to_fallback(centre: Centre, interaction: Interaction) -> None:
    """The PBX's own queue has the caller: close the visit or the talk that was open."""
    when = centre.when(interaction)
    if interaction.phase is Phase.QUEUED:
        leave(centre, interaction, QueueExit.FALLBACK, when)
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, when, Party.UNKNOWN, "fallback")
    outside.left_by(centre, interaction, when, Party.UNKNOWN)
    interaction.gone = False
    interaction.phase = Phase.FALLBACK
    centre.timers.cancel(Timer.GRACE, interaction.interaction_id)


# ---------------------------------------------------------------- refusals and corrections


def refused(centre: Centre, signal: CommandRefused) -> None:
    """The PBX answered a command with an error."""
    interaction = centre.interactions.get(signal.interaction_id) if signal.interaction_id else None
    unknown_channel = signal.reason == OfferFailure.UNKNOWN_CHANNEL
    if interaction is None:
        centre.ignore(signal, "refused", signal.interaction_id, signal.agent_id)
        return
    offer = interaction.offer
    if signal.command == "OfferInteraction":
        if offer is None or offer.attempt != signal.attempt:
            centre.ignore(signal, "stale_attempt", signal.interaction_id, signal.agent_id)
            return
        fail(centre, interaction, OfferFailure.UNKNOWN_CHANNEL if unknown_channel else OfferFailure.STALE)
    elif signal.command == "ReattachInteraction":
        waited = interaction.reattach
        if waited is None or waited.attempt != signal.attempt:
            centre.ignore(signal, "stale_attempt", signal.interaction_id, signal.agent_id)
            return
        cause = OfferFailure.UNKNOWN_CHANNEL if unknown_channel else OfferFailure.STALE
        reattach.failed(centre, interaction, cause)
    elif signal.command in ("StartConsult", "StartConference"):
        consult_reports.refused(centre, interaction)
    elif signal.command == "EndLeg":
        centre.ignore(signal, "refused", signal.interaction_id, signal.agent_id)
    elif unknown_channel:
        if offer is not None:
            fail(centre, interaction, OfferFailure.UNKNOWN_CHANNEL)
        else:
            await_end(centre, interaction)
    else:
        centre.ignore(signal, "refused", signal.interaction_id, signal.agent_id)


def corrected(centre: Centre, signal: CallFactCorrected) -> None:
    """The witness showed a fact that the events had missed: record it, create or close what it shows."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None and signal.interaction_id not in centre.ended:
        interaction = centre.begin(
            signal.interaction_id,
            began_ms=signal.started_ms,
            entry_point=signal.entry_point,
            caller_number=signal.caller_number,
        )
        if signal.answered_ms is not None:
            interaction.phase = Phase.UNATTENDED
    centre.emit(
        FactCorrected(
            at_ms=centre.at_ms,
            occurred_ms=centre.occurred_ms,
            interaction_id=signal.interaction_id,
            started_ms=signal.started_ms,
            ended_ms=signal.ended_ms,
            answered_ms=signal.answered_ms,
            agent_id=signal.agent_id,
            entry_point=signal.entry_point,
            caller_number=signal.caller_number,
            evidence=signal.evidence,
        )
    )
    if interaction is not None and signal.ended_ms is not None:
        centre.occurred_ms = min(signal.ended_ms, centre.at_ms)
        end(centre, interaction, Party.UNKNOWN, reason="lost")
