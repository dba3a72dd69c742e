"""What the web needs of the running server. The composition root gives it; nothing here reaches further."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from fastapi import Request
from prometheus_client import CollectorRegistry

from app.calls.reader import CallReader
from app.settings import Settings
from routing.floor import AgentFloor
from routing.ids import AgentId, InteractionId, TeamId
from routing.signals import Signal
from routing.step import Step

if TYPE_CHECKING:
    from app.faces import Faces


class SignalInbox(Protocol):
    """``app.live.inbox.Inbox``, as the web sees it."""

    def put(self, signal: Signal) -> asyncio.Future[Step]:
        """Queue a signal; a future of the engine's step."""


class FloorReader(Protocol):
    """The floor as a read model: a fold of events, never the engine itself."""

    def picture(self) -> Mapping[str, Any]:
        """Return the floor now, JSON-able, ids and figures only."""

    def agents_on(self, interaction_id: InteractionId) -> frozenset[AgentId]:
        """Return who rings for or talks to this interaction now."""

    def agent(self, agent_id: AgentId) -> AgentFloor | None:
        """Return one agent on the floor; None: there is no such agent."""

    def team_of(self, agent_id: AgentId) -> TeamId | None:
        """Return the agent's team."""


class AppState(Protocol):
    """The running server."""

    @property
    def settings(self) -> Settings:
        """Deployment settings."""

    @property
    def inbox(self) -> SignalInbox:
        """The door to the engine."""

    @property
    def floor(self) -> FloorReader:
        """The live floor."""

    @property
    def calls(self) -> CallReader:
        """The call log."""

    @property
    def faces(self) -> Faces:
        """The parts behind the pages."""

    @property
    def registry(self) -> CollectorRegistry:
        """Where the figures of ``/metrics`` are registered."""

    def not_ready(self) -> Mapping[str, str]:
        """Return what keeps the server from serving calls: part to what is wrong; empty when ready."""


def state_of(request: Request) -> AppState:
    """Return the running server (a FastAPI dependency)."""
    state: AppState = request.app.state.server
    return state
