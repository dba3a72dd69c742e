"""Getting the engine back to before a failed step: the last snapshot and the signals since.

The same signals in the same order give the same state, so nothing but the signal that failed is
missing afterwards. Commands and events of the way back are thrown away: they were acted on already.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from app.live.poison import where
from app.live.ports import EngineMaker, SteppedEngine
from app.live.rows import load_signal
from routing.signals import Signal

_SLICE_S = 0.003  # the loop gets its turn after this much stepping
_SKIPS_MAX = 20

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Restepped:
    """An engine brought to where the signals lead, and the signals (by index) it could not digest."""

    engine: SteppedEngine
    skipped: tuple[int, ...]


async def restep(maker: EngineMaker, state: dict[str, Any] | None, signals: Sequence[Signal]) -> Restepped:
    """Return an engine restored from *state* (None: a fresh one) that has stepped *signals*.

    A signal on which the engine fails is left out and the way is walked again from *state*, because
    a failed step may leave a half-done state; after 20 such signals the rest is left out.
    """
    skipped: list[int] = []
    while True:
        engine = maker.fresh() if state is None else maker.restored(state)
        failed = await _walk(engine, signals, skipped)
        if failed is None:
            return Restepped(engine, tuple(skipped))
        skipped.append(failed)
        if len(skipped) > _SKIPS_MAX:
            log.error("too many signals fail; the rest of the tail is left out", from_index=failed)
            signals = signals[:failed]


async def _walk(engine: SteppedEngine, signals: Sequence[Signal], skipped: Sequence[int]) -> int | None:
    """Step all but the skipped signals; return the index of the one that failed, or None."""
    slice_ends_s = time.monotonic() + _SLICE_S
    for index, signal in enumerate(signals):
        if index in skipped:
            continue
        try:
            engine.step(signal)
        except Exception as error:  # noqa: BLE001 (the guard: a restart must come to its end)
            log.error("the engine fails on its past", signal=type(signal).__name__, fault=where(error))
            return index
        if time.monotonic() > slice_ends_s:
            await asyncio.sleep(0)
            slice_ends_s = time.monotonic() + _SLICE_S
    return None


class Rewind:
    """The last snapshot and the journalled signals since, in memory."""

    def __init__(self, maker: EngineMaker, body: bytes | None) -> None:
        self._maker = maker
        self._body = body
        self._signals: list[bytes] = []

    @property
    def signals(self) -> Sequence[bytes]:
        """The signals since the snapshot, JSON (bytes cost the garbage collector nothing)."""
        return self._signals

    @property
    def body(self) -> bytes | None:
        """The snapshot, JSON; None: a fresh engine."""
        return self._body

    def mark(self, body: bytes) -> None:
        """A snapshot was taken: begin from there."""
        self._body = body
        self._signals = []

    def note(self, signal: bytes) -> None:
        """A signal was stepped and journalled."""
        self._signals.append(signal)

    async def engine(self) -> SteppedEngine:
        """Return an engine as it was after the last noted signal."""
        state = None if self._body is None else orjson.loads(self._body)["engine"]
        signals = await asyncio.to_thread(lambda: [load_signal(signal) for signal in self._signals])
        return (await restep(self._maker, state, signals)).engine
