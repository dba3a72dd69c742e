"""The door of ``/ws`` on accounts: tickets, sessions, and the table of topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from app.auth.foreign_log import ForeignLog
from app.auth.origins import Origins
from app.auth.permissions import Role
from app.auth.principal import Principal
from app.auth.sessions import Sessions
from app.auth.tickets import Tickets
from app.auth.topics import may_follow
from app.sockets.connection import Visitor
from routing.ids import AgentId, TeamId


class SessionDoor:
    """``app.sockets.connection.Door`` for people with a session, and for screens with a link of the wall.

    Args:
        is_live_link: Says whether a link is in force.
        team_of: An agent's team now.
    """

    def __init__(
        self,
        tickets: Tickets,
        sessions: Sessions,
        origins: Origins,
        is_live_link: Callable[[UUID], bool],
        team_of: Callable[[AgentId], TeamId | None],
    ) -> None:
        self._tickets, self._sessions = tickets, sessions
        self._origins, self._team_of = origins, team_of
        self._is_live_link = is_live_link
        self._foreign = ForeignLog()

    def is_own_page(self, headers: Mapping[str, str]) -> bool:
        """Say whether no foreign page opens this socket."""
        if self._origins.allow_handshake(headers):
            return True
        sent = headers.get("origin")
        self._foreign.note("foreign_origin", origin=sent, method="WEBSOCKET", path="/ws")
        return False

    def let_in(self, ticket: str) -> Visitor | None:
        """Return whose ticket it is, once; None: nobody's."""
        found = self._tickets.redeem(ticket)
        return None if found is None else Visitor(principal=found.principal, session_id=found.session_id)

    def again(self, visitor: Visitor, *, was_seen: bool) -> Visitor | None:
        """Return the visitor as they are now, their session kept alive; None: it, or their link, is over."""
        if visitor.session_id is None:
            return visitor
        if visitor.principal.role is Role.WALL:
            return visitor if self._is_live_link(visitor.session_id) else None
        if was_seen and not self._sessions.touch(visitor.session_id):
            return None
        session = self._sessions.live(visitor.session_id)
        if session is None:
            return None
        return Visitor(principal=session.principal, session_id=visitor.session_id)

    def may_follow(self, principal: Principal, topic: str) -> bool:
        """Say whether they may follow the topic."""
        return may_follow(principal, topic, self._team_of)
