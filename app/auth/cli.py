"""``holdless accounts``: who may sign in, changed at the database itself: for whoever locked themselves out.

A running server follows within seconds. Whoever may run this may do everything with the data anyway.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import account_rows, links, session_rows
from app.auth.account_rows import AccountTaken, NewAccount, standing_of
from app.auth.links import LINK_PATH, Purpose
from app.auth.origins import Origins
from app.auth.permissions import Role
from app.auth.rules import change_problem, folded
from app.auth.session_rows import AccountRow
from app.db.opened import with_database
from app.db.session import Database, TenantId
from app.settings import Settings, SettingsError, load_settings

accounts_cli = typer.Typer(no_args_is_help=True, help="List, make, disable accounts; make sign-in links.")

ConfigOption = Annotated[Path | None, typer.Option("--config", help="Settings file of the server.")]
DataDirOption = Annotated[Path | None, typer.Option("--data-dir", help="The server's data directory.")]
LoginArgument = Annotated[str, typer.Argument(help="The login.")]
_T = TypeVar("_T")

_REASONS = {
    "agent_missing": "an agent's account names its agent: add --agent",
    "agent_not_of_role": "only agents and supervisors answer calls: leave --agent out",
    "teams_not_of_role": "only supervisors lead teams: leave --team out",
    "role_needs_key": "programs have keys (api_keys in the settings), people accounts",
    "last_administrator": "it is the last administrator: make another one first",
    "unknown_agent": "the centre has no such agent: see 'holdless centre export'",
    "unknown_team": "the centre has no such team: see 'holdless centre export'",
    "login_taken": "another account has this login",
    "agent_taken": "another account is this agent already",
}


@accounts_cli.command("list")
def list_accounts(config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """List all accounts, by login."""

    async def work(connection: AsyncConnection, tenant_id: TenantId) -> list[AccountRow]:
        found: list[AccountRow] = []
        while True:
            after = found[-1]["login"] if found else ""
            page = await account_rows.list_accounts(
                connection, tenant_id, after_login=after, limit=account_rows.PAGE_ACCOUNTS_MAX
            )
            found += page
            if len(page) < account_rows.PAGE_ACCOUNTS_MAX:
                return found

    rows = _at_database(load_settings(config, data_dir=data_dir), work)
    for row in rows:
        parts = [row["login"], row["role"], row["agent_id"] or "", " ".join(sorted(row["team_ids"]))]
        parts.append("disabled" if row["disabled_at"] else "" if row["password_hash"] else "no password yet")
        typer.echo("\t".join(parts).rstrip())
    if not rows:
        typer.echo("no account yet: make the first administrator with 'holdless accounts link --first'")


@accounts_cli.command("add")
def add_account(
    login: LoginArgument,
    role: Annotated[Role, typer.Option(help="What the account may do.")],
    name: Annotated[str, typer.Option(help="What people read.")] = "",
    agent: Annotated[str | None, typer.Option(help="The agent that this person is.")] = None,
    team: Annotated[list[str] | None, typer.Option(help="A team that this person leads; repeat.")] = None,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Make an account and print the link with which its password is chosen."""
    settings = load_settings(config, data_dir=data_dir)
    wanted = NewAccount(
        login=_folded(login),
        display_name=name.strip(),
        role=role,
        agent_id=agent,
        team_ids=frozenset(team or ()),
    )
    _check(change_problem(None, wanted.standing, is_oneself=False, other_administrator_count=1))

    async def work(connection: AsyncConnection, tenant_id: TenantId) -> str:
        _check(await account_rows.unknown_ids(connection, tenant_id, wanted.agent_id, wanted.team_ids))
        try:
            row = await account_rows.insert_account(connection, tenant_id, wanted)
        except AccountTaken as taken:
            raise SettingsError(_REASONS[taken.error_id]) from None
        return await _link(connection, tenant_id, "password", row)

    _tell_link(settings, _at_database(settings, work))


