"""A history and a patience as pages show them. Pure: series and waits in, schemas out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from app.planner.forecast_texts import mark_day
from app.planner.log_schemas import CurvePoint, HazardRow, HistoryDay, HistoryShown, PatienceShown
from app.planner.patience_file import CallWaits
from app.planner.schemas import MarkRow
from workforce.history import Mark, day_grid
from workforce.history_repair import repair
from workforce.patience import Patience, estimate_patience
from workforce.series import Series, resample

MARKS_MAX = 500
CURVE_POINTS_MAX = 200


def history_shown(series: Series, interval_min: int) -> HistoryShown:
    """Return the history that a forecast of this series would learn from.

    Raises:
        SeriesError: the series has no such intervals.
    """
    history = repair(day_grid(resample(series, interval_min)))
    grid = history.grid
    kinds: dict[int, dict[str, None]] = {}
    for mark in history.marks:
        kinds.setdefault(mark.day, {})[mark.kind.value] = None
    observed = np.nansum(grid.calls, axis=1)
    used = history.calls.sum(axis=1)
    days = [
        HistoryDay(
            day=mark_day(day),
            observed=float(observed[at]) if grid.present[at].any() else None,
            used=None if math.isnan(used[at]) else round(float(used[at]), 2),
            kinds=list(kinds.get(day, ())),
        )
        for at, day in enumerate(grid.days.tolist())
    ]
    return HistoryShown(
        zone=series.zone,
        interval_min=interval_min,
        call_count=float(np.nansum(series.calls)),
        aht_s=_mean_aht_s(series),
        used_day_count=len(history.used_rows),
        days=days,
        mark_count=len(history.marks),
        marks=[mark_row(mark) for mark in history.marks[-MARKS_MAX:]],
    )


def mark_row(mark: Mark) -> MarkRow:
    """Return a mark as it is shown."""
    return MarkRow(
        kind=mark.kind.value,
        day=mark_day(mark.day),
        slot_min=mark.slot_min,
        observed=mark.observed,
        used=None if mark.used is None else round(mark.used, 2),
        why=mark.why,
    )


def patience_shown(waits: CallWaits) -> PatienceShown:
    """Return what the waits tell.

    Raises:
        InputError: nobody gave up.
    """
    found = estimate_patience(waits.wait_s, waits.abandoned, virtual=waits.virtual)
    return PatienceShown(
        wait_count=found.wait_count,
        abandoned_count=found.abandoned_count,
        excluded_count=found.excluded_count,
        confidence=found.confidence,
        mean_s=found.exponential_mean_s,
        low_s=found.exponential_low_s,
        high_s=found.exponential_high_s,
        median_s=None if math.isnan(found.median_s) else found.median_s,
        is_exponential=found.is_exponential,
        curve=_curve(found),
        hazards=[HazardRow(**_named(stage, HazardRow)) for stage in found.hazards],
    )


def _curve(found: Patience) -> list[CurvePoint]:
    steps = len(found.time_s)
    at = np.unique(np.linspace(0, steps - 1, min(steps, CURVE_POINTS_MAX)).astype(int))
    columns = (found.time_s[at], found.survival[at], found.low[at], found.high[at])
    return [
        CurvePoint(time_s=time, survival=share, low=low, high=high)
        for time, share, low, high in zip(*(column.tolist() for column in columns), strict=True)
    ]


def _mean_aht_s(series: Series) -> float | None:
    if series.aht_s is None:
        return None
    known = ~np.isnan(series.aht_s) & (series.calls > 0)
    calls = series.calls[known]
    return float(series.aht_s[known] @ calls / calls.sum()) if calls.sum() else None


def _named(source: object, schema: Any) -> dict[str, Any]:
    return {name: getattr(source, name) for name in schema.model_fields}
