"""API keys of the ``integration`` role. Only hashes are kept; the comparison takes the same time for all."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from app.auth.permissions import Role
from app.auth.principal import Principal
from app.settings import ApiKeySettings

KEY_CHARS_MAX = 256


class KeyRing:
    """The keys that are valid."""

    def __init__(self, keys: Iterable[ApiKeySettings]) -> None:
        self._keys = [
            (bytes.fromhex(key.sha256), Principal(role=Role.INTEGRATION, name=key.name)) for key in keys
        ]

    def principal_of(self, key: str) -> Principal | None:
        """Return whose key it is; None for nobody's. Always looks at every key."""
        digest = hashlib.sha256(key[:KEY_CHARS_MAX].encode()).digest()
        found = None
        for known, principal in self._keys:
            if hmac.compare_digest(known, digest) and len(key) <= KEY_CHARS_MAX:
                found = principal
        return found
