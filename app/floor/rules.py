"""What boards show of the floor, as JSON-able values: functions of floor, centre and names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from app.centre.document import Centre
from app.floor.topic_values import (
    AgentRow,
    BoardFormula,
    FloorTotal,
    QueueRow,
    QueueTile,
    WaitingNow,
)
from app.wall.rules import SERVICE_LEVEL_FORMULA, Grade
from app.wall.rules import figures as figures_of
from routing.config import CentreConfig, QueueConfig
from routing.floor import AgentFloor, QueueFloor
from routing.ids import AgentId, QueueId
from workforce.formulas import FORMULAS
from workforce.measures import Cell

NO_FIGURES: Mapping[str, Any] = asdict(figures_of(Cell(), Grade.UNKNOWN))
"""The figures of a queue that nobody counts."""


@dataclass(frozen=True, slots=True)
class Names:
    """What people read in place of ids; an id stands for itself where a name is missing."""

    agents: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    entry_points: Mapping[str, str] = field(default_factory=dict)
    not_ready_reasons: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, centre: Centre) -> Names:
        """Take the display names of *centre*."""
        return cls(
            agents={agent.agent_id: agent.display_name for agent in centre.agent},
            queues={queue.queue_id: queue.display_name for queue in centre.queue},
            teams={team.team_id: team.display_name for team in centre.team},
            entry_points={entry.entry_point: entry.display_name for entry in centre.entry_point},
            not_ready_reasons={each.reason: each.display_name for each in centre.not_ready_reason},
        )

    def agent(self, agent_id: str) -> str:
        """Return an agent's name."""
        return self.agents.get(agent_id) or agent_id

    def queue(self, queue_id: str) -> str:
        """Return a queue's name."""
        return self.queues.get(queue_id) or queue_id

    def team(self, team_id: str) -> str:
        """Return a team's name."""
        return self.teams.get(team_id) or team_id

    def entry_point(self, entry_point: str) -> str:
        """Return the name of a number dialled."""
        return self.entry_points.get(entry_point) or entry_point


def board_formulas() -> dict[str, BoardFormula]:
    """Return what the figures on the boards are made of, by formula id.

    >>> board_formulas()["ASA"]
    {'over': ['wait_answered_ms'], 'under': ['answered_count'], 'less': []}
    """
    shown = (SERVICE_LEVEL_FORMULA, "ASA", "AHT")
    return {
        one: BoardFormula(
            over=list(FORMULAS[one].over), under=list(FORMULAS[one].under), less=list(FORMULAS[one].less)
        )
        for one in shown
    }


def queues_of_agents(config: CentreConfig) -> dict[AgentId, tuple[QueueId, ...]]:
    """Return the queues that each agent has the skills for.

    >>> from routing.config import AgentConfig
    >>> ana = AgentConfig(agent_id="a1", skills={"french": 3})
    >>> queues = (QueueConfig(queue_id="fr", requires={"french": 3}), QueueConfig(queue_id="all"))
    >>> queues_of_agents(CentreConfig(agents=(ana,), queues=queues))
    {'a1': ('fr', 'all')}
    """
    profiles: dict[tuple[tuple[str, int], ...], tuple[QueueId, ...]] = {}
    found: dict[AgentId, tuple[QueueId, ...]] = {}
    for agent in config.agents:
        profile = tuple(sorted(agent.skills.items()))
        if profile not in profiles:
            profiles[profile] = tuple(
                queue.queue_id
                for queue in config.queues
                if all(agent.skills.get(skill, 0) >= level for skill, level in queue.requires.items())
            )
        found[agent.agent_id] = profiles[profile]
    return found


def waiting(queues: Iterable[QueueFloor]) -> WaitingNow:
    """Return how many wait and since when the longest."""
    starts = [started_ms for queue in queues for started_ms in queue.waiting.values()]
    return {"waiting_count": len(starts), "oldest_since_ms": min(starts, default=None)}


def queue_tile(queue: QueueConfig, names: Names, floor: QueueFloor) -> QueueTile:
    """Return who waits in a queue: what its agents see."""
    return {
        "queue_id": queue.queue_id,
        "display_name": names.queue(queue.queue_id),
        **waiting((floor,)),
    }


def queue_row(
    queue: QueueConfig,
    names: Names,
    floor: QueueFloor,
    figures: Mapping[str, Any],
    agent_counts: Mapping[str, int],
) -> QueueRow:
    """Return a queue as a board shows it.

    Args:
        figures: ``today`` and ``last_15_min``.
        agent_counts: Its agents by displayed state.
    """
    return {
        **queue_tile(queue, names, floor),
        "threshold_s": queue.threshold_ms / 1000,
        "service_level_target": queue.service_level_target,
        "agent_counts": dict(sorted(agent_counts.items())),
        "today": figures["today"],
        "last_15_min": figures["last_15_min"],
    }


def total_of(
    queues: Iterable[QueueFloor], figures: Mapping[str, Any], agent_counts: Mapping[str, int]
) -> FloorTotal:
    """Return all queues together; the arguments as of ``queue_row``."""
    return {
        **waiting(queues),
        "agent_counts": dict(sorted(agent_counts.items())),
        "today": figures["today"],
        "last_15_min": figures["last_15_min"],
    }


def agent_row(
    agent_id: AgentId,
    agent: AgentFloor,
    names: Names,
    team_id: str | None,
    queue_ids: Iterable[QueueId],
    unseen_pop_since_ms: int | None,
) -> AgentRow:
    """Return an agent as a supervisor's board shows them.

    ``reason_name`` is the centre's own name of the reason; empty: the page has a word, or shows the id.

    Args:
        unseen_pop_since_ms: Since when they talk without the pop having been on their screen; None: it was.
    """
    return {
        "agent_id": agent_id,
        "display_name": names.agent(agent_id),
        "team_id": team_id,
        "team_name": names.team(team_id) if team_id else None,
        "state": agent.state,
        "reason": agent.reason,
        "reason_name": names.not_ready_reasons.get(agent.reason, ""),
        "since_ms": agent.since_ms,
        "interaction_id": agent.interaction_id,
        "queue_ids": list(queue_ids),
        "phone": {"kind": agent.phone_kind, "reachable": agent.phone_reachable},
        "unseen_pop_since_ms": unseen_pop_since_ms,
    }
