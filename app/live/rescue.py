"""What a new engine must be told when the old one's state cannot be used: configuration and presence.

Presence is the one thing that only the journal knows (channels, bridges and devices are read from
the PBX). It is folded here from the engine's own events, apart from the engine's state, so that a
fault in that state does not sign everybody out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from app.live.rows import dump
from routing import replay
from routing.events import AgentState, AgentStateChanged, Event
from routing.ids import AgentId
from routing.phone_events import PhoneChanged
from routing.phone_signals import PhoneChosen, PhoneKind
from routing.signals import AgentNotReady, AgentReady, AgentSignedIn, ConfigChanged, Signal

RECOVERED = "recovered"  # not-ready reason after a rescue from wrap-up: the agent decides when to go on


class Rescue:
    """Last configuration, and every agent's last displayed state and phone."""

    def __init__(self) -> None:
        self._config: bytes | None = None
        self._states: dict[str, tuple[str, str]] = {}
        self._phones: dict[str, tuple[str, str]] = {}

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Rescue:
        """Return what ``to_json`` wrote."""
        rescue = cls()
        if body["config"] is not None:
            rescue._config = orjson.dumps(body["config"])
        rescue._states = {agent: (state, reason) for agent, (state, reason) in body["states"].items()}
        phones: Mapping[str, tuple[str, str]] = body.get("phones", {})
        rescue._phones = {agent: (kind, device) for agent, (kind, device) in phones.items()}
        return rescue

    def to_json(self) -> dict[str, object]:
        """Return it for a snapshot; the configuration is not encoded anew each time."""
        return {
            "config": None if self._config is None else orjson.Fragment(self._config),
            "states": dict(self._states),
            "phones": dict(self._phones),
        }

    def note(self, signal: Signal, events: Iterable[Event]) -> None:
        """Take notice of one step."""
        if isinstance(signal, ConfigChanged):
            self._config = dump(replay.encode(signal))
        for event in events:
            if isinstance(event, PhoneChanged):
                self._phones[event.agent_id] = (event.kind.value, event.device)
            if not isinstance(event, AgentStateChanged):
                continue
            if event.state is AgentState.SIGNED_OUT:
                self._states.pop(event.agent_id, None)
            else:
                self._states[event.agent_id] = (event.state.value, event.reason)

    def signals(self) -> list[Signal]:
        """Return what to tell a new engine, in order. Who was in wrap-up becomes not ready, never ready."""
        told: list[Signal] = []
        if self._config is not None:
            config = replay.decode(orjson.loads(self._config))
            assert isinstance(config, ConfigChanged)
            told.append(config)
        for name, (kind, device) in sorted(self._phones.items()):
            told.append(PhoneChosen(agent_id=AgentId(name), kind=PhoneKind(kind), device=device))
        for name, (state, reason) in sorted(self._states.items()):
            agent_id = AgentId(name)
            told.append(AgentSignedIn(agent_id=agent_id))
            if state == AgentState.NOT_READY:
                told.append(AgentNotReady(agent_id=agent_id, reason=reason))
            elif state == AgentState.WRAP_UP:
                told.append(AgentNotReady(agent_id=agent_id, reason=RECOVERED))
            else:
                told.append(AgentReady(agent_id=agent_id))
        return told
