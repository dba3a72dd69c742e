"""Offers that are not answered: given up by the caller, rung out, rejected, or to a phone that is gone."""

from __future__ import annotations

import time

import pytest

from tests.calls.centre import QUEUES, RING_MS, CallCentre, lengths_ms, ms, until
from tests.calls.exact import (
    AT_ONCE_MS,
    TOLERANCE_MS,
    agent_tracks,
    assert_complete,
    at_once,
    kinds,
    near,
    offers,
    queued_ms,
)
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]

STABLE_MS = 3_000  # a phone that is back counts as reachable after so long


def test_a_caller_who_gives_up_while_it_rings_stops_the_ringing_and_the_agent_keeps_his_place(
    centre: CallCentre, sipp: Sipp
) -> None:
    phone, other = sipp.phone("a1001", Phone(answer=None)), sipp.phone("a1002", Phone(answer=None))
    call = sipp.call(Caller(entry="8001", number="0921000101", hangs_up_after_ms=5_300))
    waiting_ms = call.wait_for("received", "200", "INVITE").at_ms
    until(lambda: time.time() * 1000 > waiting_ms + 3_500)
    centre.state("a1001", "signed_in")
    ready_ms = centre.require("POST", "/agents/a1001/state", {"state": "ready"})["at_ms"]
    phone.wait_for("sent", "180")
    centre.ready("a1002")
    assert call.wait(10) == 0
    centre.wait_agent("a1001", "ready")

    ended_ms = call.first("sent", "BYE").at_ms
    rang_ms = phone.first("sent", "180").at_ms
    assert phone.wait_for("received", "CANCEL").at_ms == near(ended_ms)
    story = centre.story("0921000101")
    assert (story["outcome"], story["ended_by"], story["agent_id"]) == ("abandoned", "customer", None)
    assert story["wait_ms"] == near(ended_ms - queued_ms(call))
    assert kinds(story) == ["entry", "queued", "ringing"]
    assert dict(lengths_ms(story))["ringing"] == near(ended_ms - rang_ms)
    assert_complete(story)
    (offer,) = story["offers"]
    assert offers(story) == [("a1001", "withdrawn")]
    assert offer["outcome_reason"] == "caller_left"
    assert offer["rang_ms"] == near(ended_ms - rang_ms)
    assert [name for name, _ in lengths_ms(story, agent_tracks(story)[0])] == ["ring"]

    again = sipp.call(Caller(entry="8001", number="0921000103", hangs_up_after_ms=700))
    assert again.wait(10) == 0
    (offer,) = centre.story("0921000103")["offers"]
    assert offer["agent_id"] == "a1001", "ready since before a1002"
    factors = offer["explanation"]["factors"]
    assert factors["ready_ms"] == near(ms(offer["offered_at"]) - ready_ms)
    assert not other.moments()


