"""The first run: one link on the terminal, nothing secret in a log, nothing once somebody can sign in."""

from __future__ import annotations

import io

import pytest
from structlog.testing import capture_logs

from app.auth.first_run import FirstRun
from app.auth.origins import Origins
from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from tests.app.auth.people import SmallFaces, add_account, browser, people, values_of

pytestmark = pytest.mark.db


class Terminal(io.StringIO):
    """Standard error, on a terminal or in a file."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal


async def _first_run(faces: SmallFaces, *, is_terminal: bool) -> tuple[str, list[str]]:
    terminal = Terminal(is_terminal=is_terminal)
    origins = Origins.of((), 8080)
    with capture_logs() as logs:
        run = FirstRun(faces.database, DEFAULT_TENANT, origins, faces.clock.now_ms, terminal)
        await run.tell()
    return terminal.getvalue(), [str(entry) for entry in logs]


async def test_the_terminal_is_told_a_link_that_works_and_the_log_is_not(database: Database) -> None:
    app, faces = people(database)
    said, logs = await _first_run(faces, is_terminal=True)
    link = said.partition("http://127.0.0.1:8080/sign-in#link=")[2].split()[0]
    assert logs == []
    body = {"link": link, "login": "ada", "password": "a kettle sings"}
    async with browser(app) as page:
        assert (await page.post("/api/v1/session", json=body)).status_code == 200
    assert await _first_run(faces, is_terminal=True) == ("", [])


async def test_where_standard_error_is_a_file_no_link_is_made(database: Database) -> None:
    _, faces = people(database)
    said, logs = await _first_run(faces, is_terminal=False)
    assert said == ""
    assert "holdless accounts link --first" in logs[0]
    assert await values_of(faces, "SELECT count(*) FROM sign_in_link") == [0]


async def test_a_start_makes_the_link_of_the_last_start_worthless(database: Database) -> None:
    _, faces = people(database)
    for _ in range(2):
        await _first_run(faces, is_terminal=True)
    assert await values_of(faces, "SELECT count(*) FROM sign_in_link") == [1]


async def test_a_disabled_administrator_counts_as_none(database: Database) -> None:
    _, faces = people(database)
    await add_account(database, "ada", Role.ADMINISTRATOR)
    assert await _first_run(faces, is_terminal=True) == ("", [])
    await values_of(faces, "UPDATE account SET disabled_at = now() RETURNING 1")
    assert "#link=" in (await _first_run(faces, is_terminal=True))[0]
