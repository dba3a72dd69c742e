"""Many staffing cases from a file, each with its answer beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.planner.csv_files import Table
from workforce.erlang_integrals import Floats
from workforce.staffing import Staffing, staff
from workforce.staffing_notes import SENTENCES

REQUIRED = ("calls", "interval_s", "aht_s")
OPTIONAL = ("target", "threshold_s", "patience_s", "max_occupancy", "max_abandonment", "shrinkage", "rate_cv")
ADDED = ("agents", "scheduled", "service_level", "asa_s", "p_wait", "occupancy", "abandonment", "note")
_KEYWORDS = {"max_occupancy": "occupancy_max", "max_abandonment": "abandonment_max"}


@dataclass(frozen=True, slots=True)
class Answers:
    """The rows to write, and how many of them got no agents."""

    columns: tuple[str, ...]
    rows: list[list[str]]
    refused_count: int


def answer_cases(table: Table, defaults: Mapping[str, float]) -> Answers:
    """Staff every row of *table*; an empty or absent optional cell takes its default.

    Args:
        table: At least the ``REQUIRED`` columns.
        defaults: Of the ``OPTIONAL`` columns, by their names.
    """
    values: dict[str, Floats] = {}
    unread: dict[int, str] = {}
    for name in (*REQUIRED, *OPTIONAL):
        cells = table.column(name)
        if cells is None:
            values[name] = np.full(len(table.rows), defaults[name])
        else:
            values[name] = _numbers(name, cells, defaults.get(name, math.nan), unread)
    if table.column("patience_s") is not None:  # 0 in the file is a mistake, not Erlang B
        given = values["patience_s"]
        values["patience_s"] = np.where((given == 0.0) & (defaults["patience_s"] != 0.0), -1.0, given)
    plan = staff(
        *(values[name] for name in REQUIRED), **{_KEYWORDS.get(name, name): values[name] for name in OPTIONAL}
    )
    added = _added(plan)
    for row, sentence in unread.items():
        added[row] = [""] * (len(ADDED) - 1) + [sentence]
    kept = [at for at, name in enumerate(table.columns) if name not in ADDED]
    rows = [[row[at] for at in kept] + extra for row, extra in zip(table.rows, added, strict=True)]
    columns = (*(table.columns[at] for at in kept), *ADDED)
    return Answers(columns, rows, sum(1 for extra in added if not extra[0]))


def _added(plan: Staffing) -> list[list[str]]:
    figures = plan.figures
    whole = [[_whole(v) for v in column.tolist()] for column in (plan.agents, plan.scheduled)]
    real = [
        [_real(v) for v in column.tolist()]
        for column in (
            plan.service_level,
            figures.asa_s,
            figures.p_wait,
            figures.occupancy,
            figures.abandonment,
        )
    ]
    notes = [SENTENCES[note] for note in plan.notes]
    return [list(row) for row in zip(*whole, *real, notes, strict=True)]


def _numbers(name: str, cells: list[str], default: float, unread: dict[int, str]) -> Floats:
    values = np.full(len(cells), default)
    for row, cell in enumerate(cells):
        text = cell.strip()
        if not text:
            continue
        try:
            values[row] = float(text)
        except ValueError:
            unread.setdefault(row, f"{name}: {text[:40]!r} is not a number")
    return values


def _whole(value: float) -> str:
    return "" if math.isnan(value) else str(int(value))


def _real(value: float) -> str:
    return repr(value) if math.isfinite(value) else ""
