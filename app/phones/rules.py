"""What an agent may be rung on, and how the PBX calls it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.dialling.rules import DialFacts, DialPolicy, may_dial
from routing.phone_signals import PhoneKind
from telephony.phones import outside_device, web_device

NUMBER_CHARS_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenPhone:
    """A phone as the PBX dials it.

    Attributes:
        device: Empty for the desk: what the PBX or the configuration names.
        number: E.164, of an outside phone.
    """

    kind: PhoneKind
    device: str
    number: str | None = None


@dataclass(frozen=True, slots=True)
class PhoneRefused:
    """Why it may not be that one: ``emergency_number``, or the number gate's reason."""

    reason: str


def inside_phone(kind: PhoneKind, agent_id: str) -> ChosenPhone:
    """Return the agent's phone at the desk or in the browser."""
    assert kind is not PhoneKind.EXTERNAL
    device = web_device(agent_id) if kind is PhoneKind.BROWSER else ""
    return ChosenPhone(kind=kind, device=device)


def outside_phone(
    number: str, *, region: str, area_code: str, prefixes_allowed: Sequence[str], at: datetime
) -> ChosenPhone | PhoneRefused:
    """Return the phone of a number outside, if the number gate lets it become an agent's phone.

    An emergency number is never blocked when somebody dials it, but nobody's calls are sent there; nor to
    premium numbers, extensions and short numbers.
    """
    policy = DialPolicy(prefixes_allowed=tuple(prefixes_allowed), extensions_allowed=False)
    decision = may_dial(DialFacts(number=number, region=region, area_code=area_code, at=at, policy=policy))
    if decision.reason == "emergency":
        return PhoneRefused("emergency_number")
    if not decision.allowed:
        return PhoneRefused(decision.reason)
    device = outside_device(decision.dial)
    return ChosenPhone(kind=PhoneKind.EXTERNAL, device=device, number=decision.dial)


def of_row(agent_id: str, kind: str, number: str | None) -> ChosenPhone:
    """Return the phone that a row of ``agent_phone`` names."""
    if number is not None:
        return ChosenPhone(kind=PhoneKind.EXTERNAL, device=outside_device(number), number=number)
    return inside_phone(PhoneKind(kind), agent_id)
