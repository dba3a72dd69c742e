"""``holdless accounts`` at a real database, beside a server that follows."""

from __future__ import annotations

import asyncio
import time

import pytest
from typer.testing import CliRunner

from app.cli import program
from app.db.session import Database
from app.settings import SettingsError
from tests.app.auth.people import add_centre, browser, people, token_of

pytestmark = pytest.mark.db


class Shell:
    """The command line at the test's database."""

    def __init__(self, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOLDLESS_DATABASE_URL", database.engine.url.render_as_string(False))

    async def run(self, *words: str) -> str:
        """Run ``holdless accounts``; return what it said."""
        result = await asyncio.to_thread(
            CliRunner().invoke, program("accounts"), ["accounts", *words], catch_exceptions=True
        )
        if isinstance(result.exception, SettingsError):
            return f"refused: {result.exception}"
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return str(result.output)


@pytest.fixture
async def shell(database: Database, monkeypatch: pytest.MonkeyPatch) -> Shell:
    await add_centre(database)
    return Shell(database, monkeypatch)


async def test_an_operator_makes_the_first_administrator_and_more(shell: Shell, database: Database) -> None:
    app, _ = people(database)
    assert "link --first" in await shell.run("list")
    url = (await shell.run("link", "--first")).strip()
    assert url.startswith("http://127.0.0.1:8080/sign-in#link=")
    body = {"link": url.partition("#link=")[2], "login": "ada", "password": "a kettle sings"}
    async with browser(app) as page:
        assert (await page.post("/api/v1/session", json=body)).json()["role"] == "administrator"
    assert "there is an administrator" in await shell.run("link", "--first")
    made = await shell.run("add", "Sue", "--role", "supervisor", "--team", "north", "--agent", "a1001")
    assert "#link=" in made
    assert (await shell.run("list")).splitlines() == [
        "ada\tadministrator",
        "sue\tsupervisor\ta1001\tnorth\tno password yet",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "ann", "--role", "agent"), "--agent"),
        (("add", "ann", "--role", "agent", "--agent", "a9"), "no such agent"),
        (("add", "ann", "--role", "planner", "--team", "north"), "only supervisors"),
        (("add", "two words", "--role", "planner"), "not a login"),
        (("add", "ann", "--role", "integration"), "keys"),
        (("link", "nobody"), "no account"),
        (("disable", "nobody"), "no account"),
    ],
)
async def test_a_refusal_says_what_to_do(shell: Shell, words: tuple[str, ...], said: str) -> None:
    assert said in await shell.run(*words)


async def test_who_is_disabled_at_the_command_line_is_out_of_a_running_server(
    shell: Shell, database: Database
) -> None:
    app, faces = people(database)
    await shell.run("add", "ada", "--role", "administrator")
    assert "last administrator" in await shell.run("disable", "ada")
    await shell.run("add", "pia", "--role", "planner")
    url = await shell.run("link", "pia", "--sign-in")
    faces.clock.at_ms = _wall_ms()
    async with browser(app) as page:
        link = url.strip().partition("#link=")[2]
        token = token_of(await page.post("/api/v1/session", json={"link": link}))
        await faces.sessions.follow()
        assert await faces.sessions.of_token(token) is not None
        assert "is disabled" in await shell.run("disable", "pia")
        faces.clock.at_ms += 1
        await faces.sessions.follow()
        assert await faces.sessions.of_token(token) is None
        assert "is disabled" in await shell.run("link", "pia")
        assert "is enabled" in await shell.run("enable", "pia")
        assert "#link=" in await shell.run("link", "pia")


def _wall_ms() -> int:

    return time.time_ns() // 1_000_000
