"""The journal on a real disk: order, durability, a disk that refuses, damaged files."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from app.live.errors import JournalUnavailable
from app.live.journal import Journal, JournalRow

# for tests that are not about a late disk: any machine's disk answers within it
open_patiently = partial(Journal.open, write_timeout_ms=10_000)


def row(epoch: int, seq: int, size_bytes: int = 20, at_ms: int | None = None) -> JournalRow:
    signal = b'{"type":"DeadlineReached","v":1,"pad":"' + b"x" * size_bytes + b'"}'
    return JournalRow(epoch, seq, at_ms if at_ms is not None else seq * 10, signal, b"[]", b"[]")


async def until(condition: Callable[[], bool], bound_s: float = 5.0) -> None:
    ends_s = time.monotonic() + bound_s
    while not condition():
        assert time.monotonic() < ends_s, "did not happen within its bound"
        await asyncio.sleep(0.005)


async def test_what_was_appended_is_read_back_in_order_after_a_reopening(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    assert await journal.append([row(1, 1), row(1, 2)])
    assert await journal.append([row(2, 1)])
    await journal.close()
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    assert journal.last == (2, 1)
    assert [one[:2] for one in await journal.read_after(0, 0)] == [(1, 1), (1, 2), (2, 1)]
    assert await journal.read_after(1, 1, 1) == [row(1, 2)]
    assert [one[:2] async for one in journal.tail_after(1, 2)] == [(2, 1)]
    assert [one[:2] for one in await journal.newest(2)] == [(1, 2), (2, 1)]
    assert await journal.max_epoch() == 2
    await journal.close()


@pytest.mark.parametrize("place", [(1, 3), (1, 1), (2, 2), (0, 1)])
async def test_a_place_that_does_not_follow_is_a_programmers_error(
    tmp_path: Path, place: tuple[int, int]
) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    await journal.append([row(1, 1)])
    with pytest.raises(AssertionError):
        await journal.append([row(*place)])
    await journal.close()


async def test_appends_at_the_same_time_share_commits(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    answers = await asyncio.gather(*(journal.append([row(1, seq)]) for seq in range(1, 501)))
    assert all(answers)
    assert journal._writer.commit_count < 100
    assert len(await journal.read_after(0, 0)) == 500
    await journal.close()


async def test_an_epoch_without_a_step_is_never_given_out_again(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    await journal.begin_epoch(7, 1_000)
    assert await journal.max_epoch() == 7
    await journal.close()


async def test_the_newest_three_snapshots_are_kept(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    assert await journal.newest_snapshot() is None
    for seq in range(1, 6):
        await journal.append([row(1, seq)])
        await journal.save_snapshot(1, seq, b'{"at":%d}' % seq)
    assert [one.seq for one in await journal.snapshots()] == [5, 4, 3]
    newest = await journal.newest_snapshot()
    assert newest is not None
    assert newest.body == b'{"at":5}'
    await journal.close()


async def test_pruning_spares_what_is_not_drained_not_old_or_needed_by_a_restart(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    await journal.append([row(1, seq) for seq in range(1, 1_201)])  # at_ms = 10 * seq
    assert await journal.prune(1, 1_200, 10**9) == 0  # no snapshot: a restart needs every row
    await journal.save_snapshot(1, 1_100, b"{}")
    assert await journal.prune(1, 50, 10**9) == 50  # drained up to 50
    assert await journal.prune(1, 1_200, 2_000) == 149  # older than at_ms 2,000
    assert await journal.prune(1, 1_200, 10**9) == 901  # up to the snapshot
    assert (await journal.read_after(0, 0))[0].seq == 1_101
    await journal.close()


async def test_answered_requests_are_found_again(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    signal = b'{"type":"AgentReady","v":1,"request_id":"r1","agent_id":"a1001"}'
    await journal.append([row(1, 1), JournalRow(1, 2, 500, signal, b"[]", b"[]"), row(1, 3)])
    assert [one.seq for one in await journal.requests_since(500)] == [2]
    assert await journal.requests_since(501) == []
    await journal.close()


async def test_a_full_disk_does_not_stop_appends_and_everything_is_written_once_there_is_room(
    tmp_path: Path,
) -> None:
    journal = await Journal.open(tmp_path / "journal.sqlite3", bytes_max=64 * 4_096, write_timeout_ms=60)
    seq, durable = 0, True
    while durable:
        seq += 1
        durable = await journal.append([row(1, seq, 4_000)])
    assert seq > 20
    assert journal.degraded
    began_s = time.monotonic()
    for _ in range(100):
        seq += 1
        assert not await journal.append([row(1, seq, 4_000)])
    assert time.monotonic() - began_s < 1.0  # nobody waits for the disk a second time
    assert journal.waiting_count == 101
    journal._writer.submit(lambda c: c.execute("PRAGMA max_page_count=100000"), frees_room=True)
    await until(lambda: not journal.degraded)
    assert [one.seq for one in await journal.read_after(0, 0)] == list(range(1, seq + 1))
    assert journal.late_count == 1
    (span,) = await journal.degraded_spans(0)
    assert span.from_ms == (seq - 100) * 10
    assert span.until_ms == seq * 10
    assert span.lost_count == 0
    assert await journal.append([row(1, seq + 1)])
    await journal.close()


async def test_pruning_makes_room_while_the_disk_refuses(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.sqlite3", bytes_max=64 * 4_096, write_timeout_ms=60)
    await journal.append([row(1, 1)])
    await journal.save_snapshot(1, 1, b"{}")
    seq, durable = 1, True
    while durable:
        seq += 1
        durable = await journal.append([row(1, seq, 4_000)])
        if seq == 20:
            await journal.save_snapshot(1, 18, b"{}")
            await journal.save_snapshot(1, 19, b"{}")
            await journal.save_snapshot(1, 20, b"{}")
    assert await journal.prune(1, seq, 10**9) == 18
    await until(lambda: not journal.degraded)
    assert (await journal.newest(1))[0].seq == seq
    await journal.close()


async def test_the_ring_is_bounded_and_its_losses_are_counted_and_marked(tmp_path: Path) -> None:
    journal = await Journal.open(
        tmp_path / "journal.sqlite3", bytes_max=64 * 4_096, write_timeout_ms=60, ring_rows_max=10
    )
    seq = 0
    while not journal.degraded:
        seq += 1
        await journal.append([row(1, seq, 4_000)])
    for _ in range(50):
        seq += 1
        await journal.append([row(1, seq, 4_000)])
    assert journal.lost_count >= 40
    journal._writer.submit(lambda c: c.execute("PRAGMA max_page_count=100000"), frees_room=True)
    await until(lambda: not journal.degraded)
    assert (await journal.newest(1))[0].seq == seq
    (span,) = await journal.degraded_spans(0)
    assert span.lost_count == journal.lost_count
    await journal.close()


async def test_a_blocked_disk_is_given_up_after_the_timeout_and_caught_up_later(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = await Journal.open(path, write_timeout_ms=60)
    await journal.append([row(1, 1)])
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    began_s = time.monotonic()
    assert not await journal.append([row(1, 2)])
    assert 0.05 < time.monotonic() - began_s < 5.0
    assert journal.degraded
    blocker.execute("ROLLBACK")
    blocker.close()
    await until(lambda: not journal.degraded)
    assert len(await journal.read_after(0, 0)) == 2
    await journal.close()


@pytest.mark.parametrize(
    "content", [b"not a database at all" * 500, b"SQLite format 3\x00" + b"\xff" * 8_000]
)
async def test_an_unreadable_file_is_moved_aside_and_a_new_journal_begun(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(content)
    journal = await open_patiently(path)
    assert journal.moved_to is not None
    assert journal.moved_to.read_bytes() == content
    assert journal.fault
    assert await journal.append([row(1, 1)])
    await journal.close()


async def test_damage_in_the_middle_of_the_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = await open_patiently(path)
    await journal.append([row(1, seq, 2_000) for seq in range(1, 200)])
    await journal.close()
    with path.open("r+b") as file:
        file.seek(4_096 * 3)
        file.write(b"\xa5" * 4_096 * 20)
    journal = await open_patiently(path)
    assert journal.moved_to is not None
    assert await journal.read_after(0, 0) == []
    await journal.close()


async def test_a_foreign_database_is_moved_aside_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE step(x)")
    journal = await open_patiently(path)
    assert journal.moved_to is not None
    await journal.close()


async def test_a_journal_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version=99")
    with pytest.raises(JournalUnavailable, match="newer release"):
        await open_patiently(path)
    assert path.exists()


async def test_a_second_server_is_kept_off_the_same_journal(tmp_path: Path) -> None:
    journal = await open_patiently(tmp_path / "journal.sqlite3")
    with pytest.raises(JournalUnavailable, match="another server"):
        await open_patiently(tmp_path / "journal.sqlite3")
    await journal.close()
    await (await open_patiently(tmp_path / "journal.sqlite3")).close()


async def test_nobody_else_on_the_machine_reads_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch(0o644)  # as an earlier release made it
    journal = await open_patiently(path)
    await journal.append([row(1, 1)])
    modes = {each.name: each.stat().st_mode & 0o777 for each in (path, path.with_name("journal.db-wal"))}
    await journal.close()
    assert modes == {"journal.db": 0o600, "journal.db-wal": 0o600}
