"""Accounts, for administrators; supervisors see those of their teams' agents. Nobody is ever deleted."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, NoReturn

import structlog
from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import account_rows, links, session_rows
from app.auth.account_rows import AccountTaken, NewAccount, standing_of
from app.auth.gate import may
from app.auth.permissions import Reach, Role
from app.auth.principal import Principal
from app.auth.rules import Standing, change_problem, folded, needs_new_sign_in
from app.auth.schemas import (
    PLAIN_PATTERN,
    Account,
    AccountBody,
    AccountChange,
    AccountChoices,
    AccountLink,
    AccountList,
    AccountPath,
    AgentChoice,
    PersonRole,
    TeamChoice,
)
from app.auth.session_rows import AccountRow
from app.http.errors import ApiError
from app.http.state import state_of
from routing.ids import AgentId

log = structlog.get_logger()

router = APIRouter(prefix="/accounts", tags=["accounts"])

Reader = Annotated[Principal, Depends(may("account.read", scope="mine"))]
Writer = Annotated[Principal, Depends(may("account.write", scope="all"))]

_DETAILS = {
    "agent_missing": (422, "an agent's account names its agent"),
    "agent_not_of_role": (422, "only agents and supervisors answer calls"),
    "teams_not_of_role": (422, "only supervisors lead teams"),
    "role_needs_key": (422, "programs have keys"),
    "own_account": (409, "nobody disables their own account"),
    "last_administrator": (409, "one administrator has to be left"),
    "unknown_agent": (422, "the centre has no such agent"),
    "unknown_team": (422, "the centre has no such team"),
    "login_form": (422, "letters, digits and . _ - + @, at most 64"),
    "login_taken": (409, "another account has this login"),
    "agent_taken": (409, "another account is this agent"),
}


@router.get("")
async def list_accounts(
    request: Request,
    principal: Reader,
    q: Annotated[
        str, Query(max_length=100, pattern=PLAIN_PATTERN, description="Part of a login or name.")
    ] = "",
    role: Annotated[PersonRole | None, Query(description="Only those of this role.")] = None,
    is_disabled: Annotated[bool | None, Query(description="Only disabled ones, or only the others.")] = None,
    cursor: Annotated[str | None, Query(max_length=400)] = None,
    limit: Annotated[int, Query(ge=1, le=account_rows.PAGE_ACCOUNTS_MAX)] = 50,
) -> AccountList:
    """List accounts by login."""
    faces = state_of(request).faces
    teams = principal.team_ids if request.state.reach is Reach.TEAMS else None
    async with faces.database.transaction(faces.tenant_id) as connection:
        rows = await account_rows.list_accounts(
            connection,
            faces.tenant_id,
            search=q.strip(),
            after_login=_after(cursor),
            limit=limit + 1,
            team_ids=frozenset(map(str, teams)) if teams is not None else None,
            or_account_id=principal.account_id,
            role=Role(role) if role is not None else None,
            is_disabled=is_disabled,
        )
    more = len(rows) > limit
    return AccountList(
        accounts=[Account.of(row) for row in rows[:limit]],
        next_cursor=_cursor(rows[limit - 1]["login"]) if more else None,
    )


@router.post("", status_code=201)
async def add_account(body: AccountBody, request: Request, writer: Writer) -> Account:
    """Make an account; a link gives it its password."""
    faces = state_of(request).faces
    login = folded(body.login)
    if login is None:
        _refuse("login_form")
    wanted = NewAccount(
        login=login,
        display_name=body.display_name.strip(),
        role=body.role,
        agent_id=body.agent_id,
        team_ids=frozenset(body.team_ids),
        language=body.language or "",
    )
    _check(None, wanted.standing)
    async with faces.database.transaction(faces.tenant_id) as connection:
        await _check_ids(connection, faces.tenant_id, wanted.standing)
        try:
            row = await account_rows.insert_account(connection, faces.tenant_id, wanted)
        except AccountTaken as taken:
            _refuse(taken.error_id)
    log.info("account made", account_id=str(row["account_id"]), role=row["role"], by=_by(writer))
    return Account.of(row)


@router.get("/choices")
async def list_choices(request: Request, principal: Reader) -> AccountChoices:
    """List the agents that accounts may be, and the teams that supervisors may lead.

    Supervisors get those of their teams, and themselves: the names of whom they see in the list.
    """
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        agents, teams = await account_rows.choices(connection, faces.tenant_id)
    if request.state.reach is Reach.TEAMS:
        own = principal.agent_id
        agents = [row for row in agents if row["team_id"] in principal.team_ids or row["agent_id"] == own]
        theirs = {*principal.team_ids, *(row["team_id"] for row in agents)}
        teams = [row for row in teams if row["team_id"] in theirs]
    return AccountChoices(
        agents=[AgentChoice.model_validate(row) for row in agents],
        teams=[TeamChoice.model_validate(row) for row in teams],
    )


@router.get("/{account_id}")
async def show_account(account_id: AccountPath, request: Request, principal: Reader) -> Account:
    """Show one account."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await account_rows.account_of_id(connection, faces.tenant_id, account_id)
    return Account.of(_visible(row, principal, request))


