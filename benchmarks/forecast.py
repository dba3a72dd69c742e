"""Accuracy of the forecast on two banks, what each part of it gives, and the time of one fit.

Run: ``python -m benchmarks.forecast [--quick]``. Reads ``../shared/data``, which is not shipped; says so when
it is absent. Every origin sees only the days before it, repair of its history included. Beside every figure
stand the industry's way (its level from four weeks, and from all there are) and the seasonal naive one, from
the same origins. WAPE in % by 30 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from app.planner.country_days import labels_for
from tests.workforce.series_made import FIRST_DAY, wandering_series
from workforce.backtest import PEERS, backtest, open_days
from workforce.forecast import DEFAULT_METHOD, Method, forecast
from workforce.forecast_level import LevelSetting
from workforce.forecast_peers import industry
from workforce.history import day_grid
from workforce.history_repair import History, repair
from workforce.intraday import learn, renew
from workforce.series import Series, resample, series_from_arrays
from workforce.series_csv import read_series

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
BANK, SMALL_BANK = "bank_calls_5min.csv", "anonbank_1999_6min.csv"
HORIZONS_DAYS = (1, 7, 28)
INTERVAL_MIN = 30
FIT_AIM_MS = 100.0
HOURS = (7.5, 8.0, 9.0, 10.0, 12.0, 16.0)

_PEERS = {**PEERS, "industry, all weeks": partial(industry, level_weeks=0)}
_LEVELS, _PROFILES = DEFAULT_METHOD.levels, DEFAULT_METHOD.profiles
ABLATIONS: dict[str, Method] = {
    "everything": DEFAULT_METHOD,
    "without singular vectors": replace(DEFAULT_METHOD, vectors=False),
    "singular vectors alone": replace(DEFAULT_METHOD, profiles=()),
    "profile 1 alone": replace(DEFAULT_METHOD, profiles=_PROFILES[:1], vectors=False),
    "profile 2 alone": replace(DEFAULT_METHOD, profiles=_PROFILES[1:], vectors=False),
    "profile not smoothed, all ranks": replace(
        DEFAULT_METHOD, profiles=[replace(_PROFILES[0], rank=None, smooth_min=0.0)], vectors=False
    ),
    "without turn of the month": replace(DEFAULT_METHOD, levels=[replace(s, month=0.0) for s in _LEVELS]),
    "without mood of days (AR)": replace(DEFAULT_METHOD, levels=[replace(s, mood=0.0) for s in _LEVELS]),
    "without drift": replace(DEFAULT_METHOD, levels=[replace(s, drift=0.0) for s in _LEVELS]),
    "without neighbours of closed days": replace(
        DEFAULT_METHOD, levels=[replace(s, closure=0.0) for s in _LEVELS]
    ),
    "one reach of the month (3 days)": replace(
        DEFAULT_METHOD, levels=[s for s in _LEVELS if s.month_days == 3.0 and s.month > 0]
    ),
    "levels that come back soon alone": replace(
        DEFAULT_METHOD, levels=[s for s in _LEVELS if s.drift_days <= 20.0]
    ),
    "levels that stay alone": replace(DEFAULT_METHOD, levels=[s for s in _LEVELS if s.drift_days > 20.0]),
    "one setting of the level": replace(DEFAULT_METHOD, levels=[LevelSetting(month=1.5)]),
}


def load(name: str) -> Series:
    """Return a series of the shared data by half-hours."""
    return resample(read_series((DATA / name).read_text()), INTERVAL_MIN)


def accuracy(name: str, origins: slice, *, country: str | None = None) -> dict[str, Any]:
    """Print and return figures from these origins (open days by index)."""
    series = load(name)
    days = open_days(series)[origins]
    labels = labels_for(series, HORIZONS_DAYS[-1], country=country)
    found = backtest(series, days, HORIZONS_DAYS, labels=labels, peers=_PEERS)
    told = f"{name} origins {origins.start}:{origins.stop or ''}:{origins.step}"
    made: dict[str, Any] = {"series": name, "origins": len(days), "country": country}
    print(f"{told} {country or ''}".rstrip())
    print(
        f"  {'days':>4} {'WAPE':>6} {'bias':>6} {'in band':>8} {'pinball':>8}"
        f" {'industry':>9} {'naive':>6} {'gain':>6} {'all weeks':>10} {'gain':>6}"
    )
    for result in found.results:
        four_weeks, all_weeks = (result.peers[name].wape for name in ("industry", "industry, all weeks"))
        gain, gain_all = (1.0 - result.score.wape / peer for peer in (four_weeks, all_weeks))
        print(
            f"  {result.horizon_days:>4} {100 * result.score.wape:>6.2f} {100 * result.score.bias:>+6.2f}"
            f" {100 * result.score.coverage:>8.1f} {100 * result.score.pinball_ratio:>8.2f}"
            f" {100 * four_weeks:>9.2f} {100 * result.peers['seasonal_naive'].wape:>6.2f} {100 * gain:>5.1f}%"
            f" {100 * all_weeks:>10.2f} {100 * gain_all:>5.1f}%"
        )
        made[f"wape_{result.horizon_days}"] = round(result.score.wape, 5)
        made[f"coverage_{result.horizon_days}"] = round(result.score.coverage, 4)
        made[f"industry_{result.horizon_days}"] = round(four_weeks, 5)
        made[f"industry_all_weeks_{result.horizon_days}"] = round(all_weeks, 5)
    return made


def calibration(seeds: int) -> dict[str, Any]:
    """Print how much the bands of 80 % hold of simulated series, of which all is known."""
    within, intervals = np.zeros(len(HORIZONS_DAYS)), np.zeros(len(HORIZONS_DAYS))
    for seed in range(seeds):
        series = wandering_series(240, seed)
        found = backtest(series, FIRST_DAY + np.arange(130, 212, 4), HORIZONS_DAYS)
        for at, result in enumerate(found.results):
            within[at] += result.score.within
            intervals[at] += result.score.intervals
    held = (100 * within / intervals).round(1)
    told = "  ".join(f"{days} days {share:.1f}" for days, share in zip(HORIZONS_DAYS, held, strict=True))
    print(f"bands of 80 % over {seeds} simulated series hold, in %: {told}")
    return {"simulated_series": seeds, "held_percent": held.tolist()}


def ablate(name: str, origins: slice, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Print what each part gives: the same origins without it."""
    series = load(name)
    days = open_days(series)[origins]
    made = []
    print(f"{name}: what each part gives, WAPE at {HORIZONS_DAYS} days")
    for kind in kinds:
        found = backtest(series, days, HORIZONS_DAYS, method=ABLATIONS[kind])
        figures = [round(100 * result.score.wape, 2) for result in found.results]
        print(f"  {kind:<34} {'  '.join(f'{figure:6.2f}' for figure in figures)}", flush=True)
        made.append({"series": name, "without": kind, "wape_percent": figures})
    return made


