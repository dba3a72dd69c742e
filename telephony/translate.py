"""PBX message → signals; command → PBX actions. The only file that knows both vocabularies.

Pure and without memory: ``channelvars`` in manager.conf makes every event name its interaction,
agent and attempt (``asterisk-config/README.md``), and an interaction's id is the Uniqueid of the
caller's channel, which Asterisk accepts wherever it wants a channel's name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from routing.commands import (
    Command,
    EndInteraction,
    HandToFallback,
    HoldInteraction,
    JoinFallback,
    LeaveFallback,
    MarkHeard,
    MoveToQueue,
    OfferInteraction,
    PauseFallback,
    ReattachInteraction,
    UsePhone,
)
from routing.ids import AgentId, InteractionId, LegId, bare_id
from routing.signals import (
    AgentLegEnded,
    FallbackEntered,
    FallbackServed,
    InteractionArrived,
    InteractionEnded,
    InteractionHeld,
    InteractionTransferred,
    InteractionUnheld,
    InteractionWaiting,
    KeyPressed,
    OfferAnswered,
    OfferFailed,
    OfferFailure,
    OfferRang,
    Party,
    Signal,
)
from telephony.ami.codec import AmiMessage
from telephony.consults import (
    THIRD_PARTY_STATES,
    ThirdPartyCommand,
    redirect,
    third_party,
    third_party_actions,
    third_party_dialled,
)
from telephony.fields import agent_of, caller_name, known, occurred_ms, queue_of, whole, whole_or_none
from telephony.phones import UNREACHABLE, Action, contact, device, device_of, phone_global

FALLBACK_PREFIX = "fallback-"
_CAUSE_REJECTED = 21
_CAUSE_BUSY = 17
_CAUSE_NO_ANSWER = 19

_DIALPLAN = "dialplan/"
_OURS = frozenset({"offered", "talking"})  # the caller stands in cc-go


def signals_of(message: AmiMessage, agent_by_device: Mapping[str, AgentId]) -> Sequence[Signal]:
    """Return what an AMI event means to the engine: mostly nothing, else one signal, seldom two.

    Args:
        message: An event.
        agent_by_device: Which agent's phone a device (``PJSIP/a1001``) is.
    """
    match message.name:
        case "UserEvent":
            signal = _user_event(message)
        case "DialState" | "DialEnd":
            signal = _dialled(message)
        case "Hangup":
            signal = _hangup(message)
        case "Hold" | "Unhold":
            signal = _hold(message)
        case "DeviceStateChange":
            return device(message, agent_by_device)
        case "ContactStatus":
            signal = contact(message, agent_by_device)
        case _:
            return ()
    return () if signal is None else (signal,)


# ---------------------------------------------------------------- events


def _user_event(message: AmiMessage) -> Signal | None:
    call_id = message.get("CallID")
    if not call_id:
        return None
    interaction_id = InteractionId(call_id)
    when = occurred_ms(message)
    agent_id = agent_of(message.get("Agent"))
    match message.get("UserEvent"):
        case "CCNew":
            return InteractionArrived(
                occurred_ms=when,
                interaction_id=interaction_id,
                entry_point=message.get("Entry", ""),
                caller_number=known(message.get("CallerIDNum", "")),
                caller_name=caller_name(message),
            )
        case "CCWaiting":
            return InteractionWaiting(
                occurred_ms=when,
                interaction_id=interaction_id,
                queue_id=queue_of(message.get("Queue")),
                lap=whole(message.get("Lap"), 1),
                attempt=whole(message.get("Attempt")),
                priority_ms=whole(message.get("HeadStart")),
                queued_at_ms=whole_or_none(message.get("QueuedAt")),
                prefer_agent_id=agent_of(message.get("Prefer")),
            )
        case "CCKey":
            return KeyPressed(occurred_ms=when, interaction_id=interaction_id, digit=message.get("Digit", ""))
        case "CCRefused" | "CCDialEnd" if agent_id:
            cause = _failure(message)
            if cause is None:
                return None
            return OfferFailed(
                occurred_ms=when,
                interaction_id=interaction_id,
                agent_id=agent_id,
                attempt=whole(message.get("Attempt")),
                cause=cause,
                hangup_cause=whole(message.get("HangupCause")),
            )
        case "CCTalkEnd" if agent_id:
            return AgentLegEnded(
                occurred_ms=when,
                interaction_id=interaction_id,
                agent_id=agent_id,
                hangup_cause=whole(message.get("HangupCause")),
            )
        case "CCTransfer":
            return _transfer(message, interaction_id, when)
        case "CCConsultEnd" | "CCLegLeft" | "CCOutsideEnd":
            return third_party(message, interaction_id, _failure)
        case "CCFallback":
            return FallbackEntered(
                occurred_ms=when, interaction_id=interaction_id, cause=message.get("Cause", "")
            )
        case "CCServed":
            return FallbackServed(occurred_ms=when, interaction_id=interaction_id, agent_id=agent_id)
        case "CCHangup":
            return InteractionEnded(
                occurred_ms=when,
                interaction_id=interaction_id,
                ended_by=_ended_by(message),
                hangup_cause=whole(message.get("HangupCause")),
            )
        case _:
            return None


def _failure(message: AmiMessage) -> OfferFailure | None:
    """Why the phone did not take the offer; None when the caller hung up first (its own signal follows)."""
    if message.get("UserEvent") == "CCRefused":
        if message.get("Reason") != "device":
            return OfferFailure.STALE
        unreachable = message.get("DeviceState") in UNREACHABLE
        return OfferFailure.DEVICE_ERROR if unreachable else OfferFailure.DEVICE_BUSY
    cause = whole(message.get("HangupCause"))
    match message.get("DialStatus"):
        case "NOANSWER":
            return OfferFailure.NO_ANSWER
        case "BUSY":
            return OfferFailure.REJECTED if cause == _CAUSE_REJECTED else OfferFailure.BUSY
        case "CANCEL":
            return None
        case _ if cause == _CAUSE_REJECTED:
            return OfferFailure.REJECTED
        case _ if cause == _CAUSE_BUSY:
            return OfferFailure.BUSY
        case _ if cause == _CAUSE_NO_ANSWER:
            return OfferFailure.NO_ANSWER
        case _:
            return OfferFailure.DEVICE_ERROR


def refused_by_fence(message: AmiMessage) -> int | None:
    """Return the epoch of an offer that the fence refused; None when the message tells of no such thing."""
    if message.name != "UserEvent" or message.get("UserEvent") != "CCRefused":
        return None
    return whole(message.get("Epoch")) if message.get("Reason") == "fence" else None


def _transfer(message: AmiMessage, interaction_id: InteractionId, when: int | None) -> Signal | None:
    kind, _, target = message.get("Target", "").partition("-")
    by = agent_of(message.get("Agent")) or agent_of(message.variables().get("CC_AGENT"))
    to_queue_id = queue_of(target) if kind == "q" else None
    to_agent_id = agent_of(target) if kind == "a" else None
    if to_queue_id is None and to_agent_id is None:
        return None
    return InteractionTransferred(
        occurred_ms=when,
        interaction_id=interaction_id,
        agent_id=by,
        to_queue_id=to_queue_id,
        to_agent_id=to_agent_id,
    )


def _ended_by(message: AmiMessage) -> Party:
    """Who hung up: the channel that Asterisk names as the source, the caller's own or another.

    No channel: a manager did it, or the dialplan, and neither of the two who talked.
    """
    source = message.get("Source", "")
    if not source or source.startswith(_DIALPLAN):
        return Party.SYSTEM
    return Party.CUSTOMER if source == message.get("Channel") else Party.AGENT


def _dialled(message: AmiMessage) -> Signal | None:
    """DialState says that the agent's phone rings, DialEnd that it answered; failures come as CCDialEnd."""
    variables = message.variables()
    call_id, agent_id = variables.get("CC_CALLID"), agent_of(variables.get("CC_AGENT"))
    wanted = "RINGING" if message.name == "DialState" else "ANSWER"
    if message.get("DialStatus") != wanted or not call_id:
        return None
    if variables.get("CC_STATE") in THIRD_PARTY_STATES:
        return third_party_dialled(message)
    if agent_id is None:
        return None
    if variables.get("CC_STATE") not in _OURS:
        return None  # not our hand-over: app_queue's call, or another dialplan's
    outside = message.get("DestChannel", "").startswith("Local/")
    if outside and wanted == "ANSWER" and variables.get("CC_STATE") != "talking":
        return None  # answered, but nobody pressed 1: a voicemail does that too
    kind = OfferRang if message.name == "DialState" else OfferAnswered
    leg = message.get("DestUniqueid")
    return kind(
        occurred_ms=occurred_ms(message),
        interaction_id=InteractionId(call_id),
        agent_id=agent_id,
        attempt=whole(variables.get("CC_ATTEMPT")),
        leg_id=LegId(leg) if leg else None,
    )


