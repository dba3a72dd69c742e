"""A small centre for examples: literal times, one call per signal."""

from __future__ import annotations

from typing import Any

from routing import signals as sig
from routing.commands import Command
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.engine import Engine, Step
from routing.events import Event
from routing.ids import AgentId, InteractionId, PbxId, QueueId, SkillId
from routing.signals import Signal

ANA, BEN, CLO = AgentId("ana"), AgentId("ben"), AgentId("clo")
SUPPORT, SALES = QueueId("support"), QueueId("sales")
C1, C2, C3 = (InteractionId(f"pbx1-1763790000.{n}") for n in (1, 2, 3))
PBX = PbxId("pbx1")
_SUPPORT, _SALES = SkillId("support"), SkillId("sales")


def config(**support: Any) -> CentreConfig:
    """Ana and Ben do support, Ana and Clo do sales; keywords change the support queue."""
    agents = (
        AgentConfig(agent_id=ANA, skills={_SUPPORT: 5, _SALES: 5}),
        AgentConfig(agent_id=BEN, skills={_SUPPORT: 5}),
        AgentConfig(agent_id=CLO, skills={_SALES: 5}),
    )
    queues = (
        QueueConfig(queue_id=SUPPORT, requires={_SUPPORT: 1}, **support),
        QueueConfig(queue_id=SALES, requires={_SALES: 1}),
    )
    return CentreConfig(agents=agents, queues=queues, default_queue_id=SUPPORT)


class Desk:
    """An engine, and what it said last."""

    def __init__(self, *ready: AgentId, **support: Any) -> None:
        self.engine = Engine(config(**support))
        self.events: list[Event] = []
        self.commands: list[Command] = []
        for number, agent_id in enumerate(ready):
            self.say(sig.AgentSignedIn(at_ms=number, agent_id=agent_id))
            self.say(sig.AgentReady(at_ms=number, agent_id=agent_id))

    def say(self, signal: Signal) -> Step:
        step = self.engine.step(signal)
        self.events, self.commands = list(step.events), list(step.commands)
        return step

    def wait(
        self, interaction_id: InteractionId, at_ms: int, queue_id: QueueId = SUPPORT, **more: Any
    ) -> Step:
        if interaction_id not in self.engine.centre.interactions:
            self.say(sig.InteractionArrived(at_ms=at_ms, interaction_id=interaction_id))
        return self.say(
            sig.InteractionWaiting(at_ms=at_ms, interaction_id=interaction_id, queue_id=queue_id, **more)
        )

    def ring(self, interaction_id: InteractionId, agent_id: AgentId, at_ms: int, attempt: int = 1) -> Step:
        return self.say(
            sig.OfferRang(at_ms=at_ms, interaction_id=interaction_id, agent_id=agent_id, attempt=attempt)
        )

    def answer(self, interaction_id: InteractionId, agent_id: AgentId, at_ms: int, attempt: int = 1) -> Step:
        return self.say(
            sig.OfferAnswered(at_ms=at_ms, interaction_id=interaction_id, agent_id=agent_id, attempt=attempt)
        )

    def fail(
        self,
        interaction_id: InteractionId,
        agent_id: AgentId,
        at_ms: int,
        cause: sig.OfferFailure,
        attempt: int = 1,
    ) -> Step:
        return self.say(
            sig.OfferFailed(
                at_ms=at_ms, interaction_id=interaction_id, agent_id=agent_id, attempt=attempt, cause=cause
            )
        )

    def end(
        self, interaction_id: InteractionId, at_ms: int, ended_by: sig.Party = sig.Party.CUSTOMER
    ) -> Step:
        return self.say(sig.InteractionEnded(at_ms=at_ms, interaction_id=interaction_id, ended_by=ended_by))

    def later(self, at_ms: int) -> Step:
        return self.say(sig.DeadlineReached(at_ms=at_ms))

    def talking(self, interaction_id: InteractionId, agent_id: AgentId, at_ms: int) -> None:
        self.wait(interaction_id, at_ms)
        self.ring(interaction_id, agent_id, at_ms)
        self.answer(interaction_id, agent_id, at_ms)

    def state(self, agent_id: AgentId) -> str:
        agent = self.engine.centre.agents[agent_id]
        return f"{agent.state}({agent.reason})" if agent.reason else str(agent.state)

    def said(self, kind: type[Any]) -> Any:
        """Return the one event or command of this kind in the last step."""
        found = [item for item in (*self.events, *self.commands) if type(item) is kind]
        assert len(found) == 1, (kind, self.events, self.commands)
        return found[0]

    def quiet(self, kind: type[Any]) -> bool:
        """Whether the last step said nothing of this kind."""
        return not [item for item in (*self.events, *self.commands) if type(item) is kind]
