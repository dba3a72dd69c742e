"""Changes by hand: laid over a forecast one by one, and undone without being forgotten. Pure.

An overlay is kept with its run for good: who laid it, when and why, and who undid it. What is undone changes
no figure any more; its number stays, so that an interval can say which overlay touched it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workforce.forecast_rows import OVERLAYS_MAX, ForecastRows, Overlay, OverlayError, lay_over

Kept = Mapping[str, Any]


def overlay_of(kept: Kept) -> Overlay:
    """Return an overlay as it is kept in a run."""
    return Overlay(
        start_s=int(kept["start_ms"]) // 1_000,
        end_s=int(kept["end_ms"]) // 1_000,
        factor=kept.get("factor"),
        calls=kept.get("calls"),
        who=kept["who"],
        why=kept["why"],
    )


def laid(rows: ForecastRows, kept: Sequence[Kept]) -> ForecastRows:
    """Return the rows under the overlays in force; ``touched_by`` counts among all that are kept.

    Raises:
        OverlayError: one cannot be applied.
    """
    in_force = [number for number, one in enumerate(kept) if not one.get("undone_ms")]
    found = lay_over(rows, [overlay_of(kept[number]) for number in in_force])
    for at, position in enumerate(found.touched_by.tolist()):
        if position >= 0:
            found.touched_by[at] = in_force[position]
    return found


def with_one_more(rows: ForecastRows, kept: Sequence[Kept], more: Kept) -> list[Kept]:
    """Return the overlays and one more.

    Raises:
        OverlayError: it cannot be applied, it touches no interval of the forecast, or there are too many.
    """
    if len(kept) >= OVERLAYS_MAX:
        raise OverlayError(f"a forecast keeps at most {OVERLAYS_MAX} overlays, undone ones among them")
    after = [*kept, more]
    touched = laid(rows, after).touched_by
    if not (touched == len(kept)).any():
        raise OverlayError("no interval of the forecast begins in that time")
    return after


def carried(kept: Sequence[Kept], run_id: str) -> list[Kept]:
    """Return the overlays in force, as the run that repeats *run_id* takes them over.

    Who laid them, when and why stays; ``carried_from`` names the run in which they were laid. What was undone
    stays in that run alone.
    """
    return [{"carried_from": run_id, **one} for one in kept if not one.get("undone_ms")]


def with_one_undone(kept: Sequence[Kept], number: int, *, who: str, at_ms: int) -> list[Kept]:
    """Return the overlays with that one undone; one that is undone stays as it is.

    Raises:
        IndexError: there is no such overlay.
    """
    if not 0 <= number < len(kept):
        raise IndexError(number)
    one = kept[number]
    undone = one if one.get("undone_ms") else {**one, "undone_by": who, "undone_ms": at_ms}
    return [*kept[:number], undone, *kept[number + 1 :]]