def _hangup(message: AmiMessage) -> Signal | None:
    """The backstop of CCHangup: only a customer's own channel counts, an agent's leg ends in CCTalkEnd."""
    call_id = message.variables().get("CC_CALLID")
    if not call_id or message.get("Uniqueid") != call_id:
        return None
    return InteractionEnded(
        occurred_ms=occurred_ms(message),
        interaction_id=InteractionId(call_id),
        hangup_cause=whole(message.get("Cause")),
    )


def _hold(message: AmiMessage) -> Signal | None:
    variables = message.variables()
    call_id, agent_id = variables.get("CC_CALLID"), agent_of(variables.get("CC_AGENT"))
    if not call_id or agent_id is None or message.get("Uniqueid") == call_id:
        return None  # the customer's own phone put us on hold: still talking, as the centre counts it
    kind = InteractionHeld if message.name == "Hold" else InteractionUnheld
    return kind(occurred_ms=occurred_ms(message), interaction_id=InteractionId(call_id), agent_id=agent_id)


# ---------------------------------------------------------------- commands


def actions_of(command: Command, *, epoch: int, device_by_agent: Mapping[AgentId, str]) -> Sequence[Action]:
    """Return the AMI actions that carry out a command, in order; the last one decides its success.

    Args:
        command: What the engine asks.
        epoch: The leader's epoch, written into every hand-over and checked by the dialplan's fence.
        device_by_agent: The phone of each agent; an agent without one is ``PJSIP/<agent id>``.
    """
    match command:
        case OfferInteraction():
            extension = f"e{epoch}-t{command.attempt}-a{command.agent_id}"
            return (redirect(bare_id(command.interaction_id), "cc-go", extension),)
        case ReattachInteraction():
            extension = f"e{epoch}-t{command.attempt}-a{command.agent_id}-r"
            return (redirect(bare_id(command.interaction_id), "cc-go", extension),)
        case HoldInteraction():
            return (redirect(bare_id(command.interaction_id), "cc-hold", "again"),)
        case UsePhone():
            return (phone_global(command),)
        case MoveToQueue():
            variables = {
                "CC_QUEUE": command.queue_id,
                "CC_QUEUED_AT": str(command.queued_at_ms),
                "CC_PRIORITY": str(command.priority_ms),
                "CC_RING_S": str(max(1, round(command.ring_timeout_ms / 1000))),
            }
            channel = bare_id(command.interaction_id)
            sets = tuple(_set(channel, name, value) for name, value in variables.items())
            return (*sets, redirect(bare_id(command.interaction_id), "cc-wait", "s"))
        case MarkHeard():
            heard_s = str(command.heard_at_ms // 1000)
            return (_set(bare_id(command.interaction_id), "CC_HEARD", heard_s),)
        case _ if isinstance(command, ThirdPartyCommand):
            return third_party_actions(command, epoch)
        case EndInteraction():
            channel = bare_id(command.interaction_id)
            return ((("Action", "Hangup"), ("Channel", channel), ("Cause", "16")),)
        case HandToFallback():
            return (redirect(bare_id(command.interaction_id), "cc-fallback", "s"),)
        case JoinFallback():
            return (
                (
                    ("Action", "QueueAdd"),
                    ("Queue", FALLBACK_PREFIX + command.queue_id),
                    ("Interface", device_of(command.agent_id, device_by_agent)),
                    ("MemberName", command.agent_id),
                    ("Paused", "true" if command.paused else "false"),
                ),
            )
        case LeaveFallback():
            return (
                (
                    ("Action", "QueueRemove"),
                    ("Queue", FALLBACK_PREFIX + command.queue_id),
                    ("Interface", device_of(command.agent_id, device_by_agent)),
                ),
            )
        case PauseFallback():
            return (
                (
                    ("Action", "QueuePause"),
                    ("Interface", device_of(command.agent_id, device_by_agent)),
                    ("Paused", "true" if command.paused else "false"),
                    ("Reason", command.reason),
                ),
            )
        case _:
            assert_never(command)  # type: ignore[arg-type]  # the base class is open, its children are not


def _set(channel: str, name: str, value: str) -> Action:
    return (("Action", "Setvar"), ("Channel", channel), ("Variable", name), ("Value", value))
