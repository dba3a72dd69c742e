"""The journal: every step on local disk before any of its commands is sent.

SQLite in WAL mode with ``synchronous=NORMAL``: a commit survives kill -9; a loss of power may take
the last ones, which the PBX's own record covers. Writing has a thread of its own (group commit), reading and
checkpoints another, so that neither the loop nor a commit waits for the disk's slower moods.

When a commit does not come within ``WRITE_TIMEOUT_MS`` the caller goes on: ``append`` returns
False, ``degraded`` is set, and until everything is written again later appends return at once.
"""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import structlog

from app.live.errors import JournalError
from app.live.journal_file import OpenedFile, number_of, open_file, place_of
from app.live.journal_writer import JournalRow, JournalWriter

__all__ = ["DegradedSpan", "Journal", "JournalRow", "Snapshot"]

WRITE_TIMEOUT_MS = 250
JOURNAL_BYTES_MAX = 8 * 1024 * 1024 * 1024
SNAPSHOTS_KEPT = 3
PAGE_ROWS = 1_000
REQUEST_ROWS_MAX = 20_000
_PRUNE_ROWS = 500
_FLUSH_S = 2.0
_READ_AFTER = (
    "SELECT number, at_ms, signal, events, commands FROM step WHERE number > ? ORDER BY number LIMIT ?"
)
_READ_NEWEST = "SELECT number, at_ms, signal, events, commands FROM step ORDER BY number DESC LIMIT ?"
_READ_REQUESTS = (
    "SELECT number, at_ms, signal, events, commands FROM "
    "(SELECT * FROM step ORDER BY number DESC LIMIT ?) WHERE at_ms >= ? "
    "AND json_extract(CAST(signal AS TEXT), '$.request_id') IS NOT NULL ORDER BY number"
)
_KEEP_NEWEST = (
    "DELETE FROM snapshot WHERE number NOT IN (SELECT number FROM snapshot ORDER BY number DESC LIMIT ?)"
)

log = structlog.get_logger()
_T = TypeVar("_T")


class Snapshot(NamedTuple):
    """The engine's state after the step ``(epoch, seq)``; the body is JSON."""

    epoch: int
    seq: int
    body: bytes


class DegradedSpan(NamedTuple):
    """A stretch in which steps were done before they were written; milliseconds since the epoch.

    Attributes:
        lost_count: Steps that never were; figures over this stretch are estimates when it is not 0.
    """

    from_ms: int
    until_ms: int
    lost_count: int


