"""Parts of the server: one that fails is begun again, and names come as soon as the database is there."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter

from app import server as module
from app.centre.demo import seed_demo_centre
from app.centre.document import Centre
from app.centre.rows import current_version
from app.db.session import DEFAULT_TENANT, Database
from app.server import Server


async def test_a_part_that_fails_begins_again_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_RETRY_S", 0.0)
    registry = CollectorRegistry()
    server = object.__new__(Server)
    server._part_failures = Counter("holdless_part_failures", "-", ["part"], registry=registry)
    begun: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise ValueError("a fault of this part alone")
        third.set()
        await asyncio.Event().wait()

    tending = asyncio.create_task(server._tend("matches", work))
    await asyncio.wait_for(third.wait(), 5)
    assert not tending.done()
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)
    assert registry.get_sample_value("holdless_part_failures_total", {"part": "matches"}) == 2


@pytest.mark.db
async def test_names_come_as_soon_as_the_database_is_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CENTRE_EVERY_S", 0.01)
    await seed_demo_centre(database, DEFAULT_TENANT)
    async with database.transaction(DEFAULT_TENANT) as connection:
        version = await current_version(connection, DEFAULT_TENANT)
    taken: asyncio.Queue[Centre] = asyncio.Queue()
    server = object.__new__(Server)
    server._tenant_id, server._version, server._book_is_due = DEFAULT_TENANT, version, True
    server.faces = SimpleNamespace(live=SimpleNamespace(take_centre=taken.put_nowait))
    away = server._database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    await server._load_book()
    assert taken.empty(), "no database, no names"
    watching = asyncio.create_task(server._watch_centre())
    await asyncio.sleep(0.1)
    assert taken.empty()
    server._database = database
    centre = await asyncio.wait_for(taken.get(), 10)
    assert "王雅文" in {agent.display_name for agent in centre.agent}
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert taken.empty(), "they are read once"
    await away.close()
