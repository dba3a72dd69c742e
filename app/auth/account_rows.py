"""Accounts as rows: find, list, make, change, note how a sign-in went.

Every function works inside the caller's transaction of one tenant. ``changed_at`` is stamped by the
database's clock, and sessions in other processes follow it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.permissions import Role
from app.auth.rules import Standing
from app.auth.session_rows import AccountRow, moment
from app.auth.tokens import new_id
from app.db.session import TenantId
from app.db.tables import account, agent, team

PAGE_ACCOUNTS_MAX = 200
CHOICES_MAX = 5_000


class AccountTaken(Exception):
    """Another account has this login or this agent; ``error_id`` says which."""

    def __init__(self, error_id: str) -> None:
        super().__init__(error_id)
        self.error_id = error_id


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account to be made; ``login`` is folded already."""

    login: str
    display_name: str
    role: Role
    agent_id: str | None = None
    team_ids: frozenset[str] = frozenset()
    password_hash: str | None = None
    language: str = ""

    @property
    def standing(self) -> Standing:
        """What decides whether it may be."""
        return Standing(role=self.role, agent_id=self.agent_id, team_ids=self.team_ids)


def standing_of(row: AccountRow) -> Standing:
    """Return as much of an account as decides what it may become."""
    return Standing(
        role=Role(row["role"]),
        is_disabled=row["disabled_at"] is not None,
        agent_id=row["agent_id"],
        team_ids=frozenset(row["team_ids"]),
    )


def disabled(before: Standing, is_disabled: bool) -> Standing:
    """Return the standing with the account disabled, or enabled."""
    return replace(before, is_disabled=is_disabled)


def disabling(is_disabled: bool) -> dict[str, Any]:
    """Return the columns that disable an account, or enable it and forget wrong passwords."""
    return {
        "disabled_at": func.clock_timestamp() if is_disabled else None,
        "failed_count": 0,
        "locked_until_at": None,
    }


async def lock_accounts(connection: AsyncConnection, tenant_id: TenantId) -> None:
    """Let nobody else change accounts until this transaction ends, so that one administrator is left."""
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"accounts:{tenant_id}"}
    )


async def account_of_login(connection: AsyncConnection, tenant_id: TenantId, login: str) -> AccountRow | None:
    """Return the account of a folded login."""
    return await _one(connection, tenant_id, account.c.login == login)


async def account_of_id(
    connection: AsyncConnection, tenant_id: TenantId, account_id: UUID
) -> AccountRow | None:
    """Return an account."""
    return await _one(connection, tenant_id, account.c.account_id == account_id)


async def list_accounts(
    connection: AsyncConnection,
    tenant_id: TenantId,
    *,
    search: str = "",
    after_login: str = "",
    limit: int = 50,
    team_ids: frozenset[str] | None = None,
    or_account_id: UUID | None = None,
    role: Role | None = None,
    is_disabled: bool | None = None,
) -> list[AccountRow]:
    """Return accounts in the order of their logins.

    Args:
        search: Stands in the login or the display name.
        after_login: Only those after this login.
        team_ids: Only agents of these teams now, and *or_account_id*; None: everybody.
        role: Only those of this role; None: of every role.
        is_disabled: Only the disabled ones, or only the others; None: both.
    """
    person = account.c
    query = select(account).where(person.tenant_id == tenant_id, person.login > after_login)
    if search:
        query = query.where(
            or_(
                person.login.contains(search.casefold(), autoescape=True),
                func.lower(person.display_name).contains(search.lower(), autoescape=True),
            )
        )
    if role is not None:
        query = query.where(person.role == role)
    if is_disabled is not None:
        query = query.where(person.disabled_at.isnot(None) if is_disabled else person.disabled_at.is_(None))
    if team_ids is not None:
        theirs = select(agent.c.agent_id).where(agent.c.tenant_id == tenant_id, agent.c.team_id.in_(team_ids))
        query = query.where(or_(person.agent_id.in_(theirs), person.account_id == or_account_id))
    page = query.order_by(person.login).limit(max(1, min(limit, PAGE_ACCOUNTS_MAX + 1)))
    return [dict(row) for row in (await connection.execute(page)).mappings()]


async def insert_account(connection: AsyncConnection, tenant_id: TenantId, wanted: NewAccount) -> AccountRow:
    """Make an account.

    Raises:
        AccountTaken: its login or its agent is another account's.
    """
    try:
        found = await connection.execute(
            insert(account)
            .values(
                tenant_id=tenant_id,
                account_id=new_id(),
                login=wanted.login,
                display_name=wanted.display_name,
                role=wanted.role,
                agent_id=wanted.agent_id,
                team_ids=sorted(wanted.team_ids),
                password_hash=wanted.password_hash,
                language=wanted.language,
            )
            .returning(account)
        )
    except IntegrityError as error:
        raise _taken(error) from error
    return dict(found.mappings().one())


