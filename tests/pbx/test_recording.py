"""Recordings: on the caller's channel, one file over all hand-overs."""

from __future__ import annotations

import pytest

from telephony.sandbox.instance import Sandbox
from tests.pbx.ami import RawAmi
from tests.pbx.offers import hear, offer, variable, waiting
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = pytest.mark.pbx
_WAV_HEADER_BYTES = 60


def test_a_recording_is_begun_anew_and_appended_to_at_every_hand_over(
    sipp: Sipp, events: RawAmi, control: RawAmi, sandbox: Sandbox
) -> None:
    sipp.phone("a1001", Phone(ring_ms=300, answer=486))
    sipp.phone("a1002", Phone(ring_ms=300, talk_ms=500))
    call = sipp.call(Caller())
    call_id = waiting(events)
    hear(control, call_id)
    control.act(Action="Setvar", Channel=call_id, Variable="CC_RECORD", Value="../../one.wav")
    offer(control, call_id, "a1001", attempt=1)
    events.event("CCDialEnd", CallID=call_id)
    first = variable(control, call_id, "CC_MM")
    path = sandbox.recordings_dir / "....one.wav"
    poll(lambda: path.exists() and path.stat().st_size > _WAV_HEADER_BYTES, 5)
    before = path.stat().st_size
    offer(control, call_id, "a1002", attempt=2)
    events.event("DialEnd", DialStatus="ANSWER")
    second = variable(control, call_id, "CC_MM")
    assert first
    assert second
    assert first != second
    assert call.wait(10) == 0
    poll(lambda: path.stat().st_size > before, 5)


def test_without_a_file_name_nothing_is_recorded(
    sipp: Sipp, events: RawAmi, control: RawAmi, sandbox: Sandbox
) -> None:
    sipp.phone("a1001", Phone(ring_ms=50, talk_ms=100))
    before = set(sandbox.recordings_dir.iterdir())
    call = sipp.call(Caller())
    offer(control, waiting(events), "a1001")
    assert call.wait(10) == 0
    assert set(sandbox.recordings_dir.iterdir()) == before
