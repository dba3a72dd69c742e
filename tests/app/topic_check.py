"""Holds the values on the wire against the one table of topics, so that the pages' types cannot lie."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter

from app.topics import value_model


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def assert_as_described(topic: str, changes: Mapping[str, Any]) -> None:
    """Every value is what the table says of its key: each field of its type, none missing, none beside."""
    for key, value in changes.items():
        if value is not None:  # the key is gone
            adapter = _adapter(value_model(topic, key))
            read = adapter.validate_json(orjson.dumps(value), strict=True)
            assert adapter.dump_python(read, mode="json") == value, (topic, key)
