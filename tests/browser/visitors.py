"""People who open the pages: accounts, the links that sign them in, and their browsers."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable
from typing import Any, Final, Protocol

from playwright.sync_api import BrowserContext

from app.auth.account_rows import NewAccount, account_of_login, insert_account
from app.auth.links import Purpose, make_link
from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database

ADMINISTRATOR: Final = NewAccount(login="root", display_name="Root", role=Role.ADMINISTRATOR)


def agent_account(agent_id: str) -> NewAccount:
    """An agent's own account."""
    return NewAccount(login=agent_id, display_name=agent_id, role=Role.AGENT, agent_id=agent_id)


class Place(Protocol):
    """A server that runs: ``Served``, ``CallCentre``."""

    @property
    def url(self) -> str:
        """Where it answers."""

    def in_database(self, work: Callable[[Database], Any]) -> Any:
        """Run a coroutine function with its database."""


def link_of(place: Place, purpose: Purpose, account: NewAccount | None = None) -> str:
    """Make a link, and the account where there is none; return the link's secret."""

    async def work(database: Database) -> str:
        async with database.transaction(DEFAULT_TENANT) as connection:
            row = None
            if account is not None:
                row = await account_of_login(connection, DEFAULT_TENANT, account.login)
                row = row or await insert_account(connection, DEFAULT_TENANT, account)
            token, _ = await make_link(
                connection,
                DEFAULT_TENANT,
                purpose,
                now_ms=time.time_ns() // 1_000_000,
                made_by="a test",
                account_id=row["account_id"] if row is not None else None,
            )
        return token

    secret: str = place.in_database(work)
    return secret


def session_of(place: Place, account: NewAccount) -> dict[str, str]:
    """Sign somebody in; return the cookie, as a browser takes it."""
    body = json.dumps({"link": link_of(place, "session", account)}).encode()
    headers = {"Content-Type": "application/json", "Origin": place.url, "X-Holdless": "1"}
    asked = urllib.request.Request(f"{place.url}/api/v1/session", body, headers)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        name, _, rest = answer.headers["Set-Cookie"].partition("=")
    return {"name": name, "value": rest.partition(";")[0], "url": place.url.replace("http:", "https:")}


def sign_in(made: BrowserContext, place: Place, account: NewAccount) -> None:
    """Sign somebody in, in this browser."""
    cookie = session_of(place, account)
    made.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": cookie["url"]}])
