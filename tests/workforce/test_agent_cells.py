"""Agents' cells: cut anywhere, they add up; and their figures against values worked out by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.events import AgentState
from workforce.agent_cells import (
    AGENT_TERMS,
    SIGNED_IN_STATES,
    AgentCell,
    agents_total,
    cell_of_span,
    reason_term,
)
from workforce.agent_formulas import AGENT_FORMULAS, not_ready_for

_MINUTE = 60_000


@st.composite
def _days(draw: st.DrawFn) -> list[tuple[AgentState, str, int, int]]:
    """An agent's spans, one after the other."""
    at_ms, found = draw(st.integers(0, 1_000)), []
    for length_ms in draw(st.lists(st.integers(1, 90_000), min_size=1, max_size=12)):
        state = draw(st.sampled_from(SIGNED_IN_STATES))
        reason = draw(st.sampled_from(["lunch", "training"])) if state is AgentState.NOT_READY else ""
        found.append((state, reason, at_ms, at_ms + length_ms))
        at_ms += length_ms + draw(st.sampled_from([0, 0, 0, 500]))  # signed out for a while
    return found


@given(_days(), st.lists(st.integers(0, 1_200_000), max_size=8), st.integers(0, 60_000))
def test_cells_add_up_however_time_is_cut(
    spans: list[tuple[AgentState, str, int, int]], cuts: list[int], allowed_ms: int
) -> None:
    bounds = sorted({0, 2_000_000, *cuts})

    def cell(part_ms: tuple[int, int]) -> AgentCell:
        return agents_total(
            cell_of_span(state, reason, (start, end), part_ms, wrap_up_allowed_ms=allowed_ms)
            for state, reason, start, end in spans
        )

    whole = cell((0, 2_000_000))
    assert agents_total(map(cell, pairwise(bounds))) == whole
    assert whole.signed_in_ms == sum(end - start for *_, start, end in spans)
    for state in SIGNED_IN_STATES:
        assert whole.state_ms.get(state, 0) == sum(end - start for s, _, start, end in spans if s is state)
    assert sum(whole.reason_ms.values()) == whole.state_ms.get(AgentState.NOT_READY, 0)
    wrap_ups = [end - start for s, _, start, end in spans if s is AgentState.WRAP_UP]
    assert whole.wrap_up_capped_state_ms == sum(min(length, allowed_ms) for length in wrap_ups)


CELL = AgentCell(
    state_ms={
        AgentState.READY: 20 * _MINUTE,
        AgentState.RESERVED: 1 * _MINUTE,
        AgentState.RINGING: 4 * _MINUTE,
        AgentState.TALKING: 20 * _MINUTE,
        AgentState.HOLDING: 4 * _MINUTE,
        AgentState.RE_ATTACH: 1 * _MINUTE,
        AgentState.WRAP_UP: 15 * _MINUTE,
        AgentState.NOT_READY: 35 * _MINUTE,
        AgentState.BUSY_ELSEWHERE: 20 * _MINUTE,
    },
    reason_ms={"lunch": 30 * _MINUTE, "ring_no_answer": 5 * _MINUTE},
    wrap_up_capped_state_ms=10 * _MINUTE,
    handled_count=5,
    talk_ms=25 * _MINUTE,
    hold_ms=5 * _MINUTE,
    wrap_up_ms=15 * _MINUTE,
    wrap_up_capped_ms=10 * _MINUTE,
    offer_count=10,
    rona_count=2,
    offer_caller_left_count=2,
)


@pytest.mark.parametrize(
    ("formula_id", "value"),
    [
        ("SIGNED_IN", 7_200),
        ("TIME_READY", 1_200),
        ("TIME_TALK", 1_200),
        ("TIME_HOLD", 240),
        ("TIME_WRAP_UP", 900),
        ("TIME_WRAP_UP-CAPPED", 600),
        ("TIME_NOT_READY", 2_100),
        ("OCCUPANCY", 40 / 60),
        ("UTILISATION", 40 / 120),
        ("AHT", 540),
        ("AHT-CAPPED", 480),
        ("TALK", 300),
        ("HOLD", 60),
        ("WRAP_UP", 180),
        ("WRAP_UP-CAPPED", 120),
        ("RONA", 0.2),
        ("RONA-WAITED", 0.25),
        ("CALLS_PER_HOUR", 2.5),
    ],
)
def test_a_figure_is_what_its_formula_says(formula_id: str, value: float) -> None:
    assert AGENT_FORMULAS[formula_id].of(CELL.term) == pytest.approx(value)
    assert AGENT_FORMULAS[formula_id].of(AgentCell().term) is None


def test_every_formula_has_a_value_worked_out_by_hand() -> None:
    (table,) = [m for m in test_a_figure_is_what_its_formula_says.pytestmark if m.name == "parametrize"]  # type: ignore[attr-defined]
    assert {formula_id for formula_id, _ in table.args[1]} == AGENT_FORMULAS.keys()


def test_time_not_ready_is_told_by_reason_and_nought_is_not_blank_while_signed_in() -> None:
    assert not_ready_for("lunch").of(CELL.term) == 1_800
    assert not_ready_for("training").of(CELL.term) == 0
    assert not_ready_for("training").of(AgentCell().term) is None
    assert CELL.term(reason_term("ring_no_answer")) == 5 * _MINUTE


def test_who_only_waited_has_an_occupancy_of_nought_and_no_handle_time() -> None:
    idle = AgentCell(state_ms={AgentState.READY: 1})
    assert AGENT_FORMULAS["OCCUPANCY"].of(idle.term) == 0
    assert AGENT_FORMULAS["AHT"].of(idle.term) is None
    assert AGENT_FORMULAS["RONA"].of(idle.term) is None


def test_every_formula_is_made_of_known_terms() -> None:
    for formula in AGENT_FORMULAS.values():
        assert {*formula.over, *formula.under, *formula.less} <= set(AGENT_TERMS)
