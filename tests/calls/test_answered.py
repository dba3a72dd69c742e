"""The plain call: it waits, rings, is answered, and each millisecond of it is in the log."""

from __future__ import annotations

import pytest

from tests.calls.centre import WRAP_UP_MS, CallCentre, lengths_ms, ms
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db]

TOLERANCE_MS = 50


def test_an_answered_call_is_in_the_log_as_it_was(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1001", Phone(ring_ms=800, talk_ms=2_000))
    centre.ready("a1001")
    call = sipp.call(Caller(entry="8001", number="0911000001", name="王小明"))
    assert call.wait(20) == 0

    story = centre.story("0911000001")
    rang_ms, answered_ms = phone.first("sent", "180").at_ms, phone.first("sent", "200", "INVITE").at_ms
    ended_ms = phone.first("sent", "BYE").at_ms
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1001", "sales")
    assert story["ended_by"] == "agent"
    assert story["caller_name"] == "王小明"
    assert ms(story["answered_at"]) == pytest.approx(answered_ms, abs=TOLERANCE_MS)
    assert ms(story["ended_at"]) == pytest.approx(ended_ms, abs=TOLERANCE_MS)
    assert story["talk_ms"] == pytest.approx(ended_ms - answered_ms, abs=TOLERANCE_MS)
    kinds = [kind for kind, _ in lengths_ms(story)]
    assert kinds == ["entry", "queued", "ringing", "talking"]
    assert dict(lengths_ms(story))["ringing"] == pytest.approx(answered_ms - rang_ms, abs=TOLERANCE_MS)
    assert sum(length for _, length in lengths_ms(story)) == ms(story["ended_at"]) - ms(story["started_at"])
    (agent_track,) = {segment["track"] for segment in story["segments"]} - {"customer"}
    agent = dict(lengths_ms(story, agent_track))
    assert list(agent) == ["ring", "talk", "wrap_up"]
    assert agent["wrap_up"] == pytest.approx(WRAP_UP_MS, abs=TOLERANCE_MS)
    assert story["offers"][0]["outcome"] == "answered"
