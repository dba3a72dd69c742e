"""Forecast: calls per interval with bands, from a history. Pure; deterministic; the same for every series.

Two ways run side by side: profile × level (``forecast_profile``, ``forecast_level``) and singular vectors
(``forecast_svd``). Each forecasts again from past origins; what they are averaged by, and how wide the bands
are, comes from the errors made there. Nothing is chosen for a particular data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from workforce.day_labels import HOLIDAY, MAKE_UP, DayLabels
from workforce.errors import InputError
from workforce.forecast_bands import Bands, Errors, calibrate
from workforce.forecast_days import DayRelations, relate
from workforce.forecast_level import HORIZON_MAX_DAYS, Level, LevelSetting, forecast_level
from workforce.forecast_level import SETTINGS as LEVEL_SETTINGS
from workforce.forecast_profile import SETTINGS as PROFILE_SETTINGS
from workforce.forecast_profile import Profile, ProfileSetting, fit_profile, settings_for
from workforce.forecast_svd import SingularVectors, fit_vectors
from workforce.history import Bools, hours_ahead, weekday_of
from workforce.history_repair import History
from workforce.notes import MethodNote, NoteId
from workforce.series import Floats, Ints

DAYS_MIN = 5
DAYS_MAX = 730
"""Days before the last 730 are not learnt from: a covariance of them all would cost more than it tells."""
HORIZON_DAYS_MAX = 400
ORIGINS_MAX = 60
LEVELS = (0.1, 0.5, 0.9)
_SHARPNESS = 15.0
_HALF_DAY = 0.5


class ForecastError(InputError):
    """The history does not carry a forecast."""

    error_id = "history_too_short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What runs; the default is everything. Parts are left out to measure what they give.

    Attributes:
        levels: Settings of the level that are averaged.
        profiles: Settings of the profile that are averaged.
        vectors: Whether the singular vectors run beside.
        calibrated: Whether bands come from past errors.
    """

    levels: Sequence[LevelSetting] = LEVEL_SETTINGS
    profiles: Sequence[ProfileSetting] = PROFILE_SETTINGS
    vectors: bool = True
    quantile_levels: tuple[float, ...] = LEVELS


