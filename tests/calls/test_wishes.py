"""What an agent wishes, and his phone suffers, in the midst of a call: a ring is taken back, a talk never."""

from __future__ import annotations

import time

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, lengths_ms, ms
from tests.calls.exact import (
    agent_tracks,
    assert_complete,
    at_once,
    hangup_ms,
    kinds,
    near,
    offers,
    queued_ms,
)
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]


def test_who_wants_no_work_while_it_rings_loses_the_call_to_the_next_one(
    centre: CallCentre, sipp: Sipp
) -> None:
    leaving = sipp.phone("a1001", Phone(answer=None))
    staying = sipp.phone("a1002", Phone(ring_ms=300, talk_ms=300))
    centre.ready("a1001", "a1002")
    call = sipp.call(Caller(entry="8001", number="0921000301"))
    leaving.wait_for("sent", "180")
    centre.wait_agent("a1001", "ringing")
    asked_ms = time.time() * 1000
    centre.state("a1001", "not_ready", reason="lunch")
    assert call.wait(20) == 0

    rang_ms, cancelled_ms = leaving.first("sent", "180").at_ms, leaving.first("received", "CANCEL").at_ms
    assert at_once(asked_ms, cancelled_ms)
    assert at_once(asked_ms, staying.first("received", "INVITE").at_ms)
    story = centre.story("0921000301")
    assert offers(story) == [("a1001", "withdrawn"), ("a1002", "answered")]
    assert story["offers"][0]["outcome_reason"] == "not_ready"
    assert story["offers"][0]["rang_ms"] == near(cancelled_ms - rang_ms)
    assert story["wait_ms"] == near(staying.first("sent", "200", "INVITE").at_ms - queued_ms(call))
    assert kinds(story) == ["entry", "queued", "ringing", "queued", "ringing", "talking"]
    assert_complete(story)


def test_what_happens_to_an_agent_during_a_talk_shows_after_his_wrap_up(
    centre: CallCentre, sipp: Sipp
) -> None:
    """Three talks at once: one agent wants lunch, one signs out, the phone of one unregisters."""
    plan = {
        "a1001": ("8001", "0921000311", ("not_ready", "lunch")),
        "a1003": ("8002", "0921000312", ("signed_out", "")),
        "a1005": ("8003", "0921000313", ("not_ready", "device_lost")),
    }
    phones = {agent_id: sipp.phone(agent_id, Phone(ring_ms=100, talk_ms=1_200)) for agent_id in plan}
    centre.ready(*plan)
    calls = [sipp.call(Caller(entry=entry, number=number)) for entry, number, _ in plan.values()]
    for agent_id in plan:
        centre.wait_agent(agent_id, "talking")
    centre.state("a1001", "not_ready", reason="lunch")
    centre.state("a1003", "signed_out")
    sipp.unregister("a1005")
    assert {centre.floor()["agents"][agent_id]["state"] for agent_id in plan} == {"talking"}
    assert [call.wait(20) for call in calls] == [0, 0, 0]

    for agent_id, (_, number, after) in plan.items():
        story, phone = centre.story(number), phones[agent_id]
        answered_ms = phone.first("sent", "200", "INVITE").at_ms
        assert (story["outcome"], story["agent_id"]) == ("answered", agent_id)
        assert story["talk_ms"] == near(hangup_ms(phone) - answered_ms)
        (track,) = agent_tracks(story)
        assert lengths_ms(story, track)[-1] == ("wrap_up", near(WRAP_UP_MS))
        agent = centre.floor()["agents"][agent_id]
        assert (agent["state"], agent["reason"]) == after
        assert agent["since_ms"] == near(ms(story["ended_at"]) + WRAP_UP_MS)
