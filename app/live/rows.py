"""Steps as journal rows and back: orjson over ``routing.replay``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from app.live.journal_writer import JournalRow
from routing import replay
from routing.commands import Command
from routing.events import Event
from routing.signals import Signal
from routing.step import Step


def row_of(step: Step, epoch: int, seq: int) -> JournalRow:
    """Return *step* as the row ``(epoch, seq)``."""
    return JournalRow(
        epoch,
        seq,
        step.signal.at_ms,
        dump(replay.encode(step.signal)),
        dump([replay.encode(event) for event in step.events]),
        dump([replay.encode(command) for command in step.commands]),
    )


def signal_of(row: JournalRow) -> Signal:
    """Return the stamped signal of *row*."""
    return load_signal(row.signal)


def load_signal(body: bytes) -> Signal:
    """Return the signal that *body* (JSON) describes.

    Raises:
        ValueError: it describes none that this release knows.
    """
    signal = replay.decode(orjson.loads(body))
    if not isinstance(signal, Signal):
        raise ValueError(f"a {type(signal).__name__} stands where a signal belongs")
    return signal


def events_of(row: JournalRow) -> list[Event]:
    """Return the events of *row*, in order."""
    events = [replay.decode(body) for body in orjson.loads(row.events)]
    return [event for event in events if isinstance(event, Event)]


def step_of(row: JournalRow) -> Step:
    """Return the step that *row* keeps."""
    commands = [replay.decode(body) for body in orjson.loads(row.commands)]
    kept = tuple(command for command in commands if isinstance(command, Command))
    return Step(signal_of(row), kept, tuple(events_of(row)))


def dump(body: Any) -> bytes:
    """Return *body* as JSON. Text that is not valid Unicode (a hostile caller name) is made so."""
    try:
        return orjson.dumps(body, default=_plain)
    except TypeError:
        return orjson.dumps(_cleaned(body))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no place in the journal")


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case Mapping():
            return {_cleaned(key): _cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [_cleaned(item) for item in value]
        case _:
            return value
