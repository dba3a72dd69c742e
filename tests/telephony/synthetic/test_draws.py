"""Chance is drawn from one seed, and its means are those that were asked for."""

from __future__ import annotations

import numpy as np
import pytest

from telephony.synthetic.draws import EntryPoint, Habits, draw_calls, draw_handling, lognormal_ms

POINTS = [
    EntryPoint(number="8001", calls_per_s=5.0, patience_mean_ms=30_000),
    EntryPoint(number="8002", calls_per_s=1.0, patience_mean_ms=5_000),
    EntryPoint(number="8003", calls_per_s=0.0),
]


def test_one_seed_draws_one_scene() -> None:
    first, again, other = (
        draw_calls(POINTS, for_ms=60_000, rng=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert [call.at_ms for call in first] == sorted(call.at_ms for call in first)
    assert len({call.number for call in first}) == len(first)


def test_rates_and_patience_have_the_means_asked_for() -> None:
    calls = draw_calls(POINTS, for_ms=1_000_000, rng=np.random.default_rng(3))
    by_entry = {number: [c for c in calls if c.entry == number] for number in ("8001", "8002", "8003")}
    assert len(by_entry["8001"]) == pytest.approx(5000, rel=0.05)
    assert len(by_entry["8002"]) == pytest.approx(1000, rel=0.1)
    assert not by_entry["8003"]
    assert np.mean([c.patience_ms for c in by_entry["8001"]]) == pytest.approx(30_000, rel=0.05)


def test_known_customers_call_once_each() -> None:
    known = [(f"07{index:03d}", f"Customer {index}") for index in range(40)]
    calls = draw_calls(POINTS, for_ms=60_000, rng=np.random.default_rng(4), known=known, known_ratio=0.5)
    theirs = [(call.number, call.name) for call in calls if call.name]
    assert sorted(theirs) == sorted(known)
    assert len({call.number for call in calls}) == len(calls)


def test_habits_come_out_in_their_shares() -> None:
    rng = np.random.default_rng(5)
    habits = Habits(
        no_answer_ratio=0.1, refuse_ratio=0.1, caller_ends_ratio=0.5, hold_ratio=0.3,
        refer_ratio=0.2, refer_to=("q-sales", "q-help"), talk_mean_ms=20_000,
    )  # fmt: skip
    drawn = [draw_handling(habits, rng) for _ in range(4000)]
    silent = [h for h in drawn if h.plan.pick_up_ms is None]
    refused = [h for h in drawn if h.plan.refuse_status]
    answered = [h for h in drawn if h.plan.pick_up_ms is not None and not h.plan.refuse_status]
    referred = [h for h in answered if h.plan.refer_at_ms is not None]
    assert len(silent) / 4000 == pytest.approx(0.1, abs=0.02)
    assert len(refused) / 4000 == pytest.approx(0.1, abs=0.02)
    assert len(referred) / len(answered) == pytest.approx(0.2, abs=0.03)
    assert {h.plan.refer_to for h in referred} == {"q-sales", "q-help"}
    for handling in answered:
        ends = [handling.plan.talk_ms, handling.caller_ends_ms, handling.plan.refer_at_ms]
        assert sum(end is not None for end in ends) == 1, "a talk ends in one way"
        end_ms = next(end for end in ends if end is not None)
        if handling.plan.hold_at_ms is not None:
            assert handling.plan.hold_at_ms + handling.plan.hold_for_ms <= max(end_ms, 2)


def test_a_lognormal_has_its_mean() -> None:
    rng = np.random.default_rng(6)
    assert np.mean([lognormal_ms(rng, 3_000, 0.6) for _ in range(4000)]) == pytest.approx(3_000, rel=0.05)
