"""Whole random days of the engine, folded to rows: both tracks say what the events say, exactly."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.live.record_folding import FALLBACK_ATTEMPT
from app.live.record_rows import Record, SegmentRow, Stamped
from app.live.recorder import fold
from routing import events as ev
from routing.ids import InteractionId
from tests.routing.consult_day import ConsultDay
from tests.routing.day import Day
from tests.routing.phone_day import PhoneDay

DAYS = (Day, PhoneDay, ConsultDay)


def stories(kind: type[Day], seed: int, steps: int) -> list[tuple[list[ev.Event], Record]]:
    """Every interaction of a day: its events and its record."""
    told: dict[InteractionId, list[ev.Event]] = {}
    for step in kind(seed).steps(steps):
        for event in step.events:
            interaction_id = getattr(event, "interaction_id", None)
            if interaction_id is not None:
                told.setdefault(interaction_id, []).append(event)
    found = []
    for events in told.values():
        record = fold([Stamped(1, seq, 0, event, "b1") for seq, event in enumerate(events, 1)])
        if record is not None:
            found.append((events, record))
    return found


def length_ms(rows: list[SegmentRow]) -> int:
    return sum(row.ended_ms - row.started_ms for row in rows if row.ended_ms is not None)


def check(events: list[ev.Event], record: Record) -> None:
    """Both tracks of one interaction against the plain sums of its events."""
    track = [row for row in record.segments if row.track == "customer"]
    for one, following in pairwise(track):
        assert one.ended_ms == following.started_ms, "exclusive and without a hole"
    corrected = any(isinstance(event, ev.FactCorrected) for event in events)
    if record.interaction.ended_ms is None or corrected:
        return
    assert length_ms(track) == record.interaction.ended_ms - record.interaction.started_ms
    exits = [event for event in events if isinstance(event, ev.QueueLeft)]
    assert [visit.exit_cause for visit in record.visits if visit.exit_cause] == [e.exit.value for e in exits]
    talks = [event for event in events if isinstance(event, ev.TalkEnded)]
    mine = [row for row in record.segments if row not in track and not of_fallback(row)]
    talk = [row for row in mine if row.kind in ("talk", "conference")]
    hold = [row for row in mine if row.kind == "hold" or (row.kind == "consult" and not asked(row))]
    assert length_ms(talk) == sum(event.talk_ms for event in talks)
    assert length_ms(hold) == sum(event.hold_ms for event in talks)
    ended = [
        (row.agent_id, row.ended_by) for row in mine if row.ended_by and "consult_" not in row.end_reason
    ]
    assert sorted(ended) == sorted((event.agent_id, event.ended_by.value) for event in talks), (
        "each participation says once who ended it, one without any length too"
    )


def asked(row: SegmentRow) -> bool:
    """Whether it is the side of whom the agent asked."""
    return row.track == f"{row.agent_id}#{row.attempt}"


def of_fallback(row: SegmentRow) -> bool:
    return row.track.endswith(f"#{FALLBACK_ATTEMPT}")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(DAYS), st.integers(0, 2**32))
def test_what_a_random_day_says_is_what_its_segments_say(kind: type[Day], seed: int) -> None:
    for events, record in stories(kind, seed, 250):
        check(events, record)


@pytest.mark.long
@pytest.mark.timeout(900)
def test_what_thirty_long_days_say_is_what_their_segments_say() -> None:
    for seed in range(30):
        for events, record in stories(DAYS[seed % 3], seed, 1_500):
            check(events, record)
