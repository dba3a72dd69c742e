"""Intraday: the rest of a day, given the day so far. Pure.

How a day that runs high at ten goes on at noon is learnt from the errors that forecasts of past days made,
one day ahead: their covariance over the intervals, drawn towards "one level for the whole day", gives the
expected error of the rest given the errors so far. How much of that is believed is learnt besides, by time
of day and lead, on days that were not used for it: where it would not have helped, the forecast is left as
it is. Scaling by the whole ratio so far, the usual way, nearly doubles the error of a morning.

Source: Shen & Huang (2008), Ibrahim, Ye, L'Ecuyer & Shen (2016), section 4; the belief is our own addition.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from workforce.day_labels import DayLabels
from workforce.errors import InputError
from workforce.forecast import Forecast, forecast
from workforce.forecast_bands import Errors
from workforce.history import Bools, day_grid
from workforce.history_repair import repair
from workforce.notes import MethodNote, NoteId
from workforce.series import DAY_S, MINUTE_S, Floats, Ints, Series, utc_offset_s

DAYS_MIN = 14
NEAR_MIN = 120
"""Leads up to two hours are believed apart from longer ones."""
_ADDED = 1.0
_TOWARDS_LEVEL = 0.6
_OWN_NOISE = 0.05
_FOLDS = 6
_BELIEFS = (0.0, 0.25, 0.5, 0.75, 1.0)
_ODD_RATIO = 1.5
_ERROR_SIGMAS_MAX = 6.0
_GAIN_SIGMAS = 0.5
_SMOOTH_MIN = 60


@dataclass(frozen=True, slots=True)
class Intraday:
    """What is learnt.

    Attributes:
        covariance: Of standardised errors between intervals, shape (S, S).
        belief: By intervals seen and by lead (near, far), in [0, 1]; shape (S, 2).
        near_slots: Intervals that count as near.
        days_count: Days learnt from.
    """

    covariance: Floats
    belief: Floats
    near_slots: int
    days_count: int


@dataclass(frozen=True, slots=True)
class DayUpdate:
    """A day's forecast renewed.

    Attributes:
        mean: Seen intervals as they were forecast, the rest renewed; shape (S,).
        narrowing: What is left of the rest's uncertainty, in (0, 1]; shape (S,).
    """

    mean: Floats
    narrowing: Floats


def learn(errors: Errors, interval_min: int) -> Intraday:
    """Learn from past forecasts of the day ahead; with fewer than 14 such days nothing is believed."""
    rows = np.flatnonzero(errors.ahead_days == 1)
    slots = errors.forecast.shape[1]
    near_slots = max(1, NEAR_MIN // interval_min)
    if len(rows) < DAYS_MIN:
        return Intraday(np.eye(slots), np.zeros((slots, 2)), near_slots, len(rows))
    forecast, actual = errors.forecast[rows], errors.actual[rows]
    standard = np.where(errors.counts[rows], (actual - forecast) / np.sqrt(forecast + _ADDED), 0.0)
    weight = _plainness(standard)
    belief = _beliefs(forecast, actual, standard, weight, near_slots, max(1, _SMOOTH_MIN // interval_min))
    return Intraday(_covariance(standard, weight, forecast), belief, near_slots, len(rows))


def renew(learnt: Intraday, forecast: Floats, seen: Floats) -> DayUpdate:
    """Return the day's forecast given its first intervals.

    Args:
        forecast: As it stood before the day, shape (S,).
        seen: Calls of the first intervals, NaN where not measured; shape (t,), t ≤ S.

    Raises:
        InputError: more intervals were seen than the day has.
    """
    slots, count = len(forecast), len(seen)
    if count > slots:
        raise InputError(f"{count} intervals were seen of a day of {slots}")
    narrowing = np.ones(slots)
    if not count or count == slots or not learnt.belief[count].any():
        return DayUpdate(forecast.copy(), narrowing)
    error = (seen - forecast[:count]) / np.sqrt(forecast[:count] + _ADDED)
    # An hour unlike any before is not extrapolated beyond what has been seen.
    usual = np.sqrt(np.diag(learnt.covariance)[:count])
    error = np.clip(error, -_ERROR_SIGMAS_MAX * usual, _ERROR_SIGMAS_MAX * usual)
    known = np.flatnonzero(~np.isnan(error) & (forecast[:count] > 0))
    if not len(known):
        return DayUpdate(forecast.copy(), narrowing)
    weights = _weights(learnt.covariance, known, count)
    believed = _believed(learnt.belief[count], slots - count, learnt.near_slots)
    away = believed * (error[known] @ weights)
    mean = forecast.copy()
    rest = forecast[count:]
    mean[count:] = np.where(rest > 0, np.maximum(rest + away * np.sqrt(rest + _ADDED), 0.0), 0.0)
    explained = np.einsum("ij,ij->j", weights, learnt.covariance[np.ix_(known, np.arange(count, slots))])
    left = 1.0 - np.clip(explained / np.diag(learnt.covariance)[count:], 0.0, 0.95)
    narrowing[count:] = np.sqrt(1.0 - believed * (1.0 - left))
    return DayUpdate(mean, narrowing)


def renew_forecast(found: Forecast, learnt: Intraday, day: int, seen: Floats) -> tuple[Floats, Floats]:
    """Return (mean, quantiles) of one day of a forecast, renewed; shapes (S,) and (S, levels).

    Raises:
        InputError: the day is not in the forecast.
    """
    rows = np.flatnonzero(found.days == day)
    if not len(rows):
        raise InputError("the day to renew is not among those forecast")
    row = int(rows[0])
    update = renew(learnt, found.mean[row], seen)
    middle = found.levels.index(0.5) if 0.5 in found.levels else len(found.levels) // 2
    away = found.quantiles[row] - found.quantiles[row][:, middle : middle + 1]
    centre = found.quantiles[row][:, middle] + update.mean - found.mean[row]
    quantiles = np.maximum(centre[:, None] + away * update.narrowing[:, None], 0.0)
    return update.mean, np.where(found.is_open[row][:, None], quantiles, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedDay:
    """The last day of a series: what was forecast, what came so far, what is expected now; local clock.

    Attributes:
        seen: Calls so far, NaN where not measured; shape (t,).
        forecast, mean: Before and after, shape (S,).
        quantiles: Around the mean, shape (S, levels).
    """

    day: int
    slots_min: Ints
    is_open: Bools
    seen: Floats
    forecast: Floats
    mean: Floats
    quantiles: Floats
    levels: tuple[float, ...]
    notes: tuple[MethodNote, ...]


def renew_last_day(series: Series, *, labels: DayLabels | None = None) -> RenewedDay:
    """Forecast the last day of *series* from the days before it, and renew it by what it holds so far.

    Raises:
        ForecastError: the days before it do not carry a forecast.
        InputError: the last day holds a time of day that no day before had.
    """
    local_s = series.start_s + utc_offset_s(series.zone, series.start_s)
    day = int(local_s[-1]) // DAY_S
    before, today = local_s // DAY_S < day, local_s // DAY_S == day
    if not before.any():
        raise InputError("the file holds one day alone: there is nothing to learn from")
    history = repair(
        day_grid(replace(series, start_s=series.start_s[before], calls=series.calls[before], aht_s=None))
    )
    rows = history.used_rows
    ahead = day - int(history.grid.days[rows[-1]]) if len(rows) else 1
    found = forecast(history, ahead, labels=labels)
    minute = local_s[today] % DAY_S // MINUTE_S
    if not np.isin(minute, found.slots_min).all():
        raise InputError("the last day has calls at a time of day that no day before had")
    place = np.searchsorted(found.slots_min, minute)
    seen = np.full(int(place[-1]) + 1, np.nan)
    seen[place] = series.calls[today]
    learnt = learn(found.errors, series.interval_min)
    mean, quantiles = renew_forecast(found, learnt, day, seen)
    notes = list(found.notes)
    if not learnt.belief.any():
        notes.append(MethodNote(NoteId.MORNING_TELLS_NOTHING, {"days_count": learnt.days_count}))
    return RenewedDay(
        day=day,
        slots_min=found.slots_min,
        is_open=found.is_open[-1],
        seen=seen,
        forecast=found.mean[-1],
        mean=mean,
        quantiles=quantiles,
        levels=found.levels,
        notes=tuple(notes),
    )


def _plainness(standard: Floats) -> Floats:
    """Return how much each day teaches, in (0, 1]: a closed or broken day little."""
    size = np.sqrt(np.mean(standard * standard, axis=1))
    usual = max(float(np.median(size)), 1e-9)
    return np.asarray(1.0 / np.maximum(1.0, size / usual / _ODD_RATIO) ** 2)


def _covariance(standard: Floats, weight: Floats, forecast: Floats) -> Floats:
    seen = (standard * weight[:, None]).T @ standard / weight.sum()
    shape = np.sqrt(forecast.mean(axis=0) + _ADDED)
    off = ~np.eye(len(shape), dtype=bool)
    level = max(float((seen / np.outer(shape, shape))[off].mean()), 0.0) if len(shape) > 1 else 0.0
    drawn = (1.0 - _TOWARDS_LEVEL) * seen + _TOWARDS_LEVEL * level * np.outer(shape, shape)
    diagonal = np.diag(seen) + _OWN_NOISE * float(np.mean(np.diag(seen))) + 1e-9
    return np.asarray(np.where(off, drawn, np.diag(np.maximum(diagonal, np.diag(drawn)))))


def _weights(covariance: Floats, known: Ints, count: int) -> Floats:
    """Return what each known error says of each later one, shape (known, S - count)."""
    later = np.arange(count, len(covariance))
    return np.asarray(np.linalg.solve(covariance[np.ix_(known, known)], covariance[np.ix_(known, later)]))


def _believed(belief: Floats, rest: int, near_slots: int) -> Floats:
    return np.asarray(np.where(np.arange(rest) < near_slots, belief[0], belief[1]))


def _beliefs(
    forecast: Floats, actual: Floats, standard: Floats, weight: Floats, near_slots: int, smooth_slots: int
) -> Floats:
    """Return how much to believe by intervals seen and lead, from days that were not learnt from; (S, 2)."""
    days, slots = forecast.shape
    fold = np.arange(days) % _FOLDS
    missed = np.zeros((slots, 2, len(_BELIEFS), days))
    for number in range(_FOLDS):
        test, rest = fold == number, fold != number
        covariance = _covariance(standard[rest], weight[rest], forecast[rest])
        for count in range(1, slots):
            weights = _weights(covariance, np.arange(count), count)
            away = standard[test, :count] @ weights * np.sqrt(forecast[test, count:] + _ADDED)
            for at, belief in enumerate(_BELIEFS):
                renewed = np.maximum(forecast[test, count:] + belief * away, 0.0)
                error = np.abs(renewed - actual[test, count:]) * (forecast[test, count:] > 0)
                missed[count, 0, at, test] = error[:, :near_slots].sum(axis=1)
                missed[count, 1, at, test] = error[:, near_slots:].sum(axis=1)
    beliefs = np.zeros((slots, 2))
    for count in range(1, slots):
        around = slice(max(1, count - smooth_slots), count + smooth_slots + 1)
        for lead in (0, 1):
            error = missed[around, lead].sum(axis=0)
            error = np.minimum(error, 3.0 * np.median(error[0]) + 1e-9)
            best = int(np.argmin(error.mean(axis=1)))
            gain = error[0] - error[best]
            sure = float(np.std(gain)) / np.sqrt(days)
            beliefs[count, lead] = _BELIEFS[best] if gain.mean() > _GAIN_SIGMAS * sure else 0.0
    return beliefs
