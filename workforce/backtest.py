"""Backtest: forecasts from past origins against what came, beside what they must beat. Pure.

Every origin sees only the days before it, from the repair of its history on. WAPE is Σ|forecast - actual| ÷
Σ actual over intervals; bias Σ(forecast - actual) ÷ Σ actual; coverage the part of intervals within the outer
quantiles; pinball the mean quantile loss ÷ mean calls. Intervals without a measurement are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workforce.day_labels import DayLabels
from workforce.errors import InputError
from workforce.forecast import DEFAULT_METHOD, HORIZON_DAYS_MAX, ForecastError, Method, forecast
from workforce.forecast_peers import industry, seasonal_naive
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.notes import MethodNote, NoteId
from workforce.series import DAY_S, Floats, Ints, Series, utc_offset_s

FIRST_ORIGIN_DAYS = 28
ORIGINS_MAX = 400
_LEAST_TOLD = 5e-5
Peer = Callable[[History, Ints], Floats]
PEERS: Mapping[str, Peer] = {"seasonal_naive": seasonal_naive, "industry": industry}


class NoBacktest(ForecastError):
    """The series is too short to try a forecast on its past; ``note`` says so."""

    def __init__(self, note: MethodNote) -> None:
        super().__init__(str(note))
        self.note = note


@dataclass(slots=True)
class Score:
    """Sums over intervals; the figures are their ratios."""

    actual: float = 0.0
    error: float = 0.0
    absolute: float = 0.0
    within: int = 0
    pinball: float = 0.0
    intervals: int = 0
    origins: int = 0

    @property
    def wape(self) -> float:
        """Part of the calls, 0.05 is 5 %."""
        return self.absolute / self.actual if self.actual else float("nan")

    @property
    def bias(self) -> float:
        """Above 0: too much was forecast."""
        return self.error / self.actual if self.actual else float("nan")

    @property
    def coverage(self) -> float:
        """Part of the intervals between the outer quantiles."""
        return self.within / self.intervals if self.intervals else float("nan")

    @property
    def pinball_ratio(self) -> float:
        """Mean quantile loss over mean calls."""
        return self.pinball / self.actual if self.actual else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonResult:
    """Figures of one horizon: all intervals of the days up to it.

    Attributes:
        peers: The same of what must be beaten; coverage and pinball are not theirs.
        winner: "forecast", or the peer with less WAPE, by what can be read at two digits of a per cent.
    """

    horizon_days: int
    score: Score
    peers: dict[str, Score]

    @property
    def winner(self) -> str:
        best = min(self.peers, key=lambda name: self.peers[name].wape)
        return best if self.peers[best].wape < self.score.wape - _LEAST_TOLD else "forecast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Results by horizon.

    Attributes:
        origins: First day forecast, days since 1970-01-01, of every origin.
        by_slot: WAPE of forecast and industry by interval of the day at the first horizon, shape (S, 2).
        notes: What a reader should know.
    """

    results: Sequence[HorizonResult]
    origins: Ints
    slots_min: Ints
    by_slot: Floats
    quantile_levels: tuple[float, ...]
    notes: Sequence[MethodNote] = field(default=())


