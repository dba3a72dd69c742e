"""The customer and a number outside: dialled, answered, over. Nobody of ours is with the customer then."""

from __future__ import annotations

from routing.centre import Centre
from routing.ids import LegId
from routing.signals import OfferFailure, Party
from routing.state import Interaction, Outside, Phase
from routing.transfer_events import OutsideAnswered, OutsideDialled, OutsideEnded
from routing.transfer_signals import OutsideLegAnswered, OutsideLegEnded

TALKED = "talked"


def begin(
    centre: Centre, interaction: Interaction, attempt: int, to_number: str, *, answered: bool = False
) -> None:
    """The customer goes there; what was before is closed already."""
    when = centre.when(interaction)
    interaction.phase, interaction.agent_id = Phase.EXTERNAL, None
    interaction.outside = Outside(attempt=attempt, began_ms=when, to_number=to_number)
    centre.emit(
        OutsideDialled(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            attempt=attempt,
            to_number=to_number,
        )
    )
    if answered:
        _answer(centre, interaction, None)


def leg_answered(centre: Centre, signal: OutsideLegAnswered) -> None:
    """The party outside picked up."""
    interaction = _present(centre, signal)
    if interaction is None:
        return
    assert interaction.outside is not None
    if interaction.outside.answered_ms is None:
        _answer(centre, interaction, signal.leg_id)
    else:
        centre.ignore(signal, "duplicate", signal.interaction_id)


def leg_ended(centre: Centre, signal: OutsideLegEnded) -> None:
    """It was not answered, or the party outside hung up; the customer is still there."""
    interaction = _present(centre, signal)
    if interaction is not None:
        over(centre, interaction, signal.cause)


def over(centre: Centre, interaction: Interaction, cause: OfferFailure | None) -> None:
    """The customer is with the number no more, and with nobody else yet."""
    by = Party.OUTSIDE if cause is None else Party.SYSTEM
    close(centre, interaction, centre.when(interaction), by, TALKED if cause is None else cause.value)
    interaction.phase = Phase.UNATTENDED
    if cause is None:
        interaction.hangup_by = Party.OUTSIDE


def close(centre: Centre, interaction: Interaction, when: int, ended_by: Party, outcome: str) -> None:
    """Tell the end; nothing happens when there is nothing outside."""
    there = interaction.outside
    if there is None:
        return
    interaction.outside = None
    centre.emit(
        OutsideEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            attempt=there.attempt,
            outcome=outcome,
            ended_by=ended_by,
            talk_ms=0 if there.answered_ms is None else when - there.answered_ms,
        )
    )


def left_by(centre: Centre, interaction: Interaction, when: int, ended_by: Party) -> None:
    """The contact ends, or the customer is found elsewhere: end what there is outside."""
    there = interaction.outside
    if there is not None:
        close(centre, interaction, when, ended_by, "caller_left" if there.answered_ms is None else TALKED)


def _answer(centre: Centre, interaction: Interaction, leg_id: LegId | None) -> None:
    assert interaction.outside is not None
    when = centre.when(interaction)
    interaction.outside.answered_ms = when
    centre.emit(
        OutsideAnswered(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            attempt=interaction.outside.attempt,
            leg_id=leg_id,
        )
    )


def _present(centre: Centre, signal: OutsideLegAnswered | OutsideLegEnded) -> Interaction | None:
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        reason = "interaction_ended" if signal.interaction_id in centre.ended else "unknown_interaction"
    elif interaction.outside is None or interaction.outside.attempt != signal.attempt:
        reason = "stale_attempt"
    else:
        return interaction
    centre.ignore(signal, reason, signal.interaction_id)
    return None
