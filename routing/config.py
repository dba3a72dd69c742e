"""The centre's configuration as the engine reads it: frozen, validated, in milliseconds.

Rows and TOML carry seconds; the shell converts once. An invalid configuration never reaches
the engine: ``validate`` names the field and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from routing.ids import AgentId, QueueId, SkillId, TeamId


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConfig:
    """One agent.

    Attributes:
        skills: Level 1..10 by skill.
        device: The PBX device, for instance ``PJSIP/a1001``.
        voice_slots: Concurrent voice interactions, 0 or 1.
    """

    agent_id: AgentId
    skills: Mapping[SkillId, int] = field(default_factory=dict)
    device: str = ""
    team_id: TeamId | None = None
    voice_slots: int = 1
    wrap_up_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueConfig:
    """One queue.

    Attributes:
        requires: Least level by skill; all must hold.
        threshold_ms: The 20 of 80/20.
        service_level_target: In [0, 1].
        boost_ms: Head start of every interaction in this queue.
        max_wait_ms: Beyond it an interaction precedes all that are not.
        wrap_up_mode: ``none | optional | timed | manual``.
        short_abandon_ms: An abandon at most this long after queueing is a short abandon.
        queue_timeout_ms: Leave the queue after this wait (to the fallback queue); None: never.
    """

    queue_id: QueueId
    requires: Mapping[SkillId, int] = field(default_factory=dict)
    medium: str = "voice"
    threshold_ms: int = 20_000
    service_level_target: float = 0.80
    weight: float = 1.0
    boost_ms: int = 0
    max_wait_ms: int = 600_000
    ring_timeout_ms: int = 15_000
    preset: str = "strict"
    wrap_up_mode: str = "timed"
    wrap_up_ms: int = 30_000
    wrap_up_extendable: bool = True
    short_abandon_ms: int = 5_000
    queue_timeout_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreConfig:
    """Agents and queues of one routing domain."""

    agents: tuple[AgentConfig, ...] = ()
    queues: tuple[QueueConfig, ...] = ()
    default_queue_id: QueueId | None = None
