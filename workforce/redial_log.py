"""Redials in a call-by-call log: who was not served and calls again is one demand, not two. Pure.

A call is a redial when the same caller's previous call was not answered and began less than the window
before. Who cannot be recognised (a withheld number) never redials: what is found is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workforce.errors import InputError
from workforce.history import Bools
from workforce.series import Floats, Ints, Series, series_from_arrays

WINDOW_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Redials:
    """What was found.

    Attributes:
        is_redial: By call, in the order given; shape (n,).
        redial_share: Of calls by recognised callers that were not served: how many called again in time;
            NaN when all were served.
    """

    is_redial: Bools
    redial_share: float


def find_redials(
    caller: NDArray[np.str_], at_s: Floats, is_answered: Bools, *, window_s: float = WINDOW_S
) -> Redials:
    """Find redials among calls.

    Args:
        caller: Who called, "" if not known; shape (n,).
        at_s: When, seconds since the epoch.
        is_answered: Whether an agent answered.
        window_s: How soon after an unserved call another one is the same demand, above 0.

    Raises:
        InputError: lengths differ, or the window is not above 0.

    >>> caller, at_s = np.array(["a", "b", "a"]), np.array([0.0, 5.0, 60.0])
    >>> found = find_redials(caller, at_s, np.array([False, True, True]))
    >>> found.is_redial.tolist(), found.redial_share
    ([False, False, True], 1.0)
    """
    if not len(caller) == len(at_s) == len(is_answered):
        raise InputError("callers, moments and outcomes differ in length")
    if not window_s > 0:
        raise InputError("the window of a redial is above 0 s")
    order = np.lexsort((at_s, caller))
    who, when, answered = caller[order], at_s[order], is_answered[order]
    follows = np.zeros(len(order), dtype=bool)
    if len(order) > 1:
        same = (who[1:] == who[:-1]) & (who[1:] != "")
        follows[1:] = same & ~answered[:-1] & (when[1:] - when[:-1] <= window_s)
    found = np.zeros(len(order), dtype=bool)
    found[order] = follows
    unserved = int((~is_answered & (caller != "")).sum())
    return Redials(found, float(follows.sum() / unserved) if unserved else float("nan"))


def first_attempts(
    at_s: Floats, redials: Redials, interval_min: int, *, zone: str = ""
) -> tuple[Series, Series]:
    """Return two series over the same intervals: first attempts, and redials.

    Intervals without a call between the first and the last stand with 0.
    """
    step_s = interval_min * 60
    place = (np.asarray(at_s) // step_s).astype(np.int64)
    starts: Ints = np.arange(place.min(), place.max() + 1) if len(place) else np.zeros(0, dtype=np.int64)
    both = []
    for which in (~redials.is_redial, redials.is_redial):
        count = np.bincount(place[which] - starts[0], minlength=len(starts)) if len(starts) else np.zeros(0)
        both.append(
            series_from_arrays(
                starts * step_s, count.astype(np.float64), zone=zone, interval_min=interval_min
            )
        )
    return both[0], both[1]
