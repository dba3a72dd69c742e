"""Agents' phones at the PBX: how they are called, and what the PBX says of them. Pure.

An agent may be rung at the desk (what the PBX's hint or the configuration names), in the browser (an
endpoint of its own, ``<agent>-web``; no agent's id can hold the dash) or at a number outside (a Local
channel into ``cc-phone-out``). The global ``CC_PHONE_<agent>`` says which; empty: the desk.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from routing.commands import UsePhone
from routing.ids import AgentId
from routing.phone_signals import BrowserPhoneLost, BrowserPhoneRegistered, PhoneKind
from routing.signals import (
    AgentBusyElsewhere,
    AgentFreeElsewhere,
    DeviceLost,
    DeviceReachable,
    Signal,
)
from telephony.ami.codec import AmiMessage
from telephony.fields import occurred_ms

Action = tuple[tuple[str, str], ...]

UNREACHABLE = frozenset({"UNAVAILABLE", "INVALID"})
_REACHABLE_IDLE = frozenset({"NOT_INUSE", "UNKNOWN"})
_WEB = "-web"
_OUTSIDE = re.compile(r"\+?[0-9]{1,32}")
_LOCAL = re.compile(r"Local/(\+?[0-9]{1,32})@cc-phone-out/n")
_THERE = frozenset({"Created", "NonQualified", "Reachable"})
_GONE = frozenset({"Removed", "Unreachable"})
_USER = re.compile(r"sips?:([^@;>\s]{1,128})@")


# ---------------------------------------------------------------- names


def web_endpoint(agent_id: str) -> str:
    """Return the endpoint of an agent's browser phone, which is also its name for the digest.

    >>> web_endpoint("a1001")
    'a1001-web'
    """
    return agent_id + _WEB


def web_secret(master: str, agent_id: str) -> str:
    """Return the digest secret of an agent's browser endpoint; it never leaves server and PBX.

    Args:
        master: The deployment's secret; whoever changes it changes every endpoint's.
    """
    return hmac.new(master.encode(), web_endpoint(agent_id).encode(), hashlib.sha256).hexdigest()[:40]


def web_device(agent_id: str) -> str:
    """Return the device of an agent's browser phone."""
    return f"PJSIP/{web_endpoint(agent_id)}"


def outside_device(number: str) -> str:
    """Return the device that rings a number outside, through the one context that may.

    Raises:
        ValueError: it is no number (programmer's error: the number gate comes before).
    """
    if not _OUTSIDE.fullmatch(number) or not number.isascii():
        raise ValueError("an outside phone is a number")
    return f"Local/{number}@cc-phone-out/n"


def outside_number(device: str) -> str | None:
    """Return the number of an outside phone's device; None: it is another one.

    >>> outside_number(outside_device("+886912345678")), outside_number("PJSIP/a1001")
    ('+886912345678', None)
    """
    found = _LOCAL.fullmatch(device)
    return found[1] if found else None


def device_of(agent_id: AgentId, device_by_agent: Mapping[AgentId, str]) -> str:
    """Return the PBX device of an agent."""
    return device_by_agent.get(agent_id) or f"PJSIP/{agent_id}"


# ---------------------------------------------------------------- what the PBX says


def device(message: AmiMessage, agent_by_device: Mapping[str, AgentId]) -> Sequence[Signal]:
    """Return what a change of a device's state means: whose phone, reachable, in use."""
    agent_id = agent_by_device.get(message.get("Device", ""))
    return () if agent_id is None else _state(agent_id, message.get("State", ""), occurred_ms(message))


def _state(agent_id: AgentId, state: str, when: int | None) -> Sequence[Signal]:
    if state in UNREACHABLE:
        return (DeviceLost(occurred_ms=when, agent_id=agent_id),)
    reachable = DeviceReachable(occurred_ms=when, agent_id=agent_id)
    if state in _REACHABLE_IDLE:
        return (reachable, AgentFreeElsewhere(occurred_ms=when, agent_id=agent_id))
    return (reachable, AgentBusyElsewhere(occurred_ms=when, agent_id=agent_id, evidence=state.lower()))


def contact(message: AmiMessage, agent_by_device: Mapping[str, AgentId]) -> Signal | None:
    """Return what a change of a registration means; only browser phones' are looked at.

    A talking phone's device state stays busy when its page goes away: only the registration tells.
    """
    endpoint = message.get("EndpointName", "")
    agent_id = agent_by_device.get(f"PJSIP/{endpoint}")
    if agent_id is None or endpoint != web_endpoint(agent_id):
        return None
    when, instance = occurred_ms(message), instance_of(message.get("URI", ""))
    status = message.get("ContactStatus")
    if status in _THERE:
        return BrowserPhoneRegistered(occurred_ms=when, agent_id=agent_id, instance=instance)
    if status in _GONE:
        return BrowserPhoneLost(occurred_ms=when, agent_id=agent_id, instance=instance)
    return None


def instance_of(uri: str) -> str:
    """Return which opened page a contact is: the user part that the page drew; empty when there is none.

    >>> instance_of("sip:k3v8q1@127.0.0.1:41234;transport=ws")
    'k3v8q1'
    """
    found = _USER.search(uri)
    return found[1] if found else ""


# ---------------------------------------------------------------- what the PBX is told and asked


def phone_global(command: UsePhone) -> Action:
    """Return the action that says where the agent is rung."""
    name = f"CC_PHONE_{command.agent_id}"
    return (("Action", "Setvar"), ("Variable", name), ("Value", command.device))


def phone_question(command: UsePhone, device: str) -> Action | None:
    """Return the action that asks for the state of a phone just chosen; None: nobody could tell.

    A browser phone is asked for its registration, which also says which page it is.
    """
    match command.kind:
        case PhoneKind.BROWSER:
            asked = f"PJSIP_DIAL_CONTACTS({web_endpoint(command.agent_id)})"
        case PhoneKind.DESK:
            asked = f"DEVICE_STATE({device})"
        case _:
            return None
    return (("Action", "Getvar"), ("Variable", asked))


def phone_answer(command: UsePhone, answer: AmiMessage) -> Sequence[Signal]:
    """Return what the answer to ``phone_question`` means.

    An absent browser phone only counts as lost, and takes no call from anybody: after a restart of ours
    the sound may still run while the page is about to come back.
    """
    value = answer.get("Value", "")
    if command.kind is PhoneKind.DESK:
        return _state(command.agent_id, value, None) if value and value != "UNKNOWN" else ()
    if instance := instance_of(value):
        return (BrowserPhoneRegistered(agent_id=command.agent_id, instance=instance),)
    return (DeviceLost(agent_id=command.agent_id),)
