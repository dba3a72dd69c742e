"""What the tests of this folder say about a logged call: moments and lengths to 50 ms of sipp's trace."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.calls.centre import CallCentre, lengths_ms, ms
from tests.pbx.sipp import Run

TOLERANCE_MS = 50
AT_ONCE_MS = 150  # from what makes a phone free or an offer void to what the other phone sees of it


def near(value_ms: float) -> Any:
    """Compare equal to what lies within the tolerance."""
    return pytest.approx(value_ms, abs=TOLERANCE_MS)


def at_once(cause_ms: float, effect_ms: float) -> bool:
    """Whether the effect followed at once; two sipp processes stamp what each read when it read it."""
    return -TOLERANCE_MS <= effect_ms - cause_ms < AT_ONCE_MS


def kinds(story: Mapping[str, Any], track: str = "customer") -> list[str]:
    """Return the kinds of one track's segments, in order."""
    return [kind for kind, _ in lengths_ms(story, track)]


def agent_tracks(story: Mapping[str, Any]) -> list[str]:
    """Return the names of the agents' tracks, in order of the attempts."""
    names = {segment["track"] for segment in story["segments"]} - {"customer"}
    return sorted(names, key=lambda name: int(name.partition("#")[2]))


def offers(story: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return whom the call was offered to and what became of it, in order."""
    return [(offer["agent_id"], offer["outcome"]) for offer in story["offers"]]


def assert_complete(story: Mapping[str, Any]) -> None:
    """The customer's track has no hole and no overlap, and its sum is the contact's length."""
    rows = [segment for segment in story["segments"] if segment["track"] == "customer"]
    assert rows[0]["started_at"] == story["started_at"]
    assert rows[-1]["ended_at"] == story["ended_at"]
    for before, after in pairwise(rows):
        assert before["ended_at"] == after["started_at"], rows
    total_ms = ms(story["ended_at"]) - ms(story["started_at"])
    assert sum(length for _, length in lengths_ms(story)) == pytest.approx(total_ms, abs=1)


def spans_of(centre: CallCentre, agent_id: str, since: datetime) -> list[Mapping[str, Any]]:
    """Return an agent's spans that began since then, as the figures show them; they have no gap."""
    asked = f"first={since.date()}&last={since.date() + timedelta(days=1)}&zone=UTC&limit=500"
    found = centre.require("GET", f"/figures/agents/spans?{asked}&figure=SIGNED_IN&key={agent_id}")
    spans = [row for row in found["rows"] if ms(row["at"]) >= since.timestamp() * 1000]
    for before, after in pairwise(spans):
        assert before["until"] == after["at"], spans
    return spans


def queued_ms(caller: Run) -> float:
    """Return when the caller began to wait: the PBX answers in the same breath."""
    return caller.first("received", "200", "INVITE").at_ms


def hangup_ms(run: Run) -> float:
    """Return when the run sent or received the BYE that ended its last call."""
    found = [moment for moment in run.moments() if moment.what == "BYE"]
    assert found, run.trace()
    return found[-1].at_ms
