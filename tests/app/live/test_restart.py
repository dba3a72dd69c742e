"""Boot: damaged files, gaps, snapshots that cannot be used, the epoch, the copy of the configuration."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from pathlib import Path

import orjson
import pytest

from app.live.bus import Cursor
from app.live.clock import Clock
from app.live.config_copy import ConfigCopy, load_config
from app.live.dispatcher import snapshot_body
from app.live.engines import Engines
from app.live.errors import Gone, NoConfiguration
from app.live.journal import Journal
from app.live.lag import LagSampler
from app.live.rescue import Rescue
from app.live.restart import restart
from app.live.rows import dump, row_of
from routing import replay
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.engine import Engine
from routing.ids import AgentId, InteractionId, QueueId, SkillId
from routing.signals import (
    AgentReady,
    AgentSignedIn,
    ConfigChanged,
    InteractionArrived,
    InteractionWaiting,
    KeyPressed,
    Signal,
)
from routing.step import Step
from tests.app.live.live_doubles import SmallEngineMaker

CALL = InteractionId("pbx1-1763790000.1")
START_MS = 1_763_790_000_000
CONFIG = CentreConfig(
    agents=(AgentConfig(agent_id=AgentId("a1001"), skills={SkillId("support"): 7}),),
    queues=(QueueConfig(queue_id=QueueId("support"), requires={SkillId("support"): 3}),),
    default_queue_id=QueueId("support"),
)
DAY: tuple[Signal, ...] = (
    ConfigChanged(version=1, config=CONFIG),
    AgentSignedIn(agent_id=AgentId("a1001")),
    AgentReady(agent_id=AgentId("a1001"), request_id="r1"),
    InteractionArrived(interaction_id=CALL, entry_point="021", caller_number="0912345678"),
    InteractionWaiting(interaction_id=CALL, queue_id=QueueId("support")),
    KeyPressed(interaction_id=CALL, digit="1"),
)


def key(n: int) -> Step:
    return Step(KeyPressed(interaction_id=CALL, digit="1", at_ms=START_MS + n))


async def filled(path: Path, steps: list[Step], epoch: int = 1) -> None:
    journal = await Journal.open(path)
    await journal.append([row_of(step, epoch, seq) for seq, step in enumerate(steps, 1)])
    await journal.close()


async def test_the_real_engine_comes_back_exactly_as_it_was_from_any_snapshot(tmp_path: Path) -> None:
    for cut in range(len(DAY) + 1):
        path = tmp_path / str(cut) / "journal.sqlite3"
        journal, engine, rescue = await Journal.open(path), Engine(), Rescue()
        for seq, signal in enumerate(DAY, 1):
            if seq - 1 == cut:
                await journal.save_snapshot(1, cut, snapshot_body(engine, rescue))
            step = engine.step(_stamped(signal, START_MS + seq))
            rescue.note(step.signal, step.events)
            await journal.append([row_of(step, 1, seq)])
        await journal.close()
        restarted = await restart(path, Engines(), Clock())
        assert restarted.engine.snapshot() == engine.snapshot()
        assert orjson.dumps(restarted.rescue.to_json()) == orjson.dumps(rescue.to_json())
        assert restarted.report.tail_count == (len(DAY) - cut if cut < len(DAY) else len(DAY))
        assert [step.signal.request_id for step in restarted.requests] == []  # long ago
        assert restarted.bus.position == Cursor(1, len(DAY))
        await restarted.journal.close()


def _stamped(signal: Signal, at_ms: int) -> Signal:
    plain = replay.encode(signal)
    plain["at_ms"] = at_ms
    stamped = replay.decode(plain)
    assert isinstance(stamped, Signal)
    return stamped


async def test_the_epoch_is_higher_than_the_journals_the_fences_and_the_databases(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for fence, database, expected in ((0, 0, 1), (0, 0, 2), (7, 3, 8), (0, 20, 21), (0, 0, 22)):
        restarted = await restart(
            path, SmallEngineMaker(), Clock(), fence_epoch=fence, database_epoch=database
        )
        assert restarted.epoch == expected
        await restarted.journal.close()


async def test_time_goes_on_after_the_last_stamp_even_if_the_wall_clock_was_set_back(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await filled(path, [key(5_000)])
    clock = Clock(lambda: START_MS * 1_000_000, lambda: 0)
    restarted = await restart(path, SmallEngineMaker(), clock)
    assert clock.now_ms() == START_MS + 5_000
    await restarted.journal.close()


async def test_a_gap_is_reported_and_a_cursor_before_it_is_too_old(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await filled(path, [key(n) for n in range(10)])
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM step WHERE number & 1099511627775 IN (4, 5)")
    maker = SmallEngineMaker()
    restarted = await restart(path, maker, Clock())
    assert restarted.report.gap_count == 1
    assert restarted.report.tail_count == 8
    with pytest.raises(Gone, match="too_old"):
        restarted.bus.subscribe(after=Cursor(1, 3))
    restarted.bus.subscribe(after=Cursor(1, 6)).close()
    await restarted.journal.close()


async def test_an_unusable_snapshot_falls_back_to_an_older_one_and_a_longer_tail(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal, maker, engine = await Journal.open(path), SmallEngineMaker(), SmallEngineMaker().fresh()
    for seq in range(1, 11):
        await journal.append([row_of(engine.step(key(seq).signal), 1, seq)])
        if seq == 3:
            await journal.save_snapshot(1, seq, snapshot_body(engine, Rescue()))
    await journal.save_snapshot(1, 8, b'{"engine": 5}')
    await journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO snapshot VALUES ((1 << 40) | 9, x'00ff')")
    restarted = await restart(path, maker, Clock())
    assert restarted.report.snapshot == (1, 3)
    assert restarted.report.tail_count == 7
    assert restarted.engine.snapshot() == engine.snapshot()
    await restarted.journal.close()


async def test_rows_that_cannot_be_read_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    await filled(path, [key(n) for n in range(3)])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE step SET signal = 'no json' WHERE number & 15 = 2")
    restarted = await restart(path, SmallEngineMaker(), Clock())
    assert restarted.report.skipped_count == 1
    assert restarted.engine.snapshot()["keys"] == {CALL: 2}
    await restarted.journal.close()


async def test_an_unreadable_journal_does_not_keep_the_server_from_starting(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"\x00garbage" * 4_000)
    restarted = await restart(path, SmallEngineMaker(), Clock(), fence_epoch=4)
    assert restarted.report.moved_to is not None
    assert restarted.epoch == 5
    await restarted.journal.close()


async def test_text_that_is_no_unicode_finds_its_way_into_the_journal() -> None:
    assert orjson.loads(dump({"caller_name": "\ud800x"})) == {"caller_name": "?x"}


# ---------------------------------------------------------------- the copy of the configuration


async def test_the_databases_configuration_is_used_and_copied_and_the_copy_serves_without_it(
    tmp_path: Path,
) -> None:
    copy = ConfigCopy(tmp_path / "data" / "config.json")

    async def present() -> tuple[int, CentreConfig]:
        return 7, CONFIG

    async def away() -> tuple[int, CentreConfig]:
        raise ConnectionRefusedError

    async def hanging() -> tuple[int, CentreConfig]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(NoConfiguration):
        await load_config(away, copy)
    assert (await load_config(present, copy)).source == "database"
    for fetch in (away, hanging):
        loaded = await load_config(fetch, copy, timeout_s=0.05)
        assert (loaded.version, loaded.config, loaded.source) == (7, CONFIG, "copy")


def test_a_damaged_copy_is_refused(tmp_path: Path) -> None:
    copy = ConfigCopy(tmp_path / "config.json")
    assert copy.load() is None
    copy.save(7, CONFIG)
    body = (tmp_path / "config.json").read_bytes()
    (tmp_path / "config.json").write_bytes(body.replace(b"support", b"supporr"))
    assert copy.load() is None
    (tmp_path / "config.json").write_bytes(body[: len(body) // 2])
    assert copy.load() is None


# ---------------------------------------------------------------- loop lag


async def test_the_lag_sampler_sees_what_blocks_the_loop() -> None:
    seen_s: list[float] = []
    sampler = LagSampler(seen_s.append, interval_s=0.005)
    assert sampler.quantile_ms(0.99) == 0
    task = asyncio.create_task(sampler.run())
    await asyncio.sleep(0.02)
    time.sleep(0.05)  # noqa: ASYNC251 (the very thing to be seen)
    await asyncio.sleep(0.02)
    task.cancel()
    assert max(seen_s) >= 0.04
    assert sampler.quantile_ms(1.0) >= 40
