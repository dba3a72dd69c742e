"""What the live core sees of its neighbours: the engine it steps and the PBX it commands."""

from __future__ import annotations

from typing import Any, Protocol

from routing.commands import Command
from routing.signals import Signal
from routing.step import Step


class SteppedEngine(Protocol):
    """``routing.engine.Engine`` as its driver sees it."""

    def step(self, signal: Signal) -> Step:
        """Apply one signal."""

    def next_deadline_ms(self) -> int | None:
        """When something falls due next, in milliseconds since the epoch; None: nothing will."""

    def snapshot(self) -> dict[str, Any]:
        """The whole state, JSON-able; shares nothing with the live state."""


class EngineMaker(Protocol):
    """Makes engines; ``AppEngineMaker`` of the composition root, or a double's."""

    def fresh(self) -> SteppedEngine:
        """An engine that knows nothing."""

    def restored(self, snapshot: dict[str, Any]) -> SteppedEngine:
        """An engine as it was when *snapshot* was taken."""


class Pbx(Protocol):
    """The PBX adapter. ``send`` never blocks; its failure comes back as a signal."""

    def send(self, command: Command, epoch: int) -> None:
        """Carry out *command*, fenced by *epoch*."""
