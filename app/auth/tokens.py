"""Secrets that are shown once and kept as a hash: sessions' tokens, sign-in links, socket tickets.

256 random bits need no slow hash: nobody can try them.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from uuid import UUID

_BYTES = 32
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """Return a new secret: 43 characters that are safe in a URL and in a cookie."""
    return secrets.token_urlsafe(_BYTES)


def digest_of(token: str) -> bytes | None:
    """Return the SHA-256 under which *token* is kept; None when it cannot be one of ours."""
    if not _TOKEN.fullmatch(token):
        return None
    return hashlib.sha256(token.encode()).digest()


def new_id() -> UUID:
    """Mint a UUIDv7 (RFC 9562) for now."""
    now_ms = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    return UUID(
        int=(now_ms & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (random >> 62) << 64
        | 0b10 << 62
        | random & (1 << 62) - 1
    )