@accounts_cli.command("link")
def link(
    login: Annotated[str | None, typer.Argument(help="The login; none with --first.")] = None,
    first: Annotated[bool, typer.Option("--first", help="Make the first administrator.")] = False,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="Sign in as it is, without choosing a password.")
    ] = False,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
) -> None:
    """Print a link that signs somebody in once."""
    if first == (login is not None):
        raise typer.BadParameter("name a login, or --first")
    settings = load_settings(config, data_dir=data_dir)

    async def work(connection: AsyncConnection, tenant_id: TenantId) -> str:
        if login is None:
            token = await links.make_first_link(connection, tenant_id, now_ms=_now_ms(), made_by=_maker())
            if token is None:
                raise SettingsError("there is an administrator: name a login ('holdless accounts list')")
            return token
        row = await _account(connection, tenant_id, login)
        if row["disabled_at"] is not None:
            raise SettingsError(f"{row['login']} is disabled: 'holdless accounts enable {row['login']}'")
        return await _link(connection, tenant_id, "session" if sign_in else "password", row)

    _tell_link(settings, _at_database(settings, work))


@accounts_cli.command("disable")
def disable(login: LoginArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Let an account in no more, and end its sessions."""
    _set_disabled(load_settings(config, data_dir=data_dir), login, is_disabled=True)
    typer.echo(f"{_folded(login)} is disabled")


@accounts_cli.command("enable")
def enable(login: LoginArgument, config: ConfigOption = None, data_dir: DataDirOption = None) -> None:
    """Let an account in again, and forget wrong passwords."""
    _set_disabled(load_settings(config, data_dir=data_dir), login, is_disabled=False)
    typer.echo(f"{_folded(login)} is enabled")


# ---------------------------------------------------------------- inside


def _set_disabled(settings: Settings, login: str, *, is_disabled: bool) -> None:
    async def work(connection: AsyncConnection, tenant_id: TenantId) -> None:
        await account_rows.lock_accounts(connection, tenant_id)
        row = await _account(connection, tenant_id, login)
        before = standing_of(row)
        others = await account_rows.administrator_count(connection, tenant_id, but=row["account_id"])
        after = account_rows.disabled(before, is_disabled)
        _check(change_problem(before, after, is_oneself=False, other_administrator_count=others))
        try:
            await account_rows.update_account(
                connection, tenant_id, row["account_id"], account_rows.disabling(is_disabled)
            )
        except AccountTaken as taken:
            raise SettingsError(_REASONS[taken.error_id]) from None
        if is_disabled:
            await session_rows.delete_sessions(connection, tenant_id, row["account_id"])

    _at_database(settings, work)


def _at_database(settings: Settings, work: Callable[[AsyncConnection, TenantId], Awaitable[_T]]) -> _T:
    async def inside(database: Database, tenant_id: TenantId) -> _T:
        async with database.transaction(tenant_id) as connection:
            return await work(connection, tenant_id)

    return with_database(settings, inside, make=True)


async def _account(connection: AsyncConnection, tenant_id: TenantId, login: str) -> AccountRow:
    row = await account_rows.account_of_login(connection, tenant_id, _folded(login))
    if row is None:
        raise SettingsError(f"there is no account {login!r}: see 'holdless accounts list'")
    return row


async def _link(connection: AsyncConnection, tenant_id: TenantId, purpose: Purpose, row: Any) -> str:
    token, _ = await links.make_link(
        connection,
        tenant_id,
        purpose,
        now_ms=_now_ms(),
        made_by=_maker(),
        account_id=row["account_id"],
    )
    return token


def _tell_link(settings: Settings, token: str) -> None:
    origins = Origins.of(settings.http.origins, settings.http.port)
    typer.echo(f"{origins.first}{LINK_PATH}{token}")


def _folded(login: str) -> str:
    name = folded(login)
    if name is None:
        raise SettingsError(f"{login!r} is not a login: letters, digits and . _ - + @, at most 64")
    return name


def _check(problem: str | None) -> None:
    if problem is not None:
        raise SettingsError(_REASONS[problem])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _maker() -> str:
    return f"command line: {getpass.getuser()}"
