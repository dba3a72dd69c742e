"""Consults, conferences and numbers outside: messages → signals, commands → actions. Pure.

The agent's own leg dials whom he asks, so that its events carry the leg's variables: the interaction, the
consult's attempt, and the state ``consult``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from routing.commands import (
    CompleteConsult,
    DialOutside,
    EndConsult,
    EndLeg,
    StartConference,
    StartConsult,
)
from routing.ids import AgentId, InteractionId, LegId, bare_id
from routing.signals import OfferFailure, Signal
from routing.transfer_signals import (
    ConsultAgentLeft,
    ConsultLegAnswered,
    ConsultLegEnded,
    ConsultLegRang,
    OutsideLegAnswered,
    OutsideLegEnded,
)
from telephony.ami.codec import AmiMessage
from telephony.fields import agent_of, occurred_ms, whole
from telephony.phones import Action

THIRD_PARTY_STATES = frozenset({"consult", "external"})
_ANSWERED, _CANCELLED = "ANSWER", "CANCEL"

ThirdPartyCommand = StartConsult | EndConsult | CompleteConsult | StartConference | EndLeg | DialOutside


def third_party(
    message: AmiMessage,
    interaction_id: InteractionId,
    failure: Callable[[AmiMessage], OfferFailure | None],
) -> Signal | None:
    """Return what a user event about a third party means.

    Args:
        failure: Why a dial was not answered.
    """
    attempt, when = whole(message.get("Attempt")), occurred_ms(message)
    if message.get("UserEvent") == "CCLegLeft":
        return ConsultAgentLeft(
            occurred_ms=when,
            interaction_id=interaction_id,
            attempt=attempt,
            agent_id=agent_of(message.get("Agent")),
        )
    status = message.get("DialStatus")
    if status == _CANCELLED:
        return None  # whoever dialled is gone, and that is told by itself
    cause = None if status == _ANSWERED else failure(message) or OfferFailure.DEVICE_ERROR
    kind = ConsultLegEnded if message.get("UserEvent") == "CCConsultEnd" else OutsideLegEnded
    return kind(occurred_ms=when, interaction_id=interaction_id, attempt=attempt, cause=cause)


def third_party_dialled(message: AmiMessage) -> Signal | None:
    """Return what the progress of a dial to a third party means; its status has been looked at already."""
    variables = message.variables()
    interaction_id, leg = InteractionId(variables.get("CC_CALLID", "")), message.get("DestUniqueid")
    leg_id = LegId(leg) if leg else None
    attempt, when = whole(variables.get("CC_ATTEMPT")), occurred_ms(message)
    if variables.get("CC_STATE") == "external":
        if message.name == "DialState":
            return None
        return OutsideLegAnswered(
            occurred_ms=when, interaction_id=interaction_id, attempt=attempt, leg_id=leg_id
        )
    kind = ConsultLegRang if message.name == "DialState" else ConsultLegAnswered
    return kind(occurred_ms=when, interaction_id=interaction_id, attempt=attempt, leg_id=leg_id)


def third_party_actions(command: ThirdPartyCommand, epoch: int) -> Sequence[Action]:
    """Return the AMI actions that carry out a command, in order; the last one decides its success."""
    customer = bare_id(command.interaction_id)
    match command:
        case StartConsult():
            target = _target(command.to_agent_id, command.to_number)
            fenced = f"e{epoch}-t{command.attempt}-{target}"
            return (redirect(customer, "cc-hold", "consult", (command.leg_id, "cc-consult", fenced)),)
        case EndConsult():
            fenced = f"e{epoch}-t{command.attempt}-a{command.agent_id}-r"
            return (redirect(customer, "cc-take", fenced, (command.leg_id, "cc-idle", "s")),)
        case CompleteConsult():
            fenced = f"e{epoch}-t{command.attempt}-{_target(command.to_agent_id, '')}"
            return (redirect(customer, "cc-take", fenced),)
        case StartConference():
            both = redirect(command.leg_id, "cc-conf", "leg", (command.to_leg_id, "cc-conf", "leg"))
            return (both, redirect(customer, "cc-conf", "s"))
        case EndLeg():
            return ((("Action", "Hangup"), ("Channel", command.leg_id), ("Cause", "16")),)
        case DialOutside():
            fenced = f"e{epoch}-t{command.attempt}-{_target(None, command.to_number)}"
            return (redirect(customer, "cc-out", fenced),)
        case _:
            assert_never(command)


def redirect(channel: str, context: str, extension: str, extra: tuple[str, str, str] | None = None) -> Action:
    """Return the action that sends a channel, and with it a second one, elsewhere in the dialplan.

    Args:
        extra: Channel, context and extension of the second one.
    """
    action: Action = (
        ("Action", "Redirect"),
        ("Channel", channel),
        ("Context", context),
        ("Exten", extension),
        ("Priority", "1"),
    )
    if extra is None:
        return action
    names = ("ExtraChannel", "ExtraContext", "ExtraExten")
    return (*action, *zip(names, extra, strict=True), ("ExtraPriority", "1"))


def _target(agent_id: AgentId | None, number: str) -> str:
    return f"n{number}" if agent_id is None else f"a{agent_id}"