def origins_of(series: Series, count: int, horizons_days: Sequence[int]) -> Ints:
    """Return *count* origins, spread evenly over the open days of the later half that leave a horizon inside.

    Raises:
        NoBacktest: the series is too short for one.
    """
    days = open_days(series)
    last = int(days[-1]) - min(horizons_days) + 1
    begin = max(min(FIRST_ORIGIN_DAYS, len(days) // 2), len(days) // 2)
    possible = days[begin:][days[begin:] <= last]
    if begin < 2 * 5 or not len(possible):
        raise NoBacktest(MethodNote(NoteId.NO_BACKTEST, {"days_count": len(days)}))
    at = np.unique(np.linspace(0, len(possible) - 1, min(count, ORIGINS_MAX)).round().astype(int))
    return np.asarray(possible[at])


def open_days(series: Series) -> Ints:
    """Return the local days of the series, ascending."""
    return np.unique((series.start_s + utc_offset_s(series.zone, series.start_s)) // DAY_S)


def backtest(
    series: Series,
    origins: Ints,
    horizons_days: Sequence[int],
    *,
    labels: DayLabels | None = None,
    method: Method = DEFAULT_METHOD,
    peers: Mapping[str, Peer] = PEERS,
    on_origin: Callable[[int, int], None] | None = None,
) -> Backtest:
    """Forecast from every origin and score it.

    Args:
        series: At the interval that is wanted.
        origins: First day to forecast, each; days since 1970-01-01. A horizon counts where it ends in the
            series.
        horizons_days: Calendar days.
        peers: What must be beaten, by name; "industry" is among them.
        on_origin: Called with (done, total) after each; may raise to stop.
    """
    horizons = sorted(set(horizons_days))
    if not horizons or not 1 <= horizons[0] <= horizons[-1] <= HORIZON_DAYS_MAX - 10:
        raise InputError(f"horizons of 1 to {HORIZON_DAYS_MAX - 10} days, not {list(horizons_days)}")
    whole = day_grid(series)
    local_day = (series.start_s + utc_offset_s(series.zone, series.start_s)) // DAY_S
    truth = np.where(whole.present, whole.calls, np.nan)
    results = [
        HorizonResult(horizon_days=days, score=Score(), peers={name: Score() for name in peers})
        for days in horizons
    ]
    by_slot = np.zeros((len(whole.slots_min), 3))
    for number, origin in enumerate(origins):
        known = _before(series, local_day < origin)
        history = repair(day_grid(known))
        gap = int(origin - history.grid.days[history.used_rows[-1]]) - 1 if len(history.used_rows) else 0
        found = forecast(history, horizons[-1] + gap, labels=labels, method=method)
        column = np.searchsorted(whole.slots_min, found.slots_min)
        others = {name: peer(history, found.days) for name, peer in peers.items()}
        for result in results:
            rows = np.arange(origin, origin + result.horizon_days) - whole.days[0]
            if rows[-1] >= len(whole.days):
                continue
            ahead = np.arange(gap, gap + result.horizon_days)
            actual = truth[rows]
            for forecasts, score in (
                (found.mean[ahead], result.score),
                *((others[name][ahead], result.peers[name]) for name in peers),
            ):
                _add(score, _spread(forecasts, column, actual.shape), actual)
            quantiles = np.stack(
                [
                    _spread(found.quantiles[ahead][..., level], column, actual.shape)
                    for level in range(len(found.levels))
                ],
                axis=-1,
            )
            _add_bands(result.score, quantiles, actual, found.levels)
            if result is results[0]:
                ours = np.abs(_spread(found.mean[ahead], column, actual.shape) - actual)
                theirs = np.abs(_spread(others["industry"][ahead], column, actual.shape) - actual)
                by_slot += np.stack([np.nansum(x, axis=0) for x in (ours, theirs, actual)], axis=1)
        if on_origin is not None:
            on_origin(number + 1, len(origins))
    results = [result for result in results if result.score.origins]
    notes = [
        MethodNote(NoteId.HORIZON_NOT_REACHED, {"horizon_days": horizon})
        for horizon in horizons
        if horizon not in {result.horizon_days for result in results}
    ]
    return Backtest(
        results=results,
        origins=origins,
        slots_min=whole.slots_min,
        by_slot=by_slot[:, :2] / np.maximum(by_slot[:, 2:], 1e-9),
        quantile_levels=method.quantile_levels,
        notes=tuple(notes),
    )


def _before(series: Series, where: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Series:
    return Series(
        zone=series.zone,
        interval_min=series.interval_min,
        start_s=series.start_s[where],
        calls=series.calls[where],
        aht_s=None if series.aht_s is None else series.aht_s[where],
    )


def _spread(values: Floats, column: Ints, shape: tuple[int, ...]) -> Floats:
    """Return *values* in the columns of the whole series; an interval never seen before was forecast as 0."""
    spread = np.zeros(shape)
    spread[:, column] = values
    return spread


def _add(score: Score, forecasts: Floats, actual: Floats) -> None:
    known = ~np.isnan(actual)
    error = (forecasts - actual)[known]
    score.actual += float(actual[known].sum())
    score.error += float(error.sum())
    score.absolute += float(np.abs(error).sum())
    score.intervals += int(known.sum())
    score.origins += 1


def _add_bands(score: Score, quantiles: Floats, actual: Floats, levels: Sequence[float]) -> None:
    known = ~np.isnan(actual)
    inside = (actual >= quantiles[..., 0]) & (actual <= quantiles[..., -1])
    score.within += int(inside[known].sum())
    losses = [
        np.where(actual >= quantiles[..., at], level, level - 1.0) * (actual - quantiles[..., at])
        for at, level in enumerate(levels)
    ]
    score.pinball += float(np.mean(losses, axis=0)[known].sum())
