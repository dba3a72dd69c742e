"""A real PostgreSQL with the real migrations: one server for the whole run, however many workers.

``connection`` is one tenant's transaction that is rolled back, for queries. ``database`` is a clone of
the migrated template, for what commits; it is swept afterwards.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.embedded import EmbeddedPostgres
from app.db.migrate import migrate
from app.db.provider import make_database
from app.db.session import DEFAULT_TENANT, Database
from tests.app.clones import Clones

_TEMPLATE = "holdless_template"
_SHARED = "holdless_shared"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "db: needs the test run's PostgreSQL")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The run's server: not durable, in a directory of its own, gone when the last worker leaves."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)[:12]
    directory = Path(tempfile.gettempdir()) / f"holdless-test-{run}"
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    with (directory / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(_prepare(server))
    yield server
    server.stop()
    if server.server_pid() is None:
        shutil.rmtree(directory, ignore_errors=True)


async def _prepare(server: EmbeddedPostgres) -> None:
    """Migrate the template once; the shared database of read-only tests is its first clone."""
    await make_database(server, _TEMPLATE)
    database = Database(server.url(_TEMPLATE))
    await migrate(database, DEFAULT_TENANT)
    await database.close()
    await make_database(server, _SHARED, template=_TEMPLATE)


@pytest.fixture
async def shared_database(postgres_server: EmbeddedPostgres) -> AsyncIterator[Database]:
    """The database of the tests that commit nothing."""
    database = Database(postgres_server.url(_SHARED))
    yield database
    await database.close()


@pytest.fixture
async def connection(shared_database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction of the tenant ``main`` that is rolled back at the end."""
    transaction = shared_database.transaction(DEFAULT_TENANT)
    connection = await transaction.__aenter__()
    yield connection
    await connection.rollback()
    await transaction.__aexit__(None, None, None)


@pytest.fixture(scope="session")
def clones(postgres_server: EmbeddedPostgres) -> Clones:
    """The databases of this worker's tests that commit."""
    return Clones(postgres_server, _TEMPLATE)


@pytest.fixture
async def database(clones: Clones) -> AsyncIterator[Database]:
    """A database of the test's own, migrated, with the tenant ``main``."""
    name = await clones.take()
    database = Database(clones.url(name))
    yield database
    await database.close()
    await clones.give_back(name)
