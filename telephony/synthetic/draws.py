"""What chance decides in a scene: who calls when, how patient, how agents answer and talk. Pure.

Every draw comes from the generator given, in a fixed order: one seed, one scene.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from telephony.synthetic.plans import CallPlan

CALLS_MAX: Final = 1_000_000
_NUMBERS = 100_000_000
_STRIDE = 7_368_787  # a prime, so that numbers look drawn and none comes twice


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """A number that customers dial.

    Attributes:
        number: As dialled on the trunk.
        calls_per_s: Mean rate of Poisson arrivals, at least 0.
        patience_mean_ms: Mean of the exponential patience.
    """

    number: str
    calls_per_s: float
    patience_mean_ms: int = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How an agent treats calls; ratios are in [0, 1], times in milliseconds.

    Attributes:
        pick_up_mean_ms, pick_up_sigma: Lognormal delay from ring to answer: mean, and sigma of its logarithm.
        talk_mean_ms, talk_sigma: Lognormal talk time, hold included.
        no_answer_ratio: Share of offers that ring out.
        refuse_ratio: Share of offers refused (486).
        caller_ends_ratio: Share of conversations that the caller ends.
        hold_ratio, hold_mean_ms: Share of conversations with a hold, and its exponential length.
        refer_ratio, refer_to: Share of conversations that end in a blind transfer, and its targets.
    """

    pick_up_mean_ms: int = 3_000
    pick_up_sigma: float = 0.4
    talk_mean_ms: int = 20_000
    talk_sigma: float = 0.6
    no_answer_ratio: float = 0.0
    refuse_ratio: float = 0.0
    caller_ends_ratio: float = 0.0
    hold_ratio: float = 0.0
    hold_mean_ms: int = 5_000
    refer_ratio: float = 0.0
    refer_to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A call that will be placed.

    Attributes:
        at_ms: From the beginning of the scene.
    """

    at_ms: int
    entry: str
    number: str
    name: str
    patience_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What happens to one offer.

    Attributes:
        plan: The phone's part.
        caller_ends_ms: The caller ends the talk so long after the answer; None: the phone does.
    """

    plan: CallPlan
    caller_ends_ms: int | None = None


def draw_calls(
    entry_points: Sequence[EntryPoint],
    *,
    for_ms: int,
    rng: np.random.Generator,
    known: Sequence[tuple[str, str]] = (),
    known_ratio: float = 0.0,
) -> list[PlannedCall]:
    """Return all calls of a scene in order of time; no number calls twice.

    Args:
        for_ms: Arrivals happen in [0, for_ms).
        known: Numbers and names of known customers, each used at most once.
        known_ratio: Share of calls that come from known customers, while there are any.

    >>> calls = draw_calls([EntryPoint(number="8001", calls_per_s=2.0)], for_ms=60_000,
    ...                    rng=np.random.default_rng(7))
    >>> 90 < len(calls) < 150, len({call.number for call in calls}) == len(calls)
    (True, True)
    """
    arrivals: list[tuple[int, str, int]] = []
    for point in entry_points:
        at_ms = 0.0
        while point.calls_per_s > 0 and len(arrivals) < CALLS_MAX:
            at_ms += float(rng.exponential(1000 / point.calls_per_s))
            if at_ms >= for_ms:
                break
            arrivals.append((int(at_ms), point.number, int(rng.exponential(point.patience_mean_ms))))
    arrivals.sort()
    people = [known[int(index)] for index in rng.permutation(len(known))] if known else []
    taken = {number for number, _ in known}
    serial = int(rng.integers(_NUMBERS))
    calls = []
    for at_ms_whole, entry, patience_ms in arrivals:
        if people and rng.random() < known_ratio:
            number, name = people.pop()
        else:
            number, name, serial = _fresh(serial, taken)
        calls.append(
            PlannedCall(at_ms=at_ms_whole, entry=entry, number=number, name=name, patience_ms=patience_ms)
        )
    return calls


def draw_handling(habits: Habits, rng: np.random.Generator) -> Handling:
    """Return what an agent with these habits does with the next offer."""
    chance = float(rng.random())
    pick_up_ms = lognormal_ms(rng, habits.pick_up_mean_ms, habits.pick_up_sigma)
    talk_ms = lognormal_ms(rng, habits.talk_mean_ms, habits.talk_sigma)
    caller_ends, holds, refers = (float(draw) for draw in rng.random(3))
    hold_for_ms = 1 + int(rng.exponential(habits.hold_mean_ms))
    target = int(rng.integers(len(habits.refer_to))) if habits.refer_to else 0
    if chance < habits.no_answer_ratio:
        return Handling(plan=CallPlan(pick_up_ms=None))
    if chance < habits.no_answer_ratio + habits.refuse_ratio:
        return Handling(plan=CallPlan(pick_up_ms=pick_up_ms, refuse_status=486))
    hold_at_ms = talk_ms // 3 if holds < habits.hold_ratio else None
    if hold_at_ms is not None:
        hold_for_ms = max(1, min(hold_for_ms, talk_ms // 3))
    if habits.refer_to and refers < habits.refer_ratio:
        plan = CallPlan(
            pick_up_ms=pick_up_ms,
            hold_at_ms=hold_at_ms,
            hold_for_ms=hold_for_ms,
            refer_at_ms=talk_ms,
            refer_to=habits.refer_to[target],
        )
        return Handling(plan=plan)
    is_callers = caller_ends < habits.caller_ends_ratio
    plan = CallPlan(
        pick_up_ms=pick_up_ms,
        talk_ms=None if is_callers else talk_ms,
        hold_at_ms=hold_at_ms,
        hold_for_ms=hold_for_ms,
    )
    return Handling(plan=plan, caller_ends_ms=talk_ms if is_callers else None)


def lognormal_ms(rng: np.random.Generator, mean_ms: int, sigma: float) -> int:
    """Return a lognormal draw with this mean, in whole milliseconds, at least 1.

    Args:
        sigma: Standard deviation of the logarithm; 0 gives the mean itself.

    Source:
        E[exp(N(mu, sigma))] = exp(mu + sigma**2 / 2).

    >>> lognormal_ms(np.random.default_rng(1), 20_000, 0.0)
    20000
    """
    return max(1, round(float(rng.lognormal(math.log(mean_ms) - sigma**2 / 2, sigma))))


def _fresh(serial: int, taken: set[str]) -> tuple[str, str, int]:
    while True:
        serial = (serial + _STRIDE) % _NUMBERS
        number = f"09{serial:08d}"
        if number not in taken:
            return number, "", serial
