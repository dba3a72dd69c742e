"""Sessions as rows: begin, find by the token's hash, note what was seen, end.

Every function works inside the caller's transaction of one tenant. Moments are zone-aware here, at the
database's edge; milliseconds since the Unix epoch outside.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Select, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.db.session import TenantId
from app.db.tables import account, web_session
from routing.ids import AgentId, TeamId

AccountRow = Mapping[str, Any]

USER_AGENT_CHARS_MAX = 200
SESSIONS_PER_ACCOUNT_MAX = 20
_EXPIRED_ROWS_MAX = 5_000  # deleted in one go


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One browser's session, with what its account was when it was last read.

    Attributes:
        began_by: ``password``, or ``link`` (which proves no knowledge of the password).
        ends_ms: It is over then, whatever is seen of it; milliseconds since the Unix epoch, as all here.
        expires_ms: It is over then when nothing more is seen of it.
        language: As chosen; empty: what the browser asks for.
        theme: ``light``, ``dark`` or ``system``.
    """

    session_id: UUID
    account_id: UUID
    principal: Principal
    began_by: str
    has_password: bool
    language: str
    theme: str
    made_ms: int
    ends_ms: int
    expires_ms: int


def moment(at_ms: int) -> datetime:
    """Return *at_ms* (milliseconds since the Unix epoch) as the database has it."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def milliseconds(at: datetime) -> int:
    """Return a moment of the database in milliseconds since the Unix epoch."""
    return round(at.timestamp() * 1000)


async def insert_session(
    connection: AsyncConnection, tenant_id: TenantId, session: Session, digest: bytes, user_agent: str
) -> None:
    """Insert *session*; the account's oldest ones give way when there are too many."""
    await connection.execute(
        insert(web_session).values(
            tenant_id=tenant_id,
            session_id=session.session_id,
            token_sha256=digest,
            account_id=session.account_id,
            began_by=session.began_by,
            created_at=moment(session.made_ms),
            seen_at=moment(session.made_ms),
            expires_at=moment(session.expires_ms),
            ends_at=moment(session.ends_ms),
            user_agent=user_agent[:USER_AGENT_CHARS_MAX],
        )
    )
    rows = web_session.c
    newest = (
        select(rows.session_id)
        .where(rows.tenant_id == tenant_id, rows.account_id == session.account_id)
        .order_by(rows.created_at.desc(), rows.session_id.desc())
        .limit(SESSIONS_PER_ACCOUNT_MAX)
    )
    await connection.execute(
        delete(web_session).where(
            rows.tenant_id == tenant_id,
            rows.account_id == session.account_id,
            rows.session_id.not_in(newest),
        )
    )


async def session_of_digest(
    connection: AsyncConnection, tenant_id: TenantId, digest: bytes, now_ms: int
) -> Session | None:
    """Return the session of a token's hash; None when it is over, was ended, or its account is disabled."""
    rows = web_session.c
    query = _joined().where(
        rows.tenant_id == tenant_id,
        rows.token_sha256 == digest,
        rows.expires_at > moment(now_ms),
        rows.ends_at > moment(now_ms),
        account.c.disabled_at.is_(None),
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return session_of_row(row) if row is not None else None


async def sessions_of_accounts(
    connection: AsyncConnection, tenant_id: TenantId, account_ids: Collection[UUID]
) -> dict[UUID, Session]:
    """Return the sessions of these accounts that were not ended, by id; none of disabled accounts."""
    rows = web_session.c
    query = _joined().where(
        rows.tenant_id == tenant_id, rows.account_id.in_(account_ids), account.c.disabled_at.is_(None)
    )
    found = [session_of_row(row) for row in (await connection.execute(query)).mappings()]
    return {session.session_id: session for session in found}


async def note_seen(
    connection: AsyncConnection, tenant_id: TenantId, seen_ms: Mapping[UUID, int], idle_ms: int
) -> set[UUID]:
    """Store when sessions were last seen; return those that are still there."""
    rows = [
        {"session_id": str(session_id), "seen_at": moment(at_ms).isoformat()}
        for session_id, at_ms in seen_ms.items()
    ]
    found = await connection.execute(
        text(
            "UPDATE web_session AS s SET seen_at = m.seen_at,"
            " expires_at = m.seen_at + CAST(:idle_ms AS bigint) * interval '1 millisecond'"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS m(session_id uuid, seen_at timestamptz)"
            " WHERE s.tenant_id = :tenant AND s.session_id = m.session_id RETURNING s.session_id"
        ),
        {"tenant": tenant_id, "rows": _json(rows), "idle_ms": idle_ms},
    )
    return set(found.scalars())


async def delete_sessions(
    connection: AsyncConnection, tenant_id: TenantId, account_id: UUID, *, but: UUID | None = None
) -> set[UUID]:
    """End the account's sessions, *but* one perhaps; return which."""
    rows = web_session.c
    ended = delete(web_session).where(rows.tenant_id == tenant_id, rows.account_id == account_id)
    if but is not None:
        ended = ended.where(rows.session_id != but)
    return set((await connection.execute(ended.returning(rows.session_id))).scalars())


async def delete_session(connection: AsyncConnection, tenant_id: TenantId, session_id: UUID) -> None:
    """End one session."""
    rows = web_session.c
    await connection.execute(
        delete(web_session).where(rows.tenant_id == tenant_id, rows.session_id == session_id)
    )


async def delete_expired(connection: AsyncConnection, tenant_id: TenantId, now_ms: int) -> int:
    """Delete sessions that are over; return how many."""
    rows = web_session.c
    over = (
        select(rows.session_id)
        .where(rows.tenant_id == tenant_id, func.least(rows.expires_at, rows.ends_at) <= moment(now_ms))
        .limit(_EXPIRED_ROWS_MAX)
    )
    gone = await connection.execute(
        delete(web_session).where(rows.tenant_id == tenant_id, rows.session_id.in_(over))
    )
    return gone.rowcount


def principal_of_row(row: AccountRow) -> Principal:
    """Return whom an account's row stands for."""
    return Principal(
        role=Role(row["role"]),
        name=row["login"],
        display_name=row["display_name"] or row["login"],
        account_id=row["account_id"],
        agent_id=AgentId(row["agent_id"]) if row["agent_id"] else None,
        team_ids=frozenset(TeamId(team_id) for team_id in row["team_ids"]),
    )


def session_of_row(row: AccountRow) -> Session:
    """Return the session of a joined row."""
    return Session(
        session_id=row["session_id"],
        account_id=row["account_id"],
        principal=principal_of_row(row),
        began_by=row["began_by"],
        has_password=row["has_password"],
        language=row["language"],
        theme=row["theme"],
        made_ms=milliseconds(row["made_at"]),
        ends_ms=milliseconds(row["ends_at"]),
        expires_ms=milliseconds(row["expires_at"]),
    )


def _joined() -> Select[Any]:
    person, rows = account.c, web_session.c
    return select(
        rows.session_id,
        rows.began_by,
        rows.created_at.label("made_at"),
        rows.ends_at,
        rows.expires_at,
        person.account_id,
        person.login,
        person.display_name,
        person.role,
        person.agent_id,
        person.team_ids,
        person.language,
        person.theme,
        person.password_hash.is_not(None).label("has_password"),
    ).join(account, (person.tenant_id == rows.tenant_id) & (person.account_id == rows.account_id))


def _json(rows: list[dict[str, str]]) -> str:
    return orjson.dumps(rows).decode()
