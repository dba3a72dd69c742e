"""Accounts over HTTP: made, changed, disabled; who is changed is out at once; one administrator is left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import FastAPI

from app.auth.permissions import Role
from app.db.session import Database
from tests.app.auth.people import (
    SmallFaces,
    add_account,
    add_centre,
    browser,
    cookie,
    people,
    sign_in,
    values_of,
)

pytestmark = pytest.mark.db

ACCOUNTS = "/api/v1/accounts"


@dataclass
class Office:
    """An administrator at work."""

    app: FastAPI
    faces: SmallFaces
    page: httpx2.AsyncClient
    ada: UUID

    async def add(self, login: str, role: str, **more: Any) -> httpx2.Response:
        return await self.page.post(ACCOUNTS, json={"login": login, "role": role, **more})

    async def change(self, account_id: UUID | str, **what: Any) -> httpx2.Response:
        return await self.page.patch(f"{ACCOUNTS}/{account_id}", json=what)

    async def is_signed_in(self, token: str) -> bool:
        return (await self.page.get("/api/v1/session", headers=cookie(token))).status_code == 200


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    app, faces = people(database)
    await add_centre(database)
    ada = await add_account(database, "ada", Role.ADMINISTRATOR)
    async with browser(app, await sign_in(faces, ada)) as page:
        yield Office(app, faces, page, ada)


def _refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_id"]


async def test_an_account_is_made_without_a_password_and_gets_one_by_a_link(office: Office) -> None:
    made = await office.add("Ann", "agent", display_name=" Ann Lee ", agent_id="a1001", language="zh-Hant")
    assert made.status_code == 201
    account = made.json()
    assert account["login"] == "ann"
    assert account["display_name"] == "Ann Lee"
    assert (account["agent_id"], account["team_ids"], account["has_password"]) == ("a1001", [], False)
    assert (await office.page.get(f"{ACCOUNTS}/{account['account_id']}")).json() == account
    link = await office.page.post(f"{ACCOUNTS}/{account['account_id']}/link")
    path, _, token = link.json()["path"].partition("#link=")
    assert (link.status_code, path) == (201, "/sign-in")
    answer = await office.page.post(
        "/api/v1/session", json={"link": token, "password": "a kettle sings"}, headers={"Cookie": ""}
    )
    assert (answer.json()["login"], answer.json()["language"]) == ("ann", "zh-Hant")
    assert (await office.page.get(f"{ACCOUNTS}/{account['account_id']}")).json()["has_password"]


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"login": "ADA", "role": "planner"}, (409, "login_taken")),
        ({"login": "two words", "role": "planner"}, (422, "login_form")),
        ({"login": "ann", "role": "agent"}, (422, "agent_missing")),
        ({"login": "ann", "role": "agent", "agent_id": "a9999"}, (422, "unknown_agent")),
        ({"login": "ann", "role": "planner", "agent_id": "a1001"}, (422, "agent_not_of_role")),
        ({"login": "ann", "role": "planner", "team_ids": ["north"]}, (422, "teams_not_of_role")),
        ({"login": "ann", "role": "supervisor", "team_ids": ["west"]}, (422, "unknown_team")),
        ({"login": "ann", "role": "integration"}, (422, "invalid_request")),
        ({"login": "ann", "role": "root"}, (422, "invalid_request")),
        ({"login": "ann", "role": "planner", "password_hash": "x"}, (422, "invalid_request")),
        ({"login": "ann", "role": "planner", "display_name": "a\x00b"}, (422, "invalid_request")),
        ({"login": "ann", "role": "planner", "display_name": "x" * 101}, (422, "invalid_request")),
        ({"login": "ann", "role": "agent", "agent_id": "../a"}, (422, "invalid_request")),
        ({}, (422, "invalid_request")),
    ],
)
async def test_what_cannot_be_an_account_is_refused(
    office: Office, body: dict[str, Any], refused: tuple[int, str]
) -> None:
    assert _refused(await office.page.post(ACCOUNTS, json=body)) == refused
    assert await values_of(office.faces, "SELECT login FROM account") == ["ada"]


async def test_one_agent_is_one_person_until_that_person_leaves(office: Office) -> None:
    ann = (await office.add("ann", "agent", agent_id="a1001")).json()
    assert _refused(await office.add("bob", "agent", agent_id="a1001")) == (409, "agent_taken")
    await office.change(ann["account_id"], is_disabled=True)
    assert (await office.add("bob", "agent", agent_id="a1001")).status_code == 201
    back = await office.change(ann["account_id"], is_disabled=False)
    assert _refused(back) == (409, "agent_taken")


async def test_what_accounts_may_be_is_told_with_whose_it_is(office: Office) -> None:
    ann = (await office.add("ann", "agent", agent_id="a1001")).json()
    told = (await office.page.get(f"{ACCOUNTS}/choices")).json()
    assert [(agent["agent_id"], agent["account_id"]) for agent in told["agents"]] == [
        ("a1001", ann["account_id"]),
        ("a1002", None),
    ]
    assert [team["team_id"] for team in told["teams"]] == ["north", "south"]


async def test_a_supervisor_is_told_the_names_of_their_teams_alone(office: Office) -> None:
    made = await office.add("sue", "supervisor", team_ids=["south"])
    token = await sign_in(office.faces, UUID(made.json()["account_id"]))
    answer = await office.page.get(f"{ACCOUNTS}/choices", headers=cookie(token))
    told = answer.json()
    assert [team["team_id"] for team in told["teams"]] == ["south"]
    assert {agent["team_id"] for agent in told["agents"]} == {"south"}


async def test_who_is_disabled_is_out_at_once_and_may_come_back(office: Office) -> None:
    pia = await add_account(office.faces.database, "pia", Role.PLANNER)
    token = await sign_in(office.faces, pia)
    assert await office.is_signed_in(token)
    heard: list[frozenset[UUID]] = []
    office.faces.sessions.watch(heard.append)
    answer = await office.change(pia, is_disabled=True)
    assert answer.json()["is_disabled"]
    assert len(heard) == 1, "open sockets are told"
    assert not await office.is_signed_in(token)
    assert _refused(await office.page.post(f"{ACCOUNTS}/{pia}/link")) == (409, "account_disabled")
    assert not (await office.change(pia, is_disabled=False)).json()["is_disabled"]
    assert not await office.is_signed_in(token), "the old session does not come back"


@pytest.mark.parametrize(
    ("what", "stays"),
    [
        ({"display_name": "Sue S."}, True),
        ({"language": "en"}, True),
        ({"role": "planner"}, False),
        ({"team_ids": ["south"]}, False),
        ({"agent_id": "a1001"}, False),
        ({"role": "supervisor", "team_ids": ["north"]}, True),
    ],
)
async def test_what_alters_rights_ends_the_sessions(
    office: Office, what: dict[str, Any], stays: bool
) -> None:
    sue = await add_account(office.faces.database, "sue", Role.SUPERVISOR, team_ids=("north",))
    token = await sign_in(office.faces, sue)
    assert (await office.change(sue, **what)).status_code == 200
    assert await office.is_signed_in(token) is stays


async def test_a_session_that_stays_is_told_its_new_name(office: Office) -> None:
    sue = await add_account(office.faces.database, "sue", Role.SUPERVISOR)
    token = await sign_in(office.faces, sue)
    await office.change(sue, display_name="Sue S.")
    told = (await office.page.get("/api/v1/session", headers=cookie(token))).json()
    assert told["display_name"] == "Sue S."


async def test_a_role_without_teams_or_agent_loses_them(office: Office) -> None:
    sue = await add_account(
        office.faces.database, "sue", Role.SUPERVISOR, agent_id="a1001", team_ids=("north",)
    )
    told = (await office.change(sue, role="planner")).json()
    assert (told["role"], told["agent_id"], told["team_ids"]) == ("planner", None, [])


async def test_nobody_disables_themselves_and_one_administrator_is_left(office: Office) -> None:
    assert _refused(await office.change(office.ada, is_disabled=True)) == (409, "own_account")
    assert _refused(await office.change(office.ada, role="planner")) == (409, "last_administrator")
    eve = await add_account(office.faces.database, "eve", Role.ADMINISTRATOR)
    assert (await office.change(eve, is_disabled=True)).status_code == 200
    assert _refused(await office.change(office.ada, role="planner")) == (409, "last_administrator")


async def test_two_administrators_who_demote_each_other_at_once_leave_one(office: Office) -> None:
    eve = await add_account(office.faces.database, "eve", Role.ADMINISTRATOR)
    async with browser(office.app, await sign_in(office.faces, eve)) as other:
        answers = await asyncio.gather(
            office.change(eve, role="planner"),
            other.patch(f"{ACCOUNTS}/{office.ada}", json={"role": "planner"}),
        )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    left = await values_of(office.faces, "SELECT count(*) FROM account WHERE role = 'administrator'")
    assert left == [1]


async def test_a_login_is_for_ever_and_what_is_left_out_stays(office: Office) -> None:
    pia = await add_account(office.faces.database, "pia", Role.PLANNER)
    before = (await office.page.get(f"{ACCOUNTS}/{pia}")).json()
    assert _refused(await office.change(pia, login="eve")) == (422, "invalid_request")
    assert (await office.change(pia)).json() == before


async def test_an_unknown_account_is_unknown(office: Office) -> None:
    for method, path in (("GET", ""), ("PATCH", ""), ("POST", "/link")):
        answer = await office.page.request(method, f"{ACCOUNTS}/{uuid4()}{path}", json={})
        assert _refused(answer) == (404, "unknown_account")
    assert (await office.page.get(f"{ACCOUNTS}/x")).status_code == 422


async def test_the_list_is_searched_and_paged(office: Office) -> None:
    for number in range(7):
        await office.add(f"p{number}", "planner", display_name=f"王小明{number} 100%_")
    page, seen = (await office.page.get(ACCOUNTS, params={"limit": 3})).json(), []
    while True:
        seen += [account["login"] for account in page["accounts"]]
        if page["next_cursor"] is None:
            break
        sent = {"limit": 3, "cursor": page["next_cursor"]}
        page = (await office.page.get(ACCOUNTS, params=sent)).json()
    assert seen == ["ada", *(f"p{number}" for number in range(7))]

    async def found(q: str) -> int:
        return len((await office.page.get(ACCOUNTS, params={"q": q})).json()["accounts"])

    assert [await found(q) for q in ("P3", "小明4", "100%_", "%", "zz", "AD", "p_")] == [1, 1, 7, 7, 0, 1, 0]
    for cursor in ("x", "é", "AAAA", "IA", "a" * 399):
        assert _refused(await office.page.get(ACCOUNTS, params={"cursor": cursor})) == (422, "bad_cursor")
    assert (await office.page.get(ACCOUNTS, params={"q": "a\x00"})).status_code == 422
    assert "password_hash" not in str(page)


async def test_a_supervisor_sees_the_accounts_of_their_teams_and_their_own(office: Office) -> None:
    north = (await office.add("ann", "agent", agent_id="a1001")).json()
    south = (await office.add("bob", "agent", agent_id="a1002")).json()
    sue = await add_account(office.faces.database, "sue", Role.SUPERVISOR, team_ids=("north",))
    async with browser(office.app, await sign_in(office.faces, sue)) as page:
        listed = (await page.get(ACCOUNTS)).json()["accounts"]
        assert [account["login"] for account in listed] == ["ann", "sue"]
        assert (await page.get(f"{ACCOUNTS}/{sue}")).status_code == 200
        assert (await page.get(f"{ACCOUNTS}/{south['account_id']}")).status_code == 404
        assert (await page.get(f"{ACCOUNTS}/{office.ada}")).status_code == 404
        for method, path in (("PATCH", ""), ("POST", "/link")):
            refused = await page.request(method, f"{ACCOUNTS}/{north['account_id']}{path}", json={})
            assert _refused(refused) == (403, "not_allowed")


async def test_the_list_is_narrowed_to_a_role_and_to_those_who_may_sign_in(office: Office) -> None:
    eve = (await office.add("eve", "planner")).json()["account_id"]
    await office.add("pia", "planner")
    await office.change(eve, is_disabled=True)

    async def logins(**asked: str) -> list[str]:
        answer = await office.page.get(ACCOUNTS, params=asked)
        return [each["login"] for each in answer.json()["accounts"]]

    assert await logins(role="planner") == ["eve", "pia"]
    assert await logins(role="planner", is_disabled="false") == ["pia"]
    assert await logins(is_disabled="true") == ["eve"]
    assert await logins(role="agent") == []
    assert (await office.page.get(ACCOUNTS, params={"role": "wall"})).status_code == 422


async def test_an_account_is_signed_out_everywhere_and_may_sign_in_again(office: Office) -> None:
    pia = UUID((await office.add("pia", "planner")).json()["account_id"])
    tokens = [await sign_in(office.faces, pia) for _ in range(3)]
    assert (await office.page.delete(f"{ACCOUNTS}/{pia}/sessions")).status_code == 204
    assert [await office.is_signed_in(token) for token in tokens] == [False] * 3
    assert await office.is_signed_in(await sign_in(office.faces, pia))
    assert _refused(await office.page.delete(f"{ACCOUNTS}/{uuid4()}/sessions")) == (404, "unknown_account")
