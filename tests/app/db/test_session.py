"""The pool: a connection that the server closed is replaced before anybody gets it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.session import DEFAULT_TENANT, Database

pytestmark = pytest.mark.db

_PID = text("SELECT pg_backend_pid()")
_END = text("SELECT pg_terminate_backend(:pid, 5000)")


async def _backend(database: Database) -> int:
    async with database.transaction(DEFAULT_TENANT) as connection:
        return int((await connection.execute(_PID)).scalar_one())


async def test_a_connection_in_use_again_soon_is_the_same_one(database: Database) -> None:
    assert await _backend(database) == await _backend(database)


async def test_a_connection_that_the_server_closed_is_replaced_unseen(database: Database) -> None:
    ended = await _backend(database)
    other = Database(database.engine.url.render_as_string(hide_password=False))
    async with other.owner_transaction() as connection:
        await connection.execute(_END, {"pid": ended})
    await other.close()
    assert await _backend(database) != ended


async def test_a_connection_that_was_idle_for_long_is_asked_first(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.session._TRUSTED_S", 0.0)
    ended = await _backend(database)
    async with database.engine.connect() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.execute("SELECT 1")
    assert await _backend(database) == ended


async def test_what_a_refused_statement_was_given_stands_in_no_error(database: Database) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with database.transaction(DEFAULT_TENANT) as connection:
            await connection.execute(
                text("SELECT 1 FROM nowhere WHERE x = :number"), {"number": "0912345678"}
            )
    assert "0912345678" not in str(refused.value)
