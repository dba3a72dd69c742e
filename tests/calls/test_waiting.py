"""Callers who wait: for somebody skilled, in order, with a head start, or until they give up."""

from __future__ import annotations

import time

import pytest

from tests.calls.centre import HEAD_START_ENTRY, HEAD_START_MS, CallCentre, lengths_ms, ms
from tests.calls.exact import assert_complete, kinds, near, offers, queued_ms
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db]


def test_callers_wait_in_order_until_somebody_skilled_is_ready(centre: CallCentre, sipp: Sipp) -> None:
    unskilled = sipp.phone("a1003", Phone(talk_ms=300))
    skilled = sipp.phone("a1001", Phone(ring_ms=300, talk_ms=600))
    centre.ready("a1003")
    first = sipp.call(Caller(entry="8001", number="0921000011"))
    first.wait_for("received", "200", "INVITE")
    second = sipp.call(Caller(entry="8001", number="0921000012"))
    second.wait_for("received", "200", "INVITE")
    centre.wait_waiting("sales", 2)
    assert not skilled.moments()

    centre.ready("a1001")
    assert (first.wait(20), second.wait(20)) == (0, 0)

    answers = [moment.at_ms for moment in skilled.all("sent", "200", "INVITE")]
    rings = [moment.at_ms for moment in skilled.all("sent", "180")]
    for call, number, answered_ms, rang_ms in zip(
        (first, second), ("0921000011", "0921000012"), answers, rings, strict=True
    ):
        story = centre.story(number)
        assert (story["outcome"], story["agent_id"]) == ("answered", "a1001")
        assert offers(story) == [("a1001", "answered")]
        assert story["wait_ms"] == near(answered_ms - queued_ms(call))
        assert dict(lengths_ms(story))["queued"] == near(rang_ms - queued_ms(call))
        assert kinds(story) == ["entry", "queued", "ringing", "talking"]
        assert_complete(story)
    assert not unskilled.moments()
    assert centre.floor()["agents"]["a1003"]["state"] == "ready"


def test_the_agent_who_is_ready_longest_is_chosen(centre: CallCentre, sipp: Sipp) -> None:
    for agent_id in ("a1003", "a1004"):
        sipp.phone(agent_id, Phone(ring_ms=100, talk_ms=300))
    centre.ready("a1004", "a1003")
    for number in ("0921000021", "0921000022"):
        assert sipp.call(Caller(entry="8002", number=number)).wait(20) == 0
    for agent_id in ("a1004", "a1003"):  # back from their wrap-up, a1004 first
        centre.wait_agent(agent_id, "ready")
    assert sipp.call(Caller(entry="8002", number="0921000023")).wait(20) == 0

    stories = [centre.story(number) for number in ("0921000021", "0921000022", "0921000023")]
    assert [story["agent_id"] for story in stories] == ["a1004", "a1003", "a1004"]
    explanation = stories[0]["offers"][0]["explanation"]
    assert (explanation["runner_up"], explanation["candidate_count"]) == ("a1003", 2)
    assert explanation["not_chosen"] == [{"id": "a1003", "why": "ready_more_recently"}]


def test_a_head_start_overtakes_who_came_shortly_before_and_nobody_else(
    centre: CallCentre, sipp: Sipp
) -> None:
    agents = ("a1005", "a1006", "a1007")
    phones = [sipp.phone(agent_id, Phone(ring_ms=100, talk_ms=600)) for agent_id in agents]
    early = sipp.call(Caller(entry="8003", number="0921000031"))
    early_ms = early.wait_for("received", "200", "INVITE").at_ms
    poll(lambda: time.time() * 1000 >= early_ms + HEAD_START_MS + 500, 5)
    late = sipp.call(Caller(entry="8003", number="0921000032"))
    late.wait_for("received", "200", "INVITE")
    hurried = sipp.call(Caller(entry=HEAD_START_ENTRY, number="0921000033"))
    hurried.wait_for("received", "200", "INVITE")
    centre.wait_waiting("billing", 3)
    for agent_id in agents:
        centre.state(agent_id, "signed_in")
        centre.state(agent_id, "ready")
    assert (early.wait(20), late.wait(20), hurried.wait(20)) == (0, 0, 0)

    served = [centre.story(number) for number in ("0921000031", "0921000033", "0921000032")]
    answers = [phone.first("sent", "200", "INVITE").at_ms for phone in phones]
    assert [story["agent_id"] for story in served] == list(agents)
    assert [ms(story["answered_at"]) for story in served] == [near(answer) for answer in answers]
    assert [story["visits"][0]["priority_ms"] for story in served] == [0, HEAD_START_MS, 0]
    assert [story["wait_ms"] for story in served] == [
        near(answer - queued_ms(call)) for call, answer in zip((early, hurried, late), answers, strict=True)
    ]


def test_callers_who_give_up_are_abandoned_or_shortly_abandoned(centre: CallCentre, sipp: Sipp) -> None:
    soon = sipp.call(Caller(entry="8001", number="0921000041", hangs_up_after_ms=1_200))
    just_before = sipp.call(Caller(entry="8002", number="0921000042", hangs_up_after_ms=4_850))
    just_after = sipp.call(Caller(entry="8003", number="0921000043", hangs_up_after_ms=5_150))
    assert (soon.wait(20), just_before.wait(20), just_after.wait(20)) == (0, 0, 0)

    for call, number, outcome in (
        (soon, "0921000041", "short_abandon"),
        (just_before, "0921000042", "short_abandon"),
        (just_after, "0921000043", "abandoned"),
    ):
        story = centre.story(number)
        ended_ms = call.first("sent", "BYE").at_ms
        assert (story["outcome"], story["visits"][0]["exit_cause"]) == (outcome, outcome)
        assert (story["ended_by"], story["agent_id"], story["answered_at"]) == ("customer", None, None)
        assert (story["talk_ms"], story["hold_ms"], story["wrap_up_ms"]) == (0, 0, 0)
        assert story["wait_ms"] == near(ended_ms - queued_ms(call))
        assert story["visits"][0]["wait_ms"] == story["wait_ms"]
        assert ms(story["ended_at"]) == near(ended_ms)
        assert kinds(story) == ["entry", "queued"]
        assert story["offers"] == []
        assert_complete(story)
