"""Forecasts and backtests as tables, lines and JSON: what command line and API show alike. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from workforce.backtest import Backtest, HorizonResult, Score
from workforce.forecast_rows import ForecastRows
from workforce.history_repair import History
from workforce.intraday import RenewedDay
from workforce.notes import MethodNote
from workforce.series import stamp

PEER_NAMES = {"seasonal_naive": "seasonal naive", "industry": "weekday profile × level (industry)"}
MARKS_SHOWN_MAX = 12


def quantile_names(levels: Sequence[float]) -> list[str]:
    """Return column names of quantiles.

    >>> quantile_names((0.1, 0.5, 0.9))
    ['p10', 'p50', 'p90']
    """
    return [f"p{100 * level:g}" for level in levels]


def forecast_table(rows: ForecastRows) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows as text: interval_start, mean and quantiles."""
    columns = ["interval_start", "mean", *quantile_names(rows.levels)]
    table = [
        [stamp(int(start_s), rows.zone), f"{mean:.3f}", *(f"{value:.3f}" for value in quantiles)]
        for start_s, mean, quantiles in zip(rows.start_s, rows.mean, rows.quantiles, strict=True)
    ]
    return columns, table


def renewed_table(renewed: RenewedDay) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows as text: what was forecast, what came, what is expected now."""
    columns = ["interval_start", "forecast", "calls", "mean", *quantile_names(renewed.levels)]
    table = []
    for at, slot_min in enumerate(renewed.slots_min):
        local = stamp(renewed.day * 86_400 + int(slot_min) * 60, "")
        seen = renewed.seen[at] if at < len(renewed.seen) else float("nan")
        table.append(
            [
                local,
                f"{renewed.forecast[at]:.3f}",
                "" if seen != seen else f"{seen:g}",
                f"{renewed.mean[at]:.3f}",
                *(f"{value:.3f}" for value in renewed.quantiles[at]),
            ]
        )
    return columns, [row for row, is_open in zip(table, renewed.is_open, strict=True) if is_open]


def history_lines(history: History) -> list[str]:
    """Return what was marked: a line per kind, then the first days of each."""
    kinds = Counter(mark.kind for mark in history.marks)
    lines = []
    for kind, count in sorted(kinds.items()):
        days = sorted({str(mark_day(mark.day)) for mark in history.marks if mark.kind is kind})
        more = f" and {len(days) - MARKS_SHOWN_MAX} more days" if len(days) > MARKS_SHOWN_MAX else ""
        lines.append(f"{kind.replace('_', ' ')}: {count} ({', '.join(days[:MARKS_SHOWN_MAX])}{more})")
    return lines


def mark_day(day: int) -> str:
    """Return a day (since 1970-01-01) as it is written.

    >>> mark_day(0)
    '1970-01-01'
    """
    return stamp(day * 86_400, "")[:10]


def backtest_as_json(found: Backtest, interval_min: int) -> dict[str, Any]:
    """Return the figures of a backtest; shares, not per cent."""
    return {
        "interval_min": interval_min,
        "origins": [mark_day(int(day)) for day in found.origins],
        "bands": quantile_names((found.quantile_levels[0], found.quantile_levels[-1])),
        "horizons": [_result_as_json(result) for result in found.results],
        "notes": notes_as_json(found.notes),
    }


def notes_as_json(notes: Sequence[MethodNote]) -> list[dict[str, Any]]:
    """Return what a planner should know, for the page's own sentences.

    >>> from workforce.notes import NoteId
    >>> notes_as_json([MethodNote(NoteId.SHORT_HISTORY, {"days_count": 9})])
    [{'note_id': 'short_history', 'params': {'days_count': 9}}]
    """
    return [{"note_id": str(note.note_id), "params": dict(note.params)} for note in notes]


def _result_as_json(result: HorizonResult) -> dict[str, Any]:
    return {
        "horizon_days": result.horizon_days,
        "origins": result.score.origins,
        "winner": result.winner,
        "forecast": {
            **_score_as_json(result.score),
            "coverage": _rounded(result.score.coverage, 5),
            "pinball": _rounded(result.score.pinball_ratio, 6),
        },
        **{name: _score_as_json(score) for name, score in result.peers.items()},
    }


def _score_as_json(score: Score) -> dict[str, float | None]:
    return {"wape": _rounded(score.wape, 6), "bias": _rounded(score.bias, 6)}


def _rounded(value: float, digits: int) -> float | None:
    """Return None for what nothing was there to reckon it from."""
    return None if math.isnan(value) else round(value, digits)


def _told(share: float, width: int, form: str = ".2f") -> str:
    """Return a share in per cent, "-" for what nothing was there to reckon it from.

    >>> _told(0.0512, 7), _told(float("nan"), 7)
    ('   5.12', '      -')
    """
    return f"{'-' if math.isnan(share) else format(100 * share, form):>{width}}"


def backtest_lines(found: Backtest, interval_min: int) -> list[str]:
    """Return a table for people, and a sentence where something simpler wins."""
    first, last = mark_day(int(found.origins[0])), mark_day(int(found.origins[-1]))
    lines = [
        f"{len(found.origins)} origins from {first} to {last}, intervals of {interval_min} min; figures in %",
        f"{'days':>5} {'origins':>7} {'WAPE':>7} {'bias':>7} {'in band':>8} {'pinball':>8}"
        f"   {'naive':>7} {'industry':>9}",
    ]
    for result in found.results:
        score, peers = result.score, result.peers
        lines.append(
            f"{result.horizon_days:>5} {score.origins:>7} {_told(score.wape, 7)}"
            f" {_told(score.bias, 7, '+.2f')} {_told(score.coverage, 8, '.1f')}"
            f" {_told(score.pinball_ratio, 8)}  "
            f" {_told(peers['seasonal_naive'].wape, 7)} {_told(peers['industry'].wape, 9)}"
        )
    for result in found.results:
        if result.winner != "forecast":
            better = result.peers[result.winner]
            lines.append(
                f"At {result.horizon_days} days {PEER_NAMES[result.winner]} wins:"
                f" {100 * better.wape:.2f} % against {100 * result.score.wape:.2f} %."
            )
    return [*lines, *map(str, found.notes)]
