"""Agents' cells in SQL against a fold of the very events that made the rows, on simulated days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from app.centre.demo import demo_centre
from app.centre.rows import save_centre
from app.db.session import DEFAULT_TENANT, Database
from app.figures.agent_facts import AgentsBy, agents_narrowed_to
from app.figures.agent_queries import Cuts, agent_cells, behind_agents
from app.figures.dimensions import FiguresBy
from app.figures.drill import DRILL_ROWS_MAX, Line
from app.figures.facts import FiguresView
from app.figures.queries import CellKey, period_cells
from app.figures.rules import FiguresGrade
from app.live.drainer import Drainer
from app.live.record_spans import fold_spans
from routing import events as ev
from routing.events import AgentState
from routing.ids import AgentId, QueueId
from tests.app.centre.test_memberships import ANA, _centre, _noon, _placed
from tests.app.figures.test_period_cells import ALL_DAYS, drained
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.routing.consult_day import ConsultDay
from tests.routing.day import START_MS, Day
from workforce.agent_cells import (
    AGENT_TERMS,
    DEFAULT_WRAP_UP_MS,
    AgentCell,
    agents_total,
    cell_of_span,
    reason_term,
)
from workforce.agent_formulas import AGENT_FORMULAS
from workforce.periods import PeriodStep, period_bounds

pytestmark = pytest.mark.db

NOW_MS = START_MS + 7 * 3_600_000


def _cuts(step: PeriodStep, zone: str = "UTC", days: tuple[date, date] = ALL_DAYS) -> Cuts:
    return Cuts(
        bounds_ms=period_bounds(zone, *days, step),
        midnights_ms=period_bounds(zone, *days, PeriodStep.DAY),
        zone=zone,
        now_ms=NOW_MS,
    )


def _folded(events: Iterable[ev.Event], bounds_ms: Sequence[int]) -> dict[CellKey, AgentCell]:
    """Every event and every span, one by one, into every period."""
    told, parts = list(events), defaultdict(list)
    periods = list(enumerate(pairwise(bounds_ms)))

    def add(agent_id: AgentId, at_ms: int, cell: AgentCell) -> None:
        for number, (since_ms, until_ms) in periods:
            if since_ms <= at_ms < until_ms:
                parts[number, str(agent_id)].append(cell)

    for span in fold_spans(told).values():
        for number, part_ms in periods:
            spent = cell_of_span(
                AgentState(span.state),
                span.reason,
                (span.started_ms, NOW_MS if span.ended_ms is None else span.ended_ms),
                part_ms,
            )
            if spent != AgentCell():
                parts[number, str(span.agent_id)].append(spent)
    for event in told:
        at_ms = event.occurred_ms
        match event:
            case ev.InteractionOffered():
                add(event.agent_id, at_ms, AgentCell(offer_count=1))
            case ev.OfferNotAnswered():
                add(event.agent_id, at_ms, AgentCell(rona_count=1))
            case ev.OfferWithdrawn() if event.reason == "caller_left":
                add(event.agent_id, at_ms, AgentCell(offer_caller_left_count=1))
            case ev.TalkEnded():
                done = AgentCell(handled_count=1, talk_ms=event.talk_ms, hold_ms=event.hold_ms)
                add(event.agent_id, at_ms, done)
            case ev.WrapUpDone():
                capped_ms = min(event.wrap_up_ms, DEFAULT_WRAP_UP_MS)
                wrapped = AgentCell(wrap_up_ms=event.wrap_up_ms, wrap_up_capped_ms=capped_ms)
                add(event.agent_id, at_ms, wrapped)
            case _:
                pass
    return {key: agents_total(cells) for key, cells in parts.items()}


async def _cells(
    database: Database, cuts: Cuts, by: AgentsBy, only: tuple[str, ...] = ()
) -> dict[CellKey, AgentCell]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        cells, _ = await agent_cells(
            connection, DEFAULT_TENANT, cuts, by=by, narrowed=agents_narrowed_to(only)
        )
    return cells


@pytest.mark.parametrize("seed", [3, 12])
async def test_the_cells_are_the_fold_of_the_events(database: Database, tmp_path: Path, seed: int) -> None:
    events = await drained(seed, 900, database, tmp_path, ConsultDay if seed == 12 else Day)
    for step in (PeriodStep.QUARTER, PeriodStep.DAY, PeriodStep.RANGE):
        cuts = _cuts(step)
        assert await _cells(database, cuts, AgentsBy.AGENT) == _folded(events, cuts.bounds_ms)
    whole = agents_total((await _cells(database, _cuts(PeriodStep.RANGE), AgentsBy.NOTHING)).values())
    assert whole.handled_count > 10
    assert whole.wrap_up_capped_ms <= whole.wrap_up_ms
    assert len(whole.reason_ms) > 1


async def test_signed_in_time_is_the_sum_of_states_in_every_step_and_zone(
    database: Database, tmp_path: Path
) -> None:
    events = await drained(8, 700, database, tmp_path)
    spans = fold_spans(events).values()
    signed_in_ms = sum((NOW_MS if s.ended_ms is None else s.ended_ms) - s.started_ms for s in spans)
    for zone in ("UTC", "Asia/Taipei", "America/St_Johns"):
        for step in PeriodStep:
            for by in AgentsBy:
                cells = await _cells(database, _cuts(step, zone), by)
                assert agents_total(cells.values()).signed_in_ms == signed_in_ms, (zone, step, by)


async def test_every_dimension_parts_all_of_it_and_can_be_narrowed_to(
    database: Database, tmp_path: Path
) -> None:
    await drained(8, 700, database, tmp_path)
    cuts = _cuts(PeriodStep.RANGE)
    whole = await _cells(database, cuts, AgentsBy.NOTHING)
    for by in AgentsBy:
        cells = await _cells(database, cuts, by)
        assert agents_total(cells.values()) == agents_total(whole.values())
        for _, key in cells if by is not AgentsBy.NOTHING else ():
            alone = await _cells(database, cuts, AgentsBy.NOTHING, (f"{by.value}:{key}",))
            assert list(alone.values()) == [cells[0, key]]


async def test_handle_times_are_those_of_the_other_table(database: Database, tmp_path: Path) -> None:
    await drained(29, 700, database, tmp_path)
    cuts = _cuts(PeriodStep.HOUR)
    ours = await _cells(database, cuts, AgentsBy.AGENT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        theirs, _ = await period_cells(
            connection, DEFAULT_TENANT, cuts.bounds_ms, view=FiguresView.EVENT, by=FiguresBy.AGENT
        )
    names = ("handled_count", "talk_ms", "hold_ms", "wrap_up_ms", "offer_count", "rona_count")
    assert {
        key: values
        for key, cell in ours.items()
        if any(values := tuple(getattr(cell, name) for name in names))
    } == {
        key: values
        for key, cell in theirs.items()
        if key[1] and any(values := tuple(getattr(cell, name) for name in names))
    }


async def test_what_stands_behind_each_term_and_formula_is_what_makes_it(
    database: Database, tmp_path: Path
) -> None:
    await drained(12, 700, database, tmp_path)
    cuts = _cuts(PeriodStep.RANGE, "Asia/Taipei")
    (whole,) = (await _cells(database, cuts, AgentsBy.NOTHING)).values()

    async def behind(line: Line) -> tuple[int, int, int]:
        async with database.transaction(DEFAULT_TENANT) as connection:
            found = await behind_agents(
                connection,
                DEFAULT_TENANT,
                cuts,
                line,
                narrowed=agents_narrowed_to(()),
                limit=DRILL_ROWS_MAX,
                offset=0,
            )
        if found.row_count <= DRILL_ROWS_MAX:
            assert sum(row.over for row in found.rows) == found.over_sum
            assert len(found.rows) == found.row_count
        return found.row_count, found.over_sum, found.under_sum

    for name in (*AGENT_TERMS, *map(reason_term, whole.reason_ms)):
        row_count, over_sum, _ = await behind(Line(over=(name,)))
        assert over_sum == whole.term(name), name
        if name.endswith("_count"):
            assert row_count == over_sum
    for formula in AGENT_FORMULAS.values():
        _, over_sum, under_sum = await behind(Line(over=formula.over, under=formula.under, less=formula.less))
        assert over_sum == sum(map(whole.term, formula.over))
        assert under_sum == sum(map(whole.term, formula.under)) - sum(map(whole.term, formula.less))


def _spent(agent_id: str, at_ms: int, since_ms: int, state: AgentState, before: AgentState) -> ev.Event:
    return ev.AgentStateChanged(
        at_ms=at_ms,
        occurred_ms=at_ms,
        agent_id=AgentId(agent_id),
        state=state,
        reason="",
        interaction_id=None,
        previous=before,
        previous_reason="",
        since_ms=since_ms,
        queue_id=QueueId("sales") if state is AgentState.WRAP_UP else None,
    )


async def test_a_night_shift_is_cut_at_midnight_into_the_team_of_each_day(database: Database) -> None:
    """Ready from ten at night to six; on that midnight the agent moves to the other team."""
    midnight_ms = period_bounds("Asia/Taipei", date(2025, 3, 2), date(2025, 3, 2), PeriodStep.DAY)[0]
    begin_ms, end_ms = midnight_ms - 2 * 3_600_000, midnight_ms + 6 * 3_600_000
    told = (
        _spent(ANA, begin_ms, 0, AgentState.READY, AgentState.SIGNED_OUT),
        _spent(ANA, end_ms, begin_ms, AgentState.SIGNED_OUT, AgentState.READY),
    )
    await Drainer(ListJournal([row_of_events(1, *told)]), database, DEFAULT_TENANT).drain_all()
    async with database.transaction(DEFAULT_TENANT) as connection:
        await save_centre(connection, DEFAULT_TENANT, _centre(), made_by="a test", at=_noon(1, 1))
        moved = _placed(_centre(), team_id="care", site_id="tainan", employer_id="partner")
        await save_centre(connection, DEFAULT_TENANT, moved, made_by="a test", at=_noon(3, 2))
    month = (date(2025, 2, 20), date(2025, 3, 10))
    hours = {}
    for by in AgentsBy:
        cells = await _cells(database, _cuts(PeriodStep.RANGE, "Asia/Taipei", month), by)
        hours[by.value] = {key: cell.signed_in_ms / 3_600_000 for (_, key), cell in cells.items()}
    assert hours == {
        "nothing": {"": 8},
        "agent": {ANA: 8},
        "team": {"front": 2, "care": 6},
        "team_now": {"care": 8},
        "site": {"taipei": 2, "tainan": 6},
        "employer": {"house": 2, "partner": 6},
        "not_ready_reason": {"": 8},
    }


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
async def test_a_day_has_the_hours_that_it_has(database: Database, day: date, hours: int) -> None:
    begin_ms, end_ms = period_bounds("Europe/Berlin", day, day, PeriodStep.DAY)
    told = (
        _spent(ANA, begin_ms - 5, 0, AgentState.READY, AgentState.SIGNED_OUT),
        _spent(ANA, end_ms + 5, begin_ms - 5, AgentState.SIGNED_OUT, AgentState.READY),
    )
    await Drainer(ListJournal([row_of_events(1, *told)]), database, DEFAULT_TENANT).drain_all()
    for step in (PeriodStep.DAY, PeriodStep.HOUR, PeriodStep.QUARTER):
        cells = await _cells(database, _cuts(step, "Europe/Berlin", (day, day)), AgentsBy.AGENT)
        assert sum(cell.signed_in_ms for cell in cells.values()) == hours * 3_600_000
        assert len(cells) == {PeriodStep.DAY: 1, PeriodStep.HOUR: hours}.get(step, hours * 4)


async def test_wrap_up_is_capped_by_the_agents_length_else_the_queues(database: Database) -> None:
    """Two wrap-ups of 100 s across a quarter's edge; the queue allows 30 s, the other agent has 70 s."""
    centre = demo_centre()
    agents = tuple(
        agent.model_copy(update={"wrap_up_s": 70.0}) if agent.agent_id == "a1002" else agent
        for agent in centre.agent
    )
    queues = tuple(queue.model_copy(update={"wrap_up_s": 30.0}) for queue in centre.queue)
    edge_ms = START_MS - START_MS % 900_000 + 900_000
    told = []
    for agent_id in ("a1001", "a1002"):
        began_ms = edge_ms - 50_000
        told += [
            _spent(agent_id, began_ms, 0, AgentState.WRAP_UP, AgentState.SIGNED_OUT),
            _spent(agent_id, began_ms + 100_000, began_ms, AgentState.SIGNED_OUT, AgentState.WRAP_UP),
        ]
    await Drainer(ListJournal([row_of_events(1, *told)]), database, DEFAULT_TENANT).drain_all()
    async with database.transaction(DEFAULT_TENANT) as connection:
        changed = centre.model_copy(update={"agent": agents, "queue": queues})
        await save_centre(connection, DEFAULT_TENANT, changed, made_by="a test")
    cells = await _cells(database, _cuts(PeriodStep.QUARTER), AgentsBy.AGENT)
    capped = {(agent_id, number): cell.wrap_up_capped_state_ms for (number, agent_id), cell in cells.items()}
    first = min(number for _, number in capped)
    assert capped == {
        ("a1001", first): 30_000,
        ("a1001", first + 1): 0,
        ("a1002", first): 50_000,
        ("a1002", first + 1): 20_000,
    }


async def test_an_estimated_span_grades_its_period(database: Database, tmp_path: Path) -> None:
    await drained(3, 200, database, tmp_path)
    async with database.owner_transaction() as connection:
        await connection.execute(
            text("UPDATE agent_span SET grade = 'estimated' WHERE agent_id = 'a1001' AND state = 'ready'")
        )
    async with database.transaction(DEFAULT_TENANT) as connection:
        _, grades = await agent_cells(connection, DEFAULT_TENANT, _cuts(PeriodStep.RANGE), by=AgentsBy.AGENT)
    assert grades == {(0, "a1001"): FiguresGrade.ESTIMATED}
