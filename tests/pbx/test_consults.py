"""What the dialplan does with two who talk and a third: consult, conference, and numbers outside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pbx.ami import RawAmi, get, variables
from tests.pbx.offers import hear, offer, variable, waiting
from tests.pbx.sipp import Caller, Phone, Run, Sipp, poll

pytestmark = pytest.mark.pbx

NUMBER = "+886287654321"


class Talk:
    """A caller who talks with a1001."""

    def __init__(self, control: RawAmi, events: RawAmi, sipp: Sipp, **asking: int | None) -> None:
        self.control, self.events = control, events
        self.asking = sipp.phone("a1001", Phone(ring_ms=50, talk_ms=asking.get("talk_ms")))
        self.caller = sipp.call(Caller(entry="8001", number="0911000301"))
        self.call_id = waiting(events)
        hear(control, self.call_id)
        offer(control, self.call_id, "a1001")
        answered = events.event("DialEnd", DialStatus="ANSWER", Uniqueid=self.call_id)
        self.leg = get(answered, "DestUniqueid")

    def consult(self, to: str) -> None:
        answer = self.control.act(
            Action="Redirect", Channel=self.call_id, Context="cc-hold", Exten="consult", Priority=1,
            ExtraChannel=self.leg, ExtraContext="cc-consult", ExtraExten=f"e1-t2-{to}", ExtraPriority=1,
        )  # fmt: skip
        assert get(answer, "Response") == "Success", answer

    def consulting(self, to: str) -> str:
        """Consult, wait until it is answered, and return the asked one's leg."""
        since = self.events.mark()
        self.consult(to)
        answered = self.events.event("DialEnd", since=since, DialStatus="ANSWER")
        assert variables(answered)["CC_STATE"] == "consult", answered
        assert variables(answered)["CC_ATTEMPT"] == "2", answered
        assert get(answered, "Uniqueid") == self.leg, "the agent's leg is the same one still"
        return get(answered, "DestUniqueid")

    def back(self) -> None:
        answer = self.control.act(
            Action="Redirect", Channel=self.call_id, Context="cc-take", Exten="e1-t2-aa1001-r", Priority=1,
            ExtraChannel=self.leg, ExtraContext="cc-idle", ExtraExten="s", ExtraPriority=1,
        )  # fmt: skip
        assert get(answer, "Response") == "Success", answer

    def take(self, to: str) -> None:
        answer = self.control.act(
            Action="Redirect", Channel=self.call_id, Context="cc-take", Exten=f"e1-t2-{to}", Priority=1
        )
        assert get(answer, "Response") == "Success", answer

    def conference(self, other: str) -> None:
        answer = self.control.act(
            Action="Redirect", Channel=self.leg, Context="cc-conf", Exten="leg", Priority=1,
            ExtraChannel=other, ExtraContext="cc-conf", ExtraExten="leg", ExtraPriority=1,
        )  # fmt: skip
        assert get(answer, "Response") == "Success", answer
        answer = self.control.act(
            Action="Redirect", Channel=self.call_id, Context="cc-conf", Exten="s", Priority=1
        )
        assert get(answer, "Response") == "Success", answer
        poll(lambda: self.together() == {self.call_id, self.leg, other}, 5, lambda: str(self.together()))

    def together(self) -> set[str]:
        """The legs that are in one bridge with the caller, he included."""
        rows = self.control.list("CoreShowChannelsComplete", Action="CoreShowChannels")
        bridge_of = {get(row, "Uniqueid"): get(row, "BridgeId") for row in rows}
        bridge = bridge_of.get(self.call_id, "")
        return {leg for leg, one in bridge_of.items() if bridge and one == bridge}


@pytest.fixture
def outside(control: RawAmi, sipp: Sipp) -> Iterator[None]:
    """a1008's phone stands for everything outside."""
    control.act(Action="Setvar", Variable="CC_OUT", Value="a1008")
    yield
    control.act(Action="Setvar", Variable="CC_OUT", Value="")


def gone(run: Run) -> bool:
    return bool(run.all("received", "BYE"))


def test_the_agent_asks_another_and_hands_the_caller_over(
    control: RawAmi, events: RawAmi, sipp: Sipp
) -> None:
    talk = Talk(control, events, sipp)
    asked = sipp.phone("a1002", Phone(ring_ms=50, talk_ms=2_000))
    other = talk.consulting("aa1002")
    assert variable(control, talk.call_id, "CC_STATE") == "consult"
    talk.take("aa1002")
    poll(lambda: talk.together() == {talk.call_id, other}, 5, lambda: str(talk.together()))
    poll(lambda: gone(talk.asking), 3)
    assert talk.caller.wait(10) == 0
    ended = events.event("CCTalkEnd", CallID=talk.call_id)
    assert (get(ended, "Agent"), get(ended, "Attempt")) == ("a1002", "2")
    assert events.count("CCConsultEnd") == 0
    assert asked.all("sent", "BYE")
    assert get(events.event("CCHangup", CallID=talk.call_id), "State") == "talking"


