"""The centre: all that the engine knows between two steps, and the outcome of the step under way.

The subject modules (visits, offers, talks …) change it through these few verbs. Time stands in
``at_ms`` (decisions, deadlines) and ``occurred_ms`` (facts); nothing here reads a clock.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from routing.commands import Command
from routing.config import AgentConfig, CentreConfig, QueueConfig
from routing.events import ContactEnded, ContactStarted, Event, SignalIgnored
from routing.ids import AgentId, BootId, InteractionId, QueueId
from routing.lines import Lines
from routing.signals import Party, Signal
from routing.state import Agent, Ended, Interaction
from routing.timers import Timer, Timers

ENDED_MAX = 10_000  # ended interactions remembered for late and double reports
CLOSING_GRACE_MS = 10_000  # an expected end that is not reported by then counts as lost
ATTRIBUTE_COUNT_MAX = 64


class Centre:
    """State of one routing domain."""

    __slots__ = (
        "agent_configs",
        "agents",
        "arrived",
        "at_ms",
        "boot_id",
        "commands",
        "config",
        "ended",
        "events",
        "explain",
        "freed",
        "heard",
        "interactions",
        "lines",
        "link_up",
        "match_all",
        "occurred_ms",
        "ordinal",
        "queues",
        "timers",
        "unsynced",
    )

    def __init__(self, *, explain: bool = True) -> None:
        self.explain = explain
        self.at_ms = 0
        self.occurred_ms = 0
        self.config = CentreConfig()
        self.queues: dict[QueueId, QueueConfig] = {}
        self.agent_configs: dict[AgentId, AgentConfig] = {}
        self.interactions: dict[InteractionId, Interaction] = {}
        self.agents: dict[AgentId, Agent] = {}
        self.ended: OrderedDict[InteractionId, Ended] = OrderedDict()
        self.lines = Lines()
        self.timers = Timers()
        self.link_up = True
        self.boot_id: BootId | None = None
        self.ordinal = 0
        self.unsynced: dict[AgentId, bool] = {}  # fallback membership changed while the link was down
        # the step under way
        self.commands: list[Command] = []
        self.events: list[Event] = []
        self.arrived: dict[InteractionId, bool] = {}  # newly waiting
        self.freed: dict[AgentId, bool] = {}  # newly ready
        self.heard: dict[InteractionId, bool] = {}  # to be told that we hear them
        self.match_all = False

    # ------------------------------------------------------------ time

    def when(self, interaction: Interaction | None = None, agent: Agent | None = None) -> int:
        """Return when the present thing occurred: never before the open span of whom it concerns."""
        moment = self.occurred_ms
        if agent is not None and agent.since_ms > moment:
            moment = agent.since_ms
        if interaction is not None:
            if interaction.last_ms > moment:
                moment = interaction.last_ms
            interaction.last_ms = moment
        return moment

    # ------------------------------------------------------------ outcome

    def emit(self, event: Event) -> None:
        """Record a fact."""
        self.events.append(event)

    def command(self, command: Command) -> None:
        """Ask the world for something."""
        self.commands.append(command)

    def ignore(
        self,
        signal: Signal,
        reason: str,
        interaction_id: InteractionId | None = None,
        agent_id: AgentId | None = None,
    ) -> None:
        """Record that a signal can happen in life but does not fit."""
        self.emit(
            SignalIgnored(
                at_ms=self.at_ms,
                occurred_ms=self.occurred_ms,
                signal=type(signal).__name__,
                reason=reason,
                interaction_id=interaction_id,
                agent_id=agent_id,
                request_id=signal.request_id,
            )
        )

    # ------------------------------------------------------------ interactions

    def begin(
        self,
        interaction_id: InteractionId,
        *,
        began_ms: int,
        medium: str = "voice",
        direction: str = "in",
        entry_point: str = "",
        caller_number: str = "",
        caller_name: str = "",
        attributes: Mapping[str, str] | None = None,
    ) -> Interaction:
        """Take a new contact in; its visits and attempts go on counting when it was known before."""
        began_ms = min(began_ms, self.at_ms)
        known = self.ended.pop(interaction_id, None)
        bounded = dict(list((attributes or {}).items())[:ATTRIBUTE_COUNT_MAX])
        interaction = self.interactions[interaction_id] = Interaction(
            interaction_id=interaction_id,
            arrived_ms=began_ms,
            last_ms=began_ms,
            medium=medium,
            direction=direction,
            entry_point=entry_point,
            caller_number=caller_number,
            caller_name=caller_name,
            attributes=bounded,
            attempt=known.attempt if known else 0,
            visit=known.visit if known else 0,
            handled_by=known.handled_by if known else [],
        )
        self.emit(
            ContactStarted(
                at_ms=self.at_ms,
                occurred_ms=began_ms,
                interaction_id=interaction_id,
                medium=medium,
                direction=direction,
                entry_point=entry_point,
                caller_number=caller_number,
                caller_name=caller_name,
                attributes=bounded,
            )
        )
        return interaction

    def forget(self, interaction: Interaction, when: int, ended_by: Party, cause: int, reason: str) -> None:
        """Close a contact whose visit and talk are closed already, and remember it for a while."""
        interaction_id = interaction.interaction_id
        self.emit(
            ContactEnded(
                at_ms=self.at_ms,
                occurred_ms=when,
                interaction_id=interaction_id,
                ended_by=ended_by,
                hangup_cause=cause,
                reason=reason,
            )
        )
        self.timers.cancel(Timer.GRACE, interaction_id)
        for agent_id in interaction.excluded:
            if agent := self.agents.get(agent_id):
                agent.excluded_from.pop(interaction_id, None)
        del self.interactions[interaction_id]
        self.ended[interaction_id] = Ended(
            interaction_id=interaction_id,
            reason=reason,
            attempt=interaction.attempt,
            visit=interaction.visit,
            handled_by=interaction.handled_by,
        )
        if len(self.ended) > ENDED_MAX:
            self.ended.popitem(last=False)

    # ------------------------------------------------------------ configuration

    def queue_or_default(self, queue_id: QueueId | None) -> QueueConfig | None:
        """Return the queue, the default queue for an unknown one, None when there is neither."""
        if queue_id is not None and (queue := self.queues.get(queue_id)):
            return queue
        default = self.config.default_queue_id
        return self.queues.get(default) if default is not None else None
