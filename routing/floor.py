"""The floor at any instant: a pure fold of events. Law: events alone give the engine's own view.

Wallboard, flight recorder and standby use this one fold; what it cannot tell is missing from the
events, not from the fold.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from routing import desk_events as desk
from routing import events as ev
from routing import phone_events as phone
from routing import transfer_events as tr
from routing.events import AgentState, Event, QueueExit
from routing.ids import AgentId, InteractionId, QueueId
from routing.phone_signals import PhoneKind
from routing.state import Phase

_AFTER_EXIT = {
    QueueExit.QUEUE_TIMEOUT: Phase.FALLBACK,
    QueueExit.FALLBACK: Phase.FALLBACK,
    QueueExit.WITHDRAWN: Phase.CLOSING,
    QueueExit.OVERFLOWED: Phase.ENTRY,
}


@dataclass(slots=True)
class QueueFloor:
    """One queue now, with its counts since the fold began.

    Attributes:
        waiting: Start of the visit by interaction, those being offered included.
        offered_count: Visits begun.
        exits: Visits ended, by exit; offered_count = their sum + those waiting (I9).
    """

    waiting: dict[InteractionId, int] = field(default_factory=dict)
    offered_count: int = 0
    exits: dict[QueueExit, int] = field(default_factory=dict)

    @property
    def answered_count(self) -> int:
        """Visits that an agent answered."""
        return self.exits.get(QueueExit.ANSWERED, 0)

    @property
    def abandoned_count(self) -> int:
        """Visits that the caller abandoned, short abandons left out."""
        return self.exits.get(QueueExit.ABANDONED, 0)

    def longest_wait_ms(self, at_ms: int) -> int:
        """Return the longest present wait in milliseconds, 0 when nobody waits."""
        return max((at_ms - started_ms for started_ms in self.waiting.values()), default=0)


@dataclass(slots=True)
class AgentFloor:
    """One agent now: displayed state, its reason, since when, and with whom; and the phone he is rung on.

    Attributes:
        wish, wish_reason: What he wants to be after the contact; empty: ready.
        wrap_up_until_ms: When his wrap-up ends by itself; None: by hand, or there is none.
    """

    state: AgentState = AgentState.SIGNED_OUT
    reason: str = ""
    since_ms: int = 0
    interaction_id: InteractionId | None = None
    phone_kind: PhoneKind = PhoneKind.DESK
    phone_device: str = ""
    phone_reachable: bool = True
    phone_since_ms: int = 0
    wish: str = ""
    wish_reason: str = ""
    wrap_up_until_ms: int | None = None


@dataclass(slots=True)
class InteractionFloor:
    """One live interaction now.

    Attributes:
        queued_at_ms: From when its place in the queue counts.
        attempt: Of the present offer or talk; 0 where there is none.
        offered_at_ms, answered_at_ms: Of the present offer, of the present talk; None where there is none.
    """

    started_ms: int
    phase: Phase = Phase.ENTRY
    queue_id: QueueId | None = None
    visit: int = 0
    agent_id: AgentId | None = None
    held: bool = False
    held_since_ms: int | None = None
    entry_point: str = ""
    caller_number: str = ""
    caller_name: str = ""
    queued_at_ms: int | None = None
    attempt: int = 0
    offered_at_ms: int | None = None
    answered_at_ms: int | None = None

    def end_talk(self) -> None:
        """Nobody talks with the customer any more, or somebody begins anew."""
        self.held, self.held_since_ms = False, None
        self.answered_at_ms = self.offered_at_ms = None
        self.attempt = 0


@dataclass(slots=True)
class Floor:
    """The whole floor; ``apply`` folds one event in.

    >>> floor = Floor()
    >>> floor.apply(ev.ContactStarted(at_ms=5, occurred_ms=5, interaction_id="pbx1-1.1", medium="voice",
    ...     direction="in", entry_point="", caller_number="", caller_name=""))
    >>> len(floor.interactions)
    1
    """

    at_ms: int = 0
    queues: dict[QueueId, QueueFloor] = field(default_factory=dict)
    agents: dict[AgentId, AgentFloor] = field(default_factory=dict)
    interactions: dict[InteractionId, InteractionFloor] = field(default_factory=dict)
    link_up: bool = True
    agent_ids: frozenset[AgentId] = frozenset()  # those of the configuration in force

    def apply(self, event: Event) -> None:
        """Fold one event in; events come in the order the engine gave them."""
        self.at_ms = max(self.at_ms, event.at_ms)
        match event:
            case ev.AgentStateChanged():
                agent = self.agents.setdefault(event.agent_id, AgentFloor())
                agent.state, agent.reason = event.state, event.reason
                agent.since_ms, agent.interaction_id = event.occurred_ms, event.interaction_id
                if event.interaction_id is None:
                    agent.wish, agent.wish_reason = "", ""
                if event.state is not AgentState.WRAP_UP:
                    agent.wrap_up_until_ms = None
                if event.state is AgentState.SIGNED_OUT and event.agent_id not in self.agent_ids:
                    del self.agents[event.agent_id]
            case phone.PhoneChanged():
                agent = self.agents.setdefault(event.agent_id, AgentFloor())
                agent.phone_kind, agent.phone_device = event.kind, event.device
                agent.phone_reachable, agent.phone_since_ms = event.reachable, event.occurred_ms
            case desk.PresenceWished():
                agent = self.agents.setdefault(event.agent_id, AgentFloor())
                agent.wish = "" if event.presence == "ready" else event.presence
                agent.wish_reason = event.reason
            case ev.WrapUpStarted() | ev.WrapUpLengthened():
                agent = self.agents.setdefault(event.agent_id, AgentFloor())
                agent.wrap_up_until_ms = event.until_ms
            case ev.ContactStarted():
                self.interactions[event.interaction_id] = InteractionFloor(
                    started_ms=event.occurred_ms,
                    entry_point=event.entry_point,
                    caller_number=event.caller_number,
                    caller_name=event.caller_name,
                )
            case ev.ContactEnded():
                self.interactions.pop(event.interaction_id, None)
            case ev.ConfigApplied():
                self._configure(event)
            case ev.PbxLinkChanged():
                self.link_up = event.up
            case ev.QueueEntered() | ev.QueueLeft():
                self._visit(event)
            case _:
                self._live(event)

    def _visit(self, event: ev.QueueEntered | ev.QueueLeft) -> None:
        queue = self.queues.setdefault(event.queue_id, QueueFloor())
        live = self.interactions.get(event.interaction_id)
        if isinstance(event, ev.QueueEntered):
            queue.waiting[event.interaction_id] = event.occurred_ms
            queue.offered_count += 1
            if live is not None:
                live.phase, live.queue_id, live.visit = Phase.QUEUED, event.queue_id, event.visit
                live.queued_at_ms = event.queued_at_ms
                live.agent_id = None
                live.end_talk()
        else:
            queue.waiting.pop(event.interaction_id, None)
            queue.exits[event.exit] = queue.exits.get(event.exit, 0) + 1
            if live is not None:
                live.phase, live.agent_id = _AFTER_EXIT.get(event.exit, Phase.UNATTENDED), None

    def _live(self, event: Event) -> None:
        interaction_id = getattr(event, "interaction_id", None)
        live = self.interactions.get(interaction_id) if interaction_id is not None else None
        if live is None:
            return
        match event:
            case ev.InteractionOffered():
                live.phase, live.agent_id = Phase.OFFERED, event.agent_id
                live.attempt, live.offered_at_ms = event.attempt, event.occurred_ms
            case ev.AgentRang():
                live.phase, live.agent_id = Phase.OFFERED, event.agent_id
                live.attempt, live.offered_at_ms = event.attempt, event.offered_at_ms
            case ev.OfferNotAnswered() | ev.OfferDeclined() | ev.OfferWithdrawn():
                live.phase, live.agent_id = Phase.QUEUED, None
                live.end_talk()
            case ev.InteractionAnswered():
                live.phase, live.agent_id = Phase.CONNECTED, event.agent_id
                live.end_talk()
                live.attempt, live.answered_at_ms = event.attempt, event.occurred_ms
            case ev.HoldStarted():
                live.held, live.held_since_ms = True, event.occurred_ms
            case ev.HoldEnded():
                live.held, live.held_since_ms = False, None
            case phone.ReattachBegan():
                live.phase, live.held, live.held_since_ms = Phase.RE_ATTACH, False, None
            case phone.ReattachDialled():
                live.attempt = event.attempt
            case phone.Reattached():
                live.phase = Phase.CONNECTED
            case ev.TalkEnded() if live.agent_id in (None, event.agent_id):
                live.phase, live.agent_id = Phase.UNATTENDED, None
                live.end_talk()
            case ev.InteractionHandedOver():
                live.phase = Phase.FALLBACK
            case tr.InteractionTaken():
                live.phase, live.agent_id = Phase.CONNECTED, event.agent_id
                live.attempt, live.answered_at_ms = event.attempt, event.since_ms
            case tr.ConsultStarted():
                live.attempt = event.attempt
            case tr.OutsideDialled():
                live.phase, live.agent_id = Phase.EXTERNAL, None
            case tr.OutsideEnded():
                live.phase = Phase.UNATTENDED
            case ev.InteractionAdopted():
                live.phase = Phase(event.phase)
            case ev.FactCorrected() if event.answered_ms is not None and live.phase is Phase.ENTRY:
                live.phase = Phase.UNATTENDED
            case _:
                pass

    def _configure(self, event: ev.ConfigApplied) -> None:
        for agent_id in event.agent_ids:
            self.agents.setdefault(agent_id, AgentFloor(since_ms=event.at_ms))
        for queue_id in event.queue_ids:
            self.queues.setdefault(queue_id, QueueFloor())
        self.agent_ids = frozenset(event.agent_ids)
        for agent_id in [a for a, agent in self.agents.items() if agent.state is AgentState.SIGNED_OUT]:
            if agent_id not in self.agent_ids:
                del self.agents[agent_id]


def fold(events: Iterable[Event], floor: Floor | None = None) -> Floor:
    """Return the floor after *events*, starting from *floor* (changed in place) or from an empty one."""
    floor = Floor() if floor is None else floor
    for event in events:
        floor.apply(event)
    return floor
