"""The plain call: it waits, rings, is answered, and each millisecond of it is in the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, lengths_ms, ms
from tests.calls.exact import agent_tracks, assert_complete, hangup_ms, kinds, near, offers, queued_ms
from tests.pbx.sipp import Caller, Phone, Run, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]

NORMAL_CLEARING = 16


def _assert_as_traced(story: Mapping[str, Any], caller: Run, phone: Run) -> None:
    rang_ms, answered_ms = phone.first("sent", "180").at_ms, phone.first("sent", "200", "INVITE").at_ms
    ended_ms = hangup_ms(phone)
    assert ms(story["started_at"]) == near(caller.first("sent", "INVITE").at_ms)
    assert ms(story["answered_at"]) == near(answered_ms)
    assert ms(story["ended_at"]) == near(ended_ms)
    assert story["wait_ms"] == near(answered_ms - queued_ms(caller))
    assert story["talk_ms"] == near(ended_ms - answered_ms)
    assert (story["hold_ms"], story["wrap_up_ms"]) == (0, near(WRAP_UP_MS))
    assert kinds(story) == ["entry", "queued", "ringing", "talking"]
    assert dict(lengths_ms(story))["ringing"] == near(answered_ms - rang_ms)
    assert_complete(story)
    (track,) = agent_tracks(story)
    agent = dict(lengths_ms(story, track))
    assert list(agent) == ["ring", "talk", "wrap_up"]
    assert (agent["ring"], agent["talk"]) == (near(answered_ms - rang_ms), near(ended_ms - answered_ms))
    assert agent["wrap_up"] == near(WRAP_UP_MS)


def test_an_answered_call_is_in_the_log_as_it_was(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=800, talk_ms=1_200))
    centre.ready("a1001")
    call = sipp.call(Caller(entry="8001", number="0911000001", name="王小明"))
    assert call.wait(20) == 0

    story = centre.story("0911000001")
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1001", "sales")
    assert (story["ended_by"], story["hangup_cause"]) == ("agent", NORMAL_CLEARING)
    assert (story["caller_name"], story["entry_point"]) == ("王小明", "8001")
    assert offers(story) == [("a1001", "answered")]
    _assert_as_traced(story, call, phone)


def test_a_caller_who_hangs_up_ends_the_talk_and_the_agent_wraps_up(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1003", Phone(ring_ms=400))
    centre.ready("a1003")
    call = sipp.call(Caller(entry="8002", number="0921000001", hangs_up_after_ms=2_000))
    assert call.wait(20) == 0

    story = centre.story("0921000001")
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1003", "support")
    assert (story["ended_by"], story["hangup_cause"]) == ("customer", NORMAL_CLEARING)
    assert ms(story["ended_at"]) == near(call.first("sent", "BYE").at_ms)
    assert offers(story) == [("a1003", "answered")]
    _assert_as_traced(story, call, phone)
