"""The vocabulary as JSON and back: journal, outbox, replays. Law: what was ever written stays readable.

An object is ``{"type": ClassName, "v": version, …fields}``. Fields are only ever added, with
defaults; any other change raises ``VERSIONS[type]`` and adds an upcaster that lifts the older form
one version. A golden journal per release must still fold (``tests/routing/golden``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from routing import (
    commands,
    desk_events,
    desk_signals,
    events,
    phone_events,
    phone_signals,
    signals,
    transfer_events,
    transfer_signals,
)
from routing.commands import Command
from routing.events import Event
from routing.plain import PlainError, from_plain, to_plain
from routing.signals import Signal

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

VERSIONS: dict[str, int] = {}  # only types beyond version 1
UPCASTERS: dict[tuple[str, int], Upcaster] = {}  # (type, version it reads): lifts to the next version


class ReplayError(ValueError):
    """A recorded object cannot be read: unknown type, newer version, or fields that do not fit."""


def _children(module: Any, root: type[Any]) -> list[type[Any]]:
    found = [
        c for c in vars(module).values() if isinstance(c, type) and issubclass(c, root) and c is not root
    ]
    return [c for c in found if c.__module__ == module.__name__]


SIGNAL_TYPES = [
    *_children(signals, Signal),
    *_children(phone_signals, Signal),
    *_children(desk_signals, Signal),
    *_children(transfer_signals, Signal),
]
COMMAND_TYPES = _children(commands, Command)
EVENT_TYPES = [
    *_children(events, Event),
    *_children(phone_events, Event),
    *_children(desk_events, Event),
    *_children(transfer_events, Event),
]
_types_by_name: dict[str, list[type[Any]]] = {}
for _cls in (*SIGNAL_TYPES, *COMMAND_TYPES, *EVENT_TYPES):
    _types_by_name.setdefault(_cls.__name__, []).append(_cls)


def encode(item: Signal | Command | Event) -> dict[str, Any]:
    """Return the object as a JSON-able dictionary.

    >>> from routing.ids import AgentId
    >>> encode(signals.AgentSignedIn(at_ms=5, agent_id=AgentId("a1001")))["type"]
    'AgentSignedIn'
    """
    name = type(item).__name__
    return {"type": name, "v": VERSIONS.get(name, 1), **to_plain(item)}


def decode(body: Mapping[str, Any]) -> Signal | Command | Event:
    """Return the object that *body* describes, lifting older versions.

    Raises:
        ReplayError: unknown type, a version newer than this code, or fields that do not fit.
    """
    plain = dict(body)
    name, version = plain.pop("type", None), plain.pop("v", 1)
    if name not in _types_by_name:
        raise ReplayError(f"unknown type {name!r}")
    newest = VERSIONS.get(name, 1)
    if not isinstance(version, int) or not 1 <= version <= newest:
        raise ReplayError(f"{name} version {version!r}; this code reads 1 to {newest}")
    for older in range(version, newest):
        plain = UPCASTERS[name, older](plain)
    try:
        item: Signal | Command | Event = from_plain(_pick(_types_by_name[name], plain), plain)
    except PlainError as error:
        raise ReplayError(str(error)) from error
    return item


def _pick(classes: list[type[Any]], plain: Mapping[str, Any]) -> type[Any]:
    """A signal and an event may share a name (``InteractionTransferred``); their fields tell them apart."""
    for cls in classes:
        if plain.keys() <= {field.name for field in fields(cls)}:
            return cls
    return classes[0]


def dump_lines(items: Iterable[Signal | Command | Event]) -> Iterator[str]:
    """Yield one JSON line per object, without a line end."""
    for item in items:
        yield json.dumps(encode(item), ensure_ascii=False, separators=(",", ":"))


def load_lines(lines: Iterable[str]) -> Iterator[Signal | Command | Event]:
    """Yield the object of each line that is not blank.

    Raises:
        ReplayError: a line is no JSON object or cannot be decoded; the message names the line.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            body = json.loads(line)
        except ValueError as error:
            raise ReplayError(f"line {number}: {error}") from error
        if not isinstance(body, dict):
            raise ReplayError(f"line {number}: not an object")
        try:
            yield decode(body)
        except ReplayError as error:
            raise ReplayError(f"line {number}: {error}") from error
