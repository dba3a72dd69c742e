"""Properties of the fold: whatever the history, and however it is cut, the segments tile exactly."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings

from app.live.record_rows import SegmentRow, Stamped
from app.live.record_values import rows_of
from app.live.record_writer import day_of_interaction
from app.live.recorder import FOLDED_TYPES, fold
from routing import events as ev
from routing.replay import EVENT_TYPES
from tests.app.live.histories import CALL, histories


def _track(rows: tuple[SegmentRow, ...], track: str) -> list[SegmentRow]:
    return [row for row in rows if row.track == track]


@settings(max_examples=100, deadline=None)
@given(histories())
def test_the_customers_segments_tile_the_contact(history: list[Stamped]) -> None:
    record = fold(history)
    assert record is not None
    row, segments = record.interaction, _track(record.segments, "customer")
    assert [segment.ordinal for segment in segments] == list(range(len(segments)))
    for one, two in pairwise(segments):
        assert one.ended_ms == two.started_ms
        assert one.ended_ms is not None
        assert one.started_ms <= one.ended_ms
    if segments:
        assert segments[0].started_ms == row.started_ms
        assert segments[-1].ended_ms == row.ended_ms
    if row.ended_ms is not None and segments:
        length_ms = sum(segment.ended_ms - segment.started_ms for segment in segments if segment.ended_ms)
        assert length_ms == row.ended_ms - row.started_ms


@settings(max_examples=100, deadline=None)
@given(histories())
def test_an_agents_segments_never_overlap_within_a_participation(history: list[Stamped]) -> None:
    record = fold(history)
    assert record is not None
    for track in {segment.track for segment in record.segments}:
        rows = _track(record.segments, track)
        for one, two in pairwise(rows):
            assert one.ended_ms is not None
            assert one.started_ms <= one.ended_ms <= two.started_ms


@settings(max_examples=50, deadline=None)
@given(histories())
def test_keys_are_unique_and_every_visit_and_offer_has_one_row(history: list[Stamped]) -> None:
    record = fold(history)
    assert record is not None
    rows = rows_of(record, day_of_interaction(CALL))
    assert len(rows["segment"]) == len(record.segments)
    assert len(rows["interaction"]) == 1
    visits = {stamped.event.visit for stamped in history if isinstance(stamped.event, ev.QueueEntered)}
    assert visits <= {visit.visit for visit in record.visits}


def test_every_folded_type_is_an_event() -> None:
    assert set(FOLDED_TYPES) <= {kind.__name__ for kind in EVENT_TYPES}
