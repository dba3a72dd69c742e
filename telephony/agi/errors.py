"""What can go wrong in a FastAGI session; whose fault it is shows in the class."""

from __future__ import annotations

from telephony.errors import TelephonyError


class AgiError(TelephonyError):
    """The root of everything that can go wrong with FastAGI."""


class AgiProtocolError(AgiError):
    """The peer sent something that is not AGI."""


class AgiInjectionError(AgiError):
    """We were about to send a command that the PBX could read as more than one."""


class AgiSessionLost(AgiError):
    """The session is gone, or took too long; whether the PBX acted is not known."""


class AgiCommandRefused(AgiError):
    """The PBX answered a command with 510, 511 or 520, or with result=-1."""


class AgiUndeclaredVariable(AgiError):
    """A route returned a channel variable that it never declared: our fault."""
