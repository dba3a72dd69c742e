"""Figures: literal values for each formula, and the laws that cells obey."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing import events as ev
from routing.events import QueueExit
from routing.ids import AgentId, InteractionId, QueueId
from routing.signals import Party
from workforce.formulas import AHT, ASA, FORMULAS, SERVICE_LEVELS, term, terms_of
from workforce.measures import Cell, cell_of_exit, cells_of, total
from workforce.wait_buckets import WAIT_BOUNDS_MS, bucket_of, quantile_ms

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
    wait_buckets={bucket_of(12_000): 69, bucket_of(90_000): 1},
    wait_abandoned_ms=160_000,
    handled_count=70,
    talk_ms=12_600_000,
    hold_ms=700_000,
    wrap_up_ms=2_100_000,
    customer_ended_count=40,
    agent_ended_count=14,
    system_ended_count=2,
    transferred_count=7,
    short_call_count=5,
    hold_abandoned_count=3,
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
        ("SL-E", 56 / 90),
        ("SL-F", 56 / 94),
    ],
)
def test_the_six_service_levels(formula: str, value: float) -> None:
    assert SERVICE_LEVELS[formula](BUSY) == pytest.approx(value)


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("SL-C-FLOW", 56 / 88),
        ("SL-E-FLOW", 56 / 94),
        ("AB", 14 / 84),
        ("AB-ALL", 20 / 90),
        ("ASA", 15.0),
        ("WAIT_P50", 12.0),
        ("WAIT_MAX", 90.0),
        ("ATA", 8.0),
        ("AHT", 220.0),
        ("TALK", 180.0),
        ("HOLD", 10.0),
        ("WRAP_UP", 30.0),
        ("RONA", 0.05),
        ("RONA-WAITED", 4 / 75),
        ("ENDED-CUSTOMER", 40 / 70),
        ("ENDED-AGENT", 14 / 70),
        ("ENDED-SYSTEM", 2 / 70),
        ("TRANSFER", 7 / 70),
        ("SHORT-CALL", 5 / 70),
        ("HOLD-AB", 3 / 70),
    ],
)
def test_the_other_figures(formula: str, value: float) -> None:
    assert FORMULAS[formula](BUSY) == pytest.approx(
        value, rel=0.05 if formula.startswith("WAIT_P") else 1e-12
    )


def test_no_calls_is_blank_never_nothing_or_all() -> None:
    assert [formula(Cell()) for formula in FORMULAS.values()] == [None] * len(FORMULAS)


def test_a_formula_is_made_of_terms_that_a_cell_has() -> None:
    for formula in FORMULAS.values():
        assert all(term(BUSY, name) >= 0 for name in terms_of(formula))


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
    assert SERVICE_LEVELS["SL-C"](cell) == expected
    mean_s = sum(answered) / len(answered) / 1000 if answered else None
    assert ASA(cell) == (pytest.approx(mean_s) if mean_s is not None else None)


@given(st.lists(st.integers(0, 20_000_000), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_a_quantile_lies_in_the_bucket_of_the_wait_of_that_rank(waits_ms: list[int], share: float) -> None:
    buckets = dict(Counter(bucket_of(wait_ms) for wait_ms in waits_ms))
    found = quantile_ms(buckets, share, max(waits_ms))
    exact = sorted(waits_ms)[max(math.ceil(share * len(waits_ms)) - 1, 0)]
    number = bucket_of(exact)
    low_ms = WAIT_BOUNDS_MS[number - 1] if number else 0
    high_ms = WAIT_BOUNDS_MS[number] if number < len(WAIT_BOUNDS_MS) else max(waits_ms)
    assert low_ms <= found <= high_ms
    assert found <= max(waits_ms)


def test_buckets_grow_by_a_twentieth() -> None:
    steps = [high / low for low, high in pairwise(WAIT_BOUNDS_MS)]
    assert max(steps) < 1.06
    assert bucket_of(WAIT_BOUNDS_MS[7]) == 8


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
    assert (AHT(whole), ASA(whole)) == (980.0, 30.0)


@pytest.mark.parametrize(
    ("ended_by", "reason", "talk_ms", "was_held", "counted"),
    [
        (Party.CUSTOMER, "", 10_001, False, {"customer_ended_count": 1}),
        (Party.CUSTOMER, "", 90_000, True, {"customer_ended_count": 1, "hold_abandoned_count": 1}),
        (Party.AGENT, "", 10_000, True, {"agent_ended_count": 1, "short_call_count": 1}),
        (Party.SYSTEM, "phone_lost", 90_000, False, {"system_ended_count": 1}),
        (Party.SYSTEM, "transfer", 90_000, False, {"transferred_count": 1}),
        (Party.SYSTEM, "attended_transfer", 90_000, True, {"transferred_count": 1}),
        (Party.AGENT, "left_conference", 90_000, False, {}),
        (Party.OUTSIDE, "", 90_000, False, {}),
        (Party.UNKNOWN, "fallback", 90_000, False, {}),
    ],
)
def test_who_ended_a_participation_is_told_apart_from_what_was_given_on(
    ended_by: Party, reason: str, talk_ms: int, was_held: bool, counted: dict[str, Any]
) -> None:
    event = ev.TalkEnded(
        at_ms=1_000,
        occurred_ms=1_000,
        interaction_id=InteractionId("c1"),
        agent_id=AgentId("a1001"),
        queue_id=SALES,
        talk_ms=talk_ms,
        hold_ms=0,
        ended_by=ended_by,
        reason=reason,
        was_held=was_held,
    )
    assert cells_of([event]) == {(SALES, 0): Cell(handled_count=1, talk_ms=talk_ms, **counted)}
