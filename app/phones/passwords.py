"""The passwords that pages register their phones with: short-lived, in memory, one session's own.

They open nothing but the way through ``app.phones.proxy``. Whoever restarts the server gets new ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Final
from uuid import UUID

from routing.ids import AgentId

PASSWORD_LIFE_MS: Final = 600_000
PASSWORDS_MAX: Final = 10_000
PASSWORDS_PER_AGENT_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class _Issued:
    agent_id: AgentId
    session_id: UUID | None
    until_ms: int


class Passwords:
    """The passwords in force.

    Args:
        now_ms: The clock, milliseconds since the Unix epoch.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._issued: OrderedDict[str, _Issued] = OrderedDict()  # oldest first

    def issue(self, agent_id: AgentId, session_id: UUID | None) -> tuple[str, int]:
        """Return a new password and when it ends; the agent's oldest gives way when there are too many."""
        now_ms = self._now_ms()
        while self._issued:
            oldest = next(iter(self._issued.values()))
            if len(self._issued) < PASSWORDS_MAX and oldest.until_ms > now_ms:
                break
            self._issued.popitem(last=False)
        own = [password for password, each in self._issued.items() if each.agent_id == agent_id]
        for password in own[: max(0, len(own) - PASSWORDS_PER_AGENT_MAX + 1)]:
            del self._issued[password]
        password, until_ms = token_hex(16), now_ms + PASSWORD_LIFE_MS
        self._issued[password] = _Issued(agent_id, session_id, until_ms)
        return password, until_ms

    def of(self, agent_id: AgentId) -> tuple[str, ...]:
        """Return the agent's passwords in force, newest first."""
        now_ms = self._now_ms()
        own = [p for p, each in self._issued.items() if each.agent_id == agent_id and each.until_ms > now_ms]
        return tuple(reversed(own))

    def end(self, session_ids: frozenset[UUID]) -> None:
        """Forget the passwords of sessions that ended."""
        for password in [p for p, each in self._issued.items() if each.session_id in session_ids]:
            del self._issued[password]
