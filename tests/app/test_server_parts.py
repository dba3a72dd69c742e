"""A part of the server that fails is told, counted and begun again."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry, Counter

from app import server as module
from app.server import Server


async def test_a_part_that_fails_begins_again_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_RETRY_S", 0.0)
    registry = CollectorRegistry()
    server = object.__new__(Server)
    server._part_failures = Counter("holdless_part_failures", "-", ["part"], registry=registry)
    begun: list[int] = []
    third = asyncio.Event()

    async def work() -> None:
        begun.append(len(begun))
        if len(begun) < 3:
            raise ValueError("a fault of this part alone")
        third.set()
        await asyncio.Event().wait()

    tending = asyncio.create_task(server._tend("matches", work))
    await asyncio.wait_for(third.wait(), 5)
    assert not tending.done()
    tending.cancel()
    await asyncio.gather(tending, return_exceptions=True)
    assert registry.get_sample_value("holdless_part_failures_total", {"part": "matches"}) == 2
