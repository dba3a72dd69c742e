"""The one table of what socket topics show: each topic's keys and the model of each key's value. Pure.

It goes into the API's schema as ``Topics``, from which the pages' types are made; a test holds what a server
really sends against it. ``*`` stands for one id, in topics and in keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from app.desk.topic_values import DeskTopic, PresenceTopic
from app.floor.topic_values import FloorTopic, WallTopic

TOPIC_VALUES: Mapping[str, Any] = {
    "floor:all": FloorTopic,
    "floor:team:*": FloorTopic,
    "wall:all": WallTopic,
    "agent:*": DeskTopic,
    "presence:all": PresenceTopic,
}
"""Every topic (``app.auth.topics.TOPICS``) and the document that it shows."""

_REFERENCE = "#/components/schemas/{model}"


def value_model(topic: str, key: str) -> Any:
    """Return the model of the value under *key* in *topic*.

    Raises:
        LookupError: no such topic is in the table, or no such key in its document.

    >>> value_model("floor:team:north", "agent/a1001").__name__
    'AgentRow'
    """
    document = TOPIC_VALUES[_pattern(topic, ":", TOPIC_VALUES)]
    hints = get_type_hints(document)
    return hints[_pattern(key, "/", hints)]


def _pattern(name: str, separator: str, known: Iterable[str]) -> str:
    """The entry that *name* stands under."""
    return name if name in known else f"{name.rpartition(separator)[0]}{separator}*"


def topic_schemas() -> dict[str, Any]:
    """Return the JSON schemas of the table, by name, as they go beside the API's own."""
    documents = {document.__name__: document for document in TOPIC_VALUES.values()}
    _, found = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(document)) for name, document in documents.items()],
        ref_template=_REFERENCE,
    )
    schemas: dict[str, Any] = found["$defs"]
    schemas["Topics"] = {
        "title": "Topics",
        "description": "What each topic of the socket shows, by key; an asterisk stands for one id.",
        "type": "object",
        "properties": {
            topic: {"$ref": _REFERENCE.format(model=document.__name__)}
            for topic, document in TOPIC_VALUES.items()
        },
        "required": list(TOPIC_VALUES),
    }
    return schemas
