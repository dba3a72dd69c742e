"""Offers: the fence, ringing, answering, refusing, hold and transfer, on a real Asterisk."""

from __future__ import annotations

import pytest

from tests.pbx.ami import RawAmi, get, timestamp_ms, variables
from tests.pbx.offers import hear, offer, variable, waiting
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = pytest.mark.pbx
NEAR_MS = 50


def test_an_offer_rings_the_agent_bridges_and_ends_with_the_agent(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=500, talk_ms=1000))
    call = sipp.call(Caller())
    call_id = waiting(events)
    assert get(offer(control, call_id, "a1001", epoch=7, attempt=3), "Response") == "Success"
    go = events.event("CCGo", CallID=call_id)
    assert [get(go, name) for name in ("Agent", "Attempt", "Epoch")] == ["a1001", "3", "7"]
    rang = events.event("DialState", DialStatus="RINGING")
    assert variables(rang) == {
        "CC_CALLID": call_id, "CC_AGENT": "a1001", "CC_ATTEMPT": "3", "CC_STATE": "offered",
    }  # fmt: skip
    answered = events.event("DialEnd", DialStatus="ANSWER")
    assert variables(answered)["CC_STATE"] == "talking"
    ended = events.event("CCTalkEnd", CallID=call_id, Agent="a1001", Attempt="3", HangupCause="16")
    assert call.wait(10) == 0
    assert call.first("received", "BYE")
    hangup = events.event("CCHangup", CallID=call_id)
    assert get(hangup, "Source").startswith("PJSIP/a1001-")
    assert abs(timestamp_ms(rang) - phone.first("sent", "180").at_ms) < NEAR_MS
    assert abs(timestamp_ms(answered) - phone.first("sent", "200", "INVITE").at_ms) < NEAR_MS
    assert abs(timestamp_ms(ended) - phone.first("sent", "BYE").at_ms) < NEAR_MS


def test_a_stale_epoch_and_a_used_attempt_are_refused_and_the_caller_waits_on(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=100, answer=486))
    sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id)
    control.act(Action="Setvar", Variable="CC_FENCE", Value="5")
    mark = events.mark()
    offer(control, call_id, "a1001", epoch=4, attempt=1)
    refused = events.event("CCRefused", CallID=call_id)
    assert [get(refused, n) for n in ("Agent", "Attempt", "Epoch", "Reason")] == ["a1001", "1", "4", "fence"]
    events.event("CCWaiting", since=mark, CallID=call_id)
    offer(control, call_id, "a1001", epoch=5, attempt=1)
    events.event("CCDialEnd", CallID=call_id, Attempt="1")
    mark = events.mark()
    offer(control, call_id, "a1001", epoch=5, attempt=1)
    assert get(events.event("CCRefused", since=mark, CallID=call_id), "Reason") == "attempt"
    assert events.count("CCGo", CallID=call_id) == 1
    assert len(phone.all("received", "INVITE")) == 1


def test_a_phone_that_is_not_there_or_not_idle_is_not_dialled(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id)
    offer(control, call_id, "a1002", attempt=1)
    refused = events.event("CCRefused", CallID=call_id)
    assert (get(refused, "Reason"), get(refused, "DeviceState")) == ("device", "UNAVAILABLE")
    sipp.phone("a1003", Phone(ring_ms=100))
    offer(control, call_id, "a1003", attempt=2)
    events.event("DialEnd", DialStatus="ANSWER")
    mark = events.mark()
    sipp.call(Caller(entry="8002"))
    second = waiting(events, since=mark, queue="support")
    offer(control, second, "a1003", attempt=1)
    refused = events.event("CCRefused", CallID=second)
    assert (get(refused, "Reason"), get(refused, "DeviceState")) == ("device", "BUSY")


