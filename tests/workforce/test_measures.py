"""Figures: literal values for each formula, and the laws that cells obey."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import events as ev
from routing.events import QueueExit
from routing.ids import AgentId, InteractionId, QueueId
from routing.signals import Party
from workforce.measures import (
    SERVICE_LEVELS,
    Cell,
    abandonment,
    aht_s,
    asa_s,
    cell_of_exit,
    cells_of,
    occupancy,
    rona_rate,
    service_level_c,
    service_level_e,
    total,
)

SALES = QueueId("sales")

# 100 visits: 70 answered (56 in time), 20 abandoned (6 short, 8 in time), 10 others
BUSY = Cell(
    offered_count=100,
    answered_count=70,
    answered_within_count=56,
    abandoned_count=20,
    abandoned_within_count=8,
    short_abandoned_count=6,
    exit_counts={
        QueueExit.ANSWERED: 70,
        QueueExit.ABANDONED: 14,
        QueueExit.SHORT_ABANDON: 6,
        QueueExit.FALLBACK: 3,
        QueueExit.OVERFLOWED: 1,
        QueueExit.NO_AGENTS_AT_ENTRY: 4,
        QueueExit.WITHDRAWN: 2,
    },
    wait_answered_ms=1_050_000,
    wait_answered_max_ms=90_000,
    handled_count=70,
    talk_ms=12_600_000,
    hold_ms=700_000,
    wrap_up_ms=2_100_000,
    offer_count=80,
    rona_count=4,
    offer_caller_left_count=5,
)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SL-A", 56 / 70),
        ("SL-B", 64 / 90),
        ("SL-C", 56 / 84),
        ("SL-D", 56 / 100),
        ("SL-E", 56 / 70),
        ("SL-F", 56 / 94),
    ],
)
def test_the_six_service_levels(formula: str, value: float) -> None:
    assert SERVICE_LEVELS[formula](BUSY) == pytest.approx(value)


def test_the_switches_of_the_service_levels() -> None:
    assert service_level_c(BUSY, flow_outs=True) == pytest.approx(56 / 88)
    assert service_level_e(BUSY, abandons=True) == pytest.approx(56 / 90)


def test_the_other_figures() -> None:
    assert asa_s(BUSY) == 15.0
    assert aht_s(BUSY) == 220.0
    assert abandonment(BUSY) == pytest.approx(14 / 84)
    assert abandonment(BUSY, short=True) == pytest.approx(20 / 90)
    assert rona_rate(BUSY) == 0.05
    assert rona_rate(BUSY, caller_left=False) == pytest.approx(4 / 75)
    assert occupancy(3_000, 1_000) == 0.75


def test_no_calls_is_blank_never_nothing_or_all() -> None:
    nothing = Cell()
    figures = [*(formula(nothing) for formula in SERVICE_LEVELS.values()), asa_s(nothing), aht_s(nothing)]
    figures += [abandonment(nothing), rona_rate(nothing), occupancy(0, 0)]
    assert figures == [None] * len(figures)


_VISITS = st.lists(st.tuples(st.sampled_from(list(QueueExit)), st.integers(0, 120_000)), max_size=40)


def _cell(visits: list[tuple[QueueExit, int]]) -> Cell:
    return total(Cell(offered_count=1) + cell_of_exit(one, wait_ms, 20_000) for one, wait_ms in visits)


@given(_VISITS, _VISITS)
def test_cells_add(one: list[tuple[QueueExit, int]], two: list[tuple[QueueExit, int]]) -> None:
    assert _cell(one) + _cell(two) == _cell(two + one)


@given(_VISITS)
def test_offered_is_the_sum_of_the_exits(visits: list[tuple[QueueExit, int]]) -> None:
    cell = _cell(visits)
    assert cell.offered_count == sum(cell.exit_counts.values())


@given(_VISITS)
def test_every_service_level_is_a_share_and_equals_brute_force(visits: list[tuple[QueueExit, int]]) -> None:
    cell = _cell(visits)
    for formula in SERVICE_LEVELS.values():
        value = formula(cell)
        assert value is None or 0 <= value <= 1
    answered = [wait_ms for one, wait_ms in visits if one is QueueExit.ANSWERED]
    counted = [one for one, _ in visits if one in (QueueExit.ANSWERED, QueueExit.ABANDONED)]
    expected = sum(wait_ms <= 20_000 for wait_ms in answered) / len(counted) if counted else None
    assert service_level_c(cell) == expected
    mean_s = sum(answered) / len(answered) / 1000 if answered else None
    assert asa_s(cell) == (pytest.approx(mean_s) if mean_s is not None else None)


def test_events_become_cells_in_the_interval_in_which_they_happened() -> None:
    call, ana = InteractionId("pbx1-1763790000.7"), AgentId("a1001")
    quarter_ms, start_ms = 900_000, 1_763_790_300_000

    def at(second: int) -> dict[str, Any]:
        return {"at_ms": start_ms + second * 1000, "occurred_ms": start_ms + second * 1000}

    cells = cells_of(
        [
            ev.QueueEntered(
                **at(0), interaction_id=call, queue_id=SALES, visit=1, queued_at_ms=start_ms, priority_ms=0
            ),
            ev.InteractionOffered(
                **at(1), interaction_id=call, agent_id=ana, queue_id=SALES, visit=1, attempt=1, wait_ms=1
            ),
            ev.OfferNotAnswered(
                **at(16), interaction_id=call, agent_id=ana, queue_id=SALES, attempt=1, rang_ms=15_000
            ),
            ev.QueueLeft(
                **at(30),
                interaction_id=call,
                queue_id=SALES,
                visit=1,
                exit=QueueExit.ANSWERED,
                wait_ms=30_000,
            ),
            ev.TalkEnded(
                **at(1_000),
                interaction_id=call,
                agent_id=ana,
                queue_id=SALES,
                talk_ms=900_000,
                hold_ms=70_000,
                ended_by=Party.CUSTOMER,
            ),
            ev.WrapUpStarted(**at(1_000), agent_id=ana, interaction_id=call, queue_id=SALES, until_ms=None),
            ev.WrapUpDone(**at(1_010), agent_id=ana, interaction_id=call, wrap_up_ms=10_000),
        ],
        threshold_ms={SALES: 30_000},
        interval_ms=quarter_ms,
    )
    first = start_ms - start_ms % quarter_ms
    assert set(cells) == {(SALES, first), (SALES, first + quarter_ms)}
    whole = total(cells.values())
    assert (whole.offered_count, whole.answered_within_count, whole.rona_count) == (1, 1, 1)
    assert (aht_s(whole), asa_s(whole)) == (980.0, 30.0)
