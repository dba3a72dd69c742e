"""Signals about agents' phones: which one is rung, and what a browser phone tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from routing.ids import AgentId
from routing.signals import Signal


class PhoneKind(StrEnum):
    """Where an agent is rung."""

    DESK = "desk"  # the phone that the PBX or the configuration names
    BROWSER = "browser"  # the page; it can be lost in mid-call without a word, and come back
    EXTERNAL = "external"  # a number outside


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChosen(Signal):
    """The agent wants to be rung there from now on; refused while on a call.

    Attributes:
        device: What the PBX dials; empty for the desk: what the PBX or the configuration names.
    """

    agent_id: AgentId
    kind: PhoneKind
    device: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPhoneRegistered(Signal):
    """The agent's browser phone can be reached.

    Attributes:
        instance: Which opened page it is; another one means that the former page is gone.
    """

    agent_id: AgentId
    instance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserPhoneLost(Signal):
    """The agent's browser phone went away without a word (page closed, reloaded, network gone)."""

    agent_id: AgentId
    instance: str
