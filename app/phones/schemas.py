"""What the phones' endpoints take and give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.phones.rules import NUMBER_CHARS_MAX

Kind = Literal["desk", "browser", "external"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class InsidePhone(_Body):
    """The phone at the desk, or this page."""

    kind: Literal["desk", "browser"]


class OutsidePhone(_Body):
    """A number outside. Whoever answers there is asked to press 1."""

    kind: Literal["external"]
    number: str = Field(min_length=1, max_length=NUMBER_CHARS_MAX, description="For instance 0912 345 678")


PhoneBody = Annotated[InsidePhone | OutsidePhone, Field(discriminator="kind")]


class PhoneView(BaseModel):
    """Where an agent is rung.

    Attributes:
        address: What people read: the number outside, else the device.
        registered_since_ms: Since when it can be reached, milliseconds since the Unix epoch; null: it cannot,
            or nobody tells.
        available_kinds: What can be chosen here.
    """

    kind: Kind
    address: str
    number: str | None
    reachable: bool
    registered_since_ms: int | None
    available_kinds: list[Kind]


class PhoneCredentials(BaseModel):
    """What a page registers its phone with.

    Attributes:
        websocket_path: On our own origin; subprotocols ``sip`` and ``ticket.<socket ticket>``.
        expires_ms: When the password ends; ask for another one before.
    """

    sip_uri: str
    username: str
    password: str
    websocket_path: str
    expires_ms: int