def test_a_caller_who_waits_gets_the_agent_whom_another_one_gave_up(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1003", Phone(ring_ms=900, talk_ms=200))
    centre.ready("a1003")
    first = sipp.call(Caller(entry="8002", number="0921000111", hangs_up_after_ms=700))
    phone.wait_for("sent", "180")
    second = sipp.call(Caller(entry="8002", number="0921000112"))
    assert (first.wait(10), second.wait(20)) == (0, 0)
    assert centre.story("0921000111")["outcome"] == "short_abandon"
    story = centre.story("0921000112")
    invited_ms = [moment.at_ms for moment in phone.all("received", "INVITE")]
    assert at_once(first.first("sent", "BYE").at_ms, invited_ms[1])
    assert offers(story) == [("a1003", "answered")]


def test_who_lets_it_ring_out_stands_down_and_the_next_one_gets_the_call_at_once(
    centre: CallCentre, sipp: Sipp
) -> None:
    absent = sipp.phone("a1001", Phone(answer=None))
    present = sipp.phone("a1002", Phone(ring_ms=300, talk_ms=300))
    centre.ready("a1001", "a1002")
    call = sipp.call(Caller(entry="8001", number="0921000121"))
    centre.wait_agent("a1002", "talking")
    centre.wait_agent("a1001", "not_ready", "ring_no_answer")
    centre.state("a1002", "not_ready", reason="lunch")
    assert call.wait(20) == 0
    later = sipp.call(Caller(entry="8001", number="0921000122"))
    centre.wait_waiting("sales", 1)

    rang_ms, cancelled_ms = absent.first("sent", "180").at_ms, absent.first("received", "CANCEL").at_ms
    assert cancelled_ms - rang_ms == near(RING_MS)
    assert at_once(cancelled_ms, present.first("received", "INVITE").at_ms)
    story = centre.story("0921000121")
    assert offers(story) == [("a1001", "no_answer"), ("a1002", "answered")]
    assert story["offers"][0]["rang_ms"] == near(cancelled_ms - rang_ms)
    assert kinds(story) == ["entry", "queued", "ringing", "queued", "ringing", "talking"]
    answered_ms = present.first("sent", "200", "INVITE").at_ms
    assert story["wait_ms"] == near(answered_ms - queued_ms(call))
    assert story["talk_ms"] == near(present.first("sent", "BYE").at_ms - answered_ms)
    assert_complete(story)
    rona, handled = agent_tracks(story)
    assert lengths_ms(story, rona) == [("ring", near(cancelled_ms - rang_ms))]
    assert kinds(story, handled) == ["ring", "talk", "wrap_up"]

    assert len(absent.all("received", "INVITE")) == 1, (
        "his phone is free, and he has not said that he is there"
    )
    absent = sipp.phone("a1001", Phone(ring_ms=100, talk_ms=100))
    centre.state("a1001", "ready")
    assert later.wait(20) == 0
    story = centre.story("0921000122")
    assert offers(story) == [("a1001", "answered")]
    assert story["wait_ms"] == near(absent.first("sent", "200", "INVITE").at_ms - queued_ms(later))


def test_who_rejects_stands_down_and_the_next_one_gets_the_call_at_once(
    centre: CallCentre, sipp: Sipp
) -> None:
    """Two queues at once: one phone declines (603), the other says that it is busy (486)."""
    rejecting, taking, calls = {}, {}, {}
    for queue, status, (first, second), number in (
        ("support", "603", ("a1003", "a1004"), "0921000131"),
        ("billing", "486", ("a1005", "a1006"), "0921000132"),
    ):
        rejecting[queue] = sipp.phone(first, Phone(ring_ms=600, answer=int(status)))
        taking[queue] = sipp.phone(second, Phone(ring_ms=200, talk_ms=300))
        centre.ready(first, second)
        calls[queue] = sipp.call(Caller(entry=QUEUES[queue], number=number))
    assert [call.wait(20) for call in calls.values()] == [0, 0]

    for queue, status, (first, second), outcome, number in (
        ("support", "603", ("a1003", "a1004"), "rejected", "0921000131"),
        ("billing", "486", ("a1005", "a1006"), "busy", "0921000132"),
    ):
        rang_ms = rejecting[queue].first("sent", "180").at_ms
        rejected_ms = rejecting[queue].first("sent", status).at_ms
        assert at_once(rejected_ms, taking[queue].first("received", "INVITE").at_ms)
        centre.wait_agent(first, "not_ready", "rejected")
        story = centre.story(number)
        assert offers(story) == [(first, outcome), (second, "answered")]
        assert story["offers"][0]["rang_ms"] == near(rejected_ms - rang_ms)
        answered_ms = taking[queue].first("sent", "200", "INVITE").at_ms
        assert story["wait_ms"] == near(answered_ms - queued_ms(calls[queue]))
        assert kinds(story) == ["entry", "queued", "ringing", "queued", "ringing", "talking"]
        assert_complete(story)


def test_a_phone_that_is_switched_off_stands_its_agent_down_until_it_is_back(
    centre: CallCentre, sipp: Sipp
) -> None:
    sipp.phone("a1001", Phone())
    other = sipp.phone("a1002", Phone(ring_ms=100, talk_ms=300))
    centre.ready("a1001", "a1002")
    before_ms = time.time() * 1000
    sipp.unregister("a1001")
    off_ms = time.time() * 1000
    centre.wait_agent("a1001", "not_ready", "device_lost")
    assert before_ms - TOLERANCE_MS <= centre.floor()["agents"]["a1001"]["since_ms"] <= off_ms + TOLERANCE_MS
    call = sipp.call(Caller(entry="8001", number="0921000141"))
    assert call.wait(20) == 0
    assert at_once(queued_ms(call), other.first("received", "INVITE").at_ms)

    centre.state("a1002", "not_ready", reason="lunch")
    waiting = sipp.call(Caller(entry="8001", number="0921000142"))
    waiting.wait_for("received", "200", "INVITE")
    before_ms = time.time() * 1000
    back = sipp.phone("a1001", Phone(ring_ms=100, talk_ms=300))
    registered_ms = time.time() * 1000
    assert waiting.wait(20) == 0
    assert offers(centre.story("0921000141")) == [("a1002", "answered")]
    story = centre.story("0921000142")
    assert offers(story) == [("a1001", "answered")]
    offered_ms = back.first("received", "INVITE").at_ms
    assert before_ms + STABLE_MS < offered_ms < registered_ms + STABLE_MS + AT_ONCE_MS
    assert story["wait_ms"] == near(back.first("sent", "200", "INVITE").at_ms - queued_ms(waiting))


def test_phones_that_are_not_there_are_found_out(centre: CallCentre, sipp: Sipp) -> None:
    """Two queues at once: one phone never registered, the other died without a word."""
    unserved = sipp.call(Caller(entry="8003", number="0921000151"))
    dead = sipp.phone("a1003", Phone())
    living = sipp.phone("a1004", Phone(ring_ms=100, talk_ms=200))
    centre.ready("a1003", "a1004")
    dead.end()
    call = sipp.call(Caller(entry="8002", number="0921000152"))

    centre.state("a1005", "signed_in")
    centre.state("a1005", "ready")
    centre.wait_agent("a1005", "not_ready", "device_lost")
    status, answer = centre.ask("POST", "/agents/a1005/state", {"state": "ready"})
    assert (status, answer["error_id"]) == (409, "device_lost")
    centre.wait_waiting("billing", 1)
    phone = sipp.phone("a1005", Phone(ring_ms=100, talk_ms=200))
    assert unserved.wait(20) == 0
    story = centre.story("0921000151")
    assert offers(story) == [("a1005", "answered")]
    assert story["wait_ms"] == near(phone.first("sent", "200", "INVITE").at_ms - queued_ms(unserved))

    assert call.wait(20) == 0
    story = centre.story("0921000152")
    assert offers(story) == [("a1003", "device_error"), ("a1004", "answered")]
    assert kinds(story) == ["entry", "queued", "ringing", "talking"]
    assert living.first("received", "INVITE").at_ms - queued_ms(call) == near(RING_MS)
    assert story["wait_ms"] == near(living.first("sent", "200", "INVITE").at_ms - queued_ms(call))
    assert story["offers"][0]["rang_ms"] == 0
    centre.wait_agent("a1003", "ready", bound_s=5)