def test_the_phone_of_an_agent_nobody_knows_is_not_dialled(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    offer(control, call_id, "stranger")
    assert get(events.event("CCRefused", CallID=call_id), "DeviceState") in {"INVALID", "UNAVAILABLE"}


@pytest.mark.parametrize(
    ("phone", "status", "cause"),
    [
        (Phone(answer=None), "NOANSWER", "0"),
        (Phone(ring_ms=200, answer=486), "BUSY", "17"),
        (Phone(ring_ms=200, answer=603), "CHANUNAVAIL", "21"),
        (Phone(ring_ms=200, answer=480), "NOANSWER", "19"),
    ],
    ids=["no answer", "busy", "declined", "unavailable"],
)
def test_an_offer_that_fails_brings_the_caller_back_to_its_place(
    sipp: Sipp, events: RawAmi, control: RawAmi, phone: Phone, status: str, cause: str
) -> None:
    player = sipp.phone("a1001", phone)
    sipp.call(Caller())
    first = events.event("CCWaiting")
    call_id = get(first, "CallID")
    hear(control, call_id)
    control.act(Action="Setvar", Channel=call_id, Variable="CC_RING_S", Value="1")
    mark = events.mark()
    offer(control, call_id, "a1001")
    ended = events.event("CCDialEnd", CallID=call_id)
    assert [get(ended, n) for n in ("Agent", "Attempt", "DialStatus", "HangupCause")] == [
        "a1001", "1", status, cause,
    ]  # fmt: skip
    again = events.event("CCWaiting", since=mark, CallID=call_id)
    assert get(again, "QueuedAt") == get(first, "QueuedAt")
    assert get(again, "Attempt") == "1"
    assert variables(again)["CC_AGENT"] == ""
    if phone.answer is None:
        assert player.wait_for("received", "CANCEL")
        assert player.first("received", "CANCEL").at_ms - player.first("sent", "180").at_ms == pytest.approx(
            1000, abs=NEAR_MS
        )


def test_a_caller_who_gives_up_while_the_phone_rings_stops_the_ringing(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(answer=None))
    call = sipp.call(Caller(hangs_up_after_ms=1000))
    call_id = waiting(events)
    offer(control, call_id, "a1001")
    assert call.wait(10) == 0
    hangup = events.event("CCHangup", CallID=call_id)
    assert get(hangup, "State") == "offered"
    assert get(events.event("DialEnd"), "DialStatus") == "CANCEL"
    assert events.count("CCDialEnd", CallID=call_id) == 0
    assert abs(phone.wait_for("received", "CANCEL").at_ms - call.first("sent", "BYE").at_ms) < NEAR_MS


def test_a_withdrawn_offer_stops_the_ringing_and_the_caller_waits_on(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(answer=None))
    sipp.call(Caller())
    call_id = waiting(events)
    offer(control, call_id, "a1001")
    events.event("DialState", DialStatus="RINGING")
    mark = events.mark()
    control.act(Action="Redirect", Channel=call_id, Context="cc-wait", Exten="s", Priority=1)
    events.event("CCWaiting", since=mark, CallID=call_id)
    phone.wait_for("received", "CANCEL")
    assert variable(control, call_id, "CC_AGENT") == ""


def test_hold_and_resume_name_the_interaction_and_the_agent(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=100, hold=(400, 500), talk_ms=300))
    call = sipp.call(Caller())
    call_id = waiting(events)
    offer(control, call_id, "a1001")
    held, resumed = events.event("Hold"), events.event("Unhold")
    for message in (held, resumed):
        told = variables(message)
        assert (told["CC_CALLID"], told["CC_AGENT"]) == (call_id, "a1001")
        assert get(message, "Uniqueid") != call_id, "it is the agent's leg"
    invites = phone.all("sent", "INVITE")
    assert abs(timestamp_ms(held) - invites[0].at_ms) < NEAR_MS
    assert abs(timestamp_ms(resumed) - invites[1].at_ms) < NEAR_MS
    assert call.wait(10) == 0


@pytest.mark.parametrize(
    ("target", "queue", "prefer"), [("q-support", "support", ""), ("a-a1002", "sales", "a1002")]
)
def test_the_agents_phone_transfers_the_caller_to_a_queue_or_an_agent(
    sipp: Sipp, events: RawAmi, control: RawAmi, target: str, queue: str, prefer: str
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=100, refer=(300, target)))
    sipp.call(Caller())
    call_id = waiting(events)
    offer(control, call_id, "a1001")
    mark = events.mark()
    moved = events.event("CCTransfer", CallID=call_id)
    assert (get(moved, "Target"), get(moved, "Agent")) == (target, "a1001")
    again = events.event("CCWaiting", since=mark, CallID=call_id)
    assert (get(again, "Queue"), get(again, "Prefer")) == (queue, prefer)
    assert abs(timestamp_ms(moved) - phone.first("sent", "REFER").at_ms) < NEAR_MS
    phone.wait_for("sent", "BYE")
    events.event("DeviceStateChange", since=mark, Device="PJSIP/a1001", State="NOT_INUSE")


def test_a_phone_that_unregisters_is_unavailable_at_once(sipp: Sipp, events: RawAmi) -> None:
    sipp.phone("a1004", Phone())
    events.event("DeviceStateChange", Device="PJSIP/a1004", State="NOT_INUSE")
    mark = events.mark()
    sipp.unregister("a1004")
    events.event("ContactStatus", since=mark, AOR="a1004", ContactStatus="Removed")
    events.event("DeviceStateChange", since=mark, Device="PJSIP/a1004", State="UNAVAILABLE")
