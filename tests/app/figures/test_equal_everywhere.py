"""One instant, one answer: wall = report = API = CSV = workbook = PDF = SQL view, and so after a restart."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.definitions import ReportDefinition
from app.figures.layout import value_of, value_text
from app.figures.report_reader import file_of, run_report
from app.figures.schedules import FileFormat
from app.figures.view_sql import column_of
from app.live.bus import Bus, Cursor
from app.live.drainer import Drainer
from app.live.journal import Journal
from app.live.rows import row_of
from app.wall.rules import Figures, Grade
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.wall.test_live_wall import Past, _past, _running, _until, _wall
from workforce.formulas import FORMULAS

pytestmark = pytest.mark.db

COLUMNS = ("offered_count", "answered_count", "abandoned_count", "handled_count", "SL-C", "ASA", "AHT")
Answer = Mapping[str, tuple[float | None, ...]]
"""By queue id, "" for the total: the values of ``COLUMNS``; seconds to the millisecond, as on the wall."""


def _rounded(values: Mapping[str, float | None]) -> tuple[float | None, ...]:
    def shown(name: str) -> float | None:
        value = values[name]
        return round(value, 3) if name in ("ASA", "AHT") and value is not None else value

    return tuple(shown(name) for name in COLUMNS)


def _of_wall(figures: Figures) -> tuple[float | None, ...]:
    return _rounded(
        {
            "offered_count": figures.offered_count,
            "answered_count": figures.answered_count,
            "abandoned_count": figures.abandoned_count,
            "handled_count": figures.handled_count,
            "SL-C": figures.service_level,
            "ASA": figures.asa_s,
            "AHT": figures.aht_s,
        }
    )


async def _wall_says(past: Past, journal: Journal, seq: int, database: Database) -> Answer:
    bus = Bus(Cursor(1, seq))
    wall = _wall(past, bus, journal, database)
    async with _running(wall, bus):
        await _until(lambda: wall.figures_of(None).today.grade is Grade.LIVE)
        said = {queue_id: wall.figures_of(queue_id).today for queue_id in past.threshold_ms}
        return {
            **{k: _of_wall(v) for k, v in said.items() if v.offered_count},
            "": _of_wall(wall.figures_of(None).today),
        }


async def _api_says(database: Database, token: str, app: Any, day: date) -> dict[str, Answer]:
    query: dict[str, Any] = {"first": str(day), "last": str(day), "step": "range", "columns": list(COLUMNS)}
    async with browser(app, token) as client:
        asked = {name: value for name, value in query.items() if name != "columns"}
        table = (await client.get("/api/v1/figures", params=asked)).json()
        files = {
            kind: await client.get(f"/api/v1/figures/export.{kind}", params=query) for kind in ("csv", "xlsx")
        }

    def of_line(line: Any) -> tuple[float | None, ...]:
        return _rounded(
            {
                name: line["figures"][name] if name in FORMULAS else line["terms"].get(name, 0)
                for name in COLUMNS
            }
        )

    def of_cells(cells: Mapping[str, Any]) -> tuple[float | None, ...]:
        return _rounded({name: None if cells[name] == "" else float(cells[name]) for name in COLUMNS})

    taken = csv.DictReader(io.StringIO(files["csv"].text.removeprefix("\ufeff")))
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["xlsx"].content)).get_sheet_by_index(0)
    head, *rows = book.to_python()
    sheet = [dict(zip(map(str, head), row, strict=True)) for row in rows]
    return {
        "api": {**{line["key"]: of_line(line) for line in table["rows"]}, "": of_line(table["total"])},
        "csv": {row["key"].replace("total", ""): of_cells(row) for row in taken},
        "xlsx": {str(row["key"]).replace("total", ""): of_cells(row) for row in sheet},
    }


async def _report_says(database: Database, at: datetime) -> Answer:
    """The saved report, and beside it its PDF, cell by cell."""
    definition = ReportDefinition.model_validate({"range": "today", "columns": COLUMNS})
    table = await run_report(database, DEFAULT_TENANT, definition, at)
    pdf = await file_of(table, definition.shape, FileFormat.PDF, title="Today", language="en")
    lines = pypdfium2.PdfDocument(pdf)[0].get_textpage().get_text_bounded().splitlines()
    for row in (*table.rows, table.whole):
        cells = [value_text(value_of(row, name), name) for name in COLUMNS]
        assert any(" ".join(filter(None, cells)) in " ".join(line.split()) for line in lines), (cells, lines)
    said = {row.key: _rounded({name: value_of(row, name) for name in COLUMNS}) for row in table.rows}
    return {**said, "": _rounded({name: value_of(table.whole, name) for name in COLUMNS})}


async def _view_says(database: Database, day: date) -> Answer:
    """Terms of the view's rows summed in SQL, and the formula applied to the sums."""
    needed = {
        *COLUMNS[:4],
        *(name for one in ("SL-C", "ASA", "AHT") for part in _parts(one) for name in part),
    }
    sums = ", ".join(f"sum({column_of(name)})::bigint AS {column_of(name)}" for name in sorted(needed))
    query = (
        f"SELECT grouping(queue_id) = 1 AS is_whole, queue_id, {sums} FROM report.queue_quarter"
        " WHERE (started_at AT TIME ZONE 'UTC')::date = :day GROUP BY GROUPING SETS ((queue_id), ())"
    )
    async with database.transaction(DEFAULT_TENANT) as connection:
        rows = (await connection.execute(text(query), {"day": day})).mappings().all()

    def figure(row: Mapping[str, Any], one: str) -> float | None:
        formula = FORMULAS[one]
        over, under, less = (sum(row[column_of(name)] for name in part) for part in _parts(one))
        if under - less <= 0:
            return None
        value = over / (under - less) if formula.unit == "share" else over / 1000 / (under - less)
        return round(value, 6)

    return {
        "" if row["is_whole"] else row["queue_id"]: _rounded(
            {name: figure(row, name) if name in FORMULAS else row[name] for name in COLUMNS}
        )
        for row in rows
    }