class Journal:
    """The log of steps. Belongs to the event loop's thread; open it with ``Journal.open``."""

    def __init__(
        self, opened: OpenedFile, last: int, write_timeout_ms: int, ring_rows_max: int | None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._read = opened.read
        self._lock = opened.lock
        self._last = last
        self._write_timeout_s = write_timeout_ms / 1_000
        self._waiters: deque[tuple[int, int, asyncio.Future[bool]]] = deque()
        self._reader = ThreadPoolExecutor(1, "journal-read")
        limits = {} if ring_rows_max is None else {"ring_rows_max": ring_rows_max}
        self._writer = JournalWriter(opened.write, self._committed, self._checkpoint_due, **limits)
        self.moved_to = opened.moved_to
        self.fault = opened.fault

    @classmethod
    async def open(
        cls,
        path: Path,
        *,
        bytes_max: int = JOURNAL_BYTES_MAX,
        write_timeout_ms: int = WRITE_TIMEOUT_MS,
        ring_rows_max: int | None = None,
        distrusted: str = "",
    ) -> Journal:
        """Open or begin the journal at *path*. An unreadable file is moved aside (``moved_to``, ``fault``).

        Args:
            distrusted: Not empty: move the file aside for this reason, whatever it looks like.

        Raises:
            JournalUnavailable: rights, a full disk, or another server on the same file.
        """
        opened = await asyncio.to_thread(open_file, path, bytes_max, distrusted)
        (last,) = opened.read.execute("SELECT coalesce(max(number), 0) FROM step").fetchone()
        return cls(opened, last, write_timeout_ms, ring_rows_max)

    async def append(self, rows: Sequence[JournalRow]) -> bool:
        """Write the rows of one batch in one transaction.

        Epoch and seq go on without a gap: the seq after the last, or 1 in a higher epoch.

        Returns:
            True once committed; False when that was not to be had in time: the rows then wait in
            memory, and the caller acts without waiting further.
        """
        if not rows:
            return not self._writer.degraded
        self._check_places(rows)
        if self._writer.degraded:
            self._writer.add(rows)
            return False
        waiter: asyncio.Future[bool] = self._loop.create_future()
        self._waiters.append((self._last, rows[0].at_ms, waiter))
        self._writer.add(rows)
        timer = self._loop.call_later(self._write_timeout_s, self._give_up)
        try:
            return await waiter
        finally:
            timer.cancel()

    async def read_after(self, epoch: int, seq: int, count_max: int = PAGE_ROWS) -> list[JournalRow]:
        """Return committed rows after ``(epoch, seq)``, oldest first, at most *count_max*."""
        return await self._query(_READ_AFTER, (number_of(epoch, seq), count_max))

    async def tail_after(self, epoch: int, seq: int) -> AsyncIterator[JournalRow]:
        """Yield every committed row after ``(epoch, seq)``, read in pages."""
        while rows := await self.read_after(epoch, seq):
            for row in rows:
                yield row
            epoch, seq = rows[-1].epoch, rows[-1].seq

    async def newest(self, count_max: int) -> list[JournalRow]:
        """Return the last *count_max* committed rows, oldest first."""
        rows = await self._query(_READ_NEWEST, (count_max,))
        return rows[::-1]

    async def requests_since(self, since_ms: int) -> list[JournalRow]:
        """Return the rows whose signal carried a request id, stamped since *since_ms*, oldest first."""
        return await self._query(_READ_REQUESTS, (REQUEST_ROWS_MAX, since_ms))

    async def max_epoch(self) -> int:
        """Return the highest epoch that ever began here, 0 when none did."""

        def work() -> int:
            (begun,) = self._read.execute("SELECT coalesce(max(epoch), 0) FROM epoch").fetchone()
            (stepped,) = self._read.execute("SELECT coalesce(max(number), 0) FROM step").fetchone()
            return max(int(begun), place_of(int(stepped))[0])

        return await self._on_reader(work)

    async def begin_epoch(self, epoch: int, begun_ms: int) -> None:
        """Note that *epoch* began, so that it is never given out again, even without a step.

        Raises:
            JournalWriteFailed: it could not be written.
        """

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO epoch VALUES (?, ?)", (epoch, begun_ms))

        await asyncio.wrap_future(self._writer.submit(work))

    async def save_snapshot(self, epoch: int, seq: int, body: bytes) -> None:
        """Keep *body* as the engine's state after the step ``(epoch, seq)``; older ones but three go.

        It is written after the rows that came before it, so that a tail always fits its snapshot.

        Raises:
            JournalWriteFailed: it could not be written.
        """
        packed = await asyncio.to_thread(zlib.compress, body, 1)

        def work(connection: sqlite3.Connection) -> None:
            values = (number_of(epoch, seq), packed)
            connection.execute("INSERT OR REPLACE INTO snapshot VALUES (?, ?)", values)
            connection.execute(_KEEP_NEWEST, (SNAPSHOTS_KEPT,))

        await asyncio.wrap_future(self._writer.submit(work))

    async def newest_snapshot(self) -> Snapshot | None:
        """Return the newest snapshot, or None."""
        found = await self.snapshots()
        return found[0] if found else None

    async def snapshots(self) -> list[Snapshot]:
        """Return the snapshots that are kept and whole, newest first."""

        def work() -> list[Snapshot]:
            found = []
            sql = "SELECT number, body FROM snapshot ORDER BY number DESC"
            for number, packed in self._read.execute(sql):
                try:
                    found.append(Snapshot(*place_of(number), zlib.decompress(packed)))
                except zlib.error as error:
                    log.error("a snapshot is damaged", place=place_of(number), error=str(error))
            return found

        return await self._on_reader(work)

    async def degraded_spans(self, since_ms: int) -> list[DegradedSpan]:
        """Return the stretches that ended at or after *since_ms* in which acting came before writing."""

        def work() -> list[DegradedSpan]:
            rows = self._read.execute(
                "SELECT from_ms, until_ms, lost_count FROM degraded_span WHERE until_ms >= ?",
                (since_ms,),
            )
            return [DegradedSpan(*row) for row in rows]

        return await self._on_reader(work)

    async def prune(self, drained_epoch: int, drained_seq: int, before_ms: int) -> int:
        """Delete rows up to a drained place, older than *before_ms* and than the oldest snapshot.

        Rows that are not drained stay, however old; so does every row that a restart would re-step.

        Returns:
            How many rows were deleted.

        Raises:
            JournalWriteFailed: it could not be written.
        """

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute(
                "DELETE FROM step WHERE number IN (SELECT number FROM (SELECT number, at_ms FROM step "
                "WHERE number <= min(?, (SELECT coalesce(min(number), 0) FROM snapshot)) "
                "ORDER BY number LIMIT ?) WHERE at_ms < ?)",
                (number_of(drained_epoch, drained_seq), _PRUNE_ROWS, before_ms),
            )
            return cursor.rowcount

        total = 0
        while True:
            deleted = await asyncio.wrap_future(self._writer.submit(work, frees_room=True))
            assert isinstance(deleted, int)
            total += deleted
            if deleted < _PRUNE_ROWS:
                return total

    async def close(self) -> None:
        """Write what waits (at most 2 s) and let go of the file."""
        await asyncio.to_thread(self._writer.close, _FLUSH_S)
        await asyncio.to_thread(self._reader.shutdown)
        self._read.close()
        self._lock.close()

    @property
    def last(self) -> tuple[int, int]:
        """Epoch and seq of the last row that was given to ``append``, or found in the file."""
        return place_of(self._last)

    @property
    def degraded(self) -> bool:
        """True while acting comes before writing."""
        return self._writer.degraded

    @property
    def waiting_count(self) -> int:
        """How many rows are not committed yet."""
        return self._writer.waiting_count

    @property
    def lost_count(self) -> int:
        """How many rows found no room in memory while the disk refused."""
        return self._writer.lost_count

    @property
    def late_count(self) -> int:
        """How often the journal became degraded."""
        return self._writer.late_count

    # ------------------------------------------------------------ inside

    def _check_places(self, rows: Sequence[JournalRow]) -> None:
        for row in rows:
            number = number_of(row.epoch, row.seq)
            begins_epoch = row.seq == 1 and row.epoch > place_of(self._last)[0]
            assert begins_epoch or number == self._last + 1, (place_of(number), place_of(self._last))
            self._last = number

    def _give_up(self) -> None:
        """The oldest waiter waited too long: it and all others go on without the disk."""
        self._resolve(self._writer.committed)
        if self._waiters:
            self._writer.give_up_waiting(self._waiters[0][1])
        while self._waiters:
            _, _, waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(False)

    def _resolve(self, committed: int) -> None:
        while self._waiters and self._waiters[0][0] <= committed:
            _, _, waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(True)

    def _committed(self, number: int) -> None:
        """Called by the writer's thread."""
        self._call_loop(lambda: self._resolve(number))

    def _checkpoint_due(self) -> None:
        """Called by the writer's thread: move the WAL into the file, on the reader's thread."""

        def work() -> None:
            try:
                self._read.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            except sqlite3.Error as error:
                log.error("journal checkpoint refused", error=str(error))

        self._reader.submit(work)

    def _call_loop(self, callback: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(callback)

    async def _query(self, sql: str, values: tuple[int, ...]) -> list[JournalRow]:
        def work() -> list[JournalRow]:
            return [
                JournalRow(*place_of(number), at_ms, signal, events, commands)
                for number, at_ms, signal, events, commands in self._read.execute(sql, values)
            ]

        return await self._on_reader(work)

    async def _on_reader(self, work: Callable[[], _T]) -> _T:
        try:
            return await self._loop.run_in_executor(self._reader, work)
        except sqlite3.Error as error:
            raise JournalError(f"the journal cannot be read: {error}") from error
