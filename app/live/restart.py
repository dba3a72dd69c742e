"""Boot: bring the engine back to where the journal ends, without acting again.

Newest snapshot, then every journalled signal after it, commands thrown away. Then a new epoch,
higher than any that the journal, the PBX's fence or the database know. What the PBX knows better
(channels, bridges, devices) comes later, as one ``PbxSnapshotTaken`` through the inbox.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import structlog

from app.live.bus import Bus, Cursor
from app.live.clock import Clock
from app.live.errors import JournalError
from app.live.journal import Journal, JournalRow, Snapshot
from app.live.poison import where
from app.live.ports import EngineMaker, SteppedEngine
from app.live.rescue import Rescue
from app.live.rewind import restep
from app.live.rows import events_of, signal_of, step_of
from routing.signals import Signal
from routing.step import Step

REQUESTS_MS = 10 * 60 * 1_000  # a request repeated within ten minutes is known across a restart
BUS_ROWS_MAX = 2_000
EPOCH_WRITE_S = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RestartReport:
    """What a boot found, for the log and the page of the server's state.

    Attributes:
        snapshot: Epoch and seq of the snapshot used; None: none could be.
        tail_count: Signals stepped after it.
        skipped_count: Signals on which the engine failed, or that could not be read.
        gap_count: Places where steps are missing (they were never written).
        moved_to: Where an unreadable journal was put.
    """

    epoch: int
    snapshot: tuple[int, int] | None
    tail_count: int
    skipped_count: int
    gap_count: int
    duration_ms: float
    moved_to: Path | None
    fault: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """All that the live core goes on with.

    Attributes:
        bus: Already carries the last events, so that a reader's cursor survives the restart.
        requests: Answered requests for ``Inbox.remember``.
    """

    journal: Journal
    engine: SteppedEngine
    rescue: Rescue
    bus: Bus
    requests: tuple[Step, ...]
    epoch: int
    report: RestartReport


async def restart(
    path: Path, maker: EngineMaker, clock: Clock, *, fence_epoch: int = 0, database_epoch: int = 0
) -> Restarted:
    """Open the journal at *path* and bring everything back.

    Args:
        clock: Raised to the last journalled stamp, so that time does not run backwards over a restart.
        fence_epoch: The PBX's fence, 0 when it could not be read.
        database_epoch: The highest epoch in the database, 0 when it is away.

    Raises:
        JournalUnavailable: rights, a full disk, or another server on the same file.
    """
    journal = await Journal.open(path)
    try:
        return await _restart(journal, maker, clock, max(fence_epoch, database_epoch))
    except JournalError as error:  # damage that showed only on reading
        await journal.close()
        journal = await Journal.open(path, distrusted=str(error))
        return await _restart(journal, maker, clock, max(fence_epoch, database_epoch))


async def _restart(journal: Journal, maker: EngineMaker, clock: Clock, known_epoch: int) -> Restarted:
    began_s = time.monotonic()
    snapshot, state = await _newest_usable(journal, maker)
    place = (snapshot.epoch, snapshot.seq) if snapshot else (0, 0)
    rows = [row async for row in journal.tail_after(*place)]
    signals, unread_count = _signals(rows)
    restepped = await restep(maker, state["engine"] if state else None, signals)
    rescue = Rescue.from_json(state["rescue"]) if state else Rescue()
    for row in rows:
        _note(rescue, row)
    newest = await journal.newest(BUS_ROWS_MAX)
    if newest:
        clock.raise_to(newest[-1].at_ms)
    requests = [step_of(row) for row in await journal.requests_since(clock.now_ms() - REQUESTS_MS)]
    epoch = max(known_epoch, await journal.max_epoch()) + 1
    await _begin(journal, epoch, clock.now_ms())
    report = RestartReport(
        epoch=epoch,
        snapshot=place if snapshot else None,
        tail_count=len(signals),
        skipped_count=len(restepped.skipped) + unread_count,
        gap_count=_gap_count(place, rows),
        duration_ms=(time.monotonic() - began_s) * 1_000,
        moved_to=journal.moved_to,
        fault=journal.fault,
    )
    log.info("journal read", **{name: getattr(report, name) for name in RestartReport.__slots__})
    bus = _warm_bus(newest)
    return Restarted(journal, restepped.engine, rescue, bus, tuple(requests), epoch, report)


async def _newest_usable(
    journal: Journal, maker: EngineMaker
) -> tuple[Snapshot | None, dict[str, Any] | None]:
    for snapshot in await journal.snapshots():
        try:
            state = orjson.loads(snapshot.body)
            maker.restored(state["engine"])
            Rescue.from_json(state["rescue"])
        except Exception as error:  # noqa: BLE001 (the guard: an older one and a longer tail do as well)
            log.error("a snapshot cannot be restored", place=snapshot[:2], fault=where(error))
            continue
        return snapshot, state
    return None, None


def _signals(rows: Sequence[JournalRow]) -> tuple[list[Signal], int]:
    signals: list[Signal] = []
    unread_count = 0
    for row in rows:
        try:
            signals.append(signal_of(row))
        except ValueError as error:
            unread_count += 1
            log.error("a journalled signal cannot be read", epoch=row.epoch, seq=row.seq, error=str(error))
    return signals, unread_count


def _note(rescue: Rescue, row: JournalRow) -> None:
    try:
        rescue.note(signal_of(row), events_of(row))
    except ValueError:
        return  # reported by _signals, or an event of a newer release, which the fold leaves out


def _gap_count(place: tuple[int, int], rows: Sequence[JournalRow]) -> int:
    gaps = 0
    epoch, seq = place
    for row in rows:
        gaps += row.seq != (seq + 1 if row.epoch == epoch else 1)
        epoch, seq = row.epoch, row.seq
    return gaps


def _warm_bus(rows: Sequence[JournalRow]) -> Bus:
    """Return a bus that carries the events of the last rows without a gap between them."""
    start = 0
    for index in range(1, len(rows)):
        before, row = rows[index - 1], rows[index]
        if row.seq != (before.seq + 1 if row.epoch == before.epoch else 1):
            start = index
    bus = Bus(Cursor(rows[start].epoch, rows[start].seq - 1) if rows else Cursor(0, 0))
    for row in rows[start:]:
        try:
            bus.publish(row.epoch, row.seq, events_of(row))
        except ValueError as error:
            log.error("journalled events cannot be read", epoch=row.epoch, seq=row.seq, error=str(error))
            bus = Bus(Cursor(row.epoch, row.seq))
    return bus


async def _begin(journal: Journal, epoch: int, now_ms: int) -> None:
    """Note the epoch on disk; a disk that refuses does not keep the server from starting."""
    try:
        await asyncio.wait_for(journal.begin_epoch(epoch, now_ms), EPOCH_WRITE_S)
    except (JournalError, TimeoutError) as error:
        log.error("the new epoch could not be written", epoch=epoch, error=str(error))
