"""What can go wrong between a synthetic phone and the PBX; whose fault it is shows in the class."""

from __future__ import annotations

from telephony.errors import TelephonyError


class SyntheticError(TelephonyError):
    """The root of everything that can go wrong with synthetic phones and callers."""


class SipParseError(SyntheticError):
    """The peer sent something that is not SIP, SDP or a digest challenge."""


class SipFieldError(SyntheticError):
    """We were about to send a field that the peer could read as more than one field.

    The value is kept out of the message: it may be personal.
    """


class RegistrationRefused(SyntheticError):
    """The registrar did not take the phone.

    Attributes:
        status: Its final status; 408 when it did not answer in time.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the registrar answered {status} {reason}")
        self.status = status
