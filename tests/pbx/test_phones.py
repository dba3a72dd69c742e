"""Which phone rings: the global says it, else the hint, else the endpoint of the agent's name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pbx.ami import Message, RawAmi, get
from tests.pbx.offers import hear, offer, variable, waiting
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = pytest.mark.pbx

NUMBER = "+886912345678"


@pytest.fixture
def chosen(control: RawAmi) -> Iterator[RawAmi]:
    """The control connection; what was chosen is forgotten afterwards."""
    yield control
    for name in ("CC_PHONE_a1001", "CC_OUT"):
        control.act(Action="Setvar", Variable=name, Value="")


def told(message: Message, event: str) -> bool:
    return get(message, "UserEvent") == event


def test_the_global_wins_over_the_hint(chosen: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    desk = sipp.phone("a1001", Phone(ring_ms=100, talk_ms=300))
    other = sipp.phone("a1002", Phone(ring_ms=100, talk_ms=300))
    chosen.act(Action="Setvar", Variable="CC_PHONE_a1001", Value="PJSIP/a1002")
    caller = sipp.call(Caller(entry="8001", number="0911000001"))
    call_id = waiting(events)
    hear(chosen, call_id)
    offer(chosen, call_id, "a1001")
    assert caller.wait(10) == 0
    ended = events.wait(lambda message: told(message, "CCTalkEnd"), 5)
    assert get(ended, "Agent") == "a1001"
    assert other.all("sent", "200", "INVITE")
    assert not desk.all("received", "INVITE")


def rung_outside(chosen: RawAmi, events: RawAmi, sipp: Sipp, phone: Phone) -> str:
    """Offer a caller to a1001, who is rung at a number outside (a1008's phone stands for the trunk)."""
    sipp.phone("a1008", phone)
    chosen.act(Action="Setvar", Variable="CC_OUT", Value="a1008")
    chosen.act(Action="Setvar", Variable="CC_PHONE_a1001", Value=f"Local/{NUMBER}@cc-phone-out/n")
    sipp.call(Caller(entry="8001", number="0911000002"))
    call_id = waiting(events)
    hear(chosen, call_id)
    offer(chosen, call_id, "a1001")
    return call_id


def outside_channel(control: RawAmi) -> str:
    """Wait until the phone outside was answered; return its channel."""
    found: list[str] = []

    def is_up() -> bool:
        rows = control.list("CoreShowChannelsComplete", Action="CoreShowChannels")
        found[:] = [
            get(row, "Channel")
            for row in rows
            if get(row, "Channel").startswith("PJSIP/a1008") and get(row, "ChannelStateDesc") == "Up"
        ]
        return bool(found)

    poll(is_up, 10)
    return found[0]


def test_whoever_answers_outside_must_press_1(chosen: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    call_id = rung_outside(chosen, events, sipp, Phone(ring_ms=100, talk_ms=4_000))
    channel = outside_channel(chosen)
    assert variable(chosen, call_id, "CC_STATE") == "offered", "the caller hears music until then"
    chosen.act(Action="PlayDTMF", Channel=channel, Digit="1", Receive="true")
    poll(lambda: variable(chosen, call_id, "CC_STATE") == "talking", 5)
    answered = events.wait(
        lambda message: get(message, "Event") == "DialEnd" and get(message, "Uniqueid") == call_id, 5
    )
    assert get(answered, "DialStatus") == "ANSWER"
    assert any(value == "CC_STATE=talking" for _, value in answered), answered
    events.wait(lambda message: told(message, "CCTalkEnd"), 10)


@pytest.mark.long
def test_a_voicemail_outside_takes_no_caller(chosen: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    rung_outside(chosen, events, sipp, Phone(ring_ms=100, talk_ms=20_000))
    outside_channel(chosen)
    ended = events.wait(lambda message: told(message, "CCDialEnd"), 15)
    assert get(ended, "DialStatus") in ("BUSY", "NOANSWER")
    assert get(ended, "Agent") == "a1001"


def test_without_a_trunk_nobody_is_rung_outside(chosen: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    chosen.act(Action="Setvar", Variable="CC_PHONE_a1001", Value=f"Local/{NUMBER}@cc-phone-out/n")
    sipp.call(Caller(entry="8001", number="0911000003", hangs_up_after_ms=3_000))
    call_id = waiting(events)
    hear(chosen, call_id)
    offer(chosen, call_id, "a1001")
    ended = events.wait(lambda message: told(message, "CCDialEnd"), 5)
    assert get(ended, "DialStatus") == "CHANUNAVAIL"
