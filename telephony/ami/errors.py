"""What can go wrong on an AMI connection; whose fault it is shows in the class."""

from __future__ import annotations

from telephony.errors import TelephonyError


class AmiError(TelephonyError):
    """The root of everything that can go wrong with AMI."""


class AmiProtocolError(AmiError):
    """The peer sent something that is not AMI."""


class AmiInjectionError(AmiError):
    """We were about to send a field that the PBX could read as more than one field.

    Attributes:
        field: The name of the field (its value is kept out of the message: it may be personal).
    """

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"AMI field {field!r} {why}")
        self.field = field


class AmiLinkLost(AmiError):
    """The connection is gone, or was never there; whether the PBX acted is not known."""


class AmiLoginDenied(AmiError):
    """The PBX answered and refused the user or the secret."""


class AmiTimeout(AmiError):
    """The PBX did not answer an action in time; whether it acted is not known."""


class AmiOverloaded(AmiError):
    """A named limit of the link was reached; nothing was sent."""


class AmiRefused(AmiError):
    """The PBX answered a list action with an error."""
