"""The thread that writes the journal: group commit, a bounded ring for what cannot be written yet.

Rows wait in the ring until they are committed. All that wait go into one ``INSERT`` statement, which
is one transaction. When the disk refuses, the writer tries again every ``_RETRY_S``; beyond the
ring's limits the oldest rows are lost and counted. Snapshots, marks and pruning are *jobs*: they
run only while no row waits (pruning also while the disk refuses, because it makes room).
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from app.live.errors import JournalWriteFailed
from app.live.journal_file import number_of

RING_ROWS_MAX = 100_000
RING_BYTES_MAX = 128 * 1024 * 1024
COMMIT_ROWS_MAX = 256
JOBS_MAX = 64
_RETRY_S = 0.05
_CHECKPOINT_ROWS = 1_000
_ROW_OVERHEAD_BYTES = 250

log = structlog.get_logger()

Work = Callable[[sqlite3.Connection], object]


class JournalRow(NamedTuple):
    """One step of the engine, as written.

    Attributes:
        signal: The stamped signal, JSON.
        events: A JSON array of the events, in order; an event's ordinal is its index.
        commands: A JSON array of the commands.
    """

    epoch: int
    seq: int
    at_ms: int
    signal: bytes
    events: bytes
    commands: bytes

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""
        return len(self.signal) + len(self.events) + len(self.commands) + _ROW_OVERHEAD_BYTES


@dataclass(slots=True)
class _Job:
    work: Work
    done: Future[object]
    frees_room: bool


class JournalWriter:
    """Owns the writing connection and its thread.

    Args:
        on_committed: Called on the writer's thread with the last committed number.
        on_checkpoint_due: Called on the writer's thread every thousand rows.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        on_committed: Callable[[int], None],
        on_checkpoint_due: Callable[[], None],
        *,
        ring_rows_max: int = RING_ROWS_MAX,
    ) -> None:
        self._connection = connection
        self._on_committed = on_committed
        self._on_checkpoint_due = on_checkpoint_due
        self._ring_rows_max = ring_rows_max
        self._wake = threading.Condition()
        self._ring: deque[JournalRow] = deque()
        self._ring_bytes = 0
        self._in_flight = 0
        self._jobs: deque[_Job] = deque()
        self._closing_by_s: float | None = None
        self._rows_since_checkpoint = 0
        self._degraded_from_ms: int | None = None
        self._lost_in_span = 0
        self.committed = 0
        self.lost_count = 0
        self.late_count = 0
        self.commit_count = 0
        self.refusal = ""
        self._thread = threading.Thread(target=self._run, name="journal-write", daemon=True)
        self._thread.start()

    @property
    def degraded(self) -> bool:
        """True while rows wait that could not be written in time."""
        return self._degraded_from_ms is not None

    @property
    def waiting_count(self) -> int:
        """How many rows wait to be committed."""
        return len(self._ring) + self._in_flight

    def add(self, rows: Sequence[JournalRow]) -> None:
        """Queue *rows* for the next commit; never blocks for the disk."""
        with self._wake:
            self._ring.extend(rows)
            self._ring_bytes += sum(row.size_bytes for row in rows)
            while len(self._ring) > self._ring_rows_max or self._ring_bytes > RING_BYTES_MAX:
                self._ring_bytes -= self._ring.popleft().size_bytes
                self.lost_count += 1
                self._lost_in_span += 1
            self._wake.notify()

    def give_up_waiting(self, at_ms: int) -> None:
        """The caller waits no longer: from *at_ms* on the log is behind, until the ring is empty again."""
        with self._wake:
            if self._degraded_from_ms is None and (self._ring or self._in_flight):
                self._degraded_from_ms = at_ms
                self.late_count += 1
                log.error(
                    "journal cannot be written in time; routing goes on, records wait in memory",
                    refusal=self.refusal or "the disk does not answer",
                )

    def submit(self, work: Work, *, frees_room: bool = False) -> Future[object]:
        """Run *work* on the writer's thread, in a transaction of its own.

        Raises:
            JournalWriteFailed: too much other work waits (nothing can be written for long), or the
                writer is closing; through the future: the disk refused.
        """
        done: Future[object] = Future()
        with self._wake:
            if len(self._jobs) >= JOBS_MAX or self._closing_by_s is not None:
                raise JournalWriteFailed("the journal's writer is closing or far behind")
            self._jobs.append(_Job(work, done, frees_room))
            self._wake.notify()
        return done

    def close(self, flush_s: float) -> None:
        """Write what waits, for at most *flush_s*, and end the thread. Blocks."""
        with self._wake:
            self._closing_by_s = time.monotonic() + flush_s
            self._wake.notify()
        self._thread.join(flush_s + 2.0)

    # ------------------------------------------------------------ on the writer's thread

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._ring and not self._jobs and self._closing_by_s is None:
                    self._wake.wait()
                rows = [self._ring.popleft() for _ in range(min(COMMIT_ROWS_MAX, len(self._ring)))]
                self._ring_bytes -= sum(row.size_bytes for row in rows)
                self._in_flight = len(rows)
            written = self._write(rows) if rows else True
            if not written:
                self._put_back(rows)
                self._run_jobs(only_frees_room=True)
            elif not self._ring:
                self._end_span()
                self._run_jobs(only_frees_room=False)
            if self._closing_by_s is not None and self._may_end():
                self._connection.close()
                return
            if not written:
                time.sleep(_RETRY_S)

    def _write(self, rows: list[JournalRow]) -> bool:
        values = ",".join(["(?,?,?,?,?)"] * len(rows))
        flat: list[object] = []
        for row in rows:
            flat += (number_of(row.epoch, row.seq), row.at_ms, row.signal, row.events, row.commands)
        try:
            self._connection.execute(f"INSERT INTO step VALUES {values}", flat)  # noqa: S608 (only marks)
        except sqlite3.Error as error:
            self.refusal = str(error)
            return False
        self.refusal = ""
        with self._wake:
            self._in_flight = 0
        self.commit_count += 1
        self.committed = number_of(rows[-1].epoch, rows[-1].seq)
        self._on_committed(self.committed)
        self._rows_since_checkpoint += len(rows)
        if self._rows_since_checkpoint >= _CHECKPOINT_ROWS:
            self._rows_since_checkpoint = 0
            self._on_checkpoint_due()
        return True

    def _put_back(self, rows: list[JournalRow]) -> None:
        with self._wake:
            self._ring.extendleft(reversed(rows))
            self._ring_bytes += sum(row.size_bytes for row in rows)
            self._in_flight = 0

    def _end_span(self) -> None:
        """All rows are written again: leave a mark of the stretch in which they were not."""
        with self._wake:
            if self._degraded_from_ms is None or self._ring:
                return
            from_ms, lost_count = self._degraded_from_ms, self._lost_in_span
            self._degraded_from_ms, self._lost_in_span = None, 0
        try:
            self._connection.execute(
                "INSERT INTO degraded_span SELECT ?, coalesce(max(at_ms), ?), ? FROM "
                "(SELECT at_ms FROM step ORDER BY number DESC LIMIT 1)",
                (from_ms, from_ms, lost_count),
            )
        except sqlite3.Error as error:
            log.error("journal written again, but the mark of the gap was refused", error=str(error))
            return
        log.warning("journal written again", from_ms=from_ms, lost_count=lost_count)

    def _run_jobs(self, *, only_frees_room: bool) -> None:
        """Run what waits once; jobs that came meanwhile take their turn after the next rows."""
        with self._wake:
            chosen = [job for job in self._jobs if job.frees_room or not only_frees_room]
            for job in chosen:
                self._jobs.remove(job)
        for job in chosen:
            if not job.done.set_running_or_notify_cancel():
                continue
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                result = job.work(self._connection)
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                job.done.set_exception(JournalWriteFailed(f"the journal refused: {error}"))
            else:
                job.done.set_result(result)

    def _may_end(self) -> bool:
        assert self._closing_by_s is not None
        with self._wake:
            if (self._ring or self._jobs) and time.monotonic() < self._closing_by_s:
                return False
            for job in self._jobs:
                job.done.cancel()
            return True
