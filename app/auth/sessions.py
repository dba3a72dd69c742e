"""Who is signed in, kept in memory over the rows: a request costs no round trip once its session is known.

The rows are the record, this is a copy of those that are in use. A session that ends here ends at once,
here and for those who ``watch``; one that ends elsewhere (the command line, another process) within
``FOLLOW_EVERY_S``. While the database is away, sessions that are known go on until they expire.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.auth import session_rows
from app.auth.session_rows import AccountRow, Session
from app.auth.tokens import digest_of, new_id, new_token
from app.db.session import Database, TenantId
from app.db.tables import account
from app.http.errors import ApiError

log = structlog.get_logger()

KNOWN_MAX: Final = 10_000
LOOKUPS_MAX: Final = 64  # unknown tokens that wait for the database at once; more are told to come again
FOLLOW_EVERY_S: Final = 2.0
_LOOKUPS_AT_ONCE: Final = 4
_TIDY_EVERY_S: Final = 600.0
_NOTE_EVERY_MS: Final = 60_000  # a session's row follows what was seen of it in steps of this length
_LATE_COMMIT: Final = timedelta(seconds=30)  # a change may be seen so long after the moment it carries

AWAY: Final = (OSError, SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError)

Ended = Callable[[frozenset[UUID]], None]


@dataclass(slots=True)
class _Known:
    session: Session
    seen_ms: int
    noted_ms: int  # as the row has it


class Sessions:
    """The sessions that are in use.

    Args:
        now_ms: The clock, milliseconds since the Unix epoch.
        idle_ms: A session that nothing was seen of for so long is over.
        life_ms: A session is over after so long.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        *,
        now_ms: Callable[[], int],
        idle_ms: int,
        life_ms: int,
    ) -> None:
        self._database, self._tenant_id, self.now_ms = database, tenant_id, now_ms
        self.idle_ms, self.life_ms = idle_ms, life_ms
        self._known: OrderedDict[bytes, _Known] = OrderedDict()  # least recently seen first
        self._digests: dict[UUID, bytes] = {}
        self._ended: dict[UUID, None] = {}  # whatever a look-up that is under way still finds of them
        self._unwritten: dict[UUID, None] = {}  # ended while the database was away
        self._at_once = asyncio.Semaphore(_LOOKUPS_AT_ONCE)
        self._lookup_count = 0
        self._watchers: list[Ended] = []
        self._changed_until: datetime | None = None
        self._tidied_ms = 0

    # ------------------------------------------------------------ reading

    async def of_token(self, token: str) -> Session | None:
        """Return the session of a cookie, and note that it was seen; None when there is none (any more).

        Raises:
            ApiError: 503, so many unknown tokens wait to be looked up already.
            OSError, SQLAlchemyError: the database is away and this session is not known.
        """
        digest = digest_of(token)
        if digest is None:
            return None
        if digest in self._known:
            return self._seen(digest)
        session = await self._look_up(digest)
        if session is None or session.session_id in self._ended:
            return None
        self._learn(digest, session)
        return session

    def live(self, session_id: UUID) -> Session | None:
        """Return a session that is known and not over, without a look at the database (for sockets)."""
        digest = self._digests.get(session_id)
        known = self._known.get(digest) if digest is not None else None
        return known.session if known is not None and not self._is_over(known) else None

    def touch(self, session_id: UUID) -> bool:
        """Note that something was seen of a session (a socket's ping); False when it is over."""
        digest = self._digests.get(session_id)
        return digest is not None and self._seen(digest) is not None

    def watch(self, ended: Ended) -> Callable[[], None]:
        """Call *ended* with the ids of sessions that end; returns what stops that."""
        self._watchers.append(ended)
        return lambda: self._watchers.remove(ended) if ended in self._watchers else None

    # ------------------------------------------------------------ beginning and ending

    async def begin(
        self, connection: AsyncConnection, account_row: AccountRow, *, began_by: str, user_agent: str
    ) -> tuple[str, Session]:
        """Insert a session for an account, with a token that nobody had before; return both.

        The session is known once the caller has committed and calls ``admit``.
        """
        now_ms = self.now_ms()
        session = Session(
            session_id=new_id(),
            account_id=account_row["account_id"],
            principal=session_rows.principal_of_row(account_row),
            began_by=began_by,
            has_password=account_row["password_hash"] is not None,
            language=account_row["language"],
            theme=account_row["theme"],
            made_ms=now_ms,
            ends_ms=now_ms + self.life_ms,
            expires_ms=now_ms + self.idle_ms,
        )
        token = new_token()
        digest = digest_of(token)
        assert digest is not None
        await session_rows.insert_session(connection, self._tenant_id, session, digest, user_agent)
        return token, session

    def admit(self, token: str, session: Session) -> None:
        """Know a session that was begun and committed."""
        digest = digest_of(token)
        assert digest is not None
        self._learn(digest, session)

    async def end(self, session_id: UUID) -> None:
        """End one session, here at once; its row goes when the database is back, if it is away."""
        self.forget((session_id,))
        self._unwritten[session_id] = None
        while len(self._unwritten) > KNOWN_MAX:
            del self._unwritten[next(iter(self._unwritten))]
        try:
            await self._write_ended()
        except AWAY as error:
            log.warning("an ended session waits for the database", error=type(error).__name__)

    async def _write_ended(self) -> None:
        for session_id in list(self._unwritten):
            async with self._database.transaction(self._tenant_id) as connection:
                await session_rows.delete_session(connection, self._tenant_id, session_id)
            self._unwritten.pop(session_id, None)

    def choose(self, account_id: UUID, *, language: str | None = None, theme: str | None = None) -> None:
        """Know how an account wants its pages; None: as before."""
        for known in self._known.values():
            session = known.session
            if session.account_id == account_id:
                known.session = replace(
                    session,
                    language=session.language if language is None else language,
                    theme=session.theme if theme is None else theme,
                )

    async def end_all(self, account_id: UUID, *, but: UUID | None = None) -> None:
        """End every session of an account, *but* one perhaps.

        Raises:
            OSError, SQLAlchemyError: the database is away; here they have ended all the same.
        """
        self.forget_account(account_id, but=but)
        async with self._database.transaction(self._tenant_id) as connection:
            ended = await session_rows.delete_sessions(connection, self._tenant_id, account_id, but=but)
        self.forget(ended)

    def forget_account(self, account_id: UUID, *, but: UUID | None = None) -> None:
        """Know an account's sessions no more, *but* one perhaps, and tell those who watch."""
        self.forget(
            known.session.session_id
            for known in list(self._known.values())
            if known.session.account_id == account_id and known.session.session_id != but
        )

    def forget(self, session_ids: Iterable[UUID]) -> None:
        """Know these sessions no more, and tell those who watch."""
        gone = frozenset(session_ids)
        for session_id in gone:
            self._ended[session_id] = None
            digest = self._digests.pop(session_id, None)
            if digest is not None:
                self._known.pop(digest, None)
        while len(self._ended) > KNOWN_MAX:
            del self._ended[next(iter(self._ended))]
        if gone:
            for watcher in list(self._watchers):
                watcher(gone)

    # ------------------------------------------------------------ following the rows

    async def run(self) -> None:
        """Store what was seen, and follow what changed elsewhere. Runs until cancelled."""
        is_away = False
        while True:
            await asyncio.sleep(FOLLOW_EVERY_S)
            try:
                await self.follow()
                is_away = False
            except AWAY as error:
                if not is_away:
                    log.warning("sessions wait for the database", error=type(error).__name__)
                is_away = True

    async def follow(self) -> None:
        """Do one round of ``run``.

        Raises:
            OSError, SQLAlchemyError: the database is away; what was seen is stored in a later round.
        """
        self.forget([known.session.session_id for known in self._known.values() if self._is_over(known)])
        seen = {
            known.session.session_id: known
            for known in self._known.values()
            if known.seen_ms - known.noted_ms >= _NOTE_EVERY_MS
        }
        await self._write_ended()
        stamps = {session_id: known.seen_ms for session_id, known in seen.items()}
        now_ms = self.now_ms()
        async with self._database.transaction(self._tenant_id) as connection:
            kept = (
                await session_rows.note_seen(connection, self._tenant_id, stamps, self.idle_ms)
                if stamps
                else set()
            )
            changed, until = await self._changed(connection)
            fresh = await session_rows.sessions_of_accounts(connection, self._tenant_id, changed)
            if now_ms - self._tidied_ms > _TIDY_EVERY_S * 1000:
                await session_rows.delete_expired(connection, self._tenant_id, now_ms)
                self._tidied_ms = now_ms
        self._changed_until = until
        for session_id, known in seen.items():
            known.noted_ms = stamps[session_id]
        self.forget(stamps.keys() - kept)
        self.refresh(changed, fresh, before_ms=now_ms)

    def refresh(self, account_ids: Collection[UUID], fresh: dict[UUID, Session], *, before_ms: int) -> None:
        """Take over what accounts are now; sessions of theirs made *before* and not *fresh* have ended."""
        gone = []
        for known in self._known.values():
            session = known.session
            if session.account_id not in account_ids:
                continue
            if (now := fresh.get(session.session_id)) is not None:
                known.session = replace(now, expires_ms=max(now.expires_ms, session.expires_ms))
            elif session.made_ms < before_ms:
                gone.append(session.session_id)
        self.forget(gone)

    async def _changed(self, connection: AsyncConnection) -> tuple[set[UUID], datetime]:
        """Return which accounts have changed since the last round (some of them again), and until when."""
        now: datetime = (await connection.execute(select(func.now()))).scalar_one()
        if self._changed_until is None or not self._known:
            return set(), now
        person = account.c
        query = select(person.account_id).where(
            person.tenant_id == self._tenant_id, person.changed_at > self._changed_until - _LATE_COMMIT
        )
        used = {known.session.account_id for known in self._known.values()}
        return set((await connection.execute(query)).scalars()) & used, now

    # ------------------------------------------------------------ inside

    async def _look_up(self, digest: bytes) -> Session | None:
        if self._lookup_count >= LOOKUPS_MAX:
            raise ApiError(503, "too_busy", "too many sessions are looked up", headers={"Retry-After": "1"})
        self._lookup_count += 1
        try:
            async with self._at_once, self._database.transaction(self._tenant_id) as connection:
                return await session_rows.session_of_digest(
                    connection, self._tenant_id, digest, self.now_ms()
                )
        finally:
            self._lookup_count -= 1

    def _seen(self, digest: bytes) -> Session | None:
        known = self._known.get(digest)
        if known is None:
            return None
        if self._is_over(known):
            self.forget((known.session.session_id,))
            return None
        self._known.move_to_end(digest)
        now_ms = self.now_ms()
        if now_ms > known.seen_ms:
            known.seen_ms = now_ms
            known.session = replace(known.session, expires_ms=now_ms + self.idle_ms)
        return known.session

    def _learn(self, digest: bytes, session: Session) -> None:
        now_ms = self.now_ms()
        self._known[digest] = _Known(
            session=session, seen_ms=now_ms, noted_ms=session.expires_ms - self.idle_ms
        )
        self._known.move_to_end(digest)
        self._digests[session.session_id] = digest
        while len(self._known) > KNOWN_MAX:  # the row has it still: it is looked up when it comes again
            _, oldest = self._known.popitem(last=False)
            self._digests.pop(oldest.session.session_id, None)

    def _is_over(self, known: _Known) -> bool:
        now_ms = self.now_ms()
        return now_ms >= known.session.ends_ms or now_ms >= known.session.expires_ms