DEFAULT_METHOD = Method()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Calls per interval of the days asked for.

    Attributes:
        days: Days since 1970-01-01, local; shape (k,).
        slots_min: Minutes after local midnight, shape (S,).
        mean: Expected calls, 0 where closed, shape (k, S).
        quantiles: Shape (k, S, levels), ascending.
        levels: Of the quantiles.
        is_open: Where the queue will be open, shape (k, S).
        weights: Share of each way that ran, by name.
        errors: What past origins foretold, which bands and intraday updates are learnt from.
        notes: What a planner should know: a short history, a holiday never seen.
    """

    days: Ints
    slots_min: Ints
    interval_min: int
    zone: str
    mean: Floats
    quantiles: Floats
    levels: tuple[float, ...]
    is_open: Bools
    weights: dict[str, float]
    bands: Bands
    errors: Errors
    notes: Sequence[MethodNote] = field(default=())


@dataclass(frozen=True, slots=True)
class _Days:
    """What is learnt from: repaired counts of n days, and what these have in common with k days more."""

    calls: Floats
    observed: Floats
    is_open: Bools
    days: Ints
    relations: DayRelations
    open_ahead: Bools


def forecast(
    history: History,
    horizon_days: int,
    *,
    labels: DayLabels | None = None,
    method: Method = DEFAULT_METHOD,
) -> Forecast:
    """Forecast the *horizon_days* days after the last one that the history knows whole.

    Args:
        history: Repaired, at the interval length that is wanted.
        horizon_days: Calendar days, closed ones counted, 1 to 400.
        labels: Holidays, make-up workdays and events of past and coming days.

    Raises:
        ForecastError: fewer than five days with calls.
        InputError: the horizon is out of its range.
    """
    if not 1 <= horizon_days <= HORIZON_DAYS_MAX:
        raise InputError(f"a horizon of {horizon_days} days; it may have 1 to {HORIZON_DAYS_MAX}")
    labels = labels or DayLabels()
    rows = history.used_rows[-DAYS_MAX:]
    if len(rows) < DAYS_MIN:
        raise ForecastError(
            f"the history has {len(rows)} whole days with calls; a forecast needs at least {DAYS_MIN},"
            " a good one eight weeks; for a new queue take another one's profile (by analogy)"
        )
    first = int(history.grid.days[rows[-1]]) + 1
    ahead = np.arange(first, first + horizon_days)
    open_ahead, notes = _open_ahead(history, ahead, labels)
    known = _days(history, rows, ahead, open_ahead, labels)
    level = forecast_level(
        known.calls.sum(axis=1), history.repaired_share[rows], known.relations, method.levels
    )
    ways = _ways(known, level, history.grid.interval_min, method)
    errors, shares = _look_back(known, ways, level)
    weights = dict(zip(ways, shares.tolist(), strict=True))
    mean = sum(
        (share * way.ahead(known.open_ahead) for way, share in zip(ways.values(), shares, strict=True)),
        np.zeros(known.open_ahead.shape),
    )
    bands = calibrate(errors, method.quantile_levels)
    opens = known.open_ahead.any(axis=1).astype(np.int64)
    ahead_days = np.maximum(np.cumsum(opens), 1)
    if len(rows) < 4 * 7:
        notes.append(MethodNote(NoteId.SHORT_HISTORY, {"days_count": len(rows)}))
    return Forecast(
        days=ahead,
        slots_min=history.grid.slots_min,
        interval_min=history.grid.interval_min,
        zone=history.grid.zone,
        mean=mean,
        quantiles=bands.around(mean, ahead_days, level.ahead_doubt),
        levels=method.quantile_levels,
        is_open=known.open_ahead,
        weights=weights,
        bands=bands,
        errors=errors,
        notes=tuple(notes),
    )


def _days(history: History, rows: Ints, ahead: Ints, open_ahead: Bools, labels: DayLabels) -> _Days:
    grid = history.grid
    span = slice(int(rows[0]), int(rows[-1]) + 1)
    weekly = hours_ahead(grid, history.usual)[weekday_of(ahead)]
    usually = np.asarray(np.concatenate([history.usual[span], weekly]).any(axis=1))
    is_open = np.asarray(np.concatenate([grid.present[span], open_ahead]).any(axis=1))
    days = grid.days[rows]
    return _Days(
        calls=history.calls[rows],
        observed=np.where(grid.present[rows], grid.calls[rows], np.nan),
        is_open=history.open[rows],
        days=days,
        relations=relate(np.concatenate([days, ahead]), usually, is_open, int(days[0]), labels),
        open_ahead=open_ahead,
    )


def _open_ahead(history: History, ahead: Ints, labels: DayLabels) -> tuple[Bools, list[MethodNote]]:
    """Return where the queue will be open: its weekdays' hours, and what it did on days of the same label."""
    grid = history.grid
    weekly = hours_ahead(grid, history.usual)
    is_open = weekly[weekday_of(ahead)]
    notes: list[MethodNote] = []
    there = np.asarray(grid.present.any(axis=1))
    usual_days = np.asarray(history.usual.any(axis=1))
    past = [labels.of(int(day)) for day in grid.days]
    for at, day in enumerate(ahead):
        for label in labels.of(int(day)):
            if label.kind == MAKE_UP:
                workdays = weekly[:5][weekly[:5].any(axis=1)]
                is_open[at] = workdays.mean(axis=0) > _HALF_DAY if len(workdays) else is_open[at]
            alike = [row for row, found in enumerate(past) if label in found]
            if not alike and label.kind == HOLIDAY:
                alike = [row for row, found in enumerate(past) if any(one.kind == HOLIDAY for one in found)]
            alike = [row for row in alike if usual_days[row]]
            if alike and not is_open[at].any():
                continue
            if alike:
                is_open[at] &= bool(np.mean(there[alike]) >= _HALF_DAY)
            elif is_open[at].any() and label.kind != MAKE_UP:
                unseen = {"name": label.name, "day": str(np.datetime64(int(day), "D"))}
                notes.append(MethodNote(NoteId.LABEL_NEVER_SEEN, unseen))
    return is_open, notes


