"""The gate with sessions: whose cookie it is, and whether a page of our own sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest

from app.auth.permissions import Role
from app.db.session import Database
from tests.app.auth.people import OWN_PAGE, add_account, browser, people, sign_in
from tests.app.http.web import KEY

pytestmark = pytest.mark.db


@pytest.fixture
async def page(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    """A page in which a planner is signed in."""
    app, faces = people(database)
    token = await sign_in(faces, await add_account(database, "pia", Role.PLANNER))
    async with browser(app, token) as client:
        yield client


async def test_a_session_reads_what_its_role_may(page: httpx2.AsyncClient) -> None:
    assert (await page.get("/api/v1/floor")).status_code == 200
    refused = await page.post("/api/v1/agents/a1001/state", json={"presence": "ready"})
    assert (refused.status_code, refused.json()["error_id"]) == (403, "not_allowed")


async def test_an_unknown_cookie_is_nobody(database: Database) -> None:
    app, _ = people(database)
    for token in ("a" * 43, "x", "", "a" * 5_000):
        async with browser(app, token) as client:
            answer = await client.get("/api/v1/floor")
            assert (answer.status_code, answer.json()["error_id"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("headers", "error_id"),
    [
        ({"Origin": "https://evil.example"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"Origin": "http://127.0.0.1:8081"}, "foreign_origin"),
        ({"Origin": "http://192.0.2.7:8080"}, "insecure_origin"),
        ({"Origin": ""}, "foreign_origin"),
        ({"X-Holdless": "0"}, "csrf_header_missing"),
        ({"X-Holdless": ""}, "csrf_header_missing"),
    ],
)
async def test_a_foreign_page_changes_nothing_with_the_cookie(
    page: httpx2.AsyncClient, headers: dict[str, str], error_id: str
) -> None:
    answer = await page.post("/api/v1/agents/a1001/state", json={}, headers=headers)
    assert (answer.status_code, answer.json()["error_id"]) == (403, error_id)


async def test_without_an_origin_nothing_is_changed_but_a_page_may_be_read(page: httpx2.AsyncClient) -> None:
    del page.headers["Origin"]
    assert (await page.get("/api/v1/floor")).status_code == 200
    answer = await page.post("/api/v1/agents/a1001/state", json={})
    assert (answer.status_code, answer.json()["error_id"]) == (403, "foreign_origin")


async def test_a_foreign_page_reads_nothing_with_the_cookie(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/api/v1/floor", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


async def test_a_key_needs_no_page(database: Database) -> None:
    app, _ = people(database)
    async with browser(app) as client:
        for header in OWN_PAGE:
            del client.headers[header]
        answer = await client.get("/api/v1/floor", headers={"Authorization": f"Bearer {KEY}"})
        assert answer.status_code == 200


async def test_a_wrong_key_is_not_made_good_by_a_cookie(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/api/v1/floor", headers={"Authorization": "Bearer wrong"})
    assert answer.status_code == 401
