"""The centre on a real PostgreSQL: saved, loaded, versioned, replaced."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.centre.demo import demo_centre, demo_customers, seed_demo_centre
from app.centre.exchange import CentreError, diff, from_plain, to_plain
from app.centre.rows import current_version, load_centre, load_engine_config, save_centre
from app.centre.rules import engine_config
from app.customers.queries import identify
from app.db import tables
from app.db.session import DEFAULT_TENANT, Database

pytestmark = pytest.mark.db


async def test_what_is_saved_is_loaded(connection: AsyncConnection) -> None:
    plain = to_plain(demo_centre())
    plain["calendar"][1]["days"] = [
        {"day": "2026-10-10", "kind": "holiday", "display_name": "國慶日"},
        {
            "day": "2026-11-23",
            "kind": "closure",
            "shift": "12:00-24:00",
            "region": "TW-TPE",
            "display_name": "颱風",
        },
    ]
    centre = from_plain(plain)
    assert await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester") == 1
    assert diff(centre, await load_centre(connection, DEFAULT_TENANT)) == ()


async def test_each_change_is_a_version_with_its_document(connection: AsyncConnection) -> None:
    assert await current_version(connection, DEFAULT_TENANT) == 0
    before = demo_centre()
    await save_centre(connection, DEFAULT_TENANT, before, made_by="tester")
    after = before.model_copy(update={"agent": before.agent[:-1]})
    assert await save_centre(connection, DEFAULT_TENANT, after, made_by="tester", note="one left") == 2
    assert await load_centre(connection, DEFAULT_TENANT) == after
    documents = (
        (await connection.execute(select(tables.config_version.c.centre).order_by("version"))).scalars().all()
    )
    assert [from_plain(document) for document in documents] == [before, after]


async def test_an_agent_who_left_stays_in_the_rows_and_may_come_back(connection: AsyncConnection) -> None:
    centre = demo_centre()
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester")
    await save_centre(connection, DEFAULT_TENANT, centre.model_copy(update={"agent": ()}), made_by="tester")
    left = (
        await connection.execute(text("SELECT count(*) FROM agent WHERE left_at IS NOT NULL"))
    ).scalar_one()
    assert left == len(centre.agent)
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester")
    assert await load_centre(connection, DEFAULT_TENANT) == centre


async def test_another_queue_can_become_the_default(connection: AsyncConnection) -> None:
    centre = demo_centre()
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester")
    queues = tuple(
        queue.model_copy(update={"is_default": queue.queue_id == "billing"}) for queue in centre.queue
    )
    moved = centre.model_copy(update={"queue": queues})
    await save_centre(connection, DEFAULT_TENANT, moved, made_by="tester")
    assert engine_config(await load_centre(connection, DEFAULT_TENANT)).default_queue_id == "billing"


async def test_a_centre_with_problems_writes_nothing(connection: AsyncConnection) -> None:
    broken = demo_centre().model_copy(update={"skill": ()})
    with pytest.raises(CentreError, match="there is no such skill"):
        await save_centre(connection, DEFAULT_TENANT, broken, made_by="tester")
    assert await current_version(connection, DEFAULT_TENANT) == 0


async def test_a_team_that_goes_stays_for_history_and_may_come_back(connection: AsyncConnection) -> None:
    centre = demo_centre()
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester")
    agents = tuple(agent.model_copy(update={"team_id": None}) for agent in centre.agent)
    without = centre.model_copy(update={"team": (), "agent": agents})
    await save_centre(connection, DEFAULT_TENANT, without, made_by="tester")
    assert await load_centre(connection, DEFAULT_TENANT) == without
    kept = await connection.execute(text("SELECT count(*) FROM team WHERE retired_at IS NOT NULL"))
    assert kept.scalar_one() == len(centre.team)
    await save_centre(connection, DEFAULT_TENANT, centre, made_by="tester")
    assert await load_centre(connection, DEFAULT_TENANT) == centre


async def test_the_demo_is_seeded_once_and_its_callers_are_known(database: Database) -> None:
    assert await seed_demo_centre(database, DEFAULT_TENANT) == 1
    assert await seed_demo_centre(database, DEFAULT_TENANT) == 1
    version, config = await load_engine_config(database, DEFAULT_TENANT)
    assert (version, config) == (1, engine_config(demo_centre()))
    outcomes: dict[str, int] = {}
    for customer in demo_customers()[:60]:
        found = await identify(
            database, DEFAULT_TENANT, customer.numbers[0], region="TW", area_code="02", box_s=5
        )
        outcomes[found.outcome] = outcomes.get(found.outcome, 0) + 1
        assert customer.party_id in {candidate.party_id for candidate in found.candidates}
    assert outcomes == {"match": 40, "several": 20}
    async with database.transaction(DEFAULT_TENANT) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM party"))).scalar_one() == 200
