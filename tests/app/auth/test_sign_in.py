"""Signing in by password over HTTP, against a real database: same words for all, waits, hostile bodies."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from app.auth.hashing import Hasher
from app.auth.permissions import Role
from tests.app.auth.people import (
    PASSWORD,
    SmallFaces,
    add_account,
    add_person,
    browser,
    cookie,
    disable,
    people,
    token_of,
    try_password,
    values_of,
)

pytestmark = pytest.mark.db

SESSION = "/api/v1/session"
NEW = "a kettle sings at dawn"


async def test_login_and_password_sign_in_and_the_cookie_is_kept_close(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    account_id = await add_person(faces, "sue", Role.SUPERVISOR, team_ids=("north",), agent_id="a1001")
    answer = await page.post(SESSION, json={"login": " SUE ", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.json() == {
        "account_id": str(account_id),
        "login": "sue",
        "display_name": "Sue",
        "role": "supervisor",
        "agent_id": "a1001",
        "team_ids": ["north"],
        "language": None,
        "theme": "system",
        "has_password": True,
        "ends_ms": faces.clock.at_ms + faces.sessions.life_ms,
    }
    kept = answer.headers["set-cookie"]
    assert kept.startswith("__Host-holdless=")
    parts = {part.strip().lower() for part in kept.split(";")[1:]}
    assert parts == {"httponly", "secure", "path=/", "samesite=strict", "max-age=43200"}
    again = await page.get(SESSION, headers=cookie(token_of(answer)))
    assert again.json() == answer.json()
    assert answer.headers["cache-control"] == "no-store"


async def test_wrong_login_and_wrong_password_are_told_in_the_same_words(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    await add_person(house[1])
    await add_person(house[1], "ann")
    await disable(house[1], "ann")
    answers = []
    for login, password in (("pia", "wrong"), ("nobody", PASSWORD), ("ann", PASSWORD), ("<x>", PASSWORD)):
        answer = await page.post(SESSION, json={"login": login, "password": password})
        assert "set-cookie" not in answer.headers
        answers.append((answer.status_code, answer.json()))
    assert answers[0][0] == 401
    assert answers[0][1]["error_id"] == "wrong_login_or_password"
    assert all(each == answers[0] for each in answers)


async def test_an_account_without_a_password_is_entered_by_no_password(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    await add_account(house[1].database, "new", Role.PLANNER)
    for password in ("x", "nobody has this password", "None"):
        assert await try_password(page, "new", password) == (401, "wrong_login_or_password")


async def test_an_unknown_login_takes_the_same_steps(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add_person(house[1])
    steps: list[str] = []
    hasher = house[1].hasher
    real = hasher.verify

    async def verify(kept: str | None, password: str) -> bool:
        steps.append("verify")
        return await real(kept, password)

    monkeypatch.setattr(hasher, "verify", verify)
    database = house[1].database
    transaction = database.transaction

    def counted(tenant_id: Any) -> Any:
        steps.append("transaction")
        return transaction(tenant_id)

    monkeypatch.setattr(database, "transaction", counted)
    taken = []
    for login in ("pia", "nobody"):
        steps.clear()
        assert await try_password(page, login, "wrong") == (401, "wrong_login_or_password")
        taken.append(list(steps))
    assert taken[0] == taken[1] == ["transaction", "verify", "transaction"]


@pytest.mark.parametrize("login", ["pia", "nobody"])
async def test_after_five_wrong_passwords_a_login_waits_whether_there_is_one_or_not(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient, login: str
) -> None:
    _, faces = house
    await add_person(faces)
    for _ in range(5):
        assert await try_password(page, login, "wrong") == (401, "wrong_login_or_password")
    answer = await page.post(SESSION, json={"login": login.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.json()["error_id"]) == (429, "sign_in_locked")
    assert answer.json()["params"] == {"retry_after_s": 30}
    assert answer.headers["retry-after"] == "30"
    faces.clock.at_ms += 30_000
    expected = (200, "") if login == "pia" else (401, "wrong_login_or_password")
    assert await try_password(page, login, PASSWORD) == expected


async def test_many_guesses_at_once_are_no_more_than_five(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    await add_person(house[1])
    answers = await asyncio.gather(*(try_password(page, "pia", f"guess {n}") for n in range(30)))
    assert [status for status, _ in answers].count(401) == 5
    assert [status for status, _ in answers].count(429) == 25


async def test_the_lock_outlives_a_restart(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    await add_person(faces)
    for _ in range(5):
        await try_password(page, "pia", "wrong")
    app, fresh = people(faces.database)
    fresh.clock.at_ms = faces.clock.at_ms + 1_000
    async with browser(app) as other:
        assert await try_password(other, "pia", PASSWORD) == (429, "sign_in_locked")
        fresh.clock.at_ms += 29_000
        assert await try_password(other, "pia", PASSWORD) == (200, "")


async def test_one_address_does_not_try_the_logins_of_a_whole_town(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    await add_person(house[1])
    answers = [await try_password(page, f"person{n}", "wrong") for n in range(45)]
    assert [status for status, _ in answers].count(429) == 5
    assert (await try_password(page, "pia", PASSWORD))[0] == 429


async def test_a_password_hashed_with_less_work_is_hashed_anew(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    _, faces = house
    weak = await Hasher(memory_kib=32, passes=1).hash(PASSWORD)
    await add_account(faces.database, "old", Role.PLANNER, password_hash=weak)
    assert await try_password(page, "old", PASSWORD) == (200, "")
    assert "m=64" in str(await values_of(faces, "SELECT password_hash FROM account"))
    assert await try_password(page, "old", PASSWORD) == (200, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"login": "pia"}',
        b'{"login": null, "password": null, "link": null}',
        b'{"login": ["pia"], "password": "x"}',
        b'{"login": "pia", "password": {"$ne": null}}',
        b'{"login": "pia", "password": "x", "role": "administrator"}',
        b'{"login": "' + b"a" * 300 + b'", "password": "x"}',
        b'{"login": "pia", "password": "' + b"a" * 2_000 + b'"}',
        b'{"link": ""}',
        b"\xff\xfe",
        b"[" * 10_000,
    ],
)
async def test_a_hostile_body_is_refused_and_counts_as_nothing(page: httpx2.AsyncClient, body: bytes) -> None:
    answer = await page.post(SESSION, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert b"aaaaaaaa" not in answer.content, "what was sent is not repeated"


@pytest.mark.parametrize("path", [SESSION, f"{SESSION}/link"])
async def test_a_foreign_page_signs_nobody_in(page: httpx2.AsyncClient, path: str) -> None:
    body = {"login": "pia", "password": PASSWORD, "link": "x"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"X-Holdless": "2"}):
        assert (await page.post(path, json=body, headers=headers)).status_code == 403
    del page.headers["Origin"]
    assert (await page.post(path, json=body)).status_code == 403


async def test_a_nul_or_a_lone_surrogate_in_a_password_is_only_wrong(
    house: tuple[FastAPI, SmallFaces], page: httpx2.AsyncClient
) -> None:
    await add_person(house[1])
    for password in (b"\\u0000", b"\\ud800"):
        sent = b'{"login": "pia", "password": "' + password + b'"}'
        answer = await page.post(SESSION, content=sent, headers={"Content-Type": "application/json"})
        assert answer.status_code in (401, 422)
