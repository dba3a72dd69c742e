"""Who waits and who is ready: lines and groups, and the best partner for either.

A ``Group`` is the agents of equal profile, its ready ones ordered by ready-since; a ``Line`` is
the interactions with equal needs, ordered by effective time. The adjacency line ↔ group is
computed once per profile and need. A line knows its *active* groups (with somebody ready), a
group asks its lines, of which there are few. So the cost of a choice depends on the number of
distinct profiles, not of agents. Both orders are total: nothing depends on a set's or a dict's.

Interactions held for one agent alone stand in that agent's own line, outside every group.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from routing.config import AgentConfig, QueueConfig
from routing.ids import AgentId, InteractionId, QueueId, SkillId
from routing.state import Agent, Interaction

Profile = tuple[tuple[SkillId, int], ...]
Need = tuple[tuple[SkillId, int], ...]
LineKey = tuple[QueueId, int, Need]
Entry = tuple[int, int, int, InteractionId]
Ready = tuple[int, AgentId]

FIRST_STEP = 0


@dataclass(slots=True, eq=False)
class Line:
    """Waiting interactions with equal needs.

    Attributes:
        waiting: Entries in order; the first one goes first.
        groups: Every group that meets the need.
        active: Those of them with a ready agent.
        only_agent_id: Whose own line it is; None for the line of a queue.
    """

    key: LineKey
    need: Need
    max_wait_ms: int
    only_agent_id: AgentId | None = None
    waiting: list[Entry] = field(default_factory=list)
    groups: dict[Profile, Group] = field(default_factory=dict)
    active: dict[Profile, Group] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Group:
    """Agents of equal profile."""

    profile: Profile
    agent_count: int = 0
    ready: list[Ready] = field(default_factory=list)
    lines: dict[LineKey, Line] = field(default_factory=dict)


class Lines:
    """The index over who waits and who is ready."""

    __slots__ = ("_group_of", "_line_of", "_ready_of", "groups", "lines", "own_lines")

    def __init__(self) -> None:
        self.groups: dict[Profile, Group] = {}
        self.lines: dict[LineKey, Line] = {}
        self.own_lines: dict[AgentId, dict[LineKey, Line]] = {}
        self._group_of: dict[AgentId, Group] = {}
        self._line_of: dict[InteractionId, tuple[Line, Entry]] = {}
        self._ready_of: dict[AgentId, Ready] = {}

    # ------------------------------------------------------------ configuration

    def put_agent(self, config: AgentConfig) -> bool:
        """Place an agent by his profile. Returns whether anything changed."""
        profile: Profile = tuple(sorted(config.skills.items()))
        old = self._group_of.get(config.agent_id)
        if old is not None and old.profile == profile:
            return False
        ready = self._ready_of.get(config.agent_id)
        self.drop_agent(config.agent_id)
        group = self.groups.get(profile)
        if group is None:
            group = self.groups[profile] = Group(profile=profile)
            for line in self.lines.values():
                _link(line, group)
        group.agent_count += 1
        self._group_of[config.agent_id] = group
        if ready is not None:
            self.add_ready(config.agent_id, ready[0])
        return True

    def drop_agent(self, agent_id: AgentId) -> None:
        """Forget an agent; a group without agents goes too."""
        self.remove_ready(agent_id)
        group = self._group_of.pop(agent_id, None)
        if group is None:
            return
        group.agent_count -= 1
        if not group.agent_count:
            del self.groups[group.profile]
            for line in group.lines.values():
                line.groups.pop(group.profile, None)

    def put_queue(self, config: QueueConfig) -> None:
        """Make or renew the line of a queue; who waits in it stays."""
        key: LineKey = (config.queue_id, FIRST_STEP, ())
        need: Need = tuple(sorted(config.requires.items()))
        line = self.lines.get(key)
        if line is None:
            line = self.lines[key] = Line(key=key, need=need, max_wait_ms=config.max_wait_ms)
        elif line.need == need:
            line.max_wait_ms = config.max_wait_ms
            self._renew_own_lines(line)
            return
        else:
            self._unlink(line)
            line.need, line.max_wait_ms = need, config.max_wait_ms
            self._renew_own_lines(line)
        for group in self.groups.values():
            _link(line, group)

    def drop_queue(self, queue_id: QueueId) -> None:
        """Forget the line of a queue, which must be empty."""
        line = self.lines.pop((queue_id, FIRST_STEP, ()))
        assert not line.waiting, queue_id
        self._unlink(line)

    def queue_ids_of(self, agent_id: AgentId) -> tuple[QueueId, ...]:
        """Return the queues whose needs the agent meets, sorted."""
        group = self._group_of.get(agent_id)
        return tuple(sorted({key[0] for key in group.lines})) if group else ()

    def _renew_own_lines(self, line: Line) -> None:
        for own_lines in self.own_lines.values():
            if line.key in own_lines:
                own_lines[line.key].max_wait_ms = line.max_wait_ms

    def _unlink(self, line: Line) -> None:
        for group in line.groups.values():
            group.lines.pop(line.key, None)
        line.groups.clear()
        line.active.clear()

    # ------------------------------------------------------------ who waits, who is ready

    def add_waiting(self, interaction: Interaction) -> None:
        """Let an interaction wait; in its agent's own line while it is held for him alone."""
        assert interaction.queue_id is not None
        if interaction.exclusive and interaction.prefer_agent_id is not None:
            line = self._own_line(interaction.prefer_agent_id, interaction.queue_id)
        else:
            line = self.lines[interaction.queue_id, FIRST_STEP, ()]
        entry = interaction.entry
        insort(line.waiting, entry)
        self._line_of[interaction.interaction_id] = (line, entry)

    def remove_waiting(self, interaction_id: InteractionId) -> bool:
        """Take an interaction out. Returns whether it was there."""
        found = self._line_of.pop(interaction_id, None)
        if found is None:
            return False
        line, entry = found
        place = bisect_left(line.waiting, entry)
        assert line.waiting[place] == entry, entry
        del line.waiting[place]
        if not line.waiting and line.only_agent_id is not None:
            own_lines = self.own_lines[line.only_agent_id]
            del own_lines[line.key]
            if not own_lines:
                del self.own_lines[line.only_agent_id]
        return True

    def is_waiting(self, interaction_id: InteractionId) -> bool:
        """Return whether the interaction stands in a line."""
        return interaction_id in self._line_of

    def add_ready(self, agent_id: AgentId, ready_since_ms: int) -> None:
        """Let an agent be chosen from now on."""
        group = self._group_of[agent_id]
        ready = (ready_since_ms, agent_id)
        if not group.ready:
            for line in group.lines.values():
                line.active[group.profile] = group
        insort(group.ready, ready)
        self._ready_of[agent_id] = ready

    def remove_ready(self, agent_id: AgentId) -> None:
        """Let an agent not be chosen; nothing happens when he was not ready."""
        ready = self._ready_of.pop(agent_id, None)
        if ready is None:
            return
        group = self._group_of[agent_id]
        del group.ready[bisect_left(group.ready, ready)]
        if not group.ready:
            for line in group.lines.values():
                line.active.pop(group.profile, None)

    def is_ready(self, agent_id: AgentId) -> bool:
        """Return whether the agent can be chosen."""
        return agent_id in self._ready_of

    def _own_line(self, agent_id: AgentId, queue_id: QueueId) -> Line:
        key: LineKey = (queue_id, FIRST_STEP, ())
        own_lines = self.own_lines.setdefault(agent_id, {})
        line = own_lines.get(key)
        if line is None:
            max_wait_ms = self.lines[key].max_wait_ms
            line = own_lines[key] = Line(key=key, need=(), max_wait_ms=max_wait_ms, only_agent_id=agent_id)
        return line

    # ------------------------------------------------------------ choosing

    def able_agents(self, interaction: Interaction) -> Iterator[Ready]:
        """Yield of each group the ready, eligible, non-excluded agent who is ready longest."""
        if interaction.exclusive and interaction.prefer_agent_id is not None:
            ready = self._ready_of.get(interaction.prefer_agent_id)
            if ready is not None and interaction.prefer_agent_id not in interaction.excluded:
                yield ready
            return
        assert interaction.queue_id is not None
        excluded = interaction.excluded
        for group in self.lines[interaction.queue_id, FIRST_STEP, ()].active.values():
            if not excluded:
                yield group.ready[0]
                continue
            for ready in group.ready:
                if ready[1] not in excluded:
                    yield ready
                    break

    def best_agent(self, interaction: Interaction) -> AgentId | None:
        """Return the preferred agent when he is able, else the one longest ready; ties by agent id."""
        prefer = interaction.prefer_agent_id
        if prefer is not None and not interaction.exclusive and self._is_able(prefer, interaction):
            return prefer
        best = min(self.able_agents(interaction), default=None)
        return None if best is None else best[1]

    def _is_able(self, agent_id: AgentId, interaction: Interaction) -> bool:
        assert interaction.queue_id is not None
        if agent_id not in self._ready_of or agent_id in interaction.excluded:
            return False
        return (interaction.queue_id, FIRST_STEP, ()) in self._group_of[agent_id].lines

    def able_entries(self, agent: Agent, at_ms: int) -> Iterator[tuple[bool, Entry]]:
        """Yield the first interaction of each line the agent may take, as (not beyond max wait, entry)."""
        own_lines = self.own_lines.get(agent.agent_id)
        lines = self._group_of[agent.agent_id].lines
        excluded_from = agent.excluded_from
        for line in lines.values() if own_lines is None else (*own_lines.values(), *lines.values()):
            for entry in line.waiting:
                if excluded_from and entry[3] in excluded_from:
                    continue
                yield (at_ms - entry[0] < line.max_wait_ms, entry)
                break

    def best_interaction(self, agent: Agent, at_ms: int) -> InteractionId | None:
        """Return what a free agent takes: beyond max wait first, then the smallest effective time."""
        best = min(self.able_entries(agent, at_ms), default=None)
        return None if best is None else best[1][3]

    def best_pair(self, interactions: Mapping[InteractionId, Interaction], at_ms: int) -> Interaction | None:
        """Return the foremost waiting interaction that has an able agent, over all lines."""
        best: tuple[bool, Entry] | None = None
        for line in self._every_line():
            for entry in line.waiting:
                rank = (at_ms - entry[0] < line.max_wait_ms, entry)
                if best is not None and best <= rank:
                    break
                if self.best_agent(interactions[entry[3]]) is not None:
                    best = rank
                    break
        return None if best is None else interactions[best[1][3]]

    def _every_line(self) -> Iterator[Line]:
        yield from self.lines.values()
        for own_lines in self.own_lines.values():
            yield from own_lines.values()


def _link(line: Line, group: Group) -> None:
    levels = dict(group.profile)
    if all(levels.get(skill, 0) >= level for skill, level in line.need):
        line.groups[group.profile] = group
        group.lines[line.key] = line
        if group.ready:
            line.active[group.profile] = group
