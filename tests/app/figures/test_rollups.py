"""Rollups equal recomputation, whatever is corrected and asked; what is out of date is not read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text

from app.db.log_days import note_changed_days
from app.db.migrate import migrations_directory
from app.db.session import DEFAULT_TENANT, Database, driver
from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView
from app.figures.queries import CellKey, Narrowed, period_cells
from app.figures.rollup_keeper import RollupKeeper
from app.figures.rollups import due_days, grain_of, roll_up, whole_days
from app.live.drainer import Drainer
from routing import events as ev
from tests.app.figures.test_period_cells import ALL_DAYS, DAY_OF_START, drained
from tests.app.live.test_drainer import ListJournal, row_of_events
from workforce.measures import Cell, total
from workforce.periods import PeriodStep, period_bounds

pytestmark = pytest.mark.db

Found = tuple[dict[CellKey, Cell], frozenset[CellKey]]
_SCRIPT = (migrations_directory() / "versions" / "0011_scale.sql").read_text(encoding="utf-8")
_ZONES = ("UTC", "Asia/Taipei", "Asia/Kolkata", "Europe/Berlin")


async def _roll_up_all(database: Database) -> list[date]:
    days = await due_days(database, DEFAULT_TENANT, limit=100, quiet_s=0)
    return [day for day in days if await roll_up(database, DEFAULT_TENANT, day)]


async def _whole(database: Database) -> list[date]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return await whole_days(connection, DEFAULT_TENANT, *ALL_DAYS)


async def _both(database: Database, asked: dict[str, Any]) -> tuple[Found, Found]:
    async with database.snapshot(DEFAULT_TENANT) as connection:
        rolled = await period_cells(connection, DEFAULT_TENANT, **asked)
        counted = await period_cells(connection, DEFAULT_TENANT, **asked, rollups=False)
    return rolled, counted


def _asked(dice: Random, cells: dict[CellKey, Cell], by: FiguresBy) -> dict[str, Any]:
    """Any question: a zone, a range of days, a step, a view, a split, narrowed or not."""
    zone = dice.choice(_ZONES)
    first = ALL_DAYS[0] + timedelta(days=dice.randrange(4))
    last = first + timedelta(days=dice.randrange(3))
    keys = sorted({key for _, key in cells})
    narrowed = {by: dice.sample(keys, min(len(keys), 1 + dice.randrange(2)))} if dice.random() < 0.4 else {}
    return {
        "bounds_ms": period_bounds(zone, first, last, dice.choice(list(PeriodStep))),
        "view": dice.choice(list(FiguresView)),
        "by": dice.choice(list(FiguresBy)),
        "narrowed": Narrowed(ids=narrowed),
        "zone": zone,
    }


def _corrections(dice: Random, events: list[ev.Event]) -> list[ev.Event]:
    """Late news of some of the calls: the witness's, and an agent who ends the wrap-up late."""
    found: list[ev.Event] = []
    started = [event for event in events if isinstance(event, ev.ContactStarted)]
    for event in dice.sample(started, min(len(started), 6)):
        at_ms = events[-1].at_ms + len(found)
        found.append(
            ev.FactCorrected(
                at_ms=at_ms,
                occurred_ms=at_ms,
                interaction_id=event.interaction_id,
                started_ms=event.occurred_ms - dice.randrange(2_000),
                ended_ms=event.occurred_ms + dice.randrange(1_000, 400_000),
                answered_ms=dice.choice([None, event.occurred_ms + dice.randrange(100, 90_000)]),
                agent_id=None,
                entry_point="8000",
                caller_number="",
                evidence="cel",
            )
        )
    talks = [event for event in events if isinstance(event, ev.WrapUpStarted)]
    for talk in dice.sample(talks, min(len(talks), 3)):
        at_ms = events[-1].at_ms + 60_000 + len(found)
        found.append(
            ev.WrapUpDone(
                at_ms=at_ms,
                occurred_ms=at_ms,
                interaction_id=talk.interaction_id,
                agent_id=talk.agent_id,
                wrap_up_ms=at_ms - talk.occurred_ms,
            )
        )
    return found


@pytest.mark.parametrize("seed", [2, 13, 31])
async def test_rollups_equal_recomputation_whatever_is_corrected_and_asked(
    database: Database, tmp_path: Path, seed: int
) -> None:
    dice = Random(seed)
    events = await drained(seed, 700, database, tmp_path)
    by_queue = {"bounds_ms": period_bounds("UTC", *ALL_DAYS, PeriodStep.RANGE), "by": FiguresBy.QUEUE}
    (cells, _), _ = await _both(database, {**by_queue, "view": FiguresView.EVENT})
    seqs = count(1)

    async def same(times: int) -> None:
        for _ in range(times):
            asked = _asked(dice, cells, FiguresBy.QUEUE)
            rolled, counted = await _both(database, asked)
            assert rolled == counted, asked

    assert await _roll_up_all(database)
    assert DAY_OF_START in await _whole(database)
    await same(25)
    for _ in range(3):
        news = _corrections(dice, events)
        journal = ListJournal([row_of_events(next(seqs), one, epoch=9) for one in news])
        whole_before = await _whole(database)
        await Drainer(journal, database, DEFAULT_TENANT, journal_id=f"late{next(seqs)}").drain_all()
        assert len(await _whole(database)) < len(whole_before), "what was corrected is out of date at once"
        await same(8)
        assert await _roll_up_all(database)
        assert await _whole(database) == whole_before
        await same(8)


