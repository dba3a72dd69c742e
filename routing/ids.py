"""Identifiers, and the day that an identifier carries.

An id is minted in Python (or by Asterisk) and never reused. Slugs are safe in a
dialplan, a URL and a file name; what people read is a display name, kept apart.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import NewType

AgentId = NewType("AgentId", str)
QueueId = NewType("QueueId", str)
SkillId = NewType("SkillId", str)
TeamId = NewType("TeamId", str)
PbxId = NewType("PbxId", str)
BootId = NewType("BootId", str)
InteractionId = NewType("InteractionId", str)
LegId = NewType("LegId", str)

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,31}")
_UNIQUEID = re.compile(r"(?:(?P<pbx>[A-Za-z0-9_.-]{1,64})-)?(?P<seconds>\d{9,11})\.(?P<ordinal>\d{1,10})")
_UUID7 = re.compile(r"(?P<high>[0-9a-f]{8})-(?P<low>[0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def slug(text: str) -> str:
    """Return *text* when it is a valid slug (``[a-z][a-z0-9_]{0,31}``).

    Raises:
        ValueError: it is not.

    >>> slug("a1001")
    'a1001'
    """
    if not _SLUG.fullmatch(text):
        raise ValueError(f"{text!r} is not an id: a small letter, then at most 31 of a-z, 0-9, _")
    return text


def bare_id(interaction_id: InteractionId) -> str:
    """Return the id without the ``~<boot>`` suffix that a second sighting under another boot gets.

    >>> bare_id(InteractionId("pbx1-1763790000.7~b2"))
    'pbx1-1763790000.7'
    """
    return interaction_id.partition("~")[0]


def minted_ms(interaction_id: InteractionId) -> int:
    """Return when the id was minted, in milliseconds since the Unix epoch (UTC).

    A voice id is Asterisk's Uniqueid and knows whole seconds; every other id is a UUIDv7.

    Raises:
        ValueError: the id is neither.

    >>> minted_ms(InteractionId("pbx1-1763790000.7"))
    1763790000000
    """
    bare = bare_id(interaction_id)
    if found := _UNIQUEID.fullmatch(bare):
        return int(found["seconds"]) * 1000
    if found := _UUID7.fullmatch(bare.rpartition("-o")[2] or bare):
        return int(found["high"] + found["low"], 16)
    raise ValueError(f"{interaction_id!r} is neither an Asterisk Uniqueid nor a UUIDv7")


def day_of(interaction_id: InteractionId) -> date:
    """Return the UTC date taken from the id itself: the log's partition key.

    >>> day_of(InteractionId("pbx1-1763790000.7"))
    datetime.date(2025, 11, 22)
    """
    return datetime.fromtimestamp(minted_ms(interaction_id) / 1000, UTC).date()
