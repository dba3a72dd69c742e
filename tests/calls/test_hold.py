"""Hold and wrap-up: what of a contact is talk, what is hold, and how long the work after it took."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, lengths_ms
from tests.calls.exact import agent_tracks, assert_complete, hangup_ms, kinds, near
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]


def test_every_hold_is_in_the_log_on_both_tracks(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=200, hold=(600, 900, 500, 700), talk_ms=400))
    centre.ready("a1001")
    call = sipp.call(Caller(entry="8001", number="0921000201"))
    assert call.wait(20) == 0

    answered_ms = phone.first("sent", "200", "INVITE").at_ms
    turns = [answered_ms, *(moment.at_ms for moment in phone.all("sent", "INVITE")), hangup_ms(phone)]
    lengths = [near(end - begin) for begin, end in pairwise(turns)]
    assert len(lengths) == 5
    story = centre.story("0921000201")
    names = ["talking", "held", "talking", "held", "talking"]
    assert lengths_ms(story)[-5:] == list(zip(names, lengths, strict=True))
    (track,) = agent_tracks(story)
    ring, *parts, wrap_up = lengths_ms(story, track)
    assert parts == list(zip(["talk", "hold", "talk", "hold", "talk"], lengths, strict=True))
    assert (ring[0], wrap_up) == ("ring", ("wrap_up", near(WRAP_UP_MS)))
    assert story["hold_ms"] == near(turns[2] - turns[1] + turns[4] - turns[3])
    assert story["talk_ms"] == near(turns[5] - turns[0] - (turns[2] - turns[1]) - (turns[4] - turns[3]))
    assert_complete(story)


def test_a_caller_who_hangs_up_on_hold_ends_both(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1003", Phone(ring_ms=200, hold=(400, 60_000)))
    centre.ready("a1003")
    call = sipp.call(Caller(entry="8002", number="0921000202", hangs_up_after_ms=1_800))
    phone.wait_for("sent", "INVITE")
    centre.wait_agent("a1003", "holding")
    assert call.wait(20) == 0

    answered_ms, held_ms = phone.first("sent", "200", "INVITE").at_ms, phone.first("sent", "INVITE").at_ms
    ended_ms = call.first("sent", "BYE").at_ms
    story = centre.story("0921000202")
    assert lengths_ms(story)[-2:] == [
        ("talking", near(held_ms - answered_ms)),
        ("held", near(ended_ms - held_ms)),
    ]
    (track,) = agent_tracks(story)
    assert kinds(story, track) == ["ring", "talk", "hold", "wrap_up"]
    assert (story["ended_by"], story["hold_ms"]) == ("customer", near(ended_ms - held_ms))
    assert_complete(story)


def test_a_wrap_up_is_ended_extended_and_coded_by_hand(centre: CallCentre, sipp: Sipp) -> None:
    """Three agents at once: one ends it early, one takes two seconds more, one makes himself ready."""
    agents = {
        "a1001": ("8001", "0921000211"),
        "a1003": ("8002", "0921000212"),
        "a1005": ("8003", "0921000213"),
    }
    phones = {agent_id: sipp.phone(agent_id, Phone(ring_ms=100, talk_ms=400)) for agent_id in agents}
    centre.ready(*agents)
    calls = [sipp.call(Caller(entry=entry, number=number)) for entry, number in agents.values()]
    assert [call.wait(20) for call in calls] == [0, 0, 0]
    for agent_id in agents:
        centre.wait_agent(agent_id, "wrap_up")
    coded = centre.floor()["agents"]["a1003"]["interaction_id"]
    centre.require("POST", "/agents/a1003/wrap-up", {"action": "extend", "extend_s": 2})
    body = {"action": "code", "interaction_id": coded, "code": "order_placed"}
    centre.require("POST", "/agents/a1003/wrap-up", body)
    ended_ms = _now_ms()
    centre.require("POST", "/agents/a1001/wrap-up", {"action": "end"})
    ready_ms = _now_ms()
    centre.require("POST", "/agents/a1005/state", {"state": "ready"})
    for agent_id in ("a1001", "a1005"):
        assert centre.floor()["agents"][agent_id]["state"] == "ready"

    stories = {agent_id: centre.story(number) for agent_id, (_, number) in agents.items()}
    wrap_up_ms = {
        agent_id: dict(lengths_ms(story, agent_tracks(story)[0]))["wrap_up"]
        for agent_id, story in stories.items()
    }
    assert wrap_up_ms == {
        "a1001": near(ended_ms - hangup_ms(phones["a1001"])),
        "a1003": near(WRAP_UP_MS + 2_000),
        "a1005": near(ready_ms - hangup_ms(phones["a1005"])),
    }
    assert {agent_id: story["wrap_up_ms"] for agent_id, story in stories.items()} == wrap_up_ms
    assert [story["wrap_up_code"] for story in stories.values()] == [None, "order_placed", None]
    centre.wait_agent("a1003", "ready")
    status, answer = centre.ask("POST", "/agents/a1003/wrap-up", {"action": "end"})
    assert (status, answer["error_id"]) == (409, "not_in_wrap_up")


def test_a_code_may_be_given_during_the_talk_and_changed_after_it(centre: CallCentre, sipp: Sipp) -> None:
    sipp.phone("a1006", Phone(ring_ms=100, talk_ms=800))
    centre.ready("a1006")
    call = sipp.call(Caller(entry="8003", number="0921000221"))
    centre.wait_agent("a1006", "talking")
    interaction_id = centre.floor()["agents"]["a1006"]["interaction_id"]
    for code in ("complaint", "refund"):
        body = {"action": "code", "interaction_id": interaction_id, "code": code}
        centre.require("POST", "/agents/a1006/wrap-up", body)
        assert call.wait(20) == 0
    assert centre.story("0921000221")["wrap_up_code"] == "refund"
    status, answer = centre.ask("POST", "/agents/a1005/wrap-up", body)
    assert (status, answer["error_id"]) == (409, "not_your_interaction")


def _now_ms() -> float:
    return time.time() * 1000
