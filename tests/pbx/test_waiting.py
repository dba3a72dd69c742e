"""The entry, the waiting laps and the fallback queue, on a real Asterisk."""

from __future__ import annotations

import pytest

from tests.pbx.ami import RawAmi, get, timestamp_ms, variables
from tests.pbx.offers import hear, variable, waiting
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = pytest.mark.pbx


def test_a_contact_begins_and_then_waits_in_laps_of_three_and_twenty_seconds(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    call = sipp.call(Caller(entry="8002", number="+886912345678", hangs_up_after_ms=4000))
    new = events.event("CCNew")
    call_id = get(new, "CallID")
    assert get(new, "Uniqueid") == call_id
    assert get(new, "Entry") == "8002"
    assert get(new, "CallerIDNum") == "+886912345678"
    assert abs(int(get(new, "Arrived")) - timestamp_ms(new)) < 50
    first = events.event("CCWaiting", CallID=call_id)
    assert [get(first, name) for name in ("Queue", "Lap", "Attempt", "HeadStart")] == [
        "support",
        "1",
        "0",
        "0",
    ]
    assert variables(first)["CC_STATE"] == "waiting"
    hear(control, call_id)
    second = events.event("CCWaiting", CallID=call_id, Lap="2")
    assert timestamp_ms(second) - timestamp_ms(first) == pytest.approx(3000, abs=150)
    assert get(second, "QueuedAt") == get(first, "QueuedAt")
    assert call.wait(10) == 0
    hangup = events.event("CCHangup", CallID=call_id)
    assert get(hangup, "State") == "waiting"
    assert get(hangup, "Source") == get(hangup, "Channel"), "the caller hung up"
    assert abs(timestamp_ms(hangup) - call.first("sent", "BYE").at_ms) < 50


def test_a_caller_whom_nobody_hears_is_served_by_the_fallback_queue_after_the_first_lap(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=200, talk_ms=500))
    control.act(
        Action="QueueAdd", Queue="fallback-sales", Interface="PJSIP/a1001", MemberName="a1001", Paused="false"
    )
    call = sipp.call(Caller())
    first = events.event("CCWaiting")
    call_id = get(first, "CallID")
    fallback = events.event("CCFallback", CallID=call_id)
    assert (get(fallback, "Queue"), get(fallback, "Cause")) == ("sales", "unheard")
    assert timestamp_ms(fallback) - timestamp_ms(first) == pytest.approx(3000, abs=200)
    served = events.event("CCServed", CallID=call_id)
    assert get(served, "Agent") == "a1001"
    assert variable(control, call_id, "CC_SERVED") == "1"
    assert variable(control, call_id, "CC_AGENT") == "a1001"
    assert call.wait(10) == 0
    assert phone.first("sent", "BYE")
    assert get(events.event("CCHangup", CallID=call_id), "State") == "fallback"


def test_a_caller_whom_the_server_heard_long_ago_goes_to_the_fallback_queue(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id, ago_s=60)
    assert get(events.event("CCFallback", CallID=call_id), "Cause") == "unheard"


def test_the_lap_cap_sends_even_a_heard_caller_to_the_fallback_queue(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id)
    control.act(Action="Setvar", Channel=call_id, Variable="CC_LAPS", Value="360")
    assert get(events.event("CCFallback", CallID=call_id), "Cause") == "laps"


def test_an_unknown_queue_falls_back_to_the_default_one(sipp: Sipp, events: RawAmi, control: RawAmi) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    control.act(Action="Setvar", Channel=call_id, Variable="CC_QUEUE", Value="nowhere")
    control.act(Action="Redirect", Channel=call_id, Context="cc-fallback", Exten="s", Priority=1)
    events.event("QueueCallerJoin", Queue="fallback-sales", Uniqueid=call_id)
    assert get(events.event("CCFallback", CallID=call_id), "Cause") == "server"


def test_a_caller_leaves_the_fallback_queue_when_the_server_asks(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    control.act(Action="Redirect", Channel=call_id, Context="cc-fallback", Exten="s", Priority=1)
    events.event("QueueCallerJoin", Uniqueid=call_id)
    mark = events.mark()
    control.act(Action="Redirect", Channel=call_id, Context="cc-wait", Exten="s", Priority=1)
    again = events.event("CCWaiting", since=mark, CallID=call_id)
    assert get(again, "Lap") == "1"


def test_a_key_while_waiting_is_reported_and_the_caller_waits_on(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    call = sipp.call(Caller(keys=((400, "5"), (300, "#")), hangs_up_after_ms=600))
    call_id = waiting(events)
    assert get(events.event("CCKey", CallID=call_id), "Digit") == "5"
    assert get(events.event("CCKey", CallID=call_id, Digit="#"), "Digit") == "#"
    assert call.wait(10) == 0
    assert events.count("CCFallback", CallID=call_id) == 0, (
        "a key before the first lap is over changes nothing"
    )


def test_an_announcement_plays_at_the_next_lap_and_only_once(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id)
    control.act(Action="Setvar", Channel=call_id, Variable="CC_SAY", Value="hello-world")
    events.event("CCWaiting", CallID=call_id, Lap="2")
    assert variable(control, call_id, "CC_SAY_NOW") == "hello-world"
    assert variable(control, call_id, "CC_SAY") == ""


def test_a_held_caller_hears_music_until_fetched(sipp: Sipp, events: RawAmi, control: RawAmi) -> None:
    sipp.call(Caller())
    call_id = waiting(events)
    control.act(Action="Redirect", Channel=call_id, Context="cc-hold", Exten="s", Priority=1)
    events.event("CCHeld", CallID=call_id)
    assert variable(control, call_id, "CC_STATE") == "held"
