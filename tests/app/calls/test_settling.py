"""Who gave up is taken off the list by hand with a reason, and put back, by those who may."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from app.auth.permissions import Role
from app.calls.log_reader import LogReader
from app.calls.rules import CallFilter
from app.db import tables as t
from app.db.session import DEFAULT_TENANT, Database
from routing.ids import InteractionId
from tests.app.auth.people import add_account, browser, people, sign_in
from tests.app.command_line import holdless, said_by

pytestmark = pytest.mark.db

AT_S = 1_763_790_000
NUMBER = "+886911000001"


async def _call(database: Database, number: int, outcome: str) -> str:
    at = datetime.fromtimestamp(AT_S + number * 60, UTC)
    call_id = f"pbx1-{AT_S + number * 60}.{number}"
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(t.interaction).values(
                tenant_id=DEFAULT_TENANT,
                day=at.date(),
                interaction_id=call_id,
                started_at=at,
                answered_at=at if outcome == "answered" else None,
                caller_number=NUMBER if outcome != "answered" else "+886911000009",
                outcome=outcome,
            )
        )
    return call_id


async def _listed(database: Database) -> list[str]:
    page = await LogReader(database, DEFAULT_TENANT).page(CallFilter(unreached=True), limit=10, cursor=None)
    return [row["interaction_id"] for row in page.calls]


async def test_it_leaves_the_list_with_a_reason_and_comes_back_and_all_is_kept(
    database: Database,
) -> None:
    gave_up = await _call(database, 1, "abandoned")
    answered = await _call(database, 2, "answered")
    app, faces = people(database)
    admin = await sign_in(faces, await add_account(database, "ada", Role.ADMINISTRATOR))
    planner = await sign_in(faces, await add_account(database, "pat", Role.PLANNER))
    body = {"reason": " wrote an e-mail "}
    path = f"/api/v1/calls/{gave_up}/settling"
    assert await _listed(database) == [gave_up]
    async with browser(app, planner) as client:
        assert (await client.put(path, json=body)).status_code == 403
    async with browser(app, admin) as client:
        assert (await client.put(path, json={"reason": "  "})).status_code == 422
        assert (await client.delete(path)).json()["error_id"] == "not_settled"
        refused = await client.put(f"/api/v1/calls/{answered}/settling", json=body)
        assert (refused.status_code, refused.json()["error_id"]) == (409, "call_not_given_up")
        unknown = await client.put("/api/v1/calls/pbx1-1763790000.77/settling", json=body)
        assert unknown.status_code == 404
        assert [(await client.put(path, json=body)).status_code for _ in range(2)] == [204, 204]
        assert await _listed(database) == []
        assert (await client.delete(path)).status_code == 204
        assert await _listed(database) == [gave_up]
        assert (await client.put(path, json={"reason": "again"})).status_code == 204
    story = await LogReader(database, DEFAULT_TENANT).one(InteractionId(gave_up))
    assert story is not None
    told = [(each["reason"], each["settled_by"], each["undone_by"]) for each in story["settlings"]]
    assert told == [("again", "ada", ""), ("wrote an e-mail", "ada", "ada")]
    assert [each["undone_at"] is None for each in story["settlings"]] == [True, False]
    later = await _call(database, 3, "abandoned")
    assert await _listed(database) == [later]


async def test_the_command_line_does_the_same(database: Database, tmp_path: Path) -> None:
    gave_up = await _call(database, 1, "abandoned")
    answered = await _call(database, 2, "answered")
    code, _, wrong = await holdless(database, tmp_path, "calls", "settle", gave_up)
    assert (code, "say why" in wrong) == (2, True)
    said = await said_by(database, tmp_path, "calls", "settle", gave_up, "--reason", "wrote an e-mail")
    assert said == "off the list\n"
    assert await _listed(database) == []
    assert "already" in await said_by(database, tmp_path, "calls", "settle", gave_up, "--reason", "again")
    assert await said_by(database, tmp_path, "calls", "settle", gave_up, "--undo") == "on the list again\n"
    assert await _listed(database) == [gave_up]
    code, _, wrong = await holdless(database, tmp_path, "calls", "settle", answered, "--reason", "x")
    assert (code, "no caller gave up" in wrong) == (1, True)
