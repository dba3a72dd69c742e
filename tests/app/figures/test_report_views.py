"""The SQL views against the API and against a fold of the very events: one table of formulas, one answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.migrate import migrate
from app.db.session import DEFAULT_TENANT, Database, TenantId
from app.figures.facts import TERMS, FiguresView
from app.figures.reader import FiguresAsked, read_figures
from app.figures.retention import drop_day
from app.figures.rules import figures_of
from app.figures.view_page import PAGE, page_text
from app.figures.view_sql import SCHEMA, VIEWS, View, column_of, columns, version
from app.figures.views import renew_views
from tests.app.figures.test_period_cells import ALL_DAYS, QUARTER_MS, drained
from workforce.formulas import FORMULAS, term
from workforce.measures import Cell, cells_of, total
from workforce.periods import PeriodStep

pytestmark = pytest.mark.db


async def _rows(database: Database, view: View, tenant_id: TenantId = DEFAULT_TENANT) -> list[Any]:
    async with database.transaction(tenant_id) as connection:
        found = await connection.execute(text(f"SELECT * FROM {SCHEMA}.{view.name} ORDER BY 1, 3"))
        return [dict(row) for row in found.mappings()]


def _figures(row: dict[str, Any]) -> dict[str, float | None]:
    found = {one: row[column_of(one)] for one in FORMULAS}
    return {one: None if value is None else round(value, 6) for one, value in found.items()}


def _terms(row: dict[str, Any]) -> dict[str, int]:
    return {name: row[column_of(name)] for name in TERMS}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
async def test_a_view_says_what_the_api_says(database: Database, tmp_path: Path, view: View) -> None:
    await drained(11, 900, database, tmp_path)
    asked = FiguresAsked(
        first=ALL_DAYS[0], last=ALL_DAYS[1], step=PeriodStep.QUARTER, by=view.by, view=view.view, zone="UTC"
    )
    table = await read_figures(database, DEFAULT_TENANT, asked, 0)
    expected = [
        (row.start_ms, row.end_ms, row.key, {name: term(row.cell, name) for name in TERMS}, dict(row.figures))
        for row in table.rows
    ]
    found = [
        (
            row["started_at"].timestamp() * 1000,
            row["ended_at"].timestamp() * 1000,
            row[view.key],
            _terms(row),
            _figures(row),
        )
        for row in await _rows(database, view)
    ]
    assert found == expected
    assert sum(row["answered_count"] for row in await _rows(database, view)) > 5


async def test_a_view_says_what_the_events_said(database: Database, tmp_path: Path) -> None:
    events = await drained(29, 900, database, tmp_path)
    cells = cells_of(events, interval_ms=QUARTER_MS)
    found = {
        (row["queue_id"] or None, round(row["started_at"].timestamp() * 1000)): row
        for row in await _rows(database, VIEWS[0])
    }
    assert found.keys() == cells.keys()
    for key, row in found.items():
        assert _figures(row) == figures_of(cells[key])
        assert _terms(row) == {name: term(cells[key], name) for name in TERMS}
    blank = [row for row in found.values() if not row["answered_count"]]
    assert blank
    assert all(row["asa"] is None and row["sl_a"] is None and row["wait_p90"] is None for row in blank)
    assert total(cells.values()) != Cell()


async def test_the_rows_between_two_moments_are_those_of_the_view(database: Database, tmp_path: Path) -> None:
    await drained(3, 900, database, tmp_path)
    whole = await _rows(database, VIEWS[0])
    starts = sorted({row["started_at"] for row in whole})
    middle = starts[1]
    async with database.transaction(DEFAULT_TENANT) as connection:
        part = await connection.execute(
            text(f"SELECT * FROM {SCHEMA}.queue_quarter_between(:since, :until) ORDER BY 1, 3"),
            {"since": middle, "until": middle + timedelta(days=1)},
        )
        assert [dict(row) for row in part.mappings()] == [r for r in whole if r["started_at"] >= middle]


@pytest.mark.parametrize("view", VIEWS[:3], ids=lambda view: view.name)
async def test_of_a_day_whose_log_was_dropped_what_it_adds_up_to_is_left(
    database: Database, tmp_path: Path, view: View
) -> None:
    await drained(11, 900, database, tmp_path)
    before = await _rows(database, view)
    async with database.transaction(DEFAULT_TENANT) as connection:
        days = (await connection.execute(text("SELECT DISTINCT day FROM interaction"))).scalars().all()
    for day in days:
        assert await drop_day(database, day)
    async with database.transaction(DEFAULT_TENANT) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM queue_visit"))).scalar_one() == 0
    after = await _rows(database, view)
    assert [row | {"grade": ""} for row in after] == [row | {"grade": ""} for row in before]
    assert sum(row["answered_count"] for row in after) > 5


async def test_who_reads_the_views_sees_their_own_tenant_and_no_caller(
    database: Database, tmp_path: Path
) -> None:
    await drained(3, 300, database, tmp_path)
    assert await _rows(database, VIEWS[0])
    assert await _rows(database, VIEWS[0], TenantId("other")) == []
    async with database.engine.begin() as connection:
        await connection.execute(text("SET LOCAL ROLE holdless_report"))
        nobody = await connection.execute(text(f"SELECT count(*) FROM {SCHEMA}.queue_quarter"))
        assert nobody.scalar_one() == 0
        await connection.execute(text("SELECT set_config('holdless.tenant', 'main', true)"))
        mine = await connection.execute(text(f"SELECT count(*) FROM {SCHEMA}.queue_quarter"))
        assert mine.scalar_one() > 0
        with pytest.raises(DBAPIError, match="permission denied"):
            await connection.execute(text("SELECT caller_number FROM interaction"))


async def test_a_start_makes_them_anew_when_they_are_not_those_of_this_version(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS 'Holdless of old'"))
        await connection.execute(text(f"DROP VIEW {SCHEMA}.agent_quarter"))
    await migrate(database)
    assert await _rows(database, VIEWS[-1]) == []
    async with database.owner_transaction() as connection:
        said = await connection.execute(text(f"SELECT obj_description('{SCHEMA}'::regnamespace)"))
        assert said.scalar_one() == f"Holdless {version()}"
        about = await connection.execute(
            text("SELECT col_description(CAST(:view AS regclass), 4)"), {"view": f"{SCHEMA}.queue_quarter"}
        )
        assert about.scalar_one() == list(columns(VIEWS[0]))[3].about


async def test_what_somebody_built_on_them_stays_and_the_server_starts(database: Database) -> None:
    async with database.owner_transaction() as connection:
        await connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS 'Holdless of old'"))
        await connection.execute(text("CREATE SCHEMA own"))
        await connection.execute(text(f"CREATE VIEW own.mine AS SELECT sl_c FROM {SCHEMA}.queue_quarter"))
        assert not await renew_views(connection)
    await migrate(database)
    async with database.owner_transaction() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM own.mine"))).scalar_one() == 0
        await connection.execute(text("DROP SCHEMA own CASCADE"))
        assert await renew_views(connection)


def test_the_page_of_the_columns_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page_text()
    for view in VIEWS:
        names = [column.name for column in columns(view)]
        assert len(names) == len(set(names)) == len(TERMS) + len(FORMULAS) + 4


def test_the_first_view_is_of_the_events() -> None:
    assert VIEWS[0].view is FiguresView.EVENT
