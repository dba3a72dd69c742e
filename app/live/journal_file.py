"""The journal's SQLite file: its tables, how it is opened, and what happens to an unreadable one.

A step's place is one integer, ``epoch << 40 | seq``, so that the log is one append-only B-tree. The
view ``steps`` shows it in words for whoever opens the file by hand.
"""

from __future__ import annotations

import fcntl
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import structlog

from app.live.errors import JournalUnavailable

SEQ_BITS = 40
_SEQ_MASK = (1 << SEQ_BITS) - 1
_FORMAT = 1
_MODE = 0o600  # callers' names and numbers stand in it; SQLite gives its side files the same
_PAGE_BYTES = 4_096
_CHECK_BYTES_MAX = 64 * 1024 * 1024  # a bigger file is not read through at start
_CACHE_STATEMENTS_MAX = 256  # one INSERT per count of rows in a commit
_CONTENT_FAULTS = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA})
_SIDE_FILES = ("", "-wal", "-shm")

_TABLES = """
CREATE TABLE IF NOT EXISTS step(
    number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,
    signal BLOB NOT NULL, events BLOB NOT NULL, commands BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS snapshot(number INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS epoch(epoch INTEGER PRIMARY KEY, begun_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS degraded_span(
    from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, lost_count INTEGER NOT NULL);
CREATE VIEW IF NOT EXISTS steps AS
    SELECT number >> 40 AS epoch, number & 1099511627775 AS seq, at_ms,
           CAST(signal AS TEXT) AS signal, CAST(events AS TEXT) AS events, CAST(commands AS TEXT) AS commands
    FROM step;
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A journal file ready for use.

    Attributes:
        moved_to: Where an unreadable predecessor was put; None when there was none.
        fault: What was wrong with it.
    """

    write: sqlite3.Connection
    read: sqlite3.Connection
    lock: IO[bytes]
    moved_to: Path | None = None
    fault: str = ""


def number_of(epoch: int, seq: int) -> int:
    """Return the integer place of a step."""
    assert 0 <= epoch < 1 << 22, epoch
    assert 0 <= seq <= _SEQ_MASK, seq
    return epoch << SEQ_BITS | seq


def place_of(number: int) -> tuple[int, int]:
    """Return epoch and seq of an integer place.

    >>> place_of(number_of(7, 9))
    (7, 9)
    """
    return number >> SEQ_BITS, number & _SEQ_MASK


def open_file(path: Path, bytes_max: int, distrusted: str = "") -> OpenedFile:
    """Open or begin the journal at *path*; an unreadable one is moved aside, never deleted.

    Raises:
        JournalUnavailable: the file cannot be opened for a reason outside of it (rights, disk full,
            another process); the message says which.
    """
    lock = _lock(path)
    try:
        if distrusted:
            raise _UnreadableError(distrusted)
        return OpenedFile(*_open(path, bytes_max), lock)
    except JournalUnavailable:
        lock.close()
        raise
    except _UnreadableError as fault:
        moved_to = _move_aside(path)
        path.touch(_MODE)
        log.error(
            "journal unreadable; moved aside and a new one begun; agents' states are read from the database "
            "and calls from the PBX",
            fault=str(fault),
            moved_to=str(moved_to),
        )
        return OpenedFile(*_open(path, bytes_max), lock, moved_to, str(fault))


class _UnreadableError(Exception):
    """The file's content is not a journal of ours, or is damaged."""


def _lock(path: Path) -> IO[bytes]:
    """Keep a second server off this journal: two writers would number the same steps."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(path.name + ".lock").open("wb")
        path.touch(_MODE)
        path.chmod(_MODE)
    except OSError as error:
        raise JournalUnavailable(f"the data directory {path.parent} cannot be written: {error}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise JournalUnavailable(
            f"another server uses the journal {path}; stop it, or choose another data directory"
        ) from error
    return lock


def _open(path: Path, bytes_max: int) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    connections: list[sqlite3.Connection] = []
    try:
        write = _connect(path, connections)
        _check(write)
        write.execute("PRAGMA journal_mode=WAL")
        write.execute("PRAGMA synchronous=NORMAL")
        write.execute("PRAGMA wal_autocheckpoint=0")  # checkpoints wait for the disk: another thread's work
        write.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={_FORMAT}; COMMIT;")
        write.execute(f"PRAGMA max_page_count={max(64, bytes_max // _PAGE_BYTES)}")
        read = _connect(path, connections)
        read.execute("PRAGMA query_only=ON")
        return write, read
    except sqlite3.DatabaseError as error:
        for connection in connections:
            connection.close()
        if _is_content_fault(error):
            raise _UnreadableError(str(error)) from error
        raise JournalUnavailable(
            f"the journal {path} cannot be opened: {error}. Check that the disk has room, that the "
            "directory belongs to this user, and that no other server uses it."
        ) from error
    except (_UnreadableError, JournalUnavailable):
        for connection in connections:
            connection.close()
        raise


def _connect(path: Path, connections: list[sqlite3.Connection]) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path,
        timeout=0.2,
        isolation_level=None,
        check_same_thread=False,  # opened by one thread, used by one other
        cached_statements=_CACHE_STATEMENTS_MAX,
    )
    connections.append(connection)
    return connection


def _check(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if found > _FORMAT:
        raise JournalUnavailable(
            f"the journal has format {found}, this server knows {_FORMAT}: a newer release wrote it. "
            "Start that release again and let it drain, or move the journal away."
        )
    if found == 0 and tables:
        raise _UnreadableError("a database, but not a journal")
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if pages * _PAGE_BYTES > _CHECK_BYTES_MAX:
        return
    (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise _UnreadableError(verdict)


def _is_content_fault(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _CONTENT_FAULTS


def _move_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    target = path.with_name(f"{path.name}.unreadable-{stamp}")
    ordinal = 1
    while target.exists():
        ordinal += 1
        target = path.with_name(f"{path.name}.unreadable-{stamp}-{ordinal}")
    for suffix in _SIDE_FILES:
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(target.with_name(target.name + suffix))
    return target
