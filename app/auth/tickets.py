"""Socket tickets: a page gets one by HTTP and shows it as the socket's first frame. Once, within 30 s.

A cookie alone opens no socket, since a browser sends it for every page that asks. Tickets live in memory:
whoever restarts the server gets a new one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.auth.principal import Principal
from app.auth.tokens import digest_of, new_token

TICKET_LIFE_MS: Final = 30_000
TICKETS_MAX: Final = 10_000
TICKETS_PER_OWNER_MAX: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What a ticket stands for.

    Attributes:
        session_id: The session it was made in, or the wall's link that bought it, which must still be live
            when it is shown; None for those who have none.
    """

    principal: Principal
    session_id: UUID | None
    until_ms: int


class Tickets:
    """The tickets that were made and not shown yet.

    Args:
        now_ms: The clock, milliseconds since the Unix epoch.
        is_live: Says whether a session or a link is still one.
    """

    def __init__(self, now_ms: Callable[[], int], is_live: Callable[[UUID], bool]) -> None:
        self._now_ms, self._is_live = now_ms, is_live
        self._open: OrderedDict[bytes, Ticket] = OrderedDict()  # oldest first

    def issue(self, principal: Principal, session_id: UUID | None = None) -> str:
        """Return a new ticket; the owner's oldest one gives way when too many are open."""
        now_ms = self._now_ms()
        while self._open and (
            len(self._open) >= TICKETS_MAX or next(iter(self._open.values())).until_ms <= now_ms
        ):
            self._open.popitem(last=False)
        owner = (principal, session_id)
        mine = [key for key, each in self._open.items() if (each.principal, each.session_id) == owner]
        for key in mine[: max(0, len(mine) - TICKETS_PER_OWNER_MAX + 1)]:
            del self._open[key]
        ticket = new_token()
        digest = digest_of(ticket)
        assert digest is not None
        until_ms = now_ms + TICKET_LIFE_MS
        self._open[digest] = Ticket(principal=principal, session_id=session_id, until_ms=until_ms)
        return ticket

    def redeem(self, ticket: str) -> Ticket | None:
        """Return what *ticket* stands for, once; None when it is used, late, or its session is over."""
        digest = digest_of(ticket)
        found = self._open.pop(digest, None) if digest is not None else None
        if found is None or found.until_ms <= self._now_ms():
            return None
        if found.session_id is not None and not self._is_live(found.session_id):
            return None
        return found