def _parts(one: str) -> tuple[tuple[str, ...], ...]:
    return FORMULAS[one].over, FORMULAS[one].under, FORMULAS[one].less


async def _said_everywhere(
    past: Past, journal: Journal, seq: int, database: Database, token: str, app: Any
) -> Answer:
    at = datetime.fromtimestamp(past.now_ms / 1000, UTC)
    said = {
        "wall": await _wall_says(past, journal, seq, database),
        "report": await _report_says(database, at),
        "view": await _view_says(database, at.date()),
        **await _api_says(database, token, app, at.date()),
    }
    for where, answer in said.items():
        assert answer == said["api"], where
    return said["api"]


async def test_wall_report_api_files_and_view_say_the_same_before_and_after_a_restart_at_mid_day(
    database: Database, tmp_path: Path
) -> None:
    whole = _past(seed=11, count=1_200)
    half = len(whole.steps) // 2
    rows = [row_of(step, 1, seq) for seq, step in enumerate(whole.steps, 1)]
    morning = Past(whole.steps[:half], whole.threshold_ms)
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "pat", Role.PLANNER, centre=False))

    journal = await Journal.open(tmp_path / "journal.db")
    await journal.append(rows[:half])
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    before = await _said_everywhere(morning, journal, half, database, token, app)
    await journal.close()
    await database.engine.dispose()

    journal = await Journal.open(tmp_path / "journal.db")  # everything has ended; all begins anew
    again = Database(database.engine.url.render_as_string(hide_password=False))
    app, faces = people(again)
    async with again.transaction(DEFAULT_TENANT) as connection:
        account_id = (await connection.execute(text("SELECT account_id FROM account"))).scalar_one()
    token = await sign_in(faces, account_id)
    assert await _said_everywhere(morning, journal, half, again, token, app) == before
    await journal.append(rows[half:])
    await Drainer(journal, again, DEFAULT_TENANT).drain_all()
    evening = await _said_everywhere(whole, journal, len(rows), again, token, app)
    await journal.close()
    await again.close()
    assert evening[""][0] > before[""][0] > 10  # type: ignore[operator]
    assert len(evening) > 2
