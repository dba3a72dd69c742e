"""Known patience is found again, bands hold what they promise, real callers are as documented."""

from __future__ import annotations

import numpy as np
import pytest

from app.planner.patience_file import patience_of
from tests.closing import shared_data
from workforce.errors import InputError
from workforce.patience import estimate_patience


def simulated(seed: int, mean_s: float, count: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Return waits, and who gave up, of exponential patience against exponential offered waits."""
    rng = np.random.default_rng(seed)
    patience, offered = rng.exponential(mean_s, count), rng.exponential(60.0, count)
    return np.minimum(patience, offered), patience < offered


def test_known_patience_is_found_again() -> None:
    held = 0
    for seed in range(40):
        found = estimate_patience(*simulated(seed, 200.0))
        assert found.exponential_mean_s == pytest.approx(200.0, rel=0.12)
        held += found.exponential_low_s <= 200.0 <= found.exponential_high_s
        at = int(np.searchsorted(found.time_s, 100.0)) - 1
        held += found.low[at] <= np.exp(-0.5) <= found.high[at]
    assert held >= 70, "two bands of 95 % in 40 logs: 76 of 80 on average"


def test_exponential_patience_is_seldom_called_something_else() -> None:
    refused = sum(not estimate_patience(*simulated(seed, 150.0)).is_exponential for seed in range(60))
    assert refused <= 4


def test_patience_in_two_kinds_of_callers_is_not_called_exponential() -> None:
    rng = np.random.default_rng(5)
    patience = np.where(rng.random(4_000) < 0.5, rng.exponential(15.0, 4_000), rng.exponential(600.0, 4_000))
    offered = rng.exponential(60.0, 4_000)
    found = estimate_patience(np.minimum(patience, offered), patience < offered)
    assert not found.is_exponential
    assert found.hazards[0].per_min > 2 * found.hazards[-1].per_min


def test_a_restricted_mean_is_the_area_under_the_curve() -> None:
    found = estimate_patience(*simulated(1, 200.0), restrict_s=150.0)
    assert found.restricted_mean_s == pytest.approx(200.0 * (1 - np.exp(-0.75)), rel=0.03)
    assert found.restricted_low_s < found.restricted_mean_s < found.restricted_high_s
    assert found.restricted_to_s == 150.0


def test_those_who_did_not_wait_and_virtual_waits_are_left_out() -> None:
    found = estimate_patience(
        [0, 10, 20, 500], [True, True, False, True], virtual=[False, False, False, True]
    )
    assert (found.wait_count, found.abandoned_count, found.excluded_count) == (2, 1, 2)


def test_curves_fall_and_bands_enclose_them() -> None:
    found = estimate_patience(*simulated(2, 100.0))
    assert (np.diff(found.survival) <= 0).all()
    assert (found.low <= found.survival).all()
    assert (found.survival <= found.high).all()


def test_unknown_patience_is_said_to_be_unknown() -> None:
    with pytest.raises(InputError, match="nobody gave up"):
        estimate_patience([10, 20], [False, False])
    with pytest.raises(InputError, match="one outcome"):
        estimate_patience([10, 20], [True])


def test_real_callers_give_up_less_readily_the_longer_they_have_waited() -> None:
    calls = patience_of(shared_data("anonbank_1999_02_calls.csv"))
    found = estimate_patience(calls.wait_s, calls.abandoned, virtual=calls.virtual, restrict_s=720.0)
    assert (found.wait_count, found.abandoned_count) == (13_905, 3_086)
    rates = {stage.from_s: stage for stage in found.hazards}
    assert rates[5.0].low > rates[90.0].high
    assert rates[30.0].low > rates[240.0].high
    assert not found.is_exponential
    assert found.restricted_mean_s == pytest.approx(348.0, rel=0.01)
    assert found.exponential_mean_s == pytest.approx(332.9, abs=0.1)