class _Way:
    """One way to forecast: counts of given days from a past origin, and of the days asked for."""

    def __init__(self, level: Level | None, part: Profile | SingularVectors) -> None:
        self._level, self._part = level, part

    def from_origin(self, origin: int, rows: Ints, is_open: Bools) -> Floats:
        found = self._part.from_origin(origin, rows, is_open)
        return found if self._level is None else self._level.past[rows, origin - 1][:, None] * found

    def ahead(self, is_open: Bools) -> Floats:
        found = self._part.ahead(is_open)
        return found if self._level is None else self._level.ahead[:, None] * found


def _ways(known: _Days, level: Level, interval_min: int, method: Method) -> dict[str, _Way]:
    days = (known.calls, known.is_open)
    ways = {
        f"profile {number} × level": _Way(
            level, fit_profile(*days, level.oddness, known.relations, interval_min, setting)
        )
        for number, setting in enumerate(settings_for(len(known.days), method.profiles), 1)
    }
    if method.vectors and known.calls.shape[1] > 1 and len(known.days) >= 3 * 7:
        ways["singular vectors"] = _Way(None, fit_vectors(*days, level, known.relations, interval_min))
    return ways


def _look_back(known: _Days, ways: dict[str, _Way], level: Level) -> tuple[Errors, Floats]:
    """Forecast again from past origins; return the errors of the average, and each way's share in it."""
    n = len(known.days)
    begin = min(max(2 * 7, n // 2), n)
    origins = (
        np.unique(np.linspace(begin, n - 1, ORIGINS_MAX).astype(int))
        if n > begin
        else np.array([], dtype=int)
    )
    truth = np.where(np.isnan(known.observed), known.calls, known.observed)
    found, rows_of, ahead_of, doubt_of = [], [], [], []
    for origin in origins:
        rows = np.flatnonzero(
            (known.days >= known.days[origin]) & (known.days < known.days[origin] + HORIZON_MAX_DAYS)
        )
        is_open = known.is_open[rows]
        found.append(np.stack([way.from_origin(int(origin), rows, is_open) for way in ways.values()]))
        rows_of.append(rows)
        ahead_of.append(rows - origin + 1)
        doubt_of.append(level.past_doubt[rows, origin - 1])
    if not found:
        nothing = np.zeros((0, known.calls.shape[1]))
        errors = Errors(
            ahead_days=np.zeros(0, dtype=np.int64),
            age_days=np.zeros(0, dtype=np.int64),
            doubt=np.zeros(0),
            forecast=nothing,
            actual=nothing,
            counts=nothing > 0,
        )
        return errors, np.full(len(ways), 1.0 / len(ways))
    stacked, rows, ahead_days = (
        np.concatenate(found, axis=1),
        np.concatenate(rows_of),
        np.concatenate(ahead_of),
    )
    actual = truth[rows]
    weight = np.where(ahead_days <= 7, 3.0, 1.0)[:, None]
    miss = np.minimum(np.abs(stacked - actual), _HALF_DAY * np.maximum(stacked, actual))
    total = (miss * weight).sum(axis=(1, 2))
    share = np.exp(-_SHARPNESS * (total / max(float(total.min()), 1e-9) - 1.0))
    share /= share.sum()
    errors = Errors(
        ahead_days=ahead_days,
        age_days=n - rows,
        doubt=np.concatenate(doubt_of),
        forecast=np.tensordot(share, stacked, 1),
        actual=actual,
        counts=known.is_open[rows],
    )
    return errors, share
