"""A requirement as a file: CSV for programs, a workbook for people. Pure: question and answer to bytes."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import xlsxwriter

from app.planner.staffing_schemas import RequirementFile, StaffedInterval, StaffingAnswer, StaffingCase
from workforce.series import stamp

_COLUMNS = (
    *("interval_start", "calls", "calls_low", "calls_high", "aht_s", "traffic_erl"),
    *("agents", "agents_low", "agents_high", "scheduled", "cost"),
    *("service_level", "asa_s", "p_wait", "occupancy", "abandonment", "note"),
)
_SHARES = frozenset({"service_level", "p_wait", "occupancy", "abandonment"})

Cell = float | int | str | None


def requirement_csv(asked: RequirementFile, answer: StaffingAnswer) -> bytes:
    """Return a row per interval; moments are local, with their offset."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for start_ms, case, got in zip(asked.starts_ms, asked.cases, answer.intervals, strict=True):
        writer.writerow([stamp(start_ms // 1_000, asked.zone), *_figures(case, got)])
    return text.getvalue().encode()


def requirement_xlsx(asked: RequirementFile, answer: StaffingAnswer) -> bytes:
    """Return the same as a workbook with real dates (local), and a second sheet: goals, hours, cost."""
    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    share, money = book.add_format({"num_format": "0.0%"}), book.add_format({"num_format": "#,##0.00"})
    sheet = book.add_worksheet("requirement")
    sheet.write_row(0, 0, _COLUMNS)
    sheet.set_column(0, 0, 18)
    sheet.freeze_panes(1, 1)
    formats = [share if name in _SHARES else money if name == "cost" else None for name in _COLUMNS[1:]]
    for row, (start_ms, case, got) in enumerate(
        zip(asked.starts_ms, asked.cases, answer.intervals, strict=True), 1
    ):
        local = datetime.fromisoformat(stamp(start_ms // 1_000, asked.zone)).replace(tzinfo=None)
        sheet.write_datetime(row, 0, local, moment)
        for column, (cell, form) in enumerate(zip(_figures(case, got), formats, strict=True), 1):
            if cell is not None and cell != "":
                sheet.write(row, column, cell, form)
    goals = book.add_worksheet("goals")
    goals.set_column(0, 0, 22)
    for row, (name, value) in enumerate(_told(asked, answer)):
        goals.write(row, 0, name)
        if value is not None:
            goals.write(row, 1, value, money if name.startswith("cost") else None)
    book.close()
    return made.getvalue()


def _figures(case: StaffingCase, got: StaffedInterval) -> list[Cell]:
    return [
        *(case.calls, case.calls_low, case.calls_high, case.aht_s, got.traffic_erl),
        *(got.agents, got.agents_low, got.agents_high, got.scheduled, got.cost),
        *(got.service_level, got.asa_s, got.p_wait, got.occupancy, got.abandonment, got.note_id),
    ]


def _told(asked: RequirementFile, answer: StaffingAnswer) -> list[tuple[str, Cell]]:
    return [
        *asked.goals.model_dump().items(),
        ("interval_s", asked.interval_s),
        ("zone", asked.zone),
        ("agents_max", answer.agents_max),
        ("agent_hours", answer.agent_hours),
        ("scheduled_hours", answer.scheduled_hours),
        ("cost_per_hour", asked.cost_per_hour),
        ("cost", answer.cost),
        ("currency", answer.currency),
    ]
