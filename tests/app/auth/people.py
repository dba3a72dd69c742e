"""The five roles against a real database: accounts, their sessions, and clients that carry them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import httpx2
from fastapi import FastAPI
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from app.auth import links
from app.auth.gate import COOKIE
from app.auth.hashing import Hasher
from app.auth.permissions import Role
from app.auth.sessions import Sessions
from app.auth.sign_in import SignIn
from app.auth.tickets import Tickets
from app.auth.tokens import new_id
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import account, agent, team
from tests.app.http.web import SmallServer, app_of

ORIGIN = "http://127.0.0.1:8080"
OWN_PAGE = {"Origin": ORIGIN, "X-Holdless": "1"}
START_MS = 1_763_790_000_000
IDLE_MS = 3_600_000
LIFE_MS = 43_200_000
PASSWORD = "rain on a tin roof"


def quick_hasher() -> Hasher:
    """Hash with little work; with how much it is done in earnest stands in test_hashing."""
    return Hasher(memory_kib=64, passes=1)


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    at_ms: int = START_MS

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class SmallFaces:
    """The parts behind sign-in."""

    database: Database
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.sessions = Sessions(
            self.database, DEFAULT_TENANT, now_ms=self.clock.now_ms, idle_ms=IDLE_MS, life_ms=LIFE_MS
        )
        self.tenant_id, self.hasher = DEFAULT_TENANT, quick_hasher()
        self.sign_in = SignIn(
            self.database, DEFAULT_TENANT, self.sessions, now_ms=self.clock.now_ms, hasher=self.hasher
        )
        self.tickets = Tickets(self.clock.now_ms, lambda session: self.sessions.live(session) is not None)


def people(database: Database) -> tuple[FastAPI, SmallFaces]:
    """Return the application of a running server in small, with the parts behind sign-in."""
    server = SmallServer()
    server.faces = SmallFaces(database)
    return app_of(server), server.faces


async def add_centre(database: Database) -> None:
    """Make two teams with an agent in each."""
    async with database.transaction(DEFAULT_TENANT) as connection:
        for team_id, agent_id in (("north", "a1001"), ("south", "a1002")):
            await connection.execute(
                upsert(team).values(tenant_id=DEFAULT_TENANT, team_id=team_id).on_conflict_do_nothing()
            )
            await connection.execute(
                upsert(agent)
                .values(tenant_id=DEFAULT_TENANT, agent_id=agent_id, team_id=team_id)
                .on_conflict_do_nothing()
            )


async def add_account(
    database: Database,
    login: str,
    role: Role,
    *,
    agent_id: str | None = None,
    team_ids: tuple[str, ...] = (),
    password_hash: str | None = None,
    centre: bool = True,
) -> UUID:
    """Insert an account, and the centre of its agent unless there is another."""
    if centre:
        await add_centre(database)
    account_id = new_id()
    async with database.transaction(DEFAULT_TENANT) as connection:
        await connection.execute(
            insert(account).values(
                tenant_id=DEFAULT_TENANT,
                account_id=account_id,
                login=login,
                display_name=login.title(),
                role=role,
                agent_id=agent_id,
                team_ids=list(team_ids),
                password_hash=password_hash,
            )
        )
    return account_id


async def sign_in(faces: SmallFaces, account_id: UUID) -> str:
    """Begin a session for an account; return its token."""
    async with faces.database.transaction(DEFAULT_TENANT) as connection:
        found = await connection.execute(select(account).where(account.c.account_id == account_id))
        token, session = await faces.sessions.begin(
            connection, found.mappings().one(), began_by="password", user_agent="a test"
        )
    faces.sessions.admit(token, session)
    return token


async def add_person(faces: SmallFaces, login: str = "pia", role: Role = Role.PLANNER, **more: Any) -> UUID:
    """Insert an account with ``PASSWORD``."""
    hashed = await faces.hasher.hash(PASSWORD)
    return await add_account(faces.database, login, role, password_hash=hashed, **more)


async def add_link(faces: SmallFaces, purpose: links.Purpose, account_id: UUID | None = None) -> str:
    """Make a one-time link; return its token."""
    async with faces.database.transaction(DEFAULT_TENANT) as connection:
        made = await links.make_link(
            connection,
            DEFAULT_TENANT,
            purpose,
            now_ms=faces.clock.at_ms,
            made_by="a test",
            account_id=account_id,
        )
    return made[0]


async def disable(faces: SmallFaces, login: str) -> None:
    """Disable an account behind the server's back."""
    async with faces.database.transaction(DEFAULT_TENANT) as connection:
        where = account.c.login == login
        await connection.execute(update(account).where(where).values(disabled_at=func.now()))


async def values_of(faces: SmallFaces, query: str) -> list[Any]:
    """Return the first column of a query."""
    async with faces.database.transaction(DEFAULT_TENANT) as connection:
        return list((await connection.execute(text(query))).scalars())


def token_of(answer: httpx2.Response) -> str:
    """Return the session's token that an answer sets."""
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE].value


def cookie(token: str) -> dict[str, str]:
    """Return the header that carries a session."""
    return {"Cookie": f"{COOKIE}={token}"}


async def try_password(page: httpx2.AsyncClient, login: str, password: str) -> tuple[int, str]:
    """Try to sign in; return the status and the ``error_id``."""
    answer = await page.post("/api/v1/session", json={"login": login, "password": password})
    return answer.status_code, answer.json().get("error_id", "")


class _NoCookies:
    """Keeps and sends no cookie by itself: tests carry theirs by hand, secure ones over plain http too."""

    rfc2965 = netscape = hide_cookie2 = False

    def set_ok(self, _cookie: Any, _request: Any) -> bool:
        return False

    return_ok = domain_return_ok = path_return_ok = set_ok


@asynccontextmanager
async def browser(
    app: FastAPI, token: str | None = None, *, origin: str = ORIGIN
) -> AsyncIterator[httpx2.AsyncClient]:
    """A page of our own, signed in by *token*."""
    headers = OWN_PAGE | {"Origin": origin}
    if token is not None:
        headers["Cookie"] = f"{COOKIE}={token}"
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=origin, headers=headers) as client:
        client.cookies.jar.set_policy(_NoCookies())
        yield client
