"""PBX words ↔ engine words, on bytes recorded from a real Asterisk and on messages made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.commands import (
    Command,
    EndInteraction,
    HandToFallback,
    JoinFallback,
    LeaveFallback,
    MarkHeard,
    MoveToQueue,
    OfferInteraction,
    PauseFallback,
)
from routing.ids import AgentId, InteractionId, QueueId
from routing.signals import (
    AgentBusyElsewhere,
    AgentFreeElsewhere,
    AgentLegEnded,
    DeviceLost,
    DeviceReachable,
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
from telephony.ami.codec import AmiDecoder, AmiMessage, encode_action
from telephony.translate import actions_of, signals_of

_PHONES = {"PJSIP/a1001": AgentId("a1001")}
_CALL = InteractionId("pbx1-1795326833.0")
_FIRST_CALL = Path(__file__).parent / "fixtures" / "first_call.ami"


def _signals(*pairs: tuple[str, str]) -> list[Signal]:
    return list(signals_of(AmiMessage.of(*pairs), _PHONES))


def _user_event(name: str, **headers: str) -> list[Signal]:
    event = (("Event", "UserEvent"), ("Channel", "PJSIP/trunk-1"), ("UserEvent", name), ("CallID", _CALL))
    return _signals(*event, *headers.items())


def test_a_recorded_call_becomes_its_story_in_order() -> None:
    messages = AmiDecoder().receive(_FIRST_CALL.read_bytes())
    story = [signal for message in messages for signal in signals_of(message, _PHONES)]
    about_the_call = [signal for signal in story if hasattr(signal, "interaction_id")]
    assert [type(signal) for signal in about_the_call] == [
        InteractionArrived,
        InteractionWaiting,
        OfferRang,
        OfferAnswered,
        InteractionHeld,
        InteractionUnheld,
        AgentLegEnded,
        InteractionEnded,
        InteractionEnded,  # the hangup handler's, then the channel's own as a backstop
    ]
    arrived = about_the_call[0]
    assert isinstance(arrived, InteractionArrived)
    assert (arrived.entry_point, arrived.caller_number, arrived.caller_name) == (
        "8001",
        "0912345678",
        "王小明",
    )
    ended = about_the_call[-2]
    assert isinstance(ended, InteractionEnded)
    assert ended.ended_by is Party.AGENT
    times = [signal.occurred_ms or 0 for signal in about_the_call]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("status", "cause", "failure"),
    [
        ("NOANSWER", "19", OfferFailure.NO_ANSWER),
        ("BUSY", "17", OfferFailure.BUSY),
        ("BUSY", "21", OfferFailure.REJECTED),
        ("CONGESTION", "21", OfferFailure.REJECTED),
        ("CHANUNAVAIL", "20", OfferFailure.DEVICE_ERROR),
        ("CONGESTION", "34", OfferFailure.DEVICE_ERROR),
        ("CHANUNAVAIL", "17", OfferFailure.BUSY),
    ],
)
def test_a_failed_dial_says_why(status: str, cause: str, failure: OfferFailure) -> None:
    (signal,) = _user_event("CCDialEnd", Agent="a1001", Attempt="2", DialStatus=status, HangupCause=cause)
    assert isinstance(signal, OfferFailed)
    assert (signal.cause, signal.attempt, signal.hangup_cause) == (failure, 2, int(cause))


def test_a_dial_that_the_caller_ended_is_no_failure_of_the_agent() -> None:
    assert _user_event("CCDialEnd", Agent="a1001", Attempt="2", DialStatus="CANCEL") == []


@pytest.mark.parametrize(
    ("reason", "state", "failure"),
    [
        ("fence", "", OfferFailure.STALE),
        ("attempt", "", OfferFailure.STALE),
        ("device", "BUSY", OfferFailure.DEVICE_BUSY),
        ("device", "RINGING", OfferFailure.DEVICE_BUSY),
        ("device", "UNAVAILABLE", OfferFailure.DEVICE_ERROR),
        ("device", "INVALID", OfferFailure.DEVICE_ERROR),
    ],
)
def test_a_refused_offer_says_why(reason: str, state: str, failure: OfferFailure) -> None:
    (signal,) = _user_event("CCRefused", Agent="a1001", Attempt="3", Reason=reason, DeviceState=state)
    assert isinstance(signal, OfferFailed)
    assert signal.cause is failure


def test_a_phone_that_transfers_names_its_target() -> None:
    (to_queue,) = _user_event("CCTransfer", Agent="a1001", Target="q-billing")
    (to_agent,) = _user_event("CCTransfer", Agent="a1001", Target="a-a1002")
    assert isinstance(to_queue, InteractionTransferred)
    assert isinstance(to_agent, InteractionTransferred)
    assert (to_queue.to_queue_id, to_queue.to_agent_id) == ("billing", None)
    assert (to_agent.to_queue_id, to_agent.to_agent_id) == (None, "a1002")
    assert _user_event("CCTransfer", Agent="a1001", Target="x-1") == []


def test_keys_fallback_and_its_service_are_told() -> None:
    assert _user_event("CCKey", Digit="5") == [KeyPressed(interaction_id=_CALL, digit="5")]
    assert _user_event("CCFallback", Cause="unheard") == [
        FallbackEntered(interaction_id=_CALL, cause="unheard")
    ]
    assert _user_event("CCServed", Agent="a1001") == [
        FallbackServed(interaction_id=_CALL, agent_id=AgentId("a1001"))
    ]


def test_who_hung_up_is_the_channel_that_asterisk_names() -> None:
    for source, party in (
        ("PJSIP/trunk-1", Party.CUSTOMER),
        ("PJSIP/a1001-2", Party.AGENT),
        ("dialplan/builtin", Party.SYSTEM),
        ("", Party.SYSTEM),
    ):
        (signal,) = _user_event("CCHangup", Source=source, HangupCause="16")
        assert isinstance(signal, InteractionEnded)
        assert signal.ended_by is party


@pytest.mark.parametrize(
    ("state", "kinds"),
    [
        ("NOT_INUSE", [DeviceReachable, AgentFreeElsewhere]),
        ("BUSY", [DeviceReachable, AgentBusyElsewhere]),
        ("RINGING", [DeviceReachable, AgentBusyElsewhere]),
        ("UNAVAILABLE", [DeviceLost]),
        ("INVALID", [DeviceLost]),
    ],
)
def test_a_phone_tells_its_state(state: str, kinds: list[type[Signal]]) -> None:
    event = (("Event", "DeviceStateChange"), ("Device", "PJSIP/a1001"), ("State", state))
    assert [type(signal) for signal in _signals(*event)] == kinds


def test_what_is_not_ours_means_nothing() -> None:
    assert _signals(("Event", "DeviceStateChange"), ("Device", "PJSIP/trunk"), ("State", "BUSY")) == []
    assert (
        _signals(("Event", "Hangup"), ("Uniqueid", "pbx1-1.2"), ("ChanVariable", f"CC_CALLID={_CALL}")) == []
    )
    app_queue = ("CC_STATE=fallback", f"CC_CALLID={_CALL}", "CC_AGENT=a1001")
    rings = (
        ("Event", "DialState"),
        ("DialStatus", "RINGING"),
        *(("ChanVariable", text) for text in app_queue),
    )
    assert _signals(*rings) == []
    assert _signals(("Event", "UserEvent"), ("UserEvent", "CCNew")) == []
    assert _signals(("Event", "UserEvent"), ("UserEvent", "SomebodyElses"), ("CallID", _CALL)) == []


@given(
    st.lists(
        st.tuples(st.sampled_from(["UserEvent", "CallID", "Agent", "Attempt", "Target", "State"]), st.text())
    )
)
def test_no_message_of_the_world_raises(pairs: list[tuple[str, str]]) -> None:
    for name in ("UserEvent", "DialState", "DialEnd", "Hangup", "Hold", "DeviceStateChange", "Whatever"):
        _signals(("Event", name), *pairs)


def _fields(command: Command, **devices: str) -> list[dict[str, str]]:
    by_agent = {AgentId(agent): device for agent, device in devices.items()}
    actions = actions_of(command, epoch=7, device_by_agent=by_agent)
    assert all(encode_action(action) for action in actions)
    return [dict(action) for action in actions]


def test_an_offer_is_one_redirect_that_carries_epoch_attempt_and_agent() -> None:
    offer = OfferInteraction(interaction_id=_CALL, agent_id=AgentId("a1001"), attempt=3)
    assert _fields(offer) == [
        {"Action": "Redirect", "Channel": _CALL, "Context": "cc-go", "Exten": "e7-t3-aa1001", "Priority": "1"}
    ]


def test_a_move_sets_the_place_before_it_redirects() -> None:
    move = MoveToQueue(
        interaction_id=_CALL,
        queue_id=QueueId("billing"),
        queued_at_ms=5,
        priority_ms=7,
        ring_timeout_ms=12_400,
    )
    *sets, redirect = _fields(move)
    assert {action["Variable"]: action["Value"] for action in sets} == {
        "CC_QUEUE": "billing",
        "CC_QUEUED_AT": "5",
        "CC_PRIORITY": "7",
        "CC_RING_S": "12",
    }
    assert (redirect["Action"], redirect["Context"], redirect["Exten"]) == ("Redirect", "cc-wait", "s")


def test_an_interaction_seen_again_under_another_boot_is_addressed_by_its_own_channel() -> None:
    assert _fields(EndInteraction(interaction_id=InteractionId(f"{_CALL}~b2")))[0]["Channel"] == _CALL


def test_other_commands_say_what_they_mean() -> None:
    a1001, sales = AgentId("a1001"), QueueId("sales")
    assert _fields(MarkHeard(interaction_id=_CALL, heard_at_ms=1_795_326_833_999)) == [
        {"Action": "Setvar", "Channel": _CALL, "Variable": "CC_HEARD", "Value": "1795326833"}
    ]
    assert _fields(HandToFallback(interaction_id=_CALL, cause="x"))[0]["Context"] == "cc-fallback"
    (join,) = _fields(JoinFallback(agent_id=a1001, queue_id=sales, paused=True), a1001="PJSIP/201")
    assert (join["Queue"], join["Interface"], join["MemberName"], join["Paused"]) == (
        "fallback-sales",
        "PJSIP/201",
        "a1001",
        "true",
    )
    assert _fields(LeaveFallback(agent_id=a1001, queue_id=sales))[0]["Interface"] == "PJSIP/a1001"
    assert _fields(PauseFallback(agent_id=a1001, paused=False))[0]["Paused"] == "false"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("王小明", "王小明"),
        (r"O\'Brien", "O'Brien"),
        (r"Eve \\\"x\\\" Doe", 'Eve "x" Doe'),
        ("<unknown>", ""),
        ("trailing\\", "trailing\\"),
    ],
)
def test_a_name_is_what_the_caller_sent(told: str, name: str) -> None:
    event = (("Event", "UserEvent"), ("UserEvent", "CCNew"), ("CallID", _CALL), ("CallerIDName", told))
    (signal,) = _signals(*event)
    assert isinstance(signal, InteractionArrived)
    assert signal.caller_name == name


def test_the_head_start_is_not_the_dialplans_own_priority() -> None:
    headers = {"Priority": "17", "Queue": "sales", "HeadStart": "05000", "Lap": "1"}
    (signal,) = _user_event("CCWaiting", **headers)
    assert isinstance(signal, InteractionWaiting)
    assert signal.priority_ms == 5_000
