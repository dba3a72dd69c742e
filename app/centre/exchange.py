"""The centre as one TOML text, in stable order, and what differs between two centres. Pure.

``[queue.sales]`` holds what departs from the defaults; a diff of two exports is a diff of two centres.
Reading refuses unknown fields and names the field that is wrong.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError

from app.centre.document import ID_FIELDS, Centre
from app.centre.rules import Problem

TEXT_BYTES_MAX = 16 * 1024 * 1024


class CentreError(Exception):
    """A text is not a centre, or the centre has problems; ``problems`` names each field."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.detail}" for each in problems[:5]))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference: *before* None is an addition, *after* None a removal. Values are JSON-able."""

    field: str
    before: Any
    after: Any


def to_toml(centre: Centre) -> str:
    """Return *centre* as TOML; ``from_toml`` gives an equal centre back."""
    lines = ["# Holdless: the centre. Times in seconds, shifts HH:MM-HH:MM, weekdays Monday 0.", ""]
    ordered = centre.sorted()
    for section, id_field in ID_FIELDS.items():
        for part in getattr(ordered, section):
            lines.append(f"[{section}.{_text(str(getattr(part, id_field)))}]")
            for field, value in _facts(part, id_field).items():
                lines += _lines(field, value)
            lines.append("")
    return "\n".join(lines)


def from_toml(text: str) -> Centre:
    """Read what ``to_toml`` writes, or a person wrote.

    Raises:
        CentreError: it is not TOML, or a field is unknown or out of range; every field is named.
    """
    if len(text.encode(errors="replace")) > TEXT_BYTES_MAX:
        raise CentreError((Problem(field="", error_id="too_long", detail=f"at most {TEXT_BYTES_MAX} bytes"),))
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CentreError((Problem(field="", error_id="not_toml", detail=str(error)),)) from error
    return from_plain(
        {
            section: _keyed(section, parts) if isinstance(parts, dict) else parts
            for section, parts in plain.items()
        }
    )


def from_plain(plain: Mapping[str, Any]) -> Centre:
    """Read the plain form: lists of parts by section.

    Raises:
        CentreError: a field is unknown or out of range; every field is named.
    """
    try:
        return Centre.model_validate(plain).sorted()
    except ValidationError as error:
        raise CentreError(
            tuple(
                Problem(field=_field(plain, each["loc"]), error_id=each["type"], detail=each["msg"])
                for each in error.errors(include_url=False, include_context=False)
            )
        ) from error


def to_plain(centre: Centre) -> dict[str, Any]:
    """Return the JSON-able form of *centre*, in stable order, defaults included."""
    return centre.sorted().model_dump(mode="json")


def diff(before: Centre, after: Centre) -> tuple[Change, ...]:
    """Return what turns *before* into *after*, by part and field, in stable order."""
    changes: list[Change] = []
    for section, id_field in ID_FIELDS.items():
        old, new = _by_id(before, section, id_field), _by_id(after, section, id_field)
        for each in sorted(old.keys() | new.keys()):
            at = f"{section}[{each}]"
            if each not in old or each not in new:
                changes.append(Change(field=at, before=old.get(each), after=new.get(each)))
                continue
            changes += [
                Change(field=f"{at}.{field}", before=old[each][field], after=new[each][field])
                for field in old[each]
                if old[each][field] != new[each][field]
            ]
    return tuple(changes)


def _by_id(centre: Centre, section: str, id_field: str) -> dict[str, dict[str, Any]]:
    parts = getattr(centre.sorted(), section)
    return {str(getattr(part, id_field)): part.model_dump(mode="json") for part in parts}


def _keyed(section: str, parts: dict[str, Any]) -> list[Any]:
    id_field = ID_FIELDS.get(section, "")
    return [{id_field: key, **part} if isinstance(part, dict) else part for key, part in parts.items()]


def _field(plain: Mapping[str, Any], place: tuple[int | str, ...]) -> str:
    """Say ``queue[sales].threshold_s`` instead of ``queue.3.threshold_s``."""
    if len(place) < 2 or not isinstance(place[1], int):
        return ".".join(str(each) for each in place)
    section, index, rest = place[0], place[1], place[2:]
    parts = plain.get(str(section))
    part = parts[index] if isinstance(parts, list | tuple) and index < len(parts) else {}
    name = part.get(ID_FIELDS.get(str(section), ""), index) if isinstance(part, dict) else index
    return ".".join([f"{section}[{name}]", *(str(each) for each in rest)])


def _facts(part: BaseModel, id_field: str) -> dict[str, Any]:
    facts = part.model_dump(mode="python", exclude_defaults=True)
    return {field: value for field, value in facts.items() if field != id_field and value is not None}


def _lines(field: str, value: Any) -> Iterator[str]:
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        yield f"{field} = ["
        for each in value:
            yield f"    {_value(each)},"
        yield "]"
    else:
        yield f"{field} = {_value(value)}"


def _value(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case date():
            return value.isoformat()
        case dict():
            inside = ", ".join(
                f"{_text(str(key))} = {_value(each)}" for key, each in value.items() if each is not None
            )
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return "[" + ", ".join(_value(each) for each in value) + "]"
        case _:
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007F")


def _text(key: str) -> str:
    bare = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if bare else _value(key)
