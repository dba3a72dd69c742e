"""A series: counts (and handle times) by interval, in time. Sums here are exact; days are ``history``'s.

Instants are seconds since the epoch. With a zone they are UTC; without one (``zone=""``) they are the clock
on the wall read as if it were UTC, which is right wherever the clock is never put forward or back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from workforce.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROWS_MAX = 3_000_000
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
_HALF_HOUR_S = 1_800
_SAME_STEP_SHARE = 0.9
_STEPS_PER_DAY_MIN = 4


class SeriesError(InputError):
    """The series cannot be read as one: duplicates, mixed intervals, negative counts."""

    error_id = "bad_series"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Counts by interval, ascending, no interval twice. An absent interval was closed, or not measured.

    Attributes:
        zone: IANA name, or "" for a wall clock without one.
        interval_min: Length of every interval.
        start_s: Start of each, seconds since the epoch, shape (n,).
        calls: Calls that arrived in it; NaN: it was open, but not measured. Shape (n,).
        aht_s: Mean handle time of its calls, NaN where unknown; None when the source has none.
    """

    zone: str
    interval_min: int
    start_s: Ints
    calls: Floats
    aht_s: Floats | None = None


def series_from_arrays(
    start_s: Ints,
    calls: Floats,
    *,
    zone: str = "",
    interval_min: int | None = None,
    aht_s: Floats | None = None,
) -> Series:
    """Return the series of these intervals, in order; the base interval is detected unless it is given.

    Raises:
        SeriesError: nothing given, lengths differ, an interval twice, mixed intervals, a negative or
            infinite count, an unknown zone, or more than 3,000,000 rows.

    >>> series_from_arrays(np.array([900, 0]), np.array([2.0, 1.0])).interval_min
    15
    """
    start_s, calls = np.asarray(start_s, dtype=np.int64), np.asarray(calls, dtype=np.float64)
    if not len(start_s):
        raise SeriesError("the series has no rows")
    if len(start_s) > ROWS_MAX:
        raise SeriesError(f"the series has {len(start_s)} rows; at most {ROWS_MAX} are read")
    if len(start_s) != len(calls) or (aht_s is not None and len(aht_s) != len(calls)):
        raise SeriesError("starts, calls and handle times differ in length")
    if np.any(np.isinf(calls)) or np.any(calls < 0):
        at = int(np.flatnonzero(np.isinf(calls) | (calls < 0))[0])
        raise SeriesError(f"calls are {calls[at]:g} at {stamp(int(start_s[at]), zone)}: not a count")
    zone_of(zone)
    order = np.argsort(start_s, kind="stable")
    start_s, calls = start_s[order], calls[order]
    twice = np.flatnonzero(np.diff(start_s) == 0)
    if len(twice):
        raise SeriesError(
            f"the interval {stamp(int(start_s[twice[0]]), zone)} stands twice"
            f" ({len(twice)} duplicates in all)"
        )
    found = interval_min or detect_interval_min(start_s, zone)
    return Series(
        zone=zone,
        interval_min=found,
        start_s=start_s,
        calls=calls,
        aht_s=None if aht_s is None else np.asarray(aht_s, dtype=np.float64)[order],
    )


def detect_interval_min(start_s: Ints, zone: str = "") -> int:
    """Return the base interval in minutes: the step that the days of a series agree on.

    Raises:
        SeriesError: the series is too short to tell, or days (or stretches of them) differ.
    """
    if len(start_s) < 2:
        raise SeriesError("one interval alone does not tell how long intervals are")
    steps = np.diff(start_s)
    base_s = int(steps.min())
    if base_s % MINUTE_S or (base_s < DAY_S and DAY_S % base_s) or base_s > DAY_S:
        raise SeriesError(f"an interval of {base_s} s is not a whole part of a day in minutes")
    off = np.flatnonzero((start_s - start_s[0]) % base_s)
    if len(off):
        raise SeriesError(
            f"mixed intervals: {stamp(int(start_s[off[0]]), zone)} does not lie on the grid of"
            f" {base_s // MINUTE_S} minutes that begins at {stamp(int(start_s[0]), zone)}"
        )
    coarse = _first_coarser_day(start_s, steps, base_s)
    if coarse is not None:
        raise SeriesError(
            f"mixed intervals: steps of {coarse[1] // MINUTE_S} minutes on {stamp(coarse[0], zone)[:10]},"
            f" of {base_s // MINUTE_S} minutes elsewhere; bring them to one length"
        )
    return base_s // MINUTE_S


def _first_coarser_day(start_s: Ints, steps: Ints, base_s: int) -> tuple[int, int] | None:
    """Return (start, step) of the first day whose intervals agree on a longer step, if most do not."""
    day = start_s[:-1] // DAY_S
    within = steps < DAY_S // 2
    for begin, end in _runs(day):
        own = steps[begin:end][within[begin:end]]
        if len(own) < _STEPS_PER_DAY_MIN:
            continue
        values, counts = np.unique(own, return_counts=True)
        step_s = int(values[np.argmax(counts)])
        if step_s != base_s and counts.max() >= _SAME_STEP_SHARE * len(own):
            return int(start_s[begin]), step_s
    return None