@router.patch("/{account_id}")
async def change_account(
    account_id: AccountPath, body: AccountChange, request: Request, writer: Writer
) -> Account:
    """Change, disable or enable an account; what alters its rights ends its sessions at once."""
    faces = state_of(request).faces
    sent = body.model_dump(exclude_unset=True)
    async with faces.database.transaction(faces.tenant_id) as connection:
        await account_rows.lock_accounts(connection, faces.tenant_id)
        row = await account_rows.account_of_id(connection, faces.tenant_id, account_id)
        if row is None:
            raise _unknown()
        before = standing_of(row)
        after = _after_change(before, sent)
        others = await account_rows.administrator_count(connection, faces.tenant_id, but=account_id)
        _check(before, after, is_oneself=writer.account_id == account_id, others=others)
        await _check_ids(connection, faces.tenant_id, after)
        try:
            row = await account_rows.update_account(
                connection, faces.tenant_id, account_id, _values(before, after, sent)
            )
        except AccountTaken as taken:
            _refuse(taken.error_id)
        ends = needs_new_sign_in(before, after)
        if ends:
            await session_rows.delete_sessions(connection, faces.tenant_id, account_id)
        fresh = await session_rows.sessions_of_accounts(connection, faces.tenant_id, {account_id})
    if ends:
        faces.sessions.forget_account(account_id)
        log.info("account changed", account_id=str(account_id), role=row["role"], by=_by(writer))
    else:
        faces.sessions.refresh({account_id}, fresh, before_ms=0)
    return Account.of(row)


@router.post("/{account_id}/link", status_code=201)
async def make_link(account_id: AccountPath, request: Request, writer: Writer) -> AccountLink:
    """Make the link with which somebody chooses a new password; an earlier one is worth nothing any more."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        row = await account_rows.account_of_id(connection, faces.tenant_id, account_id)
        if row is None:
            raise _unknown()
        if row["disabled_at"] is not None:
            raise ApiError(409, "account_disabled", "enable it first")
        token, expires_ms = await links.make_link(
            connection,
            faces.tenant_id,
            "password",
            now_ms=faces.sessions.now_ms(),
            made_by=_by(writer),
            account_id=account_id,
        )
    log.info("sign-in link made", account_id=str(account_id), by=_by(writer))
    return AccountLink(path=f"{links.LINK_PATH}{token}", expires_ms=expires_ms)


@router.delete("/{account_id}/sessions", status_code=204)
async def end_sessions(account_id: AccountPath, request: Request, writer: Writer) -> None:
    """Sign an account out everywhere, at once; it may sign in again."""
    faces = state_of(request).faces
    async with faces.database.transaction(faces.tenant_id) as connection:
        if await account_rows.account_of_id(connection, faces.tenant_id, account_id) is None:
            raise _unknown()
    await faces.sessions.end_all(account_id)
    log.info("account signed out everywhere", account_id=str(account_id), by=_by(writer))


# ---------------------------------------------------------------- inside


def _after_change(before: Standing, sent: dict[str, Any]) -> Standing:
    """Return what the account would be; a role that has no agent or no teams loses them."""
    role = Role(sent.get("role") or before.role)
    agent_id = sent.get("agent_id", before.agent_id)
    teams = sent.get("team_ids")
    team_ids = before.team_ids if teams is None else frozenset(teams)
    if "agent_id" not in sent and role not in (Role.AGENT, Role.SUPERVISOR):
        agent_id = None
    if teams is None and role is not Role.SUPERVISOR:
        team_ids = frozenset()
    disabled = sent.get("is_disabled")
    return Standing(
        role=role,
        is_disabled=before.is_disabled if disabled is None else disabled,
        agent_id=agent_id,
        team_ids=team_ids,
    )


def _values(before: Standing, after: Standing, sent: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "role": after.role,
        "agent_id": after.agent_id,
        "team_ids": sorted(after.team_ids),
    }
    if sent.get("display_name") is not None:
        values["display_name"] = sent["display_name"].strip()
    if "language" in sent:
        values["language"] = sent["language"] or ""
    if before.is_disabled != after.is_disabled:
        values |= account_rows.disabling(after.is_disabled)
    return values


def _check(before: Standing | None, after: Standing, *, is_oneself: bool = False, others: int = 1) -> None:
    problem = change_problem(before, after, is_oneself=is_oneself, other_administrator_count=others)
    if problem is not None:
        _refuse(problem)


async def _check_ids(connection: AsyncConnection, tenant_id: Any, after: Standing) -> None:
    if after.is_disabled:
        return  # who leaves may be an agent who has left
    problem = await account_rows.unknown_ids(connection, tenant_id, after.agent_id, after.team_ids)
    if problem is not None:
        _refuse(problem)


def _visible(row: AccountRow | None, principal: Principal, request: Request) -> AccountRow:
    """Return the account when it is within reach; what is not is as unknown as what there is not."""
    if row is None:
        raise _unknown()
    if request.state.reach is Reach.ALL or row["account_id"] == principal.account_id:
        return row
    agent_id = AgentId(row["agent_id"]) if row["agent_id"] else None
    if agent_id is None or state_of(request).floor.team_of(agent_id) not in principal.team_ids:
        raise _unknown()
    return row


def _unknown() -> ApiError:
    return ApiError(404, "unknown_account", "there is no such account")


def _refuse(error_id: str) -> NoReturn:
    status, detail = _DETAILS[error_id]
    raise ApiError(status, error_id, detail)


def _by(writer: Principal) -> str:
    """Return who did it, for the log: an id, since logins are names of people."""
    return str(writer.account_id or writer.name)


def _cursor(login: str) -> str:
    return base64.urlsafe_b64encode(login.encode()).decode().rstrip("=")


def _after(cursor: str | None) -> str:
    if cursor is None:
        return ""
    try:
        login = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        login = None
    if login is None or folded(login) != login:
        raise ApiError(422, "bad_cursor", "this cursor is not one of ours")
    return login
