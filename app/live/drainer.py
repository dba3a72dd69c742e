"""The drainer: carries the journal into PostgreSQL, exactly once, and goes on when it comes back.

One transaction per page: the events, the rows that follow from them, and the cursor move together or
not at all. PostgreSQL away costs nothing but time, for the journal keeps what is not drained.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg  # type: ignore[import-untyped]
import orjson
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db.session import Database, TenantId, driver
from app.live.errors import JournalError
from app.live.gap_writer import Restart
from app.live.journal_writer import JournalRow
from app.live.record_writer import JournalledEvent, RecordWriter, decoded

PAGE_ROWS_MAX = 200
STEPS_AT_ONCE = 20  # then the loop's other tasks have their turn
IDLE_S = 1.0  # what comes meanwhile shares a transaction, and an interaction is folded once for it
ALIVE_EVERY_S = 10.0  # so often an idle server says that nothing is missing up to now
RETRY_FIRST_S = 0.1
RETRY_MAX_S = 5.0
AWAY = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    SQLAlchemyError,
)  # TimeoutError is an OSError

log = structlog.get_logger()


class JournalSource(Protocol):
    """The journal as it is read here."""

    async def read_after(self, epoch: int, seq: int, count_max: int = ...) -> list[JournalRow]:
        """Return committed rows after ``(epoch, seq)``, oldest first."""


@dataclass(slots=True)
class DrainLag:
    """How far behind the record is.

    Attributes:
        epoch, seq: The last step in PostgreSQL.
        drained_at_ms: Inbox stamp of that step; 0 before the first.
        waiting: A full page is still to come, or the database is away.
        failure_count: Failed tries in a row; 0 when it works.
        failure: What the last try said.
        event_count: Events written by this process.
        unreadable_count: Events stored that this version cannot read, so nothing was folded from them.
    """

    epoch: int = 0
    seq: int = 0
    drained_at_ms: int = 0
    waiting: bool = False
    failure_count: int = 0
    failure: str = ""
    event_count: int = 0
    unreadable_count: int = 0


class Drainer:
    """Drains one journal into one tenant's log.

    Args:
        journal_id: Names the journal's cursor; another journal of the same tenant has another.
    """

    def __init__(
        self,
        journal: JournalSource,
        database: Database,
        tenant_id: TenantId,
        *,
        journal_id: str = "local",
        page_rows_max: int = PAGE_ROWS_MAX,
    ) -> None:
        self._journal = journal
        self._database = database
        self._tenant_id = tenant_id
        self._journal_id = journal_id
        self._page_rows_max = page_rows_max
        self._page_rows = page_rows_max
        self._writer = RecordWriter(tenant_id)
        self._cursor: tuple[int, int] | None = None
        self._alive_ms: int | None = None  # until when whoever drained before us is known to have lived
        self._alive_said_s = 0.0
        self.lag = DrainLag()

    async def run(self) -> None:
        """Drain forever; ends by being cancelled, between two transactions or with one undone."""
        retry_s = RETRY_FIRST_S
        while True:
            try:
                await self.drain_page()
                await self._say_alive()
            except (JournalError, *AWAY) as error:
                self._failed(error)
                await asyncio.sleep(retry_s)
                retry_s = min(retry_s * 2, RETRY_MAX_S)
                continue
            if self.lag.failure_count:
                log.info("the database takes the log again", after_failures=self.lag.failure_count)
            retry_s = RETRY_FIRST_S
            self.lag.failure_count, self.lag.failure = 0, ""
            if not self.lag.waiting:
                await asyncio.sleep(IDLE_S)

    async def drain_all(self) -> int:
        """Drain until nothing is left, for a clean stop and for tests; return how many steps.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError: the database is away.
        """
        total = 0
        while drained_count := await self.drain_page():
            total += drained_count
        return total

    async def drain_page(self) -> int:
        """Drain one page in one transaction; return how many steps it had.

        Raises:
            OSError, asyncpg.PostgresError, asyncpg.InterfaceError, SQLAlchemyError: the database is away.
        """
        if self._cursor is None:
            self._cursor = await self._read_cursor()
        rows = await self._journal.read_after(*self._cursor, self._page_rows)
        self.lag.waiting = len(rows) == self._page_rows
        if not rows:
            return 0
        journalled: list[JournalledEvent] = []
        for number, row in enumerate(rows, 1):
            journalled += events_in(row)
            if number % STEPS_AT_ONCE == 0:
                await asyncio.sleep(0)
        last = rows[-1]
        try:
            async with self._database.transaction(self._tenant_id) as connection:
                asyncpg_connection = await driver(connection)
                if not await self._move_cursor(asyncpg_connection, self._cursor, (last.epoch, last.seq)):
                    self._cursor = None  # somebody else drains this journal, or did before us
                    return len(rows)
                restarts = self._restarts(self._cursor[0], rows)
                written_count = await self._writer.write(asyncpg_connection, journalled, restarts)
        except BaseException:
            # The connection may have failed after the commit: read again what is true.
            self._writer.forget()
            self._cursor = None
            raise
        self._cursor = (last.epoch, last.seq)
        self._page_rows = min(self._page_rows * 2, self._page_rows_max)
        self.lag.epoch, self.lag.seq, self.lag.drained_at_ms = last.epoch, last.seq, last.at_ms
        self.lag.event_count += written_count
        self.lag.unreadable_count += sum(item.event is None for item in journalled)
        return len(rows)

    # ------------------------------------------------------------ inside

    def _restarts(self, epoch: int, rows: Sequence[JournalRow]) -> list[Restart]:
        """Where another term begins after one that is in the log or in these rows."""
        found: list[Restart] = []
        alive_ms = max(self._alive_ms or 0, self.lag.drained_at_ms)
        for row in rows:
            if row.epoch != epoch:
                if epoch and alive_ms:
                    found.append(Restart(row.epoch, min(alive_ms, row.at_ms)))
                epoch = row.epoch
            alive_ms = max(alive_ms, row.at_ms)
        return found

    async def _say_alive(self) -> None:
        now_s = asyncio.get_running_loop().time()
        if self.lag.waiting or self._cursor is None or now_s - self._alive_said_s < ALIVE_EVERY_S:
            return
        async with self._database.transaction(self._tenant_id) as connection:
            await (await driver(connection)).execute(
                "UPDATE drain_cursor SET moved_at = now() WHERE tenant_id = $1 AND journal_id = $2",
                self._tenant_id,
                self._journal_id,
            )
        self._alive_said_s = now_s

    def _failed(self, error: BaseException) -> None:
        self.lag.failure_count += 1
        self.lag.failure = f"{type(error).__name__}: {error}"[:500]
        self.lag.waiting = True
        # Should one row be the cause, ever smaller pages find it; it then stands in the message.
        self._page_rows = max(1, self._page_rows // 2)
        if self.lag.failure_count == 1 or self._page_rows == 1:
            log.warning(
                "the database does not take the log; the journal keeps it",
                error=type(error).__name__,
                after_epoch=self.lag.epoch,
                after_seq=self.lag.seq,
                page_rows=self._page_rows,
            )

    async def _read_cursor(self) -> tuple[int, int]:
        async with self._database.transaction(self._tenant_id) as connection:
            asyncpg_connection = await driver(connection)
            await asyncpg_connection.execute(
                "INSERT INTO drain_cursor (tenant_id, journal_id, epoch, seq) VALUES ($1, $2, 0, 0) "
                "ON CONFLICT DO NOTHING",
                self._tenant_id,
                self._journal_id,
            )
            row = await asyncpg_connection.fetchrow(
                "SELECT epoch, seq, (extract(epoch FROM moved_at) * 1000)::bigint AS moved_ms "
                "FROM drain_cursor WHERE tenant_id = $1 AND journal_id = $2",
                self._tenant_id,
                self._journal_id,
            )
        self.lag.epoch, self.lag.seq = row["epoch"], row["seq"]
        if self._alive_ms is None:
            self._alive_ms = row["moved_ms"]
        return row["epoch"], row["seq"]

    async def _move_cursor(self, connection: Any, before: tuple[int, int], after: tuple[int, int]) -> bool:
        moved = await connection.execute(
            "UPDATE drain_cursor SET epoch = $3, seq = $4, moved_at = now() "
            "WHERE tenant_id = $1 AND journal_id = $2 AND epoch = $5 AND seq = $6",
            self._tenant_id,
            self._journal_id,
            *after,
            *before,
        )
        return bool(moved == "UPDATE 1")


def events_in(row: JournalRow) -> Sequence[JournalledEvent]:
    """Return the events of one step, readable or not."""
    bodies = orjson.loads(row.events)
    if b"\\u0000" in row.events:
        bodies = [_without_nul(body) for body in bodies]  # PostgreSQL's text cannot hold it
    return [
        JournalledEvent(row.epoch, row.seq, ordinal, row.at_ms, body, decoded(body))
        for ordinal, body in enumerate(bodies)
    ]


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
        case dict():
            return {_without_nul(key): _without_nul(item) for key, item in value.items()}
        case list():
            return [_without_nul(item) for item in value]
        case _:
            return value
