"""What stands behind a number is what makes it: on simulated days, for every term and formula."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.figures.dimensions import FiguresBy
from app.figures.drill import DRILL_ROWS_MAX, Drilled, facts_behind, keyed
from app.figures.facts import TERMS, FiguresView
from app.figures.queries import EVERYTHING, CellKey, narrowed_to, period_cells
from app.figures.schemas import line_of
from app.live.drainer import Drainer
from routing import events as ev
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.figures.test_period_cells import ALL_DAYS, drained
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START
from workforce.formulas import FORMULAS, term
from workforce.measures import Cell, total
from workforce.periods import PeriodStep, period_bounds

pytestmark = pytest.mark.db

BOUNDS_MS = period_bounds("Asia/Taipei", *ALL_DAYS, PeriodStep.HOUR)


async def _cells(
    database: Database, by: FiguresBy, view: FiguresView, only: tuple[str, ...] = ()
) -> dict[CellKey, Cell]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        cells, _ = await period_cells(
            connection, DEFAULT_TENANT, BOUNDS_MS, view=view, by=by, narrowed=narrowed_to(only)
        )
    return cells


async def _behind(
    database: Database,
    figure: str,
    view: FiguresView,
    *,
    number: int | None = None,
    by: FiguresBy = FiguresBy.NOTHING,
    key: str | None = None,
    against: str | None = None,
) -> Drilled:
    bounds_ms = (
        (BOUNDS_MS[0], BOUNDS_MS[-1]) if number is None else (BOUNDS_MS[number], BOUNDS_MS[number + 1])
    )
    async with database.transaction(DEFAULT_TENANT) as connection:
        return await facts_behind(
            connection,
            DEFAULT_TENANT,
            bounds_ms,
            line_of(figure),
            against=None if against is None else line_of(against),
            view=view,
            narrowed=keyed(EVERYTHING, by, key),
            zone="UTC",
            limit=DRILL_ROWS_MAX,
            offset=0,
        )


@pytest.mark.parametrize("view", FiguresView)
async def test_the_rows_behind_each_term_are_as_many_as_it_says(
    database: Database, tmp_path: Path, view: FiguresView
) -> None:
    await drained(29, 900, database, tmp_path)
    whole = total((await _cells(database, FiguresBy.NOTHING, view)).values())
    for name in TERMS:
        drilled = await _behind(database, name, view)
        assert drilled.over_sum == term(whole, name)
        assert sum(row.over for row in drilled.rows) == drilled.over_sum
        if not name.endswith("_ms"):
            assert drilled.row_count == len(drilled.rows) == term(whole, name)


@pytest.mark.parametrize("view", FiguresView)
async def test_the_rows_behind_a_rows_formula_make_its_value(
    database: Database, tmp_path: Path, view: FiguresView
) -> None:
    await drained(31, 700, database, tmp_path)
    cells = await _cells(database, FiguresBy.QUEUE, view)
    busiest = max(cells, key=lambda key: cells[key].offered_count)
    for name, formula in FORMULAS.items():
        if name.startswith("WAIT_"):
            continue
        drilled = await _behind(database, name, view, number=busiest[0], by=FiguresBy.QUEUE, key=busiest[1])
        value = formula(cells[busiest])
        if value is None:
            assert drilled.under_sum <= 0
        else:
            scale = 1 if formula.unit == "share" else 1000
            assert drilled.over_sum / drilled.under_sum / scale == pytest.approx(value, rel=1e-12)


async def test_two_service_levels_differ_by_the_very_calls_that_only_one_counts(
    database: Database, tmp_path: Path
) -> None:
    events = await drained(7, 900, database, tmp_path)
    drilled = await _behind(database, "SL-A", FiguresView.COHORT, against="SL-E")
    abandoned = {
        (e.interaction_id, e.visit)
        for e in events
        if isinstance(e, ev.QueueLeft) and e.exit in ("abandoned", "short_abandon")
    }
    assert abandoned
    assert {(row.interaction_id, row.visit) for row in drilled.rows} == abandoned
    assert (await _behind(database, "SL-A", FiguresView.COHORT, against="SL-A")).row_count == 0


async def test_every_dimension_parts_all_facts_and_can_be_narrowed_to(
    database: Database, tmp_path: Path
) -> None:
    events = await drained(11, 700, database, tmp_path)
    for view in FiguresView:
        whole = total((await _cells(database, FiguresBy.NOTHING, view)).values())
        for by in FiguresBy:
            cells = await _cells(database, by, view)
            assert total(cells.values()) == whole
            if by is FiguresBy.NOTHING:
                continue
            for key in {key for _, key in cells}:
                alone = await _cells(database, FiguresBy.NOTHING, view, (f"{by.value}:{key}",))
                assert total(alone.values()) == total(cell for (_, one), cell in cells.items() if one == key)
    by_agent = await _cells(database, FiguresBy.AGENT, FiguresView.EVENT)
    for agent_id in {e.agent_id for e in events if isinstance(e, ev.TalkEnded)}:
        ended = [e for e in events if isinstance(e, ev.TalkEnded) and e.agent_id == agent_id]
        cell = total(cell for (_, key), cell in by_agent.items() if key == agent_id)
        assert (cell.handled_count, cell.talk_ms) == (len(ended), sum(e.talk_ms for e in ended))


async def test_a_supervisor_opens_a_number_down_to_its_calls(database: Database) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "sue", Role.SUPERVISOR))
    day = f"{datetime.fromtimestamp(START / 1000, UTC):%Y-%m-%d}"
    asked = {"first": day, "last": day, "zone": "UTC", "step": "hour"}
    async with browser(app, token) as client:
        table: dict[str, Any] = (await client.get("/api/v1/figures", params=asked)).json()
        (row,) = table["rows"]
        of_row = {"start": row["start"], "end": row["end"], "key": row["key"]}
        opened = (
            await client.get("/api/v1/figures/calls", params=asked | of_row | {"figure": "SL-C"})
        ).json()
        narrowed = await client.get("/api/v1/figures", params=asked | {"only": "queue:nowhere"})
        refused = [
            (await client.get("/api/v1/figures/calls", params=asked | wrong)).status_code
            for wrong in (
                {"figure": "SL-Z"},
                {"figure": "SL-C", "start": row["start"]},
                {"figure": "SL-C", "start": row["end"], "end": row["start"]},
                {"figure": "SL-C", "only": "colour:red"},
                {},
            )
        ]
    assert (opened["row_count"], opened["over_sum"], opened["under_sum"]) == (1, 1, 1)
    (call,) = opened["rows"]
    assert (call["queue_id"], call["exit_cause"]) == ("sales", "answered")
    assert narrowed.json()["rows"] == []
    assert refused == [422] * 5
    formulas = {one["formula_id"]: one for one in table["formulas"]}
    assert formulas["SL-C"]["less"] == ["short_abandoned_count"]
