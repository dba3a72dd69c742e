"""What can go wrong with the private Asterisk; every message says what to do."""

from __future__ import annotations

from telephony.errors import TelephonyError


class SandboxError(TelephonyError):
    """No private Asterisk can be had, started or stopped here; the text says what to do."""
