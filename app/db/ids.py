"""Ids of rows: UUIDv7 (RFC 9562), minted here and not by the database, so that rows sort by their birth."""

from __future__ import annotations

import time
from secrets import randbits
from uuid import UUID


def id_at(now_ms: int) -> UUID:
    """Mint an id for the moment *now_ms*, milliseconds since the Unix epoch."""
    return UUID(
        int=(now_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | randbits(12) << 64 | 0b10 << 62 | randbits(62)
    )


def new_id() -> UUID:
    """Mint an id for now."""
    return id_at(time.time_ns() // 1_000_000)
