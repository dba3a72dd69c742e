"""Dataclasses to plain JSON values and back, by their type annotations. Knows no vocabulary.

Codecs are built once per class; unions with None, enums, tuples, lists, mappings and nested
dataclasses are understood, anything else is a programmer error at import time.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from typing import Any


class PlainError(ValueError):
    """A plain value does not fit the class it is read as."""


Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """How one dataclass is written and read; None as a converter means: the value as it is."""

    cls: type[Any]
    dump: tuple[tuple[str, Convert | None], ...]
    load: Mapping[str, Convert | None]
    required: frozenset[str]


_codecs: dict[type[Any], Codec] = {}


def codec_of(cls: type[Any]) -> Codec:
    """Return the codec of a dataclass, building it on first use."""
    found = _codecs.get(cls)
    if found is None:
        hints = typing.get_type_hints(cls)
        pairs = [(f, *_converters(hints[f.name])) for f in fields(cls)]
        found = _codecs[cls] = Codec(
            cls=cls,
            dump=tuple((f.name, dump) for f, dump, _ in pairs),
            load={f.name: load for f, _, load in pairs},
            required=frozenset(
                f.name for f, *_ in pairs if f.default is MISSING and f.default_factory is MISSING
            ),
        )
    return found


def to_plain(value: Any) -> dict[str, Any]:
    """Return a dataclass instance as a JSON-able dictionary.

    >>> from routing.signals import DeviceSeen
    >>> to_plain(DeviceSeen(agent_id="a1001", reachable=True, in_use=False))
    {'agent_id': 'a1001', 'reachable': True, 'in_use': False}
    """
    plain: dict[str, Any] = {}
    for name, dump in codec_of(type(value)).dump:
        field_value = getattr(value, name)
        plain[name] = field_value if dump is None or field_value is None else dump(field_value)
    return plain


def from_plain(cls: type[Any], plain: Mapping[str, Any]) -> Any:
    """Return an instance of *cls*; absent fields take their defaults.

    Raises:
        PlainError: a field is unknown or missing, or a value is none of its enum.
    """
    codec = codec_of(cls)
    if missing := codec.required - plain.keys():
        raise PlainError(f"{cls.__name__} lacks {', '.join(sorted(missing))}")
    values: dict[str, Any] = {}
    for name, value in plain.items():
        if name not in codec.load:
            raise PlainError(f"{cls.__name__} has no field {name}")
        load = codec.load[name]
        try:
            values[name] = value if load is None or value is None else load(value)
        except (ValueError, TypeError, AttributeError) as error:
            raise PlainError(f"{cls.__name__}.{name}: {error}") from error
    return cls(**values)


def _converters(hint: Any) -> tuple[Convert | None, Convert | None]:
    hint = getattr(hint, "__supertype__", hint)  # NewType
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        (inner,) = (arg for arg in args if arg is not type(None))
        return _converters(inner)
    if origin is tuple:
        dump, load = _converters(args[0])
        return (
            list if dump is None else lambda items: [dump(item) for item in items],
            tuple if load is None else lambda items: tuple([load(item) for item in items]),
        )
    if origin is list:
        assert _converters(args[0]) == (None, None), hint
        return list, list
    if isinstance(origin, type) and issubclass(origin, Mapping):
        assert _converters(args[1]) == (None, None), hint
        return dict, dict
    if isinstance(hint, type):
        if issubclass(hint, Enum):
            return (lambda member: member.value), hint
        if is_dataclass(hint):
            return to_plain, lambda plain, cls=hint: from_plain(cls, plain)
    assert hint in (int, str, float, bool, object), hint
    return None, None
