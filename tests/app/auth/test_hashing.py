"""Hashing beside the loop: few at a time, the same work for nobody, no flood."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from app.auth import hashing as module
from app.auth.hashing import MEMORY_KIB, PASSES, Hasher
from app.http.errors import ApiError

QUICK = Hasher(memory_kib=64, passes=1)


async def test_a_hash_says_with_how_much_work_it_was_made() -> None:
    made = await Hasher().hash("rain on a tin roof")
    assert made.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$")
    assert MEMORY_KIB >= 47_104, "what OWASP asks for with one pass"
    assert await Hasher().verify(made, "rain on a tin roof")
    assert not Hasher().is_outdated(made)
    assert Hasher().is_outdated(await QUICK.hash("rain on a tin roof"))


async def test_only_the_password_itself_is_right() -> None:
    made = await QUICK.hash("rain on a tin roof")
    for wrong in ("", "rain on a tin roo", "rain on a tin roof ", "Rain on a tin roof", "x" * 1_000_000):
        assert not await QUICK.verify(made, wrong)
    for broken in ("", "$argon2id$", "rain on a tin roof", "!"):
        assert not await QUICK.verify(broken, "rain on a tin roof")


async def test_a_character_composed_on_another_keyboard_is_the_same() -> None:
    made = await QUICK.hash("caf\u00e9 by the old harbour")
    assert await QUICK.verify(made, "cafe\u0301 by the old harbour")


async def test_nobody_has_any_password_and_it_takes_the_same_work(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    hasher = Hasher(memory_kib=64, passes=1)
    original = hasher._is_same

    def counted(kept: str, password: str) -> bool:
        done.append(kept.rpartition("$")[0].partition("$v")[2].partition("$")[2].partition("$")[0])
        return original(kept, password)

    monkeypatch.setattr(hasher, "_is_same", counted)
    assert not await hasher.verify(None, "nobody has this password")
    assert not await hasher.verify(await hasher.hash("rain on a tin roof"), "wrong password")
    assert done == ["m=64,t=1,p=1", "m=64,t=1,p=1"], "one comparison each, of the same cost"


async def test_the_loop_turns_while_a_password_is_hashed() -> None:
    hasher = Hasher()
    task = asyncio.create_task(hasher.hash("rain on a tin roof"))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_few_are_hashed_at_once_and_too_many_are_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 10)
    hasher = Hasher(memory_kib=64, passes=1)
    running, most = 0, 0
    lock = threading.Lock()

    def job() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1

    results = await asyncio.gather(*(hasher._work(job) for _ in range(30)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, ApiError)]
    assert most <= 2
    assert len(refused) >= 15
    assert {each.error_id for each in refused} == {"too_busy"}
    await hasher._work(job)


async def test_who_gives_up_frees_no_place_before_the_work_is_done() -> None:
    hasher = Hasher(memory_kib=64, passes=1)
    release = threading.Event()
    waiting = [asyncio.create_task(hasher._work(lambda: release.wait(5))) for _ in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert hasher._waiting_count == 3
    release.set()
    await hasher._work(lambda: None)  # stands behind them
    assert hasher._waiting_count == 0
