"""What a logged call says, in the shape that tests ask for: each segment with its moments in milliseconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.calls.centre import ms
from tests.calls.exact import TOLERANCE_MS

Story = Mapping[str, Any]


@dataclass(frozen=True)
class Stretch:
    """One segment."""

    kind: str
    started_ms: float
    ended_ms: float
    queue_id: str | None
    agent_id: str | None
    exit_cause: str | None
    grade: str

    @property
    def length_ms(self) -> float:
        return self.ended_ms - self.started_ms


def track(story: Story, name: str = "customer") -> list[Stretch]:
    """Return one track's segments in order."""
    return [
        Stretch(
            segment["kind"],
            ms(segment["started_at"]),
            ms(segment["ended_at"]),
            segment["queue_id"],
            segment["agent_id"],
            segment["exit_cause"],
            segment["grade"],
        )
        for segment in sorted(story["segments"], key=lambda segment: int(segment["ordinal"]))
        if segment["track"] == name
    ]


def customer(story: Story) -> list[Stretch]:
    """Return the customer's track, whole by its own law, without the blinks between two places.

    A blink (``ivr``) is the time from the end of one thing to the PBX's next event; it must be one.
    """
    stretches = track(story)
    assert stretches[0].started_ms == ms(story["started_at"]), stretches
    assert stretches[-1].ended_ms == ms(story["ended_at"]), stretches
    for one, following in pairwise(stretches):
        assert one.ended_ms == following.started_ms, stretches
    blinks = [stretch for stretch in stretches if stretch.kind == "ivr"]
    assert all(blink.length_ms <= TOLERANCE_MS for blink in blinks), blinks
    return [stretch for stretch in stretches if stretch.kind != "ivr"]


def kinds(stretches: list[Stretch]) -> list[str]:
    """Return the kinds, in order."""
    return [stretch.kind for stretch in stretches]


def agents(story: Story) -> dict[str, list[Stretch]]:
    """Return the agents' tracks by name, in order of beginning."""
    names = {segment["track"] for segment in story["segments"]} - {"customer"}
    found = {name: track(story, name) for name in names}
    return dict(sorted(found.items(), key=lambda item: item[1][0].started_ms))


def events(story: Story, *types: str) -> list[Mapping[str, Any]]:
    """Return the call's events of these types, in the journal's order."""
    return [event for event in story["events"] if event["type"] in types]


def eventually(check: Callable[[], None], bound_s: float = 25) -> None:
    """Let the check pass within the bound: the witness corrects a call some seconds after its end."""
    deadline = time.monotonic() + bound_s
    while True:
        try:
            check()
            return
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)
