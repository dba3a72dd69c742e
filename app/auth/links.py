"""Links that sign somebody in once. The token stands in the fragment of the address, so that no log has it.

Three purposes: ``first`` makes the first administrator where there is none, ``password`` has its reader
choose a new password, ``session`` signs in as it is (the command line and the demo alone make such ones:
over HTTP it would let one person be another without their noticing).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth.account_rows import administrator_count
from app.auth.session_rows import milliseconds, moment
from app.auth.tokens import digest_of, new_token
from app.db.session import TenantId
from app.db.tables import sign_in_link

Purpose = Literal["first", "password", "session"]

LINK_PATH: Final = "/sign-in#link="
LIFE_MS: Final[dict[Purpose, int]] = {
    "first": 60 * 60_000,
    "password": 24 * 60 * 60_000,
    "session": 10 * 60_000,
}
LIFE_MAX_MS: Final = 7 * 24 * 60 * 60_000
_KEPT_MS: Final = 7 * 24 * 60 * 60_000  # so long a link that was used or is late can be told from none


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as it is kept.

    Attributes:
        account_id: Whom it signs in; None for ``first``.
    """

    purpose: Purpose
    account_id: UUID | None
    expires_ms: int
    is_used: bool

    def problem(self, now_ms: int) -> str | None:
        """Return the ``error_id`` of why it signs nobody in; None: it does."""
        if self.is_used:
            return "link_used"
        return "link_expired" if now_ms >= self.expires_ms else None


async def make_link(
    connection: AsyncConnection,
    tenant_id: TenantId,
    purpose: Purpose,
    *,
    now_ms: int,
    made_by: str,
    account_id: UUID | None = None,
    life_ms: int | None = None,
) -> tuple[str, int]:
    """Make a link; return its token and until when it works, in milliseconds since the Unix epoch.

    A new one to choose a password, or to make the first administrator, takes the place of earlier ones.
    """
    rows = sign_in_link.c
    if purpose != "session":
        same = rows.account_id.is_(None) if account_id is None else rows.account_id == account_id
        await connection.execute(
            delete(sign_in_link).where(
                rows.tenant_id == tenant_id, same, rows.purpose == purpose, rows.used_at.is_(None)
            )
        )
    await connection.execute(
        delete(sign_in_link).where(rows.tenant_id == tenant_id, rows.expires_at < moment(now_ms - _KEPT_MS))
    )
    token = new_token()
    expires_ms = now_ms + min(life_ms or LIFE_MS[purpose], LIFE_MAX_MS)
    await connection.execute(
        insert(sign_in_link).values(
            tenant_id=tenant_id,
            link_sha256=digest_of(token),
            purpose=purpose,
            account_id=account_id,
            made_by=made_by,
            created_at=moment(now_ms),
            expires_at=moment(expires_ms),
        )
    )
    return token, expires_ms


async def make_first_link(
    connection: AsyncConnection, tenant_id: TenantId, *, now_ms: int, made_by: str
) -> str | None:
    """Make the link that makes the first administrator; None when there is one already."""
    if await administrator_count(connection, tenant_id):
        return None
    token, _ = await make_link(connection, tenant_id, "first", now_ms=now_ms, made_by=made_by)
    return token


async def find_link(connection: AsyncConnection, tenant_id: TenantId, token: str) -> Link | None:
    """Return the link of a token, used or not; None when there is none."""
    digest = digest_of(token)
    if digest is None:
        return None
    rows = sign_in_link.c
    found = await connection.execute(
        select(sign_in_link).where(rows.tenant_id == tenant_id, rows.link_sha256 == digest)
    )
    row = found.mappings().one_or_none()
    if row is None:
        return None
    return Link(
        purpose=row["purpose"],
        account_id=row["account_id"],
        expires_ms=milliseconds(row["expires_at"]),
        is_used=row["used_at"] is not None,
    )


async def use_link(connection: AsyncConnection, tenant_id: TenantId, token: str, now_ms: int) -> bool:
    """Use a link up; False when somebody else was first, or it is late. Rolled back with the transaction."""
    rows = sign_in_link.c
    used = await connection.execute(
        update(sign_in_link)
        .where(
            rows.tenant_id == tenant_id,
            rows.link_sha256 == digest_of(token),
            rows.used_at.is_(None),
            rows.expires_at > moment(now_ms),
        )
        .values(used_at=moment(now_ms))
    )
    return used.rowcount == 1
