"""What stands in a PBX message's headers, read without ever raising: the PBX is the world. Pure."""

from __future__ import annotations

import re

from routing.ids import AgentId, QueueId, slug
from telephony.ami.codec import AmiMessage

_UNKNOWN_PARTY = "<unknown>"  # what AMI writes for an absent caller id
_ESCAPED = re.compile(r"\\(.)")


def occurred_ms(message: AmiMessage) -> int | None:
    """Return the PBX's own time of the message (``Timestamp``), in milliseconds; None when it has none."""
    stamp = message.get("Timestamp")
    try:
        return round(float(stamp) * 1000) if stamp else None
    except ValueError:
        return None


def agent_of(text: str | None) -> AgentId | None:
    """Return the agent that the PBX names, None when the text is empty or no agent id."""
    return AgentId(text) if text and _is_slug(text) else None


def queue_of(text: str | None) -> QueueId | None:
    """Return the queue that the PBX names, None when the text is empty or no queue id."""
    return QueueId(text) if text and _is_slug(text) else None


def whole(text: str | None, default: int = 0) -> int:
    """Return a whole number the PBX wrote; *default* when it is none (never raises: the PBX is the world)."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 18 else default


def whole_or_none(text: str | None) -> int | None:
    """Return a positive whole number, or None."""
    return whole(text) or None


def caller_name(message: AmiMessage) -> str:
    """Return the caller's name as it was sent: AMI escapes it as C does, and SIP had quoted it before."""
    return _unquoted(_unquoted(known(message.get("CallerIDName", ""))))


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def known(text: str) -> str:
    """Return the caller id part, empty for what AMI writes when there is none."""
    return "" if text == _UNKNOWN_PARTY else text


def _is_slug(text: str) -> bool:
    try:
        slug(text)
    except ValueError:
        return False
    return True