async def test_every_split_and_view_that_a_grain_can_tell_is_read_from_it(
    database: Database, tmp_path: Path
) -> None:
    await drained(5, 500, database, tmp_path)
    await _roll_up_all(database)
    bounds_ms = period_bounds("UTC", *ALL_DAYS, PeriodStep.HOUR)
    for view in FiguresView:
        for by in FiguresBy:
            rolled, counted = await _both(database, {"bounds_ms": bounds_ms, "view": view, "by": by})
            assert rolled == counted
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(text("UPDATE rollup_cell SET facts = facts * 2"))
    for view in FiguresView:
        for by in FiguresBy:
            (rolled_cells, _), (counted_cells, _) = await _both(
                database, {"bounds_ms": bounds_ms, "view": view, "by": by}
            )
            is_rolled = grain_of(bounds_ms, view, [by]) is not None
            factor = 2 if is_rolled else 1
            offered = total(counted_cells.values()).offered_count
            assert total(rolled_cells.values()).offered_count == factor * offered
    assert grain_of(bounds_ms, FiguresView.EVENT, [FiguresBy.TEAM]) == "agent"
    assert grain_of(bounds_ms, FiguresView.COHORT, [FiguresBy.AGENT]) is None
    assert grain_of(bounds_ms, FiguresView.EVENT, [FiguresBy.AGENT, FiguresBy.ENTRY_POINT]) is None
    assert grain_of(bounds_ms, FiguresView.EVENT, [FiguresBy.REASON]) is None


async def test_another_threshold_makes_the_cells_out_of_date(database: Database, tmp_path: Path) -> None:
    await drained(7, 400, database, tmp_path)
    await _roll_up_all(database)
    assert await _whole(database)
    async with database.transaction(DEFAULT_TENANT) as connection:
        queue_id = await connection.scalar(text("SELECT max(queue_id) FROM queue_visit"))
        await connection.execute(
            text("INSERT INTO queue (tenant_id, queue_id, threshold_s) VALUES ('main', :queue_id, 1)"),
            {"queue_id": queue_id},
        )
    assert not await _whole(database)
    bounds_ms = period_bounds("UTC", *ALL_DAYS, PeriodStep.RANGE)
    asked = {"bounds_ms": bounds_ms, "view": FiguresView.EVENT, "by": FiguresBy.QUEUE}
    before, counted = await _both(database, asked)
    await _roll_up_all(database)
    assert await _whole(database)
    assert (await _both(database, asked))[0] == counted == before


async def test_a_day_that_is_written_meanwhile_is_not_taken_for_whole(
    database: Database, tmp_path: Path
) -> None:
    await drained(7, 300, database, tmp_path)
    day = (await due_days(database, DEFAULT_TENANT, limit=1, quiet_s=0))[0]
    async with database.transaction(DEFAULT_TENANT) as writing:
        await note_changed_days(await driver(writing), DEFAULT_TENANT, [day])
        async with database.snapshot(DEFAULT_TENANT, writes=True) as rolling:  # began before we committed
            await rolling.execute(text("SELECT 1 FROM queue_visit LIMIT 1"))
            await writing.commit()
            with pytest.raises(Exception, match="could not serialize"):
                await rolling.execute(text("UPDATE rollup_day SET rolled_version = version"))
            await rolling.rollback()
    assert await _whole(database) == []
    assert not await roll_up(database, DEFAULT_TENANT, date(2001, 1, 1)), "a day that nobody knows"


async def test_the_keeper_rolls_up_past_days_that_are_quiet_and_never_today(
    database: Database, tmp_path: Path
) -> None:
    await drained(3, 200, database, tmp_path)
    today = datetime.now(UTC).date()
    async with database.transaction(DEFAULT_TENANT) as connection:
        await note_changed_days(await driver(connection), DEFAULT_TENANT, [today])
        await connection.execute(
            text("UPDATE rollup_day SET changed_at = now() - interval '1 hour' WHERE day < :today"),
            {"today": today},
        )
    assert await RollupKeeper(database, DEFAULT_TENANT).roll_up_due() > 0
    assert DAY_OF_START in await _whole(database)
    assert await due_days(database, DEFAULT_TENANT, limit=9, quiet_s=0) == []
    async with database.transaction(DEFAULT_TENANT) as connection:
        await note_changed_days(await driver(connection), DEFAULT_TENANT, [DAY_OF_START])
    assert await RollupKeeper(database, DEFAULT_TENANT).roll_up_due() == 0, "it was changed just now"


async def test_the_migration_says_of_old_participations_what_the_recorder_says(
    database: Database, tmp_path: Path
) -> None:
    await drained(11, 600, database, tmp_path)
    columns = "talk_ended_at, wrap_up_ended_at, talk_ms, hold_ms, wrap_up_ms"
    read = text(f"SELECT interaction_id, attempt, {columns} FROM offer ORDER BY 1, 2")
    (fill,) = (one for one in _SCRIPT.split(";\n\n") if "UPDATE offer SET" in one)
    async with database.transaction(DEFAULT_TENANT) as connection:
        told = (await connection.execute(read)).all()
        blank = "talk_ended_at = NULL, wrap_up_ended_at = NULL, talk_ms = 0, hold_ms = 0, wrap_up_ms = 0"
        await connection.execute(text(f"UPDATE offer SET {blank}"))
        await connection.execute(text(fill))
        assert (await connection.execute(read)).all() == told
    assert any(row.talk_ms for row in told)
