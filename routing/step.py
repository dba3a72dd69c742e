"""What one step of the engine gives: commands to carry out, events to publish."""

from __future__ import annotations

from dataclasses import dataclass

from routing.commands import Command
from routing.events import Event
from routing.signals import Signal


@dataclass(frozen=True, slots=True)
class Step:
    """The engine's whole answer to one signal.

    Attributes:
        signal: What came in.
        commands: What the world is asked to do, in order.
        events: What is now a fact, in order. An event of a deadline that fell due before the
            signal carries the deadline's own time.
    """

    signal: Signal
    commands: tuple[Command, ...] = ()
    events: tuple[Event, ...] = ()
