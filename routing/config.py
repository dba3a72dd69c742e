"""The centre's configuration as the engine reads it: frozen, validated, in milliseconds.

Rows and TOML carry seconds; the shell converts once. An invalid configuration never reaches
the engine: ``validate`` names the field and what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from routing.ids import AgentId, QueueId, SkillId, TeamId, slug


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
        queue_timeout_ms: Leave the queue after this wait; None: never.
        queue_timeout_to: The queue that serves then; None: the PBX's own fallback queue.
        overflow_after_ms, overflow_to: After this wait another queue serves; both or neither.
        key_exits: Queue by the key that a waiting caller presses to go there.
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
    queue_timeout_to: QueueId | None = None
    overflow_after_ms: int | None = None
    overflow_to: QueueId | None = None
    key_exits: Mapping[str, QueueId] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreConfig:
    """Agents and queues of one routing domain."""

    agents: tuple[AgentConfig, ...] = ()
    queues: tuple[QueueConfig, ...] = ()
    default_queue_id: QueueId | None = None


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """What is wrong with a configuration.

    Attributes:
        field: Where, for instance ``queues[support].ring_timeout_ms``.
        message: What to do about it.
    """

    field: str
    message: str


SKILL_LEVEL_MAX = 10
RING_TIMEOUT_MS_MIN = 1_000
RING_TIMEOUT_MS_MAX = 300_000
WRAP_UP_MODES = ("none", "optional", "timed", "manual")
PRESETS = ("strict", "fair", "balanced", "max_sl")
KEYS = "0123456789*#"
MEDIA = ("voice", "chat", "email")


def validate(config: CentreConfig) -> list[ConfigProblem]:
    """Return every problem of a configuration, in a stable order; an empty list means it may go in force.

    >>> validate(CentreConfig(default_queue_id=QueueId("support")))
    [ConfigProblem(field='default_queue_id', message="name an existing queue; there is no 'support'")]
    """
    problems: list[ConfigProblem] = []
    _check_ids("agents", [agent.agent_id for agent in config.agents], problems)
    _check_ids("queues", [queue.queue_id for queue in config.queues], problems)
    default = config.default_queue_id
    if default is not None and default not in {queue.queue_id for queue in config.queues}:
        problems.append(
            ConfigProblem("default_queue_id", f"name an existing queue; there is no {str(default)!r}")
        )
    for agent in config.agents:
        _check_agent(agent, problems)
    queue_ids = {queue.queue_id for queue in config.queues}
    for queue in config.queues:
        _check_queue(queue, problems)
        _check_exits(queue, queue_ids, problems)
    return problems


def _check_ids(where: str, ids: Sequence[str], problems: list[ConfigProblem]) -> None:
    seen: set[str] = set()
    for text in ids:
        try:
            slug(text)
        except ValueError as error:
            problems.append(ConfigProblem(f"{where}[{text}]", str(error)))
        if text in seen:
            problems.append(ConfigProblem(f"{where}[{text}]", "give every id once; this one stands twice"))
        seen.add(text)


def _check_levels(where: str, levels: Mapping[SkillId, int], problems: list[ConfigProblem]) -> None:
    for skill, level in levels.items():
        if not 1 <= level <= SKILL_LEVEL_MAX:
            problems.append(ConfigProblem(f"{where}[{skill}]", f"give a level from 1 to {SKILL_LEVEL_MAX}"))


def _check_agent(agent: AgentConfig, problems: list[ConfigProblem]) -> None:
    where = f"agents[{agent.agent_id}]"
    _check_levels(f"{where}.skills", agent.skills, problems)
    if agent.voice_slots not in (0, 1):
        problems.append(ConfigProblem(f"{where}.voice_slots", "give 0 or 1"))
    if agent.wrap_up_ms is not None and agent.wrap_up_ms < 0:
        problems.append(ConfigProblem(f"{where}.wrap_up_ms", "give 0 or more"))


def _check_queue(queue: QueueConfig, problems: list[ConfigProblem]) -> None:
    where = f"queues[{queue.queue_id}]"
    _check_levels(f"{where}.requires", queue.requires, problems)
    ring_ms = queue.ring_timeout_ms
    for name, fits, message in (
        ("medium", queue.medium in MEDIA, f"give one of {', '.join(MEDIA)}"),
        ("threshold_ms", queue.threshold_ms > 0, "give more than 0"),
        ("service_level_target", 0 <= queue.service_level_target <= 1, "give a share from 0 to 1"),
        ("weight", queue.weight > 0, "give more than 0"),
        ("boost_ms", queue.boost_ms >= 0, "give 0 or more"),
        ("max_wait_ms", queue.max_wait_ms > 0, "give more than 0"),
        ("ring_timeout_ms", RING_TIMEOUT_MS_MIN <= ring_ms <= RING_TIMEOUT_MS_MAX, "give 1 s to 300 s"),
        ("preset", queue.preset in PRESETS, f"give one of {', '.join(PRESETS)}"),
        ("wrap_up_mode", queue.wrap_up_mode in WRAP_UP_MODES, f"give one of {', '.join(WRAP_UP_MODES)}"),
        ("wrap_up_ms", queue.wrap_up_ms >= 0, "give 0 or more"),
        ("short_abandon_ms", queue.short_abandon_ms >= 0, "give 0 or more"),
        (
            "queue_timeout_ms",
            queue.queue_timeout_ms is None or queue.queue_timeout_ms > 0,
            "give more than 0, or leave it out",
        ),
    ):
        if not fits:
            problems.append(ConfigProblem(f"{where}.{name}", message))


def _check_exits(queue: QueueConfig, queue_ids: set[QueueId], problems: list[ConfigProblem]) -> None:
    """Where callers go who do not get through: another queue that exists, by a key that can be pressed."""
    where = f"queues[{queue.queue_id}]"
    if (queue.overflow_after_ms is None) != (queue.overflow_to is None):
        problems.append(ConfigProblem(f"{where}.overflow_to", "give it with overflow_after_ms, or neither"))
    if queue.overflow_after_ms is not None and queue.overflow_after_ms <= 0:
        problems.append(ConfigProblem(f"{where}.overflow_after_ms", "give more than 0, or leave it out"))
    if queue.queue_timeout_to is not None and queue.queue_timeout_ms is None:
        problems.append(ConfigProblem(f"{where}.queue_timeout_to", "give it with queue_timeout_ms"))
    targets = {"queue_timeout_to": queue.queue_timeout_to, "overflow_to": queue.overflow_to}
    targets |= {f"key_exits[{key}]": target for key, target in sorted(queue.key_exits.items())}
    for name, target in targets.items():
        if target is not None and (target not in queue_ids or target == queue.queue_id):
            problems.append(ConfigProblem(f"{where}.{name}", "name another queue that exists"))
    for key in sorted(queue.key_exits):
        if len(key) != 1 or key not in KEYS:
            problems.append(ConfigProblem(f"{where}.key_exits[{key}]", f"give one of {KEYS}"))
