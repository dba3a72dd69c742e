"""Signing in, by password or by a link, and choosing a password: the steps, in their order.

An unknown login takes the steps of a known one: the same look-up, the same hash, the same write, the same
answer. A try counts before it is made. Whatever signs in gets a token that nobody had before, and the
session that the browser came with ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import structlog

from app.auth import account_rows, links, session_rows
from app.auth.account_rows import AccountTaken, NewAccount
from app.auth.hashing import Hasher
from app.auth.limits import AddressLimit, LoginLimit
from app.auth.permissions import Role
from app.auth.rules import folded, password_problem, wait_after
from app.auth.session_rows import AccountRow, Session, milliseconds
from app.auth.sessions import Sessions
from app.db.session import Database, TenantId
from app.http.errors import ApiError

log = structlog.get_logger()

Begun = tuple[str, Session]

_LINK_STATUS: Final = {"link_unknown": 404, "link_used": 409, "link_expired": 409, "not_first": 409}
_NO_LOGIN: Final = " "  # what cannot be a login is counted and looked up as this one, which nobody has


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Who asks, before we know who it is.

    Attributes:
        session: The session that the browser came with.
    """

    address: str
    user_agent: str
    session: Session | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAnswer:
    """What the reader of a link chose; empty where the link asks for nothing."""

    login: str = ""
    display_name: str = ""
    password: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkOffer:
    """What a link would do, told to whoever holds it; it is not used up by asking."""

    purpose: links.Purpose
    expires_ms: int
    login: str
    display_name: str


