"""One's own session over HTTP: rotation, signing out, appearance, a new password, tickets."""

from __future__ import annotations

import httpx2
import pytest
from fastapi import FastAPI

from app.auth.permissions import Role
from app.auth.tokens import new_token
from app.db.session import Database
from tests.app.auth.people import (
    PASSWORD,
    SmallFaces,
    add_account,
    add_person,
    cookie,
    sign_in,
    token_of,
    try_password,
    values_of,
)

pytestmark = pytest.mark.db

SESSION = "/api/v1/session"
NEW = "a kettle sings at dawn"


async def test_a_token_that_an_attacker_planted_is_worth_nothing_after_the_sign_in(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    await add_person(faces)
    mallory = await add_account(faces.database, "mal", Role.AGENT, agent_id="a1001")
    planted = await sign_in(faces, mallory)
    made_up = new_token()
    for before in (planted, made_up):
        answer = await page.post(SESSION, json={"login": "pia", "password": PASSWORD}, headers=cookie(before))
        assert token_of(answer) != before
        assert (await page.get(SESSION, headers=cookie(before))).status_code == 401


async def test_signing_out_ends_the_session_and_takes_the_cookie(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    here, there, elsewhere = [await sign_in(faces, account_id) for _ in range(3)]
    answer = await page.delete(SESSION, headers=cookie(here))
    assert answer.status_code == 204
    assert "max-age=0" in answer.headers["set-cookie"].lower()
    assert (await page.get(SESSION, headers=cookie(here))).status_code == 401
    assert (await page.get(SESSION, headers=cookie(there))).status_code == 200
    await page.delete(f"{SESSION}?everywhere=true", headers=cookie(there))
    assert (await page.get(SESSION, headers=cookie(elsewhere))).status_code == 401
    assert await values_of(faces, "SELECT count(*) FROM web_session") == [0]


async def test_one_can_sign_out_while_the_database_is_away(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    here = await sign_in(faces, await add_person(faces))
    real = faces.sessions._database
    faces.sessions._database = Database("postgresql+asyncpg://127.0.0.1:1/none")
    assert (await page.delete(SESSION, headers=cookie(here))).status_code == 204
    faces.sessions._database = real
    assert (await page.get(SESSION, headers=cookie(here))).status_code == 401, "not found again by its row"
    await faces.sessions.follow()
    assert await values_of(faces, "SELECT count(*) FROM web_session") == [0]


async def test_language_and_appearance_are_kept_with_the_account(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    here, there = [await sign_in(faces, account_id) for _ in range(2)]
    sent = {"language": "zh-Hant", "theme": "dark"}
    answer = await page.patch(SESSION, json=sent, headers=cookie(here))
    assert sent.items() <= answer.json().items()
    answer = await page.patch(SESSION, json={"theme": "light"}, headers=cookie(here))
    assert (answer.json()["language"], answer.json()["theme"]) == ("zh-Hant", "light")
    assert (await page.get(SESSION, headers=cookie(there))).json()["theme"] == "light"
    for wrong in ({"theme": "pink"}, {"language": "<b>"}, {"role": "administrator"}, {"login": "root"}):
        assert (await page.patch(SESSION, json=wrong, headers=cookie(here))).status_code == 422


async def test_a_new_password_asks_for_the_old_one_and_ends_every_other_session(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    here, there = [await sign_in(faces, account_id) for _ in range(2)]
    path = f"{SESSION}/password"

    async def choose(**body: str) -> httpx2.Response:
        return await page.post(path, json=body, headers=cookie(here))

    assert (await choose(old="wrong", new=NEW)).json()["error_id"] == "wrong_password"
    assert (await choose(new=NEW)).json()["error_id"] == "wrong_password"
    assert (await choose(old=PASSWORD, new="short")).json()["error_id"] == "password_short"
    answer = await choose(old=PASSWORD, new=NEW)
    assert answer.status_code == 200
    for token in (here, there):
        assert (await page.get(SESSION, headers=cookie(token))).status_code == 401
    assert (await page.get(SESSION, headers=cookie(token_of(answer)))).status_code == 200
    assert await try_password(page, "pia", PASSWORD) == (401, "wrong_login_or_password")
    assert await try_password(page, "pia", NEW) == (200, "")


async def test_the_old_password_is_not_to_be_guessed_from_an_open_session(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    here = await sign_in(faces, await add_person(faces))
    statuses = [
        (
            await page.post(f"{SESSION}/password", json={"old": f"{n}", "new": NEW}, headers=cookie(here))
        ).status_code
        for n in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


async def test_a_ticket_is_of_the_session_and_opens_one_socket(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    here = await sign_in(faces, account_id)
    answer = await page.post(f"{SESSION}/ticket", headers=cookie(here))
    assert answer.json()["expires_ms"] == faces.clock.at_ms + 30_000
    found = faces.tickets.redeem(answer.json()["ticket"])
    assert found is not None
    assert found.principal.account_id == account_id
    assert faces.tickets.redeem(answer.json()["ticket"]) is None
    late = (await page.post(f"{SESSION}/ticket", headers=cookie(here))).json()["ticket"]
    await page.delete(SESSION, headers=cookie(here))
    assert faces.tickets.redeem(late) is None, "the session is over"
