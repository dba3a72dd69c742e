"""A forecast as rows in time, and what people laid over it. Pure.

What the method says and what is used stay apart: an overlay says who, why, and which intervals; it is applied
last, in the order given, and both figures are kept beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workforce.errors import InputError
from workforce.forecast import Forecast
from workforce.series import DAY_S, MINUTE_S, Floats, Ints, local_offsets_s, stamp

OVERLAYS_MAX = 1_000


class OverlayError(InputError):
    """An overlay that cannot be applied."""

    error_id = "bad_overlay"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """One change by hand, of the intervals that begin in [start_s, end_s).

    Attributes:
        factor: What to multiply by; exactly one of factor and calls is given.
        calls: What to expect in each interval instead.
        who, why: For whoever asks later.
    """

    start_s: int
    end_s: int
    factor: float | None = None
    calls: float | None = None
    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRows:
    """A forecast by instant.

    Attributes:
        start_s: Seconds since the epoch, ascending; open intervals alone; shape (n,).
        forecast: What the method says, shape (n,).
        mean: What is used, shape (n,).
        quantiles: Around what is used, shape (n, levels).
        touched_by: Index of the last overlay that changed the row, else -1; shape (n,).
    """

    zone: str
    interval_min: int
    start_s: Ints
    forecast: Floats
    mean: Floats
    quantiles: Floats
    levels: tuple[float, ...]
    touched_by: Ints


def as_rows(found: Forecast) -> ForecastRows:
    """Return the open intervals of a forecast in time.

    An interval that the clocks skip is left out; one that they repeat stands twice, each with its calls.
    """
    row, column = np.nonzero(found.is_open)
    local_s = found.days[row] * DAY_S + found.slots_min[column] * MINUTE_S
    early, late = local_offsets_s(found.zone, local_s)
    there = late <= early
    twice = late < early
    at = np.concatenate([np.flatnonzero(there), np.flatnonzero(twice)])
    start_s = np.concatenate([(local_s - early)[there], (local_s - late)[twice]])
    order = np.argsort(start_s, kind="stable")
    at, start_s = at[order], start_s[order]
    mean = found.mean[row[at], column[at]]
    return ForecastRows(
        zone=found.zone,
        interval_min=found.interval_min,
        start_s=start_s,
        forecast=mean,
        mean=mean.copy(),
        quantiles=found.quantiles[row[at], column[at]],
        levels=found.levels,
        touched_by=np.full(len(at), -1, dtype=np.int64),
    )


def lay_over(rows: ForecastRows, overlays: Sequence[Overlay]) -> ForecastRows:
    """Return the rows with the overlays applied in order; ``forecast`` stays what the method says.

    A factor multiplies mean and quantiles. A number of calls replaces the mean; the quantiles keep their
    ratio to it.

    Raises:
        OverlayError: too many, an empty range, neither or both of factor and calls, a negative one,
            nobody named, or no reason given.
    """
    if len(overlays) > OVERLAYS_MAX:
        raise OverlayError(f"{len(overlays)} overlays; at most {OVERLAYS_MAX} are applied")
    mean, quantiles, touched = rows.mean.copy(), rows.quantiles.copy(), rows.touched_by.copy()
    for number, overlay in enumerate(overlays):
        _check(overlay, number + 1, rows.zone)
        inside = (rows.start_s >= overlay.start_s) & (rows.start_s < overlay.end_s)
        if overlay.factor is not None:
            mean[inside] *= overlay.factor
            quantiles[inside] *= overlay.factor
        else:
            assert overlay.calls is not None
            known = inside & (mean > 0)
            quantiles[known] *= (overlay.calls / mean[known])[:, None]
            quantiles[inside & ~known] = overlay.calls
            mean[inside] = overlay.calls
        touched[inside] = number
    return ForecastRows(
        zone=rows.zone,
        interval_min=rows.interval_min,
        start_s=rows.start_s,
        forecast=rows.forecast,
        mean=mean,
        quantiles=quantiles,
        levels=rows.levels,
        touched_by=touched,
    )


def _check(overlay: Overlay, number: int, zone: str) -> None:
    if overlay.end_s <= overlay.start_s:
        raise OverlayError(f"overlay {number} ends at {stamp(overlay.end_s, zone)}, before it begins")
    if (overlay.factor is None) == (overlay.calls is None):
        raise OverlayError(f"overlay {number} needs either a factor or a number of calls")
    value = overlay.factor if overlay.factor is not None else overlay.calls
    if value is None or not 0 <= value < np.inf:
        raise OverlayError(f"overlay {number}: {value} is no factor or number of calls")
    if not overlay.who.strip() or not overlay.why.strip():
        raise OverlayError(f"overlay {number} does not say who made it, or why")
