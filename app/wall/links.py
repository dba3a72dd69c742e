"""The links that show the wall on a TV: who has one sees ``wall:all`` and nothing else, until it is revoked.

A link stands for itself, not for who made it: its token buys one-time tickets of the role ``wall``. The links
in force are kept in memory, so that a guessed token costs a hash and no query, and TVs come back while the
database is away. A link that is revoked here ends at once for those who ``watch``; elsewhere, within
``FOLLOW_EVERY_S``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.auth.tokens import digest_of, new_id, new_token
from app.db.session import Database, TenantId
from app.db.tables import wall_link
from app.http.errors import ApiError
from app.wall.schemas import MadeWallLink, WallLink

LINKS_MAX: Final = 100
FOLLOW_EVERY_S: Final = 5.0
_AWAY: Final = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)

Ended = Callable[[frozenset[UUID]], None]

log = structlog.get_logger()


class WallLinks:
    """The links in force."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._live: dict[bytes, tuple[UUID, str]] = {}  # by the token's digest: id and name
        self._seen: set[UUID] = set()
        self._watchers: list[Ended] = []
        self._change_count = 0

    # ------------------------------------------------------------ tokens

    def principal_of(self, token: str) -> tuple[UUID, Principal] | None:
        """Return the link that *token* opens and who comes in by it; None: it opens nothing."""
        digest = digest_of(token)
        found = self._live.get(digest) if digest is not None else None
        if found is None:
            return None
        link_id, name = found
        self._seen.add(link_id)
        return link_id, Principal(role=Role.WALL, name=f"wall-{link_id}", display_name=name)

    def is_live(self, link_id: UUID) -> bool:
        """Say whether the link is in force."""
        return any(known_id == link_id for known_id, _ in self._live.values())

    def watch(self, ended: Ended) -> None:
        """Have *ended* called with the links that are over, as soon as that is known."""
        self._watchers.append(ended)

    # ------------------------------------------------------------ making and revoking

    async def in_force(self) -> list[WallLink]:
        """Return the links in force, oldest first."""
        columns = [wall_link.c[name] for name in WallLink.model_fields]
        query = select(*columns).where(self._in_force()).order_by(wall_link.c.made_at, wall_link.c.link_id)
        async with self._database.transaction(self._tenant_id) as connection:
            return [WallLink(**row) for row in (await connection.execute(query)).mappings()]

    async def make(self, name: str, made_by: str) -> MadeWallLink:
        """Make a link; its token is in the answer and nowhere else.

        Raises:
            ApiError: 409, there are too many.
        """
        token, link_id, made_at = new_token(), new_id(), datetime.now(UTC)
        digest = digest_of(token)
        assert digest is not None
        async with self._database.transaction(self._tenant_id) as connection:
            counted = await connection.execute(select(func.count()).where(self._in_force()))
            if int(counted.scalar_one()) >= LINKS_MAX:
                raise ApiError(
                    409, "too_many_links", "revoke one that is not used", params={"links_max": LINKS_MAX}
                )
            await connection.execute(
                insert(wall_link).values(
                    tenant_id=self._tenant_id,
                    link_id=link_id,
                    token_sha256=digest,
                    name=name,
                    made_by=made_by,
                    made_at=made_at,
                )
            )
        self._live[digest] = (link_id, name)
        self._change_count += 1
        return MadeWallLink(
            link_id=link_id,
            name=name,
            made_by=made_by,
            made_at=made_at,
            last_seen_at=None,
            path=f"/wall#token={token}",
        )

    async def revoke(self, link_id: UUID, revoked_by: str) -> None:
        """End a link and whoever is in by it. Harmless when repeated.

        Raises:
            ApiError: 404, there is no such link.
        """
        link = wall_link.c
        mine = (link.tenant_id == self._tenant_id) & (link.link_id == link_id)
        async with self._database.transaction(self._tenant_id) as connection:
            changed = await connection.execute(
                update(wall_link)
                .where(mine)
                .values(
                    revoked_at=func.coalesce(link.revoked_at, func.now()),
                    revoked_by=func.coalesce(func.nullif(link.revoked_by, ""), revoked_by),
                )
            )
        if changed.rowcount == 0:
            raise ApiError(404, "unknown_link", "there is no such link", params={"link_id": str(link_id)})
        self._change_count += 1
        self._live = {digest: found for digest, found in self._live.items() if found[0] != link_id}
        self._end(frozenset({link_id}))

    # ------------------------------------------------------------ life

    async def run(self) -> None:
        """Follow the rows, for ever: links that others made or revoked; and note which were used."""
        is_away = False
        while True:
            try:
                await self._follow()
                is_away = False
            except _AWAY as error:
                if not is_away:
                    log.warning("the links of the wall cannot be read", error=type(error).__name__)
                is_away = True
            await asyncio.sleep(FOLLOW_EVERY_S)

    async def _follow(self) -> None:
        before, seen = self._change_count, set(self._seen)
        link = wall_link.c
        async with self._database.transaction(self._tenant_id) as connection:
            if seen:
                used = (link.tenant_id == self._tenant_id) & link.link_id.in_(seen)
                await connection.execute(update(wall_link).where(used).values(last_seen_at=func.now()))
            rows = await connection.execute(
                select(link.token_sha256, link.link_id, link.name).where(self._in_force())
            )
            live = {bytes(row.token_sha256): (row.link_id, row.name) for row in rows}
        self._seen -= seen
        if before != self._change_count:
            return  # made or revoked meanwhile: these rows may be older than that
        over = {link_id for link_id, _ in self._live.values()} - {link_id for link_id, _ in live.values()}
        self._live = live
        self._end(frozenset(over))

    def _in_force(self) -> ColumnElement[bool]:
        link = wall_link.c
        return (link.tenant_id == self._tenant_id) & link.revoked_at.is_(None)

    def _end(self, over: frozenset[UUID]) -> None:
        if over:
            for ended in self._watchers:
                ended(over)
