"""The recorder's fold of agents' states into spans."""

from __future__ import annotations

from typing import Any

from app.live.record_rows import SegmentRow, SpanRow
from app.live.record_spans import fold_spans
from routing import events as ev
from routing.ids import AgentId, InteractionId, QueueId

CALL = InteractionId("pbx1-1763790000.7")
SALES = QueueId("sales")
ANA, BEN = AgentId("a1001"), AgentId("a1002")
START = 1_763_790_000_000


def _at(seconds: float) -> dict[str, Any]:
    ms = START + round(seconds * 1000)
    return {"at_ms": ms + 40, "occurred_ms": ms}


def _changed(
    seconds: float, since: float, state: ev.AgentState, previous: ev.AgentState
) -> ev.AgentStateChanged:
    return ev.AgentStateChanged(
        **_at(seconds),
        agent_id=ANA,
        state=state,
        reason="",
        interaction_id=None,
        previous=previous,
        previous_reason="",
        since_ms=START + round(since * 1000),
    )


def _span(row: SpanRow | SegmentRow | None) -> tuple[object, ...] | None:
    return None if row is None or isinstance(row, SegmentRow) else (row.state, row.ended_ms)


def test_spans_close_at_the_next_change_and_skip_states_without_length() -> None:
    state = ev.AgentState
    spans = fold_spans(
        [
            _changed(0, -5, state.READY, state.SIGNED_OUT),
            _changed(10, 0, state.RESERVED, state.READY),
            _changed(10, 10, state.RINGING, state.RESERVED),
            _changed(15, 10, state.NOT_READY, state.RINGING),
            _changed(20, 15, state.SIGNED_OUT, state.NOT_READY),
        ]
    )
    assert {start - START: _span(row) for (_, start), row in spans.items()} == {
        0: ("ready", START + 10_000),
        10_000: ("ringing", START + 15_000),
        15_000: ("not_ready", START + 20_000),
    }
