"""The door of the sockets: who came in by a link of the wall is out when the link is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

from app.auth.origins import Origins
from app.auth.permissions import Role
from app.auth.principal import Principal
from app.sockets.connection import Visitor
from app.sockets.door import SessionDoor

LINK = UUID(int=7)


def test_a_screen_is_looked_at_again_as_people_are() -> None:
    in_force = {LINK}
    nobody: Any = SimpleNamespace()  # a screen has no session
    door = SessionDoor(nobody, nobody, Origins.of((), 8080), in_force.__contains__, lambda _agent: None)
    screen = Visitor(principal=Principal(role=Role.WALL, name="wall"), session_id=LINK)
    for was_seen in (True, False):
        assert door.again(screen, was_seen=was_seen) is screen
    in_force.clear()
    for was_seen in (True, False):
        assert door.again(screen, was_seen=was_seen) is None
