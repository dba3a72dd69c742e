"""The server dies and comes back, or is stopped in order: nobody is dropped, nobody is logged twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, ms
from tests.calls.exact import near, spans_of
from tests.calls.oracle import agents, customer, eventually, kinds
from tests.pbx.ami import RawAmi
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db]

AGENTS_RIGHT_S = 10


def in_order(centre: CallCentre) -> None:
    centre.stop_server()


def killed(centre: CallCentre) -> None:
    centre.kill_server()


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(killed, id="killed"),
        pytest.param(in_order, id="stopped in order", marks=pytest.mark.long),
    ],
)
def test_who_talks_goes_on_who_waits_keeps_the_place_and_who_wraps_up_comes_back(
    centre: CallCentre, sipp: Sipp, end: Callable[[CallCentre], None]
) -> None:
    tens = "50" if end is killed else "51"
    since = datetime.now(UTC) - timedelta(seconds=1)
    talker = sipp.phone("a1001", Phone(ring_ms=150, talk_ms=18_000))
    wrapper = sipp.phone("a1003", Phone(ring_ms=150, talk_ms=600))
    centre.ready("a1001", "a1003")
    talks = sipp.call(Caller(entry="8001", number=f"09310{tens}001"))
    centre.wait_agent("a1001", "talking")
    first = sipp.call(Caller(entry="8001", number=f"09310{tens}002"))
    centre.wait_waiting("sales", 1)
    second = sipp.call(Caller(entry="8001", number=f"09310{tens}003"))
    centre.wait_waiting("sales", 2)
    wraps = sipp.call(Caller(entry="8002", number=f"09310{tens}004"))
    assert wraps.wait(10) == 0
    centre.wait_agent("a1003", "wrap_up")

    end(centre)
    centre.start_server()
    back = datetime.now(UTC)
    assert all(run.is_running() for run in (talks, first, second)), "nobody was dropped"
    centre.wait_agent("a1003", "ready", bound_s=AGENTS_RIGHT_S)
    floor = centre.floor()
    assert floor["agents"]["a1001"]["state"] == "talking"
    assert floor["queues"]["sales"]["waiting_count"] == 2
    assert datetime.now(UTC) - back < timedelta(seconds=AGENTS_RIGHT_S)

    quick = Phone(ring_ms=150, talk_ms=500)
    other = sipp.phone("a1002", quick)
    centre.ready("a1002")
    for run in (first, second, talks):
        assert run.wait(30) == 0, run.trace()

    def as_they_were() -> None:
        answers = [moment.at_ms for moment in other.all("sent", "200", "INVITE")]
        ends = [moment.at_ms for moment in other.all("sent", "BYE")]
        for number, run, answered, ended in zip(("002", "003"), (first, second), answers, ends, strict=True):
            story = centre.story(f"09310{tens}{number}", 25)
            assert (story["outcome"], story["agent_id"]) == ("answered", "a1002")
            assert ms(story["answered_at"]) == near(answered)
            assert ms(story["ended_at"]) == near(ended)
            assert story["wait_ms"] == near(answered - run.first("received", "200", "INVITE").at_ms)
            assert kinds(customer(story)) == ["entry", "queued", "ringing", "talking"]
            assert len(story["visits"]) == 1
        story = centre.story(f"09310{tens}001", 25)
        answered, ended = talker.first("sent", "200", "INVITE").at_ms, talker.first("sent", "BYE").at_ms
        assert (story["outcome"], story["agent_id"]) == ("answered", "a1001")
        assert ms(story["answered_at"]) == near(answered)
        assert story["talk_ms"] == near(ended - answered)
        assert kinds(customer(story)) == ["entry", "queued", "ringing", "talking"]
        assert kinds(agents(story)["a1001#1"]) == ["ring", "talk", "wrap_up"]
        spans = [span for span in spans_of(centre, "a1001", since) if span["state"] != "reserved"]
        assert [span["state"] for span in spans][:5] == [
            "not_ready",
            "ready",
            "ringing",
            "talking",
            "wrap_up",
        ]
        assert spans[3]["over"] == near(ended - answered)  # one talk, whatever became of the server in it
        assert {span["grade"] for span in spans} == {"live"}
        story = centre.story(f"09310{tens}004", 25)
        assert story["talk_ms"] == near(
            wrapper.first("sent", "BYE").at_ms - wrapper.first("sent", "200", "INVITE").at_ms
        )
        assert agents(story)["a1003#1"][-1].length_ms == near(WRAP_UP_MS)

    eventually(as_they_were)
    assert centre.reconciled(since).is_clean, centre.reconciled(since)


@pytest.mark.long
def test_what_ends_and_what_begins_while_the_server_is_dead_is_in_the_log_as_it_was(
    centre: CallCentre, sipp: Sipp
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    talker = sipp.phone("a1001", Phone(ring_ms=150, talk_ms=1_500))
    centre.ready("a1001")
    talks = sipp.call(Caller(entry="8001", number="0931052001"))
    centre.wait_agent("a1001", "talking")
    leaves = sipp.call(Caller(entry="8002", number="0931052002", hangs_up_after_ms=1_200))
    centre.wait_waiting("support", 1)

    centre.kill_server()
    passes = sipp.call(Caller(entry="8002", number="0931052003", hangs_up_after_ms=500))
    for run in (talks, leaves, passes):
        assert run.wait(10) == 0, run.trace()
    arrives = sipp.call(Caller(entry="8003", number="0931052004"))
    arrives.wait_for("received", "200", "INVITE")
    centre.start_server()
    assert arrives.is_running()
    taker = sipp.phone("a1005", Phone(ring_ms=150, talk_ms=500))
    centre.ready("a1005")
    assert arrives.wait(30) == 0, arrives.trace()

    def as_they_were() -> None:
        story = centre.story("0931052001", 30)
        answered, ended = talker.first("sent", "200", "INVITE").at_ms, talker.first("sent", "BYE").at_ms
        assert (story["outcome"], story["agent_id"]) == ("answered", "a1001")
        assert ms(story["ended_at"]) == near(ended)
        assert story["talk_ms"] == near(ended - answered)
        story = centre.story("0931052002", 30)
        assert story["outcome"] in ("abandoned", "short_abandon")
        assert ms(story["ended_at"]) == near(leaves.first("sent", "BYE").at_ms)
        story = centre.story("0931052003", 30)
        assert story["grade"] == "back_filled"
        assert story["agent_id"] is None
        assert ms(story["started_at"]) == near(passes.first("sent", "INVITE").at_ms)
        assert ms(story["ended_at"]) == near(passes.first("sent", "BYE").at_ms)
        story = centre.story("0931052004", 30)
        assert story["agent_id"] == "a1005"
        assert ms(story["started_at"]) == near(arrives.first("sent", "INVITE").at_ms)
        assert ms(story["answered_at"]) == near(taker.first("sent", "200", "INVITE").at_ms)
        assert ms(story["ended_at"]) == near(taker.first("sent", "BYE").at_ms)

    eventually(as_they_were)
    centre.wait_agent("a1001", "ready", bound_s=AGENTS_RIGHT_S)
    assert centre.reconciled(since).is_clean, centre.reconciled(since)


@pytest.mark.long
def test_while_the_server_is_dead_the_pbxs_own_queue_serves_who_is_not_heard(
    centre: CallCentre, sipp: Sipp
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    phone = sipp.phone("a1005", Phone(ring_ms=150, talk_ms=500))
    centre.ready("a1005")
    with RawAmi(centre.sandbox.ami_port, centre.sandbox.control_user) as ami:
        poll(lambda: len(ami.list("QueueStatusComplete", Action="QueueStatus", Member="PJSIP/a1005")) > 0, 5)
    centre.kill_server()
    call = sipp.call(Caller(entry="8003", number="0931053001"))
    assert call.wait(20) == 0, call.trace()
    answered = phone.first("sent", "200", "INVITE").at_ms
    waited_ms = answered - call.first("received", "200", "INVITE").at_ms
    assert 3_000 <= waited_ms <= 4_500, "one lap of 3 s, then the fallback queue"
    centre.start_server()

    def as_it_was() -> None:
        story = centre.story("0931053001", 30)
        assert (story["grade"], story["agent_id"]) == ("back_filled", "a1005")
        assert ms(story["answered_at"]) == near(answered)
        assert ms(story["ended_at"]) == near(phone.first("sent", "BYE").at_ms)

    eventually(as_it_was)
    assert centre.reconciled(since).is_clean, centre.reconciled(since)
