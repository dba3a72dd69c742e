"""Links that sign in once: the first administrator's, those for a password, those of the command line."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from app.auth import links
from app.auth.permissions import Role
from app.auth.tokens import new_token
from tests.app.auth.people import (
    SmallFaces,
    add_link,
    add_person,
    cookie,
    disable,
    sign_in,
    token_of,
    try_password,
    values_of,
)

pytestmark = pytest.mark.db

SESSION = "/api/v1/session"
NEW = "a kettle sings at dawn"


async def test_the_first_link_makes_the_first_administrator_and_no_second(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    link = await add_link(faces, "first")
    offer = await page.post(f"{SESSION}/link", json={"link": link})
    assert (offer.json()["purpose"], offer.json()["login"]) == ("first", "")
    chosen = {"link": link, "login": "Ada", "display_name": "Ada L.", "language": "zh-Hant"}
    for missing in ({**chosen}, {**chosen, "password": "short"}, {"link": link, "password": NEW}):
        assert (await page.post(SESSION, json=missing)).status_code == 422
    answer = await page.post(SESSION, json={**chosen, "password": NEW})
    told = answer.json()
    assert (answer.status_code, told["role"], told["login"]) == (200, "administrator", "ada")
    assert (await page.get("/api/v1/accounts", headers=cookie(token_of(answer)))).status_code == 200
    again = await page.post(SESSION, json={**chosen, "login": "eve", "password": NEW})
    assert (again.status_code, again.json()["error_id"]) == (409, "link_used")


async def test_a_first_link_is_worth_nothing_once_there_is_an_administrator(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    link = await add_link(faces, "first")
    await add_person(faces, "ada", Role.ADMINISTRATOR)
    for path, body in ((f"{SESSION}/link", {}), (SESSION, {"login": "eve", "password": NEW})):
        answer = await page.post(path, json={"link": link, **body})
        assert (answer.status_code, answer.json()["error_id"]) == (409, "not_first")


async def test_two_who_use_the_first_link_at_once_make_one_administrator(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    link = await add_link(faces, "first")
    answers = await asyncio.gather(
        *(page.post(SESSION, json={"link": link, "login": f"a{n}", "password": NEW}) for n in range(5))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
    assert await values_of(faces, "SELECT count(*) FROM account") == [1]


async def test_a_link_for_a_password_ends_what_was_open_and_works_once(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    before = await sign_in(faces, account_id)
    link = await add_link(faces, "password", account_id)
    offer = (await page.post(f"{SESSION}/link", json={"link": link})).json()
    assert (offer["purpose"], offer["login"], offer["display_name"]) == ("password", "pia", "Pia")
    for weak in ({}, {"password": "pia"}, {"password": "password1234"}):
        assert (await page.post(SESSION, json={"link": link, **weak})).status_code == 422
    answer = await page.post(SESSION, json={"link": link, "password": NEW})
    assert answer.status_code == 200
    assert (await page.get(SESSION, headers=cookie(before))).status_code == 401
    again = await page.post(SESSION, json={"link": link, "password": "another long password"})
    assert (again.status_code, again.json()["error_id"]) == (409, "link_used")
    assert await try_password(page, "pia", NEW) == (200, "")


async def test_a_link_for_a_locked_account_opens_it(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    for _ in range(5):
        await try_password(page, "pia", "wrong")
    link = await add_link(faces, "password", account_id)
    assert (await page.post(SESSION, json={"link": link, "password": NEW})).status_code == 200
    assert await try_password(page, "pia", NEW) == (200, "")


async def test_a_late_link_a_replaced_one_and_none_are_told_apart(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    replaced, link = [await add_link(faces, "password", account_id) for _ in range(2)]
    faces.clock.at_ms += links.LIFE_MS["password"]
    for token, expected in ((link, (409, "link_expired")), (replaced, (404, "link_unknown"))):
        for path in (SESSION, f"{SESSION}/link"):
            answer = await page.post(
                path, json={"link": token, **({"password": NEW} if path == SESSION else {})}
            )
            assert (answer.status_code, answer.json()["error_id"]) == expected
    for nonsense in ("x", new_token(), "é" * 43, "' OR 1=1 --"):
        answer = await page.post(f"{SESSION}/link", json={"link": nonsense})
        assert (answer.status_code, answer.json()["error_id"]) == (404, "link_unknown")


async def test_a_disabled_account_is_entered_by_no_link(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces)
    link = await add_link(faces, "session", account_id)
    await disable(faces, "pia")
    assert (await page.post(SESSION, json={"link": link})).status_code == 409


async def test_a_link_of_the_command_line_signs_in_as_it_is(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    link = await add_link(faces, "session", await add_person(faces))
    answer = await page.post(SESSION, json={"link": link})
    assert answer.json()["login"] == "pia"
    assert (await page.post(SESSION, json={"link": link})).status_code == 409
    chosen = {"old": "", "new": NEW}
    refused = await page.post(f"{SESSION}/password", json=chosen, headers=cookie(token_of(answer)))
    assert refused.json()["error_id"] == "wrong_password", "a link proves no knowledge of the password"
