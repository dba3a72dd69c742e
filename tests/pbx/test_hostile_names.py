"""Whatever a caller is called, the centre sees one caller and nothing else happens."""

from __future__ import annotations

import pytest

from telephony.sandbox.instance import Sandbox
from tests.pbx.ami import RawAmi, get, variables
from tests.pbx.offers import offer, waiting
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = pytest.mark.pbx

NAMES = (
    "Event: VarSet",
    "Event: Newexten",
    "x,CallID: forged,Agent: a1002",
    "${SHELL(touch pwned)}${CC_AGENT}",
    '$["1"="1"]" & Set(CC_QUEUE=support)',
    "a\\r\\nAction: Hangup\\r\\nChannel: all",
    "'; DROP TABLE interaction; --",
    "<script>alert(1)</script>",
    "|&;(){}~`!#%^*=?",
    "王小明 \u202e轉123",
    "x" * 200,
    "",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_only_a_name(
    sipp: Sipp, events: RawAmi, control: RawAmi, sandbox: Sandbox, name: str
) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=50, talk_ms=100))
    call = sipp.call(Caller(name=name))
    call_id = waiting(events)
    new = events.event("CCNew")
    assert get(new, "CallID") == call_id == get(new, "Uniqueid")
    offer(control, call_id, "a1001")
    rang = events.event("DialState", DialStatus="RINGING")
    assert variables(rang)["CC_CALLID"] == call_id
    assert call.wait(10) == 0
    hangup = events.event("CCHangup")
    assert get(hangup, "CallID") == call_id
    assert events.count("CCNew") == events.count("CCGo") == events.count("CCTalkEnd") == 1
    assert phone.first("received", "INVITE")
    assert not (sandbox.run / "pwned").exists()
    assert [get(m, "CallID") for m in events.messages if get(m, "CallID")] == [call_id] * 5


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("anonymous", "Anonymous"),
        ("a1001", None),
        ("+886-2-2771-2345", "轉123"),
        ("1;DROP", None),
        ("0", None),
    ],
    ids=["withheld", "an agent's id", "written with dashes", "with a semicolon", "short"],
)
def test_a_strange_number_is_only_a_number(sipp: Sipp, events: RawAmi, number: str, name: str | None) -> None:
    call = sipp.call(Caller(number=number, name=name, hangs_up_after_ms=200))
    if number == "a1001":
        assert call.wait(10) != 0, "it would have to know the agent's password"
        assert events.count("CCNew") == 0
    else:
        assert waiting(events)
        assert call.wait(10) == 0
