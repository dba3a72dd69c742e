"""Doubles of the live core's neighbours: a small engine whose faults are chosen, a PBX that keeps a list."""

from __future__ import annotations

import copy
from typing import Any

from routing.commands import Command, EndInteraction
from routing.events import AgentState, AgentStateChanged, Event, KeyNoted
from routing.ids import AgentId
from routing.signals import (
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    ConfigChanged,
    HangupRequested,
    KeyPressed,
    Signal,
)
from routing.step import Step

POISON = "poison"  # as a key pressed: the step changes the state, then fails
TIMER = "timer"  # as a key pressed: sets a deadline 30 ms later
STUCK = "stuck"  # as a key pressed: from the next step on everything fails, as if the state were broken


class SmallEngine:
    """Counts keys by interaction, knows who is signed in, hangs up on request, and has one timer."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        empty: dict[str, Any] = {"keys": {}, "agents": {}, "deadline_ms": None, "rang": 0, "stuck": False}
        self.state = copy.deepcopy(state) if state is not None else empty

    def snapshot(self) -> dict[str, Any]:
        return copy.deepcopy(self.state)

    def next_deadline_ms(self) -> int | None:
        deadline_ms = self.state["deadline_ms"]
        assert deadline_ms is None or isinstance(deadline_ms, int)
        return deadline_ms

    def step(self, signal: Signal) -> Step:
        commands: list[Command] = []
        events: list[Event] = []
        if self.state["stuck"]:
            raise RuntimeError("stuck")
        if self.state["deadline_ms"] is not None and signal.at_ms >= self.state["deadline_ms"]:
            self.state["deadline_ms"] = None
            self.state["rang"] += 1
        match signal:
            case KeyPressed():
                keys = self.state["keys"]
                keys[signal.interaction_id] = keys.get(signal.interaction_id, 0) + 1
                if signal.digit == POISON:
                    raise ValueError("a key that this engine cannot digest")
                if signal.digit == TIMER:
                    self.state["deadline_ms"] = signal.at_ms + 30
                if signal.digit == STUCK:
                    self.state["stuck"] = True
                events.append(
                    KeyNoted(
                        at_ms=signal.at_ms,
                        occurred_ms=signal.occurred_ms or signal.at_ms,
                        interaction_id=signal.interaction_id,
                        digit=signal.digit,
                    )
                )
            case HangupRequested():
                commands.append(EndInteraction(interaction_id=signal.interaction_id))
            case AgentSignedIn() | AgentReady():
                events.append(self._set(signal, signal.agent_id, AgentState.READY))
            case AgentNotReady():
                events.append(self._set(signal, signal.agent_id, AgentState.NOT_READY, signal.reason))
            case AgentSignedOut():
                events.append(self._set(signal, signal.agent_id, AgentState.SIGNED_OUT))
            case ConfigChanged():
                self.state["version"] = signal.version
        return Step(signal, tuple(commands), tuple(events))

    def _set(
        self, signal: Signal, agent_id: AgentId, state: AgentState, reason: str = ""
    ) -> AgentStateChanged:
        self.state["agents"][agent_id] = [state.value, reason]
        return AgentStateChanged(
            at_ms=signal.at_ms,
            occurred_ms=signal.at_ms,
            agent_id=agent_id,
            state=state,
            reason=reason,
            interaction_id=None,
            previous=AgentState.SIGNED_OUT,
            previous_reason="",
            since_ms=0,
        )


class SmallEngineMaker:
    """Makes small engines and keeps the last one."""

    def __init__(self) -> None:
        self.last = SmallEngine()

    def fresh(self) -> SmallEngine:
        self.last = SmallEngine()
        return self.last

    def restored(self, snapshot: dict[str, Any]) -> SmallEngine:
        self.last = SmallEngine(snapshot)
        return self.last


class ListPbx:
    """Keeps what it was told to do."""

    def __init__(self) -> None:
        self.sent: list[tuple[Command, int]] = []
        self.refuses = False

    def send(self, command: Command, epoch: int) -> None:
        if self.refuses:
            raise ValueError("a command that cannot be put into words")
        self.sent.append((command, epoch))
