"""A new queue by analogy: another queue's forecast, scaled by what little is known. Pure.

The scale is given (a business case says "a third of the service line"), or it is the ratio of the calls of
the days that both have. What is not known of it widens the band.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from workforce.errors import InputError
from workforce.forecast import Forecast
from workforce.history_repair import History
from workforce.notes import MethodNote, NoteId

DAYS_IN_COMMON_MIN = 1
_UNCERTAIN_GIVEN = 0.2
"""Of a scale that somebody expects: ± 20 %, about what launches miss by."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the new queue is against the other.

    Attributes:
        ratio: New calls per call of the other.
        uncertain: Its relative standard deviation.
        days_count: Days that it is taken from; 0: it was given.
    """

    ratio: float
    uncertain: float
    days_count: int


def given_scale(ratio: float, uncertain: float = _UNCERTAIN_GIVEN) -> Scale:
    """Return a scale that somebody names.

    Raises:
        InputError: it is not above 0, or its uncertainty is not in [0, 2].
    """
    if not 0 < ratio < np.inf or not 0 <= uncertain <= 2:
        raise InputError("a scale is above 0, its uncertainty in 0 to 2")
    return Scale(ratio, uncertain, 0)


def measured_scale(new: History, other: History) -> Scale:
    """Return the ratio of calls on the days that both queues have.

    The new queue's first day is left out once there are others: it was opened at some hour of it.

    Raises:
        InputError: they have no day in common on which the other had calls.
    """
    totals = [
        {int(history.grid.days[row]): float(history.calls[row].sum()) for row in history.used_rows}
        for history in (new, other)
    ]
    common = sorted(day for day in totals[0].keys() & totals[1].keys() if totals[1][day] > 0)
    if len(common) > DAYS_IN_COMMON_MIN and common[0] == min(totals[0]):
        del common[0]
    if len(common) < DAYS_IN_COMMON_MIN:
        raise InputError("the two queues have no day in common: name a scale instead")
    ours, theirs = (np.array([of[day] for day in common]) for of in totals)
    ratio = float(ours.sum() / theirs.sum())
    if ratio <= 0:
        raise InputError("the new queue had no calls yet: name a scale instead")
    by_day = ours / theirs / ratio - 1.0
    # With few days the spread between them is hardly known: add what a given scale would have.
    spread2 = (float(np.sum(by_day * by_day)) + _UNCERTAIN_GIVEN**2) / len(common)
    return Scale(ratio, float(np.sqrt(spread2 / len(common) + 1.0 / max(ours.sum(), 1.0))), len(common))


def by_analogy(other: Forecast, scale: Scale) -> Forecast:
    """Return the other queue's forecast at the new queue's scale; its band knows both uncertainties."""
    middle = other.quantiles[..., len(other.levels) // 2]
    away = (other.quantiles - middle[..., None]) * scale.ratio
    z = np.asarray(ndtri(np.array(other.levels)))
    # Counting noise of fewer calls is larger, relative to them, by the root of the scale.
    counting = np.sqrt(max(1.0 / scale.ratio, 1.0))
    of_scale = scale.uncertain * other.mean[..., None] * scale.ratio * z
    widened = np.sign(z) * np.sqrt((away * counting) ** 2 + of_scale**2)
    quantiles = np.maximum(middle[..., None] * scale.ratio + widened, 0.0)
    measured = {"ratio": scale.ratio, "days_count": scale.days_count}
    note = (
        MethodNote(NoteId.SCALE_MEASURED, measured)
        if scale.days_count
        else MethodNote(NoteId.SCALE_GIVEN, {"ratio": scale.ratio})
    )
    return replace(
        other,
        mean=other.mean * scale.ratio,
        quantiles=np.maximum.accumulate(quantiles, axis=2),
        notes=(*other.notes, note),
    )
