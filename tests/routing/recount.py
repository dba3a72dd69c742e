"""The invariants of ROUTING.md, counted afresh from the records, never from the index under test."""

from __future__ import annotations

from collections import Counter

from routing import events as ev
from routing.agent_states import NOT_READY_RONA, Presence, SlotPhase, displayed, may_follow
from routing.centre import Centre
from routing.engine import Step
from routing.events import AgentState
from routing.ids import AgentId, InteractionId, QueueId
from routing.lines import FIRST_STEP
from routing.signals import AgentReady, ConfigChanged
from routing.state import IN_QUEUE, WITH_AGENT, Agent, ConsultPhase, Interaction, Phase

_OF_SLOT = {
    SlotPhase.RESERVED: Phase.OFFERED,
    SlotPhase.RINGING: Phase.OFFERED,
    SlotPhase.TALKING: Phase.CONNECTED,
    SlotPhase.HOLDING: Phase.CONNECTED,
    SlotPhase.RE_ATTACH: Phase.RE_ATTACH,
    SlotPhase.ASKED: Phase.CONNECTED,
    SlotPhase.CONSULTED: Phase.CONNECTED,
}
_ASKED = (SlotPhase.ASKED, SlotPhase.CONSULTED)


class Witness:
    """Watches a run step by step; an assertion names what is broken."""

    def __init__(self) -> None:
        self.offered: Counter[QueueId] = Counter()
        self.exits: Counter[QueueId] = Counter()
        self.spans_ms: Counter[AgentId] = Counter()
        self.signed_in_ms: Counter[AgentId] = Counter()
        self.signed_in_at: dict[AgentId, int] = {}
        self.state_of: dict[AgentId, tuple[AgentState, int]] = {}
        self.rona: set[AgentId] = set()
        self.open_offers: dict[InteractionId, AgentId] = {}
        self.effective: dict[tuple[InteractionId, int], int] = {}

    def watch(self, centre: Centre, step: Step) -> None:
        """Check everything after one step."""
        asks_for_work = step.signal.agent_id if isinstance(step.signal, AgentReady) else None
        refused = any(isinstance(event, ev.SignalIgnored) for event in step.events)
        for event in step.events:
            if isinstance(event, ev.AgentStateChanged) and event.agent_id == asks_for_work:
                self.rona.discard(event.agent_id)
            self._fold(event)
            assert event.occurred_ms <= event.at_ms <= centre.at_ms, event
        if asks_for_work is not None and not refused:
            self.rona.discard(asks_for_work)  # in a consult nothing of it shows yet
        slots_point_back(centre)
        index_equals_recount(centre)
        nobody_waits_for_a_ready_agent(centre)
        self._visits_add_up(centre)
        self._offers_live(centre)
        self._effective_stays(centre, edited=isinstance(step.signal, ConfigChanged))
        for agent in centre.agents.values():
            phase = agent.voice.phase if agent.voice else None
            assert agent.state is displayed(agent.presence, phase, agent.busy_elsewhere), agent

    def _fold(self, event: ev.Event) -> None:
        match event:
            case ev.QueueEntered():
                self.offered[event.queue_id] += 1
            case ev.QueueLeft():
                self.exits[event.queue_id] += 1
                assert event.wait_ms >= 0, event
            case ev.InteractionOffered():
                assert event.agent_id not in self.rona, f"I10 {event}"
                state = self.state_of.get(event.agent_id)
                assert state is not None, f"I13 {event}"
                assert state[0] is AgentState.READY, f"I13 {event} {state}"
                assert event.interaction_id not in self.open_offers, f"I2 {event}"
                self.open_offers[event.interaction_id] = event.agent_id
            case ev.OfferNotAnswered():
                self.open_offers.pop(event.interaction_id, None)
                self.rona.add(event.agent_id)
            case ev.OfferDeclined() | ev.OfferWithdrawn() | ev.InteractionAnswered():
                self.open_offers.pop(event.interaction_id, None)
            case ev.ContactEnded():
                assert event.interaction_id not in self.open_offers, f"I12 {event}"
            case ev.TalkEnded():
                assert event.talk_ms >= 0, event
                assert event.hold_ms >= 0, event
            case ev.AgentStateChanged():
                self._span(event)
            case _:
                pass

    def _span(self, event: ev.AgentStateChanged) -> None:
        agent_id = event.agent_id
        before = self.state_of.get(agent_id, (AgentState.SIGNED_OUT, event.since_ms))
        if before[0] is AgentState.SIGNED_OUT:
            before = (before[0], event.since_ms)  # may have been removed and come anew since
        assert before == (event.previous, event.since_ms), f"I14 {event}"
        assert event.occurred_ms >= event.since_ms, f"I14 {event}"
        assert may_follow(event.previous, event.state), f"not in the table: {event}"
        if event.previous is AgentState.SIGNED_OUT:
            self.signed_in_at[agent_id] = event.occurred_ms
        else:
            self.spans_ms[agent_id] += event.occurred_ms - event.since_ms
        if event.state is AgentState.SIGNED_OUT:
            self.signed_in_ms[agent_id] += event.occurred_ms - self.signed_in_at.pop(agent_id)
            assert self.spans_ms[agent_id] == self.signed_in_ms[agent_id], f"I14 {event}"
        if event.state is not AgentState.NOT_READY or event.reason != NOT_READY_RONA:
            if event.previous_reason == NOT_READY_RONA and event.state is AgentState.READY:
                assert agent_id not in self.rona, f"I10 {event}"
            if event.state is AgentState.SIGNED_OUT:
                self.rona.discard(agent_id)
        self.state_of[agent_id] = (event.state, event.occurred_ms)

    def _visits_add_up(self, centre: Centre) -> None:
        still = Counter(i.queue_id for i in centre.interactions.values() if i.phase in IN_QUEUE)
        for queue_id in self.offered:
            assert self.offered[queue_id] == self.exits[queue_id] + still[queue_id], f"I9 {queue_id}"

    def _offers_live(self, centre: Centre) -> None:
        for interaction in centre.interactions.values():
            if interaction.offer is None:
                assert interaction.interaction_id not in self.open_offers, f"I12 {interaction}"

    def _effective_stays(self, centre: Centre, *, edited: bool) -> None:
        now: dict[tuple[InteractionId, int], int] = {}
        for interaction in centre.interactions.values():
            if interaction.phase in IN_QUEUE:
                key = (interaction.interaction_id, interaction.visit)
                now[key] = interaction.effective_ms
                before = self.effective.get(key, interaction.effective_ms)
                assert edited or before == interaction.effective_ms, "I5"
        self.effective = now