def fit_times(runs: int) -> list[dict[str, Any]]:
    """Print the time of one forecast of 28 days, selection and bands included, by processor time."""
    made = []
    print(f"one fit, 28 days ahead, one core (aim: {FIT_AIM_MS:.0f} ms on {BANK}), median and best of {runs}")
    for name, history in (
        (BANK, repair(day_grid(load(BANK)))),
        (SMALL_BANK, repair(day_grid(load(SMALL_BANK)))),
        ("two years of quarter-hours, simulated", _two_years()),
    ):
        taken = []
        for _ in range(runs):
            begin = time.process_time()
            forecast(history, 28)
            taken.append(1_000 * (time.process_time() - begin))
        print(f"  {name:<40} {np.median(taken):7.0f} ms {min(taken):7.0f} ms")
        made.append(
            {"series": name, "fit_ms": round(float(np.median(taken)), 1), "best_ms": round(min(taken), 1)}
        )
    return made


def _two_years() -> History:
    dice = np.random.default_rng(1)
    days = np.arange(20_000, 20_000 + 730)
    slots = np.arange(28, 80)
    level = np.where((days + 3) % 7 < 5, 60.0, 20.0)
    expected = level[:, None] * np.exp(-(((slots - 44) / 18.0) ** 2))
    start_s = (days[:, None] * 96 + slots) * 900
    return repair(day_grid(series_from_arrays(start_s.ravel(), dice.poisson(expected).ravel().astype(float))))


