from __future__ import annotations

import random

from routing.estimate import WaitEstimator, WaitRange
from routing.events import InteractionAnswered, QueueEntered, QueueExit, QueueLeft
from routing.ids import AgentId, InteractionId
from tests.routing.desk import SUPPORT


def visit(estimator: WaitEstimator, number: int, entered_ms: int) -> InteractionId:
    interaction_id = InteractionId(f"pbx1-1763790000.{number}")
    estimator.apply(
        QueueEntered(
            at_ms=entered_ms,
            occurred_ms=entered_ms,
            interaction_id=interaction_id,
            queue_id=SUPPORT,
            visit=1,
            queued_at_ms=entered_ms,
            priority_ms=0,
        )
    )
    return interaction_id


def answer(estimator: WaitEstimator, interaction_id: InteractionId, at_ms: int, wait_ms: int) -> None:
    estimator.apply(
        QueueLeft(
            at_ms=at_ms,
            occurred_ms=at_ms,
            interaction_id=interaction_id,
            queue_id=SUPPORT,
            visit=1,
            exit=QueueExit.ANSWERED,
            wait_ms=wait_ms,
        )
    )
    estimator.apply(
        InteractionAnswered(
            at_ms=at_ms,
            occurred_ms=at_ms,
            interaction_id=interaction_id,
            agent_id=AgentId("ana"),
            queue_id=SUPPORT,
            visit=1,
            attempt=1,
            leg_id=None,
            wait_ms=wait_ms,
            ring_ms=0,
        )
    )


def test_nothing_is_promised_before_anything_is_known() -> None:
    estimator = WaitEstimator()
    visit(estimator, 1, 1_000)
    assert estimator.expected(SUPPORT, 2_000) is None
    assert estimator.coverage(SUPPORT) is None


def test_with_few_departures_the_last_wait_is_the_guess() -> None:
    estimator = WaitEstimator()
    answer(estimator, visit(estimator, 1, 1_000), 31_000, 30_000)
    assert estimator.expected(SUPPORT, 32_000) == WaitRange(low_ms=15_000, high_ms=45_000, basis="last_wait")


def test_with_a_steady_rate_a_caller_behind_nine_waits_about_ten_departures() -> None:
    estimator = WaitEstimator()
    for number in range(30):
        answer(estimator, visit(estimator, number, number * 10_000), number * 10_000, 0)
    found = estimator.expected(SUPPORT, 300_000, ahead_count=9)
    assert found is not None
    assert found.basis == "departures"
    assert found.low_ms < 100_000 < found.high_ms
    nearer = estimator.expected(SUPPORT, 300_000, ahead_count=2)
    assert nearer is not None
    assert nearer.high_ms < found.high_ms


def test_most_callers_of_a_busy_queue_wait_inside_their_range() -> None:
    rng, estimator = random.Random(5), WaitEstimator()
    arrival_ms, free_ms = 0.0, 0.0
    begun: list[tuple[float, int, float]] = []
    for number in range(3_000):
        arrival_ms += rng.expovariate(1 / 10_000)
        free_ms = max(free_ms, arrival_ms) + rng.expovariate(1 / 9_600)
        begun += [(arrival_ms, number, -1.0), (free_ms, number, free_ms - arrival_ms)]
    ids: dict[int, InteractionId] = {}
    for at_ms, number, wait_ms in sorted(begun):
        if wait_ms < 0:
            ids[number] = visit(estimator, number, round(at_ms))
        else:
            answer(estimator, ids[number], round(at_ms), round(wait_ms))
    coverage = estimator.coverage(SUPPORT)
    assert coverage is not None
    assert 0.6 < coverage < 0.95