def _runs(values: Ints) -> list[tuple[int, int]]:
    edges = np.concatenate([[0], np.flatnonzero(np.diff(values)) + 1, [len(values)]])
    return [(int(a), int(b)) for a, b in pairwise(edges)]


def resample(series: Series, interval_min: int) -> Series:
    """Return the series in longer intervals: calls add up, handle times weigh by calls.

    Intervals begin at multiples of *interval_min* after local midnight. One of which only a part is there
    holds that part; one of which a part is not measured (NaN) is not measured.

    Raises:
        SeriesError: the length is not a multiple of the base interval, or no whole part of a day.
    """
    if interval_min == series.interval_min:
        return series
    if interval_min < series.interval_min or interval_min % series.interval_min:
        raise SeriesError(
            f"intervals of {series.interval_min} minutes do not add up to intervals of {interval_min} minutes"
        )
    step_s = interval_min * MINUTE_S
    if DAY_S % step_s:
        raise SeriesError(f"{interval_min} minutes are no whole part of a day")
    local_s = series.start_s + utc_offset_s(series.zone, series.start_s)
    if step_s > HOUR_S:
        bucket_local_s = local_s - local_s % step_s
        bucket_s = bucket_local_s - local_offsets_s(series.zone, bucket_local_s)[0]
    else:  # with the offset of its own instant, so that both of a repeated hour stay apart
        bucket_s = series.start_s - local_s % step_s
    start_s, index = np.unique(bucket_s, return_inverse=True)
    calls = np.bincount(index, weights=series.calls).astype(np.float64)
    aht_s = None
    if series.aht_s is not None:
        known = ~np.isnan(series.aht_s) & ~np.isnan(series.calls)
        weight = np.where(known, series.calls, 0.0)
        handled_s = np.bincount(index, weights=weight * np.where(known, series.aht_s, 0.0))
        count = np.bincount(index, weights=weight)
        aht_s = np.divide(handled_s, count, out=np.full(len(count), np.nan), where=count > 0)
    return replace(series, interval_min=interval_min, start_s=start_s, calls=calls, aht_s=aht_s)


def zone_of(zone: str) -> ZoneInfo | None:
    """Return the zone; None for a wall clock without one.

    Raises:
        SeriesError: there is no such zone.
    """
    if not zone:
        return None
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SeriesError(f"there is no time zone {zone!r}; an example is Asia/Taipei") from error


def utc_offset_s(zone: str, start_s: Ints) -> Ints:
    """Return local minus UTC in seconds at each instant, shape (n,); 0 without a zone."""
    info = zone_of(zone)
    if info is None:
        return np.zeros(len(start_s), dtype=np.int64)
    halves, index = np.unique(
        start_s // _HALF_HOUR_S, return_inverse=True
    )  # clocks change on half hours of UTC
    offsets = np.array([_offset_s(info, int(half) * _HALF_HOUR_S) for half in halves], dtype=np.int64)
    return offsets[index]


def _offset_s(info: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(info).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def local_to_utc_s(zone: str, local_s: Ints) -> Ints:
    """Return the instants of local clock readings, in the order they were written down.

    Of a repeated hour the first reading of a stamp is the earlier instant, the second the later one.

    Raises:
        SeriesError: a reading that this zone's clocks skip.
    """
    early, late = local_offsets_s(zone, local_s)
    skipped = np.flatnonzero(late > early)
    if len(skipped):
        raise SeriesError(
            f"{stamp(int(local_s[skipped[0]]), '')} does not exist in {zone}: clocks went forward"
        )
    utc_s = local_s - early
    seen: set[int] = set()
    for at in np.flatnonzero(late < early):
        reading = int(local_s[at])
        if reading in seen:
            utc_s[at] = reading - late[at]
        seen.add(reading)
    return utc_s


def local_offsets_s(zone: str, local_s: Ints) -> tuple[Ints, Ints]:
    """Return local minus UTC at the earlier and at the later instant with each reading, shape (n,) each.

    They differ in a repeated hour (the later is less) and in a skipped one (the later is more).
    """
    info = zone_of(zone)
    if info is None:
        return np.zeros_like(local_s), np.zeros_like(local_s)
    halves, index = np.unique(local_s // _HALF_HOUR_S, return_inverse=True)
    early, late = (
        np.array([_fold_offset_s(info, int(half) * _HALF_HOUR_S, fold) for half in halves], dtype=np.int64)
        for fold in (0, 1)
    )
    return early[index], late[index]


def _fold_offset_s(info: ZoneInfo, local_s: int, fold: int) -> int:
    naive = datetime.fromtimestamp(local_s, UTC).replace(tzinfo=info, fold=fold)
    offset = naive.utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def stamp(at_s: int, zone: str) -> str:
    """Return an instant as it is written into files: local time, with its offset where there is a zone.

    >>> stamp(0, "")
    '1970-01-01 00:00:00'
    >>> stamp(0, "Asia/Taipei")
    '1970-01-01 08:00:00+08:00'
    """
    info = zone_of(zone)
    if info is None:
        return datetime.fromtimestamp(at_s, UTC).replace(tzinfo=None).isoformat(" ")
    return datetime.fromtimestamp(at_s, info).isoformat(" ")