async def update_account(
    connection: AsyncConnection, tenant_id: TenantId, account_id: UUID, values: Mapping[str, Any]
) -> AccountRow:
    """Change columns of an account that exists.

    Raises:
        AccountTaken: its agent is another account's.
    """
    person = account.c
    try:
        found = await connection.execute(
            update(account)
            .where(person.tenant_id == tenant_id, person.account_id == account_id)
            .values(changed_at=func.clock_timestamp(), **values)
            .returning(account)
        )
    except IntegrityError as error:
        raise _taken(error) from error
    return dict(found.mappings().one())


async def note_failure(
    connection: AsyncConnection, tenant_id: TenantId, login: str, locked_until_ms: int | None
) -> None:
    """Count a wrong password; the same statement for logins that there are and that there are not."""
    person = account.c
    values: dict[str, Any] = {"failed_count": person.failed_count + 1}
    if locked_until_ms is not None:
        values["locked_until_at"] = moment(locked_until_ms)
    await connection.execute(
        update(account).where(person.tenant_id == tenant_id, person.login == login).values(values)
    )


async def note_sign_in(
    connection: AsyncConnection, tenant_id: TenantId, account_id: UUID, at_ms: int, **values: Any
) -> None:
    """Forget wrong passwords and keep when it was; *values* are columns that change with it."""
    person = account.c
    await connection.execute(
        update(account)
        .where(person.tenant_id == tenant_id, person.account_id == account_id)
        .values(failed_count=0, locked_until_at=None, last_sign_in_at=moment(at_ms), **values)
    )


async def administrator_count(
    connection: AsyncConnection, tenant_id: TenantId, *, but: UUID | None = None
) -> int:
    """Return how many administrators can sign in, *but* one perhaps."""
    person = account.c
    query = select(func.count()).where(
        person.tenant_id == tenant_id,
        person.role == Role.ADMINISTRATOR,
        person.disabled_at.is_(None),
    )
    if but is not None:
        query = query.where(person.account_id != but)
    return int((await connection.execute(query)).scalar_one())


async def choices(
    connection: AsyncConnection, tenant_id: TenantId
) -> tuple[list[AccountRow], list[AccountRow]]:
    """Return the agents of the centre, each with whose it is, and the teams."""
    theirs = (
        (account.c.tenant_id == agent.c.tenant_id)
        & (account.c.agent_id == agent.c.agent_id)
        & account.c.disabled_at.is_(None)
    )
    agents = (
        select(agent.c.agent_id, agent.c.display_name, agent.c.team_id, account.c.account_id)
        .join(account, theirs, isouter=True)
        .where(agent.c.tenant_id == tenant_id, agent.c.left_at.is_(None))
        .order_by(agent.c.agent_id)
        .limit(CHOICES_MAX)
    )
    teams = (
        select(team.c.team_id, team.c.display_name)
        .where(team.c.tenant_id == tenant_id, team.c.retired_at.is_(None))
        .order_by(team.c.team_id)
        .limit(CHOICES_MAX)
    )
    return (
        [dict(row) for row in (await connection.execute(agents)).mappings()],
        [dict(row) for row in (await connection.execute(teams)).mappings()],
    )


async def unknown_ids(
    connection: AsyncConnection, tenant_id: TenantId, agent_id: str | None, team_ids: frozenset[str]
) -> str | None:
    """Return the ``error_id`` of an agent or team that the centre does not have; None: it has them all."""
    if agent_id is not None:
        here = select(agent.c.agent_id).where(
            agent.c.tenant_id == tenant_id, agent.c.agent_id == agent_id, agent.c.left_at.is_(None)
        )
        if (await connection.execute(here)).scalar_one_or_none() is None:
            return "unknown_agent"
    if team_ids:
        known = select(func.count()).where(
            team.c.tenant_id == tenant_id, team.c.team_id.in_(team_ids), team.c.retired_at.is_(None)
        )
        if (await connection.execute(known)).scalar_one() != len(team_ids):
            return "unknown_team"
    return None


async def _one(connection: AsyncConnection, tenant_id: TenantId, condition: Any) -> AccountRow | None:
    found = await connection.execute(select(account).where(account.c.tenant_id == tenant_id, condition))
    row = found.mappings().one_or_none()
    return dict(row) if row is not None else None


def _taken(error: IntegrityError) -> AccountTaken | IntegrityError:
    said = str(error.orig)
    if "uq_account_login" in said:
        return AccountTaken("login_taken")
    if "uq_account_agent" in said:
        return AccountTaken("agent_taken")
    return error
