"""Sessions over a real database: known in memory, ended at once, followed when changed elsewhere."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from app.auth.permissions import Role
from app.auth.session_rows import SESSIONS_PER_ACCOUNT_MAX
from app.auth.tokens import new_token
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import account, web_session
from tests.app.auth.people import IDLE_MS, LIFE_MS, SmallFaces, add_account, sign_in

pytestmark = pytest.mark.db


@pytest.fixture
async def faces(database: Database) -> SmallFaces:
    return SmallFaces(database)


async def _sql(database: Database, statement: str) -> list[object]:
    async with database.transaction(DEFAULT_TENANT) as connection:
        found = await connection.execute(text(statement))
        return list(found.scalars()) if found.returns_rows else []


async def _change(database: Database, account_id: UUID, **values: object) -> None:
    async with database.transaction(DEFAULT_TENANT) as connection:
        where = account.c.account_id == account_id
        await connection.execute(update(account).where(where).values(changed_at=func.now(), **values))


async def test_the_token_is_in_no_row(faces: SmallFaces) -> None:
    token = await sign_in(faces, await add_account(faces.database, "ann", Role.PLANNER))
    stored = await _sql(faces.database, "SELECT web_session::text FROM web_session")
    assert token not in str(stored)
    assert hashlib.sha256(token.encode()).hexdigest() in str(stored)


async def test_a_session_that_is_known_needs_no_database(faces: SmallFaces) -> None:
    token = await sign_in(faces, await add_account(faces.database, "ann", Role.PLANNER))
    await faces.database.close()
    faces.sessions._database = Database("postgresql+asyncpg://127.0.0.1:1/none")
    session = await faces.sessions.of_token(token)
    assert session is not None
    assert session.principal.name == "ann"
    with pytest.raises(OSError, match=r"."):  # whoever is not known waits until it is back
        await faces.sessions.of_token(new_token())


async def test_another_process_finds_the_session_by_its_row(faces: SmallFaces) -> None:
    account_id = await add_account(
        faces.database, "sue", Role.SUPERVISOR, agent_id="a1001", team_ids=("north",)
    )
    token = await sign_in(faces, account_id)
    found = await SmallFaces(faces.database, faces.clock).sessions.of_token(token)
    assert found == faces.sessions.live(found.session_id if found else account_id)
    assert found is not None
    assert (found.principal.agent_id, found.principal.team_ids) == ("a1001", frozenset({"north"}))


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "a" * 44, "é" * 43, "' OR 1=1 --", "a" * 1_000_000])
async def test_what_is_no_token_is_nobody(faces: SmallFaces, token: str) -> None:
    assert await faces.sessions.of_token(token) is None


async def test_a_session_ends_when_idle_and_at_its_end_whatever_happens(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "ann", Role.PLANNER)
    idle, busy = await sign_in(faces, account_id), await sign_in(faces, account_id)
    began_ms = faces.clock.at_ms
    while faces.clock.at_ms < began_ms + LIFE_MS:
        assert await faces.sessions.of_token(busy) is not None
        faces.clock.at_ms += IDLE_MS - 1
    assert await faces.sessions.of_token(idle) is None
    assert await faces.sessions.of_token(busy) is None
    fresh = SmallFaces(faces.database, faces.clock)
    assert await fresh.sessions.of_token(busy) is None


async def test_an_idle_row_is_over_for_a_process_that_never_saw_it(faces: SmallFaces) -> None:
    token = await sign_in(faces, await add_account(faces.database, "ann", Role.PLANNER))
    faces.clock.at_ms += IDLE_MS
    assert await SmallFaces(faces.database, faces.clock).sessions.of_token(token) is None


async def test_what_was_seen_is_stored_now_and_then(faces: SmallFaces) -> None:
    token = await sign_in(faces, await add_account(faces.database, "ann", Role.PLANNER))
    for step_ms, kept_ms in ((1_000, 0), (59_000, 60_000), (30_000, 60_000)):
        faces.clock.at_ms += step_ms
        await faces.sessions.of_token(token)
        await faces.sessions.follow()
        async with faces.database.transaction(DEFAULT_TENANT) as connection:
            seen = web_session.c.seen_at - web_session.c.created_at
            stored = (await connection.execute(select(func.extract("epoch", seen)))).scalar_one()
        assert float(stored) * 1000 == kept_ms
    faces.clock.at_ms += IDLE_MS - 40_000
    assert await SmallFaces(faces.database, faces.clock).sessions.of_token(token) is not None


async def test_an_ended_session_is_over_at_once_and_the_watchers_hear_of_it(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "ann", Role.PLANNER)
    first, second, third = [await sign_in(faces, account_id) for _ in range(3)]
    heard: list[frozenset[UUID]] = []
    stop = faces.sessions.watch(heard.append)
    session = await faces.sessions.of_token(first)
    assert session is not None
    await faces.sessions.end(session.session_id)
    assert await faces.sessions.of_token(first) is None
    assert heard == [{session.session_id}]
    kept = await faces.sessions.of_token(second)
    assert kept is not None
    await faces.sessions.end_all(account_id, but=kept.session_id)
    assert await faces.sessions.of_token(second) is not None
    assert await faces.sessions.of_token(third) is None
    stop()
    await faces.sessions.end_all(account_id)
    assert await faces.sessions.of_token(second) is None
    assert kept.session_id not in frozenset().union(*heard)


async def test_a_session_ended_elsewhere_ends_here(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "ann", Role.PLANNER)
    token = await sign_in(faces, account_id)
    await faces.sessions.follow()
    await _change(faces.database, account_id)
    await faces.sessions.follow()
    assert await faces.sessions.of_token(token) is not None, "a change alone ends nothing"
    faces.clock.at_ms += 1
    await _sql(faces.database, "DELETE FROM web_session")
    await _change(faces.database, account_id)
    await faces.sessions.follow()
    assert await faces.sessions.of_token(token) is None


async def test_an_account_disabled_elsewhere_is_out(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "ann", Role.PLANNER)
    token = await sign_in(faces, account_id)
    await faces.sessions.follow()
    faces.clock.at_ms += 1
    await _change(faces.database, account_id, disabled_at=func.now())
    await faces.sessions.follow()
    assert await faces.sessions.of_token(token) is None
    assert await SmallFaces(faces.database, faces.clock).sessions.of_token(token) is None


async def test_what_an_account_became_elsewhere_reaches_its_session(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "sue", Role.SUPERVISOR, team_ids=("north",))
    token = await sign_in(faces, account_id)
    await faces.sessions.follow()
    await _change(faces.database, account_id, team_ids=["south"])
    await faces.sessions.follow()
    session = await faces.sessions.of_token(token)
    assert session is not None
    assert session.principal.team_ids == {"south"}


async def test_one_account_has_a_bounded_number_of_sessions(faces: SmallFaces) -> None:
    account_id = await add_account(faces.database, "ann", Role.PLANNER)
    for _ in range(SESSIONS_PER_ACCOUNT_MAX + 2):
        faces.clock.at_ms += 1
        await sign_in(faces, account_id)
    assert await _sql(faces.database, "SELECT count(*) FROM web_session") == [SESSIONS_PER_ACCOUNT_MAX]


async def test_sessions_that_are_over_are_deleted(faces: SmallFaces) -> None:
    await sign_in(faces, await add_account(faces.database, "ann", Role.PLANNER))
    faces.clock.at_ms += LIFE_MS
    await faces.sessions.follow()
    assert await _sql(faces.database, "SELECT count(*) FROM web_session") == [0]
