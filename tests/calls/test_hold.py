"""Hold and wrap-up: what of a contact is talk, what is hold, and how long the work after it took."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, lengths_ms
from tests.calls.exact import TOLERANCE_MS, agent_tracks, assert_complete, hangup_ms, kinds, near
from tests.pbx.sipp import Caller, Phone, Run, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]


def test_every_hold_is_in_the_log_on_both_tracks(centre: CallCentre, sipp: Sipp) -> None:
    """Two calls at once: one is held twice, the other one's caller hangs up on hold."""
    twice = sipp.phone("a1001", Phone(ring_ms=200, hold=(600, 900, 500, 700), talk_ms=400))
    forgotten = sipp.phone("a1003", Phone(ring_ms=200, hold=(400, 60_000)))
    centre.ready("a1001", "a1003")
    first = sipp.call(Caller(entry="8001", number="0921000201"))
    second = sipp.call(Caller(entry="8002", number="0921000202", hangs_up_after_ms=1_800))
    centre.wait_agent("a1003", "holding")
    assert (first.wait(20), second.wait(20)) == (0, 0)

    story = centre.story("0921000201")
    turns = _turns(twice)
    lengths = [near(end - begin) for begin, end in pairwise(turns)]
    assert len(lengths) == 5
    names = ["talking", "held", "talking", "held", "talking"]
    assert lengths_ms(story)[-5:] == list(zip(names, lengths, strict=True))
    (track,) = agent_tracks(story)
    ring, *parts, wrap_up = lengths_ms(story, track)
    assert parts == list(zip(["talk", "hold", "talk", "hold", "talk"], lengths, strict=True))
    assert (ring[0], wrap_up) == ("ring", ("wrap_up", near(WRAP_UP_MS)))
    hold_ms = turns[2] - turns[1] + turns[4] - turns[3]
    assert (story["hold_ms"], story["talk_ms"]) == (near(hold_ms), near(turns[5] - turns[0] - hold_ms))
    assert (story["ended_by"], story["agent_id"]) == ("agent", "a1001")
    assert_complete(story)

    story = centre.story("0921000202")
    answered_ms, held_ms, ended_ms = _turns(forgotten)
    assert ended_ms == near(second.first("sent", "BYE").at_ms)
    lengths = [near(held_ms - answered_ms), near(ended_ms - held_ms)]
    assert lengths_ms(story)[-2:] == list(zip(["talking", "held"], lengths, strict=True))
    (track,) = agent_tracks(story)
    assert kinds(story, track) == ["ring", "talk", "hold", "wrap_up"]
    assert lengths_ms(story, track)[1:3] == list(zip(["talk", "hold"], lengths, strict=True))
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
    centre.wait_agent("a1003", "talking")
    body = {"action": "code", "interaction_id": centre.floor()["agents"]["a1003"]["interaction_id"]}
    centre.require("POST", "/agents/a1003/wrap-up", {**body, "code": "complaint"})
    assert [call.wait(20) for call in calls] == [0, 0, 0]
    for agent_id in agents:
        centre.wait_agent(agent_id, "wrap_up")
    centre.require("POST", "/agents/a1003/wrap-up", {"action": "extend", "extend_s": 2})
    centre.require("POST", "/agents/a1003/wrap-up", {**body, "code": "order_placed"})
    status, answer = centre.ask("POST", "/agents/a1001/wrap-up", {**body, "code": "refund"})
    assert (status, answer["error_id"]) == (409, "not_your_interaction")
    asked_ms = time.time() * 1000
    ended_ms = centre.require("POST", "/agents/a1001/wrap-up", {"action": "end"})["at_ms"]
    ready_ms = centre.require("POST", "/agents/a1005/state", {"state": "ready"})["at_ms"]
    assert asked_ms - TOLERANCE_MS <= ended_ms <= ready_ms <= time.time() * 1000 + TOLERANCE_MS
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


def _turns(phone: Run) -> list[float]:
    """Return the moments of answer, every hold and resume, and the end."""
    holds = [moment.at_ms for moment in phone.all("sent", "INVITE")]
    return [phone.first("sent", "200", "INVITE").at_ms, *holds, hangup_ms(phone)]
