"""The cells in SQL against a fold of the very events that made the rows, on simulated days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from app.db.session import DEFAULT_TENANT, Database
from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView
from app.figures.queries import CellKey, first_fact_ms, period_cells
from app.live.drainer import Drainer
from app.live.journal import Journal
from app.live.rows import row_of
from routing import events as ev
from tests.routing.consult_day import ConsultDay
from tests.routing.day import START_MS, Day
from workforce.measures import Cell, cells_of, total
from workforce.periods import PeriodStep, period_bounds

pytestmark = pytest.mark.db

QUARTER_MS = 900_000
DAY_OF_START = datetime.fromtimestamp(START_MS / 1000, UTC).date()
ALL_DAYS = (DAY_OF_START - timedelta(days=2), DAY_OF_START + timedelta(days=3))


async def drained(
    seed: int, count: int, database: Database, path: Path, kind: type[Day] = Day
) -> list[ev.Event]:
    """A simulated day, without the witness, drained into the log; its thresholds are the default's."""
    steps = [
        replace(step, events=tuple(e for e in step.events if not isinstance(e, ev.FactCorrected)))
        for step in kind(seed, explain=False).steps(count)
    ]
    journal = await Journal.open(path / "journal.db")
    await journal.append([row_of(step, 1, seq) for seq, step in enumerate(steps, 1)])
    await Drainer(journal, database, DEFAULT_TENANT).drain_all()
    await journal.close()
    return [event for step in steps for event in step.events]


async def _cells(
    database: Database, bounds_ms: tuple[int, ...], view: FiguresView, by: FiguresBy
) -> Mapping[CellKey, Cell]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        cells, _ = await period_cells(connection, DEFAULT_TENANT, bounds_ms, view=view, by=by)
    return cells


@pytest.mark.parametrize("seed", [3, 11, 29])
async def test_the_event_view_is_the_fold_of_the_events(
    database: Database, tmp_path: Path, seed: int
) -> None:
    events = await drained(seed, 900, database, tmp_path, ConsultDay if seed == 3 else Day)
    bounds_ms = period_bounds("UTC", *ALL_DAYS, PeriodStep.QUARTER)
    found = await _cells(database, bounds_ms, FiguresView.EVENT, FiguresBy.QUEUE)
    expected = {
        (bounds_ms.index(start_ms), queue_id or ""): cell
        for (queue_id, start_ms), cell in cells_of(events, interval_ms=QUARTER_MS).items()
    }
    assert found == expected
    assert total(found.values()).answered_count > 5


async def test_both_views_and_all_steps_and_keys_have_the_same_sums(
    database: Database, tmp_path: Path
) -> None:
    await drained(17, 900, database, tmp_path)
    sums = [
        total((await _cells(database, period_bounds("Asia/Taipei", *ALL_DAYS, step), view, by)).values())
        for step in PeriodStep
        for view in FiguresView
        for by in FiguresBy
    ]
    assert sums == [sums[0]] * len(sums)
    assert sums[0].offered_count > 20


async def test_in_the_cohort_view_what_was_offered_is_what_left_or_is_still_there(
    database: Database, tmp_path: Path
) -> None:
    events = await drained(5, 900, database, tmp_path)
    bounds_ms = period_bounds("UTC", *ALL_DAYS, PeriodStep.QUARTER)
    found = await _cells(database, bounds_ms, FiguresView.COHORT, FiguresBy.QUEUE)
    entered = {(e.interaction_id, e.visit): e for e in events if isinstance(e, ev.QueueEntered)}
    left = {(e.interaction_id, e.visit): e for e in events if isinstance(e, ev.QueueLeft)}
    for number, (start_ms, end_ms) in enumerate(pairwise(bounds_ms)):
        for queue_id in {e.queue_id for e in entered.values()}:
            visits = [
                key
                for key, e in entered.items()
                if e.queue_id == queue_id and start_ms <= e.occurred_ms < end_ms
            ]
            cell = found.get((number, queue_id), Cell())
            assert cell.offered_count == len(visits)
            exits = [left[key].exit for key in visits if key in left]
            assert dict(cell.exit_counts) == {one: exits.count(one) for one in set(exits)}


async def test_an_empty_log_has_no_cells_and_no_beginning(database: Database) -> None:
    bounds_ms = period_bounds("Asia/Taipei", date(2026, 11, 1), date(2026, 11, 2), PeriodStep.DAY)
    assert not await _cells(database, bounds_ms, FiguresView.COHORT, FiguresBy.QUEUE)
    async with database.transaction(DEFAULT_TENANT) as connection:
        assert await first_fact_ms(connection, DEFAULT_TENANT) is None