def test_the_agent_goes_back_to_the_caller(control: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    talk = Talk(control, events, sipp, talk_ms=2_500)
    asked = sipp.phone("a1002", Phone(ring_ms=50))
    talk.consulting("aa1002")
    talk.back()
    poll(lambda: talk.together() == {talk.call_id, talk.leg}, 5, lambda: str(talk.together()))
    poll(lambda: gone(asked), 3)
    assert talk.caller.wait(10) == 0
    ended = events.event("CCTalkEnd", CallID=talk.call_id)
    assert get(ended, "Agent") == "a1001"


def test_whom_the_agent_asks_does_not_answer_or_leaves(control: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    talk = Talk(control, events, sipp, talk_ms=6_000)
    sipp.phone("a1002", Phone(ring_ms=100, answer=603))
    talk.consult("aa1002")
    ended = events.event("CCConsultEnd", CallID=talk.call_id)
    assert (get(ended, "Agent"), get(ended, "Attempt"), get(ended, "HangupCause")) == ("a1002", "2", "21")
    talk.back()
    poll(lambda: talk.together() == {talk.call_id, talk.leg}, 5, lambda: str(talk.together()))
    sipp.phone("a1002", Phone(ring_ms=50, talk_ms=300))
    since = events.mark()
    talk.consulting("aa1002")
    ended = events.event("CCConsultEnd", since=since)
    assert get(ended, "DialStatus") == "ANSWER"
    talk.back()
    poll(lambda: talk.together() == {talk.call_id, talk.leg}, 5, lambda: str(talk.together()))
    assert talk.caller.wait(15) == 0


def test_the_agent_who_asks_hangs_up_and_says_so(control: RawAmi, events: RawAmi, sipp: Sipp) -> None:
    talk = Talk(control, events, sipp, talk_ms=1_500)
    asked = sipp.phone("a1002", Phone(ring_ms=50))
    talk.consulting("aa1002")
    left = events.event("CCLegLeft", CallID=talk.call_id)
    assert (get(left, "Agent"), get(left, "State")) == ("a1001", "consult")
    poll(lambda: gone(asked), 3)
    assert variable(control, talk.call_id, "CC_STATE") == "consult", "the caller hears music"
    control.act(Action="Hangup", Channel=talk.call_id)


@pytest.mark.parametrize("first", ["asking", "asked", "caller"])
def test_three_hear_each_other_and_each_may_leave_first(
    control: RawAmi, events: RawAmi, sipp: Sipp, first: str
) -> None:
    talk = Talk(control, events, sipp, talk_ms=2_500 if first == "asking" else 4_500)
    asked = sipp.phone("a1002", Phone(ring_ms=50, talk_ms=1_500 if first == "asked" else 4_000))
    other = talk.consulting("aa1002")
    talk.conference(other)
    assert variable(control, talk.call_id, "CC_STATE") == "conference"
    if first == "caller":
        control.act(Action="Hangup", Channel=talk.call_id)
        poll(lambda: gone(talk.asking) and gone(asked), 3)
        assert events.count("CCLegLeft") == 0
        return
    left = events.event("CCLegLeft", CallID=talk.call_id)
    who, stays = ("a1001", other) if first == "asking" else ("a1002", talk.leg)
    assert (get(left, "Agent"), get(left, "State")) == (who, "conference")
    poll(lambda: talk.together() == {talk.call_id, stays}, 3, lambda: str(talk.together()))
    assert talk.caller.wait(10) == 0, "the last one left, so the caller is let go"


def test_the_caller_is_handed_to_a_number_outside_that_was_asked(
    control: RawAmi, events: RawAmi, sipp: Sipp, outside: None
) -> None:
    talk = Talk(control, events, sipp)
    phone = sipp.phone("a1008", Phone(ring_ms=50, talk_ms=2_000))
    other = talk.consulting(f"n{NUMBER}")
    talk.take("n")
    poll(lambda: talk.together() == {talk.call_id, other}, 5, lambda: str(talk.together()))
    assert variable(control, talk.call_id, "CC_STATE") == "external"
    assert talk.caller.wait(10) == 0
    assert get(events.event("CCOutsideEnd", CallID=talk.call_id), "DialStatus") == "ANSWER"
    assert phone.all("sent", "BYE")


def test_the_caller_is_sent_to_a_number_outside_and_waits_again_when_nobody_is_there(
    control: RawAmi, events: RawAmi, sipp: Sipp, outside: None
) -> None:
    talk = Talk(control, events, sipp)
    sipp.phone("a1008", Phone(ring_ms=50, answer=486))
    since = events.mark()
    for attempt in (2, 3):
        control.act(
            Action="Redirect", Channel=talk.call_id, Context="cc-out", Exten=f"e1-t{attempt}-n{NUMBER}",
            Priority=1,
        )  # fmt: skip
        if attempt == 2:
            ended = events.event("CCOutsideEnd", since=since)
            assert (get(ended, "DialStatus"), get(ended, "HangupCause")) == ("BUSY", "17")
            events.event("CCWaiting", since=since, CallID=talk.call_id)
            sipp.phone("a1008", Phone(ring_ms=50, talk_ms=500))
    assert talk.caller.wait(10) == 0
    answered = events.event("DialEnd", since=since, DialStatus="ANSWER")
    assert variables(answered)["CC_STATE"] == "external"