def slots_point_back(centre: Centre) -> None:
    """I1, I2, I11: slot and interaction name each other; nobody is in two slots."""
    for agent in centre.agents.values():
        if agent.voice is None or agent.voice.phase is SlotPhase.WRAP_UP:
            continue
        interaction = centre.interactions[agent.voice.interaction_id]
        assert interaction.phase is _OF_SLOT[agent.voice.phase], (agent, interaction)
        named = interaction.offer.agent_id if interaction.offer else interaction.agent_id
        if agent.voice.phase in _ASKED:
            assert interaction.consult is not None, (agent, interaction)
            assert named != agent.agent_id, (agent, interaction)
            named = interaction.consult.to_agent_id
        assert named == agent.agent_id, (agent, interaction)
    for interaction in centre.interactions.values():
        assert (interaction.offer is not None) == (interaction.phase is Phase.OFFERED), interaction
        assert (interaction.agent_id is not None) == (interaction.phase in WITH_AGENT), interaction
        assert (interaction.reattach is not None) == (interaction.phase is Phase.RE_ATTACH), interaction
        assert (interaction.outside is not None) == (interaction.phase is Phase.EXTERNAL), interaction
        assert interaction.consult is None or interaction.phase is Phase.CONNECTED, interaction
        _consult_points_back(centre, interaction)
        agent_id = interaction.offer.agent_id if interaction.offer else interaction.agent_id
        if agent_id is not None:
            slot = centre.agents[agent_id].voice
            assert slot is not None, interaction
            assert slot.interaction_id == interaction.interaction_id, interaction
        for excluded in interaction.excluded:
            assert interaction.interaction_id in centre.agents[excluded].excluded_from


