"""What the wall's endpoints take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

from app.wall.rules import QueueFigures

LinkName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
]


class WallFigures(BaseModel):
    """Today's figures and those of the last quarter of an hour.

    Attributes:
        day_start_ms: The centre's local midnight, in milliseconds since the epoch (UTC).
        zone: Whose midnight (IANA).
        total: Of all queues, and of what belongs to none.
    """

    day_start_ms: int
    zone: str
    total: QueueFigures
    queues: dict[str, QueueFigures]


class WallLink(BaseModel):
    """A link in force."""

    link_id: UUID
    name: str
    made_by: str
    made_at: datetime
    last_seen_at: datetime | None


class MadeWallLink(WallLink):
    """A link that was just made.

    Attributes:
        path: What the TV opens; it holds the token, and is shown this once.
    """

    path: str


class WallLinkList(BaseModel):
    """The links in force, oldest first."""

    links: list[WallLink]


class WallLinkBody(BaseModel):
    """A link to make: where its screen hangs."""

    model_config = ConfigDict(extra="forbid")

    name: LinkName


class WallTicketBody(BaseModel):
    """What a screen shows to get in: the token of its link."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class WallTicket(BaseModel):
    """A one-time ticket for the socket; it opens ``wall:all``."""

    ticket: str