def intraday(name: str, origins: slice) -> list[dict[str, Any]]:
    """Print the next two hours and the rest of the day, renewed at several hours, beside two others."""
    series = load(name)
    grid = day_grid(series)
    sums = {hour: np.zeros(8) for hour in HOURS}
    for day in open_days(series)[origins]:
        known = series.start_s // 86_400 < day
        history = repair(day_grid(replace(series, start_s=series.start_s[known], calls=series.calls[known])))
        found = forecast(history, int(day - history.grid.days[history.used_rows[-1]]))
        learnt = learn(found.errors, INTERVAL_MIN)
        plain, actual = found.mean[-1], grid.calls[day - grid.days[0]]
        for hour in HOURS:
            seen = int(np.searchsorted(grid.slots_min, hour * 60))
            by_ratio = plain * actual[:seen].sum() / max(float(plain[:seen].sum()), 1.0)
            ways = (renew(learnt, plain, actual[:seen]).mean, plain, by_ratio)
            for at, part in ((0, slice(seen, seen + 4)), (4, slice(seen, None))):
                misses = [float(np.abs(way[part] - actual[part]).sum()) for way in ways]
                sums[hour][at : at + 4] += [*misses, float(actual[part].sum())]
    print(f"{name}: renewed within the day, WAPE (renewed, untouched, scaled by the whole ratio)")
    made = []
    for hour, one in sums.items():
        near, rest = 100 * one[:3] / one[3], 100 * one[4:7] / one[7]
        print(
            f"  {int(hour):02}:{int(hour * 60 % 60):02}  next two hours"
            f" {'  '.join(f'{x:6.2f}' for x in near)}   rest {'  '.join(f'{x:6.2f}' for x in rest)}"
        )
        made.append(
            {"series": name, "hour": hour, "near": near.round(2).tolist(), "rest": rest.round(2).tolist()}
        )
    return made


def main() -> None:
    """Print all tables, last one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few origins, to see that it works")
    quick = parser.parse_args().quick
    if not (DATA / BANK).exists() or not (DATA / SMALL_BANK).exists():
        print("the two banks' series are not beside the repository (../shared/data): nothing to measure")
        return
    print(f"load average {os.getloadavg()[0]:.1f}")
    made: dict[str, Any] = {"load_average": round(os.getloadavg()[0], 1)}
    step = 25 if quick else 5
    made["accuracy"] = [
        accuracy(BANK, slice(80, None, step)),
        accuracy(SMALL_BANK, slice(80, None, step)),
    ]
    if not quick:
        made["accuracy"] += [
            accuracy(BANK, slice(60, 92, 1)),
            accuracy(BANK, slice(92, None, 1)),
            accuracy(SMALL_BANK, slice(80, 176, 4)),
            accuracy(SMALL_BANK, slice(176, None, 4)),
            accuracy(SMALL_BANK, slice(80, None, 5), country="IL"),
        ]
    made["calibration"] = calibration(2 if quick else 24)
    kinds = list(ABLATIONS)[:2] if quick else list(ABLATIONS)
    made["ablation"] = [
        *ablate(BANK, slice(60, None, 20 if quick else 4), kinds),
        *ablate(SMALL_BANK, slice(80, None, 60 if quick else 10), kinds),
    ]
    made["intraday"] = [
        *intraday(BANK, slice(80, None, 10 if quick else 1)),
        *intraday(SMALL_BANK, slice(80, None, 60 if quick else 6)),
    ]
    made["fit"] = fit_times(3 if quick else 9)
    print(json.dumps(made))


if __name__ == "__main__":
    main()
