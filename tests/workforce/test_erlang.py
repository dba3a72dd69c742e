"""Erlang B, C and A: literal values, the reference, identities, limits, and what rises with what."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.closing import shared_data
from workforce.chats import chat_figures
from workforce.erlang import erlang_b, erlang_c, queue_figures
from workforce.erlang_models import _split_wait, _wait, missed
from workforce.limits import (
    garnett_abandonment,
    garnett_beta,
    garnett_wait,
    halfin_whitt_beta,
    halfin_whitt_wait,
)
from workforce.offered_load import modified_offered_load
from workforce.redials import with_redials

seeds = given(st.integers(0, 2**32 - 1))
CASE_COUNT = 300


@pytest.fixture(scope="module")
def reference() -> Any:
    return json.loads(shared_data("erlang_reference.json").read_text())


def near(value: Any, exact: Any, rel: float) -> bool:
    return float(value) == pytest.approx(float(exact), rel=rel, abs=0.0)


def drawn(seed: int) -> tuple[NDArray[np.float64], ...]:
    """Agents, traffic, AHT, threshold and patience of many queues: slack, balanced, overloaded, on edges."""
    rng = np.random.default_rng(seed)

    def lengths(least: float, most: float, edges: list[float]) -> NDArray[np.float64]:
        log_even = 10 ** rng.uniform(np.log10(least), np.log10(most), CASE_COUNT)
        return np.where(rng.random(CASE_COUNT) < 0.1, rng.choice(edges, CASE_COUNT), log_even)

    agents = np.ceil(lengths(0.5, 3_000.0, [1.0, 2.0, 3_000.0]))
    near = agents + rng.normal(0.0, 3.0, CASE_COUNT) * np.sqrt(agents)
    anywhere = lengths(0.01, 3_000.0, [0.01, 1.0, 3_000.0])
    traffic = np.where((rng.random(CASE_COUNT) < 0.5) & (near > 0), near, anywhere)
    traffic = np.where(rng.random(CASE_COUNT) < 0.05, agents, traffic)
    aht, threshold = lengths(10.0, 2_000.0, [60.0]), lengths(0.1, 300.0, [0.0])
    return agents, traffic, aht, threshold, lengths(5.0, 5_000.0, [60.0])


def test_b_and_c_meet_the_reference_in_twelve_digits(reference: Any) -> None:
    for row in reference["erlang_b"]:
        assert near(erlang_b(row["n"], row["A"]), row["B_str"], 1e-12), row
    for row in reference["erlang_b_continuous"]:
        assert near(erlang_b(row["x"], row["A"]), row["B"], 1e-12), row
    for row in reference["erlang_c"]:
        assert near(erlang_c(row["n"], row["A"]), row["C_str"], 1e-12), row


def test_a_meets_the_reference_in_every_figure(reference: Any) -> None:
    names = {
        "P_wait": "p_wait",
        "P_abandon": "abandonment",
        "EW_all": "wait_s",
        "E_Lq": "waiting_count",
        "occupancy": "occupancy",
        "P_V_gt_T": "p_wait_beyond",
        "SL_served_within_T_of_offered": "answered_within",
    }
    for row in reference["erlang_a"]:
        traffic = row["calls_per_h"] * row["aht_s"] / 3600
        figures = queue_figures(
            row["agents"],
            traffic,
            row["aht_s"],
            row["T_s"],
            patience_s=row["mean_patience_s"],
            short_abandon_s=row["T_s"],
        )
        for key, name in names.items():
            assert near(getattr(figures, name), row[key], 2e-13), (key, row)
        assert near(figures.service_level("SL-C"), row["SL_excl_abandon_within_T"], 2e-13)


def test_limits_meet_the_reference(reference: Any) -> None:
    for row in reference["halfin_whitt"]:
        assert near(halfin_whitt_wait(float(row["beta"])), row["alpha"], 1e-10)
        assert near(halfin_whitt_beta(float(row["alpha"])), row["beta"], 1e-10)
    for row in reference["garnett_qed"]:
        assert near(garnett_wait(row["beta"], row["mu_over_theta"]), row["P_wait"], 1e-11)
        assert near(
            garnett_abandonment(row["beta"], row["mu_over_theta"]), row["sqrtn_P_ab_given_wait"], 1e-11
        )


def test_redials_meet_the_reference(reference: Any) -> None:
    for row in reference["retrial_fixed_point_erlang_a"]:
        found = with_redials(
            row["agents"],
            row["calls_per_h"] * row["aht_s"] / 3600,
            row["aht_s"],
            20.0,
            patience_s=row["patience_s"],
            redial=row["redial_prob"],
        )
        assert near(found.rate_ratio * row["calls_per_h"], row["lambda_eff_per_h"], 1e-12)
        assert near(found.figures.abandonment, row["P_abandon_attempt"], 1e-11)
        assert near(found.lost, row["P_lost_customer"], 1e-11)
        assert near(found.figures.answered_within, row["SL20"], 1e-11)


def test_chats_meet_the_reference(reference: Any) -> None:
    for row in reference["chat_concurrency_birth_death"]["rows"]:
        rates = [rate / 60 for rate in row["rates_per_min"]]
        figures = chat_figures(row["chats_per_h"] / 3600, row["agents"], rates)
        assert near(figures.p_wait, row["P_wait"], 1e-12)
        assert near(figures.wait_s, row["EW_s"], 1e-12)


def test_staffing_by_the_modified_load_meets_the_reference(reference: Any) -> None:
    step = 0.002  # of the mean handling time, which is the unit of time
    times = np.arange(0.0, 7.0 + 40.0, step) - 40.0
    calls = (100.0 + 20.0 * np.sin(times + step / 2)) * step
    load = modified_offered_load(calls, step, 1.0)
    for row in reference["time_varying_MOL_Feldman2008_example"]["rows"]:
        at = int(np.argmin(np.abs(times - row["t"])))
        m = (load[at - 1] + load[at]) / 2.0
        assert m == pytest.approx(float(row["m_t"]), rel=1e-6)
        exact = float(row["m_t"])
        assert int(np.ceil(exact + garnett_beta(row["alpha"], 1.0) * np.sqrt(exact))) == row["s_t"]
        p_wait = queue_figures(row["s_t"], exact, 1.0, 0.0, patience_s=1.0).p_wait
        assert near(p_wait, row["P_delay_exact_if_s_fixed_level"], 1e-9)


@seeds
@settings(max_examples=5)
def test_b_obeys_its_recursion_and_c_is_b_among_those_who_wait(seed: int) -> None:
    n, traffic, *_ = drawn(seed)
    before, b, c = erlang_b(n - 1, traffic), erlang_b(n, traffic), erlang_c(n, traffic)
    assert b == pytest.approx(traffic * before / (n + traffic * before), rel=1e-12, abs=1e-290)
    full = traffic >= n
    assert (c[full] == 1.0).all()
    assert ((b <= c) & (c <= 1.0)).all()
    of_waiting = n * b / (n - traffic * (1 - b))
    assert c[~full] == pytest.approx(of_waiting[~full], rel=1e-9, abs=1e-290)


@seeds
@settings(max_examples=5)
def test_shares_add_up_and_flows_balance(seed: int) -> None:
    n, traffic, aht, limit, patience = drawn(seed)
    figures = queue_figures(n, traffic, aht, limit, patience_s=patience)
    assert figures.answered_within + figures.missed == pytest.approx(1.0, abs=1e-12)
    assert figures.answered + figures.abandonment == pytest.approx(1.0, abs=1e-12)
    assert figures.wait_s == pytest.approx(figures.abandonment * patience)
    assert figures.waiting_count == pytest.approx(traffic / aht * figures.wait_s)
    assert ((figures.occupancy >= 0.0) & (figures.occupancy <= 1.0 + 1e-12)).all()
    assert (figures.abandonment >= 1.0 - n / traffic - 1e-12).all()
    for name in ("p_wait", "answered_within", "missed", "answered", "abandonment", "p_wait_beyond"):
        share = getattr(figures, name)
        assert ((share >= 0.0) & (share <= 1.0 + 1e-12)).all(), name


@seeds
@settings(max_examples=5)
def test_more_agents_are_never_worse_and_more_traffic_never_better(seed: int) -> None:
    n, traffic, aht, limit, patience = drawn(seed)
    base = queue_figures(n, traffic, aht, limit, patience_s=patience)
    more = queue_figures(n + 1, traffic, aht, limit, patience_s=patience)
    busier = queue_figures(n + 1, traffic * 1.01, aht, limit, patience_s=patience)
    for name in ("p_wait", "missed", "abandonment", "wait_s", "occupancy"):
        assert (getattr(more, name) <= getattr(base, name) * (1 + 1e-11)).all(), name
        assert (getattr(busier, name) >= getattr(more, name) * (1 - 1e-11)).all(), name


@seeds
@settings(max_examples=5)
def test_more_patience_means_fewer_abandons_and_more_waiting(seed: int) -> None:
    n, traffic, aht, limit, patience = drawn(seed)
    hasty = queue_figures(n, traffic, aht, limit, patience_s=patience)
    calm = queue_figures(n, traffic, aht, limit, patience_s=patience * 1.1)
    assert (calm.abandonment <= hasty.abandonment * (1 + 1e-11)).all()
    assert (calm.p_wait >= hasty.p_wait * (1 - 1e-11)).all()
    assert (calm.p_wait_beyond >= hasty.p_wait_beyond * (1 - 1e-11)).all()


@seeds
@settings(max_examples=5)
def test_a_becomes_c_as_patience_grows_and_b_as_it_vanishes(seed: int) -> None:
    n, traffic, aht, limit, _ = drawn(seed)
    slack = np.minimum(traffic, 0.97 * n)
    a, c = (queue_figures(n, slack, aht, limit, patience_s=patience) for patience in (aht * 1e12, np.inf))
    assert a.p_wait == pytest.approx(c.p_wait, rel=1e-6, abs=1e-250)
    assert a.missed == pytest.approx(c.missed, rel=1e-6, abs=1e-11)
    assert a.wait_s == pytest.approx(c.wait_s, rel=1e-6, abs=1e-250)
    hasty = queue_figures(n, traffic, aht, 20.0, patience_s=aht * 1e-9)
    assert hasty.abandonment == pytest.approx(erlang_b(n, traffic), rel=1e-5, abs=1e-290)


def test_the_closed_forms_agree_with_numerical_integration() -> None:
    rng = np.random.default_rng(11)
    count = 2_000
    traffic = 10 ** rng.uniform(-2, 5, count)
    agents = np.maximum(np.ceil(traffic + rng.normal(0.0, 4.0, count) * np.sqrt(traffic)), 1.0)
    ratio = 10 ** rng.uniform(-1.5, 1.5, count)
    edge = -(10 ** rng.uniform(-3, 0.5, count))
    quick, exact = _wait(agents, traffic, ratio, edge), _split_wait(agents, traffic, ratio, edge)
    for name in ("far", "served", "lost", "served_near", "missed", "lost_by", "served_wait"):
        value, truth = getattr(quick, name), getattr(exact, name)
        assert value == pytest.approx(truth, rel=2e-11, abs=1e-250), name
    assert np.abs(quick.log_mass - exact.log_mass).max() < 1e-11 * np.abs(exact.log_mass).max()
    share = missed(agents, traffic, np.ones(count), -edge * ratio, ratio)
    figures = queue_figures(agents, traffic, 1.0, -edge * ratio, patience_s=ratio)
    assert share == pytest.approx(figures.missed, rel=2e-11, abs=1e-250)


def test_large_centres_come_near_their_limits() -> None:
    traffic = 1e6
    people = traffic + 0.5 * np.sqrt(traffic)
    assert erlang_c(people, traffic) == pytest.approx(halfin_whitt_wait(0.5), rel=1e-3)
    figures = queue_figures(people, traffic, 300.0, 20.0, patience_s=600.0)
    assert figures.p_wait == pytest.approx(garnett_wait(0.5, 2.0), rel=2e-3)


def test_nothing_overflows() -> None:
    traffic, share, patience = np.meshgrid(
        [1e-9, 1e-3, 1.0, 1e3, 1e5, 1e7],
        [1e-6, 0.5, 0.999, 1.0, 1.001, 2.0, 1e6],
        [0.0, 1e-6, 60.0, 1e9, np.inf],
        indexing="ij",
    )
    with np.errstate(all="raise", under="ignore"):
        figures = queue_figures(np.minimum(traffic * share, 1e9), traffic, 240.0, 20.0, patience_s=patience)
    for name in ("p_wait", "answered_within", "missed", "answered", "abandonment", "p_wait_beyond"):
        value = getattr(figures, name)
        assert ((value >= 0.0) & (value <= 1.0 + 1e-9)).all(), name
    assert (figures.wait_s >= 0.0).all()
    assert (figures.stable == ~(np.isinf(patience) & (share <= 1.0))).all()


def test_an_overloaded_queue_of_endless_patience_is_called_unstable() -> None:
    figures = queue_figures([9, 10, 11], 10.0, 180.0, 20.0)
    assert figures.stable.tolist() == [False, False, True]
    assert figures.p_wait[:2].tolist() == [1.0, 1.0]
    assert np.isinf(figures.asa_s[:2]).all()


@pytest.mark.parametrize(
    "wrong", [{"agents": -1.0}, {"traffic_erl": -1.0}, {"aht_s": 0.0}, {"threshold_s": -1.0}]
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, float]) -> None:
    given_values = {"agents": 10.0, "traffic_erl": 5.0, "aht_s": 180.0, "threshold_s": 20.0} | wrong
    with pytest.raises(ValueError, match="must"):
        queue_figures(**given_values)