def _consult_points_back(centre: Centre, interaction: Interaction) -> None:
    """I1: whom a consult names has it in his slot; of a number outside nobody has."""
    consult = interaction.consult
    if consult is None or consult.to_agent_id is None:
        return
    slot = centre.agents[consult.to_agent_id].voice
    assert slot is not None, interaction
    assert slot.interaction_id == interaction.interaction_id, interaction
    talks = consult.phase in (ConsultPhase.TALKING, ConsultPhase.CONFERENCE)
    assert slot.phase is (SlotPhase.CONSULTED if talks else SlotPhase.ASKED), interaction


def meets(centre: Centre, agent: Agent, interaction: Interaction) -> bool:
    """Whether the agent may take the interaction, by the configuration alone."""
    if agent.agent_id in interaction.excluded:
        return False
    if interaction.exclusive:
        return interaction.prefer_agent_id == agent.agent_id
    assert interaction.queue_id is not None
    skills = centre.agent_configs[agent.agent_id].skills
    requires = centre.queues[interaction.queue_id].requires
    return all(skills.get(skill, 0) >= level for skill, level in requires.items())


def waiting_of(centre: Centre) -> list[Interaction]:
    """Everybody who can be offered now."""
    return [
        i
        for i in centre.interactions.values()
        if i.phase is Phase.QUEUED and i.parked_until_ms is None and not i.gone
    ]


def ready_of(centre: Centre) -> list[Agent]:
    """Every agent who can be chosen now."""
    return [
        a
        for a in centre.agents.values()
        if a.presence is Presence.READY
        and a.voice is None
        and not a.busy_elsewhere
        and centre.agent_configs[a.agent_id].voice_slots > 0
    ]


def nobody_waits_for_a_ready_agent(centre: Centre) -> None:
    """I3."""
    if centre.link_up:
        ready = ready_of(centre)
        for interaction in waiting_of(centre):
            able = [agent.agent_id for agent in ready if meets(centre, agent, interaction)]
            assert not able, f"I3 {interaction} could go to {able}"


def index_equals_recount(centre: Centre) -> None:
    """I4, I7: lines, groups and active subsets equal a recount, and lines are in order."""
    lines = centre.lines
    standing = [entry for line in lines.lines.values() for entry in line.waiting]
    standing += [entry for own in lines.own_lines.values() for line in own.values() for entry in line.waiting]
    assert sorted(standing) == sorted(i.entry for i in waiting_of(centre)), "I4 lines"
    ready = sorted(entry for group in lines.groups.values() for entry in group.ready)
    assert ready == sorted((a.ready_since_ms, a.agent_id) for a in ready_of(centre)), "I4 groups"
    assert {key[0] for key in lines.lines} == set(centre.queues), "I4 queues"
    for (queue_id, step, _), line in lines.lines.items():
        assert step == FIRST_STEP
        assert line.waiting == sorted(line.waiting), "I7"
        requires = centre.queues[queue_id].requires
        able = {
            profile
            for profile in lines.groups
            if all(dict(profile).get(skill, 0) >= level for skill, level in requires.items())
        }
        assert set(line.groups) == able, "I4 adjacency"
        assert set(line.active) == {p for p in able if lines.groups[p].ready}, "I4 active"
    for profile, group in lines.groups.items():
        back = {key for key, line in lines.lines.items() if profile in line.groups}
        assert set(group.lines) == back, "I4 adjacency"
        count = sum(tuple(sorted(c.skills.items())) == profile for c in centre.agent_configs.values())
        assert group.agent_count == count, "I4 agents"