class SignIn:
    """The one way in for people.

    Args:
        now_ms: The clock, milliseconds since the Unix epoch.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        sessions: Sessions,
        *,
        now_ms: Callable[[], int],
        hasher: Hasher | None = None,
    ) -> None:
        self._database, self._tenant_id, self._sessions = database, tenant_id, sessions
        self._now_ms = now_ms
        self._hasher = hasher or Hasher()
        self._logins, self._addresses = LoginLimit(), AddressLimit()

    async def by_password(self, login: str, password: str, client: Client) -> Begun:
        """Sign in by login and password.

        Raises:
            ApiError: 401 ``wrong_login_or_password``, 429 ``sign_in_locked`` with ``retry_after_s``.
        """
        name = folded(login) or _NO_LOGIN
        self._count(name, client.address)
        async with self._database.transaction(self._tenant_id) as connection:
            row = await account_rows.account_of_login(connection, self._tenant_id, name)
        self._refuse_locked(row)
        is_right = await self._hasher.verify(row["password_hash"] if row is not None else None, password)
        if row is None or not is_right or row["disabled_at"] is not None:
            await self._fail(name, row)
        values: dict[str, Any] = {}
        if self._hasher.is_outdated(row["password_hash"]):
            values["password_hash"] = await self._hasher.hash(password)
        async with self._database.transaction(self._tenant_id) as connection:
            fresh = await account_rows.account_of_id(connection, self._tenant_id, row["account_id"])
            if fresh is None or fresh["disabled_at"] or fresh["password_hash"] != row["password_hash"]:
                self._refuse()  # disabled, or given another password, while we compared
            await account_rows.note_sign_in(
                connection, self._tenant_id, row["account_id"], self._now_ms(), **values
            )
            begun = await self._begin(connection, fresh, client, began_by="password")
        self._logins.succeeded(name)
        self._addresses.succeeded(client.address)
        return await self._admitted(begun, client)

    async def look_at_link(self, token: str, client: Client) -> LinkOffer:
        """Return what a link would do.

        Raises:
            ApiError: 404 or 409, it signs nobody in.
        """
        self._count(None, client.address)
        async with self._database.transaction(self._tenant_id) as connection:
            link, row = await self._link(connection, token)
        self._addresses.succeeded(client.address)
        return LinkOffer(
            purpose=link.purpose,
            expires_ms=link.expires_ms,
            login=row["login"] if row is not None else "",
            display_name=row["display_name"] if row is not None else "",
        )

    async def by_link(self, token: str, chosen: LinkAnswer, client: Client) -> Begun:
        """Sign in by a link, which is used up when it succeeds.

        Raises:
            ApiError: 404 or 409, it signs nobody in; 422, what it asks for is missing or not good enough.
        """
        self._count(None, client.address)
        async with self._database.transaction(self._tenant_id) as connection:
            link, row = await self._link(connection, token)
        hashed = None
        login = folded(chosen.login) if row is None else row["login"]
        if login is None:
            raise ApiError(422, "login_form", "letters, digits and . _ - + @, at most 64")
        if link.purpose != "session":
            names = (login, chosen.display_name) if row is None else (login, row["display_name"])
            hashed = await self._new_hash(chosen.password, *names)
        async with self._database.transaction(self._tenant_id) as connection:
            await account_rows.lock_accounts(connection, self._tenant_id)
            link, row = await self._link(connection, token)
            if not await links.use_link(connection, self._tenant_id, token, self._now_ms()):
                self._refuse_link("link_used")
            ended: set[Any] = set()
            if row is None:
                row = await self._make_first(connection, login, chosen, hashed)
            elif hashed is not None:
                row = await account_rows.update_account(
                    connection, self._tenant_id, row["account_id"], {"password_hash": hashed}
                )
                ended = await session_rows.delete_sessions(connection, self._tenant_id, row["account_id"])
            await account_rows.note_sign_in(connection, self._tenant_id, row["account_id"], self._now_ms())
            begun = await self._begin(connection, row, client, began_by="link")
        self._sessions.forget(ended)
        self._logins.succeeded(row["login"])
        self._addresses.succeeded(client.address)
        log.info("signed in by a link", purpose=link.purpose, account_id=str(row["account_id"]))
        return await self._admitted(begun, client)

    async def choose_password(self, old: str, new: str, session: Session, client: Client) -> Begun:
        """Give the session's account another password; every session of it ends, and a new one begins.

        Args:
            old: The present password; looked at when there is one.

        Raises:
            ApiError: 401 the old one is wrong, 422 the new one is not good enough, 429 as at sign-in.
        """
        login = session.principal.name
        async with self._database.transaction(self._tenant_id) as connection:
            row = await account_rows.account_of_id(connection, self._tenant_id, session.account_id)
        if row is None or row["disabled_at"] is not None:
            self._refuse()
        if row["password_hash"] is not None:
            self._count(login, client.address)
            self._refuse_locked(row)
            if not await self._hasher.verify(row["password_hash"], old):
                await self._fail(login, row, "wrong_password")
            self._logins.succeeded(login)
            self._addresses.succeeded(client.address)
        hashed = await self._new_hash(new, login, row["display_name"])
        async with self._database.transaction(self._tenant_id) as connection:
            fresh = await account_rows.account_of_id(connection, self._tenant_id, session.account_id)
            if fresh is None or fresh["disabled_at"] or fresh["password_hash"] != row["password_hash"]:
                self._refuse()
            row = await account_rows.update_account(
                connection, self._tenant_id, session.account_id, {"password_hash": hashed}
            )
            await account_rows.note_sign_in(connection, self._tenant_id, session.account_id, self._now_ms())
            ended = await session_rows.delete_sessions(connection, self._tenant_id, session.account_id)
            begun = await self._begin(connection, row, client, began_by="password")
        self._sessions.forget(ended)
        return await self._admitted(begun, client)

    # ------------------------------------------------------------ inside

    async def _begin(self, connection: Any, row: AccountRow, client: Client, *, began_by: str) -> Begun:
        begun = await self._sessions.begin(connection, row, began_by=began_by, user_agent=client.user_agent)
        if client.session is not None:
            await session_rows.delete_session(connection, self._tenant_id, client.session.session_id)
        return begun

    async def _admitted(self, begun: Begun, client: Client) -> Begun:
        if client.session is not None:
            self._sessions.forget((client.session.session_id,))
        self._sessions.admit(*begun)
        return begun

    async def _link(self, connection: Any, token: str) -> tuple[links.Link, AccountRow | None]:
        link = await links.find_link(connection, self._tenant_id, token)
        if link is None:
            self._refuse_link("link_unknown")
        if problem := link.problem(self._now_ms()):
            self._refuse_link(problem)
        if link.account_id is None:
            if await account_rows.administrator_count(connection, self._tenant_id):
                self._refuse_link("not_first")
            return link, None
        row = await account_rows.account_of_id(connection, self._tenant_id, link.account_id)
        if row is None or row["disabled_at"] is not None:
            self._refuse_link("link_expired")
        return link, row

    async def _make_first(
        self, connection: Any, login: str, chosen: LinkAnswer, hashed: str | None
    ) -> AccountRow:
        wanted = NewAccount(
            login=login,
            display_name=chosen.display_name,
            role=Role.ADMINISTRATOR,
            password_hash=hashed,
            language=chosen.language,
        )
        try:
            return await account_rows.insert_account(connection, self._tenant_id, wanted)
        except AccountTaken as taken:
            raise ApiError(409, taken.error_id, "choose another login") from taken

    async def _new_hash(self, password: str, *names: str) -> str:
        if problem := password_problem(password, *names):
            raise ApiError(422, problem, "choose another password")
        return await self._hasher.hash(password)

    def _count(self, login: str | None, address: str) -> None:
        """Count a try, or refuse it because there were too many.

        Raises:
            ApiError: 429.
        """
        now_ms = self._now_ms()
        wait_ms = self._addresses.wait_ms(address, now_ms)
        if login is not None:
            wait_ms = max(wait_ms, self._logins.wait_ms(login, now_ms))
        if wait_ms > 0:
            self._refuse_for(wait_ms)
        self._addresses.tried(address, now_ms)
        if login is not None:
            self._logins.tried(login, now_ms)

    def _refuse_locked(self, row: AccountRow | None) -> None:
        """Refuse an account that was locked before this server started."""
        if row is not None and row["locked_until_at"] is not None:
            wait_ms = milliseconds(row["locked_until_at"]) - self._now_ms()
            if wait_ms > 0:
                self._refuse_for(wait_ms)

    async def _fail(
        self, login: str, row: AccountRow | None, error_id: str = "wrong_login_or_password"
    ) -> NoReturn:
        wait_ms = wait_after((row["failed_count"] if row is not None else 0) + 1)
        until_ms = self._now_ms() + wait_ms if wait_ms else None
        async with self._database.transaction(self._tenant_id) as connection:
            await account_rows.note_failure(connection, self._tenant_id, login, until_ms)
        self._refuse(error_id)

    def _refuse(self, error_id: str = "wrong_login_or_password") -> NoReturn:
        raise ApiError(401, error_id, "nobody was signed in", headers={"WWW-Authenticate": "Bearer"})

    def _refuse_link(self, problem: str) -> NoReturn:
        raise ApiError(_LINK_STATUS[problem], problem, "this link signs nobody in; ask for another")

    def _refuse_for(self, wait_ms: int) -> NoReturn:
        retry_after_s = -(-wait_ms // 1000)
        raise ApiError(
            429,
            "sign_in_locked",
            "too many tries",
            params={"retry_after_s": retry_after_s},
            headers={"Retry-After": str(retry_after_s)},
        )
