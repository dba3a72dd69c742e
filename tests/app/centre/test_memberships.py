"""Who was of which team, site and employer when: written as the centre changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.centre.demo import demo_centre
from app.centre.document import Centre, EmployerPart, SitePart
from app.centre.memberships import reach_back
from app.centre.rows import load_centre, save_centre
from app.db.session import DEFAULT_TENANT, Database
from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView
from app.figures.queries import names_of, period_cells
from app.live.drainer import Drainer
from routing.ids import AgentId
from tests.app.live.test_drainer import ListJournal, row_of_events
from tests.app.live.test_recorder import ANSWERED, START
from workforce.measures import total

pytestmark = pytest.mark.db

ANA = "a1001"
_ROWS = """
    SELECT valid_from::text, valid_to::text, team_id, site_id, employer_id FROM agent_membership
    WHERE agent_id = :agent_id ORDER BY valid_from
"""


def _placed(centre: Centre, **place: str | None) -> Centre:
    """Ana in another place."""
    agents = tuple(
        agent.model_copy(update=place) if agent.agent_id == ANA else agent for agent in centre.agent
    )
    return centre.model_copy(update={"agent": agents})


def _centre() -> Centre:
    sites = (SitePart(site_id="taipei", zone="Asia/Taipei"), SitePart(site_id="tainan"))
    employers = (EmployerPart(employer_id="house"), EmployerPart(employer_id="partner"))
    centre = demo_centre().model_copy(update={"site": sites, "employer": employers}).sorted()
    return _placed(centre, team_id="front", site_id="taipei", employer_id="house")


async def _save(connection: AsyncConnection, centre: Centre, at: datetime) -> None:
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="a test", at=at)


async def _rows(connection: AsyncConnection, agent_id: str = ANA) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.execute(text(_ROWS), {"agent_id": agent_id})]


def _noon(month: int, day: int) -> datetime:
    return datetime(2025, month, day, 4, tzinfo=UTC)  # in Taipei


async def test_who_moves_is_elsewhere_from_that_local_day_on(connection: AsyncConnection) -> None:
    centre = _centre()
    await _save(connection, centre, _noon(1, 1))
    assert await load_centre(connection, DEFAULT_TENANT) == centre
    await _save(connection, centre, _noon(2, 1))  # nothing changed
    late = datetime(2025, 3, 1, 17, tzinfo=UTC)  # the second of March in Taipei
    await _save(connection, _placed(centre, team_id="care"), late)
    await _save(connection, _placed(centre, team_id="care", employer_id="partner"), late)
    assert await _rows(connection) == [
        ("2025-01-01", "2025-03-02", "front", "taipei", "house"),
        ("2025-03-02", None, "care", "taipei", "partner"),
    ]


async def test_who_leaves_belongs_until_the_day_ends_and_may_come_back(connection: AsyncConnection) -> None:
    centre = _centre()
    gone = centre.model_copy(update={"agent": tuple(a for a in centre.agent if a.agent_id != ANA)})
    await _save(connection, centre, _noon(1, 1))
    await _save(connection, gone, _noon(5, 1))
    assert await _rows(connection) == [("2025-01-01", "2025-05-02", "front", "taipei", "house")]
    await _save(connection, centre, _noon(5, 1))  # on the same day: he never was away
    assert await _rows(connection) == [("2025-01-01", None, "front", "taipei", "house")]
    await _save(connection, gone, _noon(6, 1))
    await _save(connection, _placed(centre, team_id=None), _noon(7, 1))
    assert await _rows(connection) == [
        ("2025-01-01", "2025-06-02", "front", "taipei", "house"),
        ("2025-07-01", None, None, "taipei", "house"),
    ]


async def test_the_log_before_the_first_day_can_be_given_to_it(connection: AsyncConnection) -> None:
    await _save(connection, _centre(), _noon(5, 1))
    await _save(connection, _placed(_centre(), team_id="care"), _noon(6, 1))
    await reach_back(connection, DEFAULT_TENANT, date(2025, 4, 1))
    assert [row[:3] for row in await _rows(connection)] == [
        ("2025-04-01", "2025-06-01", "front"),
        ("2025-06-01", None, "care"),
    ]


async def test_figures_by_team_tell_as_it_was_and_as_it_is(database: Database) -> None:
    await Drainer(ListJournal([row_of_events(1, *ANSWERED)]), database, DEFAULT_TENANT).drain_all()
    centre = _centre()
    async with database.transaction(DEFAULT_TENANT) as connection:
        await _save(connection, centre, _noon(11, 1))  # the call is of the 22nd
        moved = _placed(centre, team_id="care", site_id="tainan", employer_id="partner")
        await _save(connection, moved, _noon(12, 1))
        found = {}
        for by in (FiguresBy.TEAM, FiguresBy.TEAM_NOW, FiguresBy.SITE, FiguresBy.EMPLOYER):
            cells, _ = await period_cells(
                connection,
                DEFAULT_TENANT,
                (START - 3_600_000, START + 3_600_000),
                view=FiguresView.EVENT,
                by=by,
                zone="Asia/Taipei",
            )
            handled = {key: cell.handled_count for (_, key), cell in cells.items() if cell.handled_count}
            found[by] = handled
            assert total(cells.values()).handled_count == 1
        names = await names_of(connection, DEFAULT_TENANT, FiguresBy.TEAM)
    assert found == {
        FiguresBy.TEAM: {"front": 1},
        FiguresBy.TEAM_NOW: {"care": 1},
        FiguresBy.SITE: {"taipei": 1},
        FiguresBy.EMPLOYER: {"house": 1},
    }
    assert names["front"] == "Front desk"
    assert AgentId(ANA) in {getattr(event, "agent_id", None) for event in ANSWERED}
