"""Pops: made as the phone is about to ring, numbered, shown at once, and followed to their end.

The look-up's match is known before (``learn``), or comes late and updates the pop; what the database knows of
the people is added when it is read. Nothing here waits: rows and cards are the affair of ``Clerk``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from app.customers.identify_rules import Match
from app.desk.agent_board import topic_of
from app.desk.pop import Pop, document_of
from app.desk.rules import CALL_PHASES
from app.desk.topic_values import PartyCard
from app.sockets.rules import Json, Publisher
from routing import events as ev
from routing.events import AgentState, Event
from routing.floor import Floor
from routing.ids import AgentId, InteractionId

MATCHES_MAX = 10_000
POPS_PER_EPOCH = 1_000_000_000
"""A pop's number is the server's epoch and a count: unique over restarts, without asking anybody."""


class Clerk(Protocol):
    """What waits on the database for pops."""

    def write(self, pop: Pop) -> None:
        """Store the pop as it is now, soon."""

    def complete(self, pop: Pop) -> None:
        """Read who it is and what is known of them, then call ``Pops.fill``."""

    def rebuild(self, wanted: Sequence[tuple[AgentId, InteractionId]]) -> None:
        """Look for pops of an earlier life of the server, then call ``Pops.rebuilt``."""


class Pops:
    """The pops of calls that go on (``app.floor.live_floor.FloorWatcher``).

    Args:
        epoch: The life of the server.
        note_unseen: Told since when an agent talks without having seen the pop; None: not any more.
        count: Told how each pop that was answered stood: ``acknowledged`` or ``unseen``.
    """

    def __init__(
        self,
        publisher: Publisher,
        clerk: Clerk,
        *,
        epoch: int,
        now_ms: Callable[[], int],
        note_unseen: Callable[[AgentId, int | None], None],
        count: Callable[[str], None],
    ) -> None:
        self._publisher, self._clerk = publisher, clerk
        self._now_ms, self._note_unseen, self._count = now_ms, note_unseen, count
        self._next_id = epoch * POPS_PER_EPOCH + 1
        self._floor = Floor()
        self._pops: dict[AgentId, Pop] = {}  # one each: an agent has one voice slot
        self._awaited: dict[AgentId, InteractionId] = {}
        self._matches: OrderedDict[InteractionId, Match] = OrderedDict()

    # ------------------------------------------------------------ the look-up tells

    def learn(self, interaction_id: InteractionId, match: Match) -> None:
        """Take a look-up's result, the first or a late one; what an agent said stays."""
        known = self._matches.get(interaction_id)
        if known is not None and known.method == "agent" and match.method != "agent":
            return
        self._matches[interaction_id] = match
        self._matches.move_to_end(interaction_id)
        while len(self._matches) > MATCHES_MAX:
            self._matches.popitem(last=False)
        for pop in [pop for pop in self._pops.values() if pop.interaction_id == interaction_id]:
            pop.match, pop.record = match, "pending"
            self._show(pop, urgent=True)
            self._clerk.write(pop)
            self._clerk.complete(pop)

    def match_of(self, interaction_id: InteractionId) -> Match | None:
        """Return the newest match of a call, as far as it is remembered."""
        return self._matches.get(interaction_id)

    # ------------------------------------------------------------ the floor tells

    def seeded(self, floor: Floor) -> None:
        """Go on from *floor*: end what is over, and find or make the pops of calls that go on."""
        self._floor = floor
        for agent_id, pop in list(self._pops.items()):
            agent = floor.agents.get(agent_id)
            if agent is None or agent.interaction_id != pop.interaction_id:
                self._end(pop, "done" if pop.answered_ms is not None else "lost_sight")
        wanted = [
            (agent_id, agent.interaction_id)
            for agent_id, agent in floor.agents.items()
            if agent.interaction_id is not None and agent_id not in self._pops
        ]
        self._awaited = dict(wanted)
        if wanted:
            self._clerk.rebuild(wanted)

    def changed(self, floor: Floor, events: Sequence[Event]) -> None:
        """Follow *events*."""
        self._floor = floor
        for event in events:
            match event:
                case ev.InteractionOffered():
                    self._make(event.agent_id, event.interaction_id, event.attempt)
                case ev.InteractionAnswered():
                    if (pop := self._of(event.agent_id, event.interaction_id)) is not None:
                        self._answered(pop, event.occurred_ms)
                case ev.OfferNotAnswered() | ev.OfferDeclined() | ev.OfferWithdrawn():
                    if (pop := self._of(event.agent_id, event.interaction_id)) is not None:
                        self._end(pop, _why(event))
                case ev.AgentStateChanged():
                    self._follow(event)
                case _:
                    pass

    def _follow(self, event: ev.AgentStateChanged) -> None:
        """End the pop of a call that the agent no longer has; make one for a call that came without offer."""
        pop = self._pops.get(event.agent_id)
        if pop is not None and pop.interaction_id != event.interaction_id:
            self._end(pop, "done" if pop.answered_ms is not None else "withdrawn")
            pop = None
        if self._awaited.get(event.agent_id) not in (None, event.interaction_id):
            del self._awaited[event.agent_id]
        if pop is not None or event.interaction_id is None or event.agent_id in self._awaited:
            return
        if event.state in CALL_PHASES and event.state is not AgentState.WRAP_UP:
            live = self._floor.interactions.get(event.interaction_id)
            attempt = live.attempt if live else 0
            self._make(event.agent_id, event.interaction_id, attempt)
            made = self._pops[event.agent_id]
            if event.state not in (AgentState.RESERVED, AgentState.RINGING):
                self._answered(made, event.occurred_ms)

    # ------------------------------------------------------------ the page tells

    def acknowledge(self, agent_id: AgentId, pop_id: int) -> bool:
        """Note that the agent's page has it on the screen; False: there is no such pop of theirs."""
        pop = self._pops.get(agent_id)
        if pop is None or pop.pop_id != pop_id:
            return False
        if pop.acked_ms is None:
            pop.acked_ms = self._now_ms()
            if pop.answered_ms is not None:
                self._note_unseen(agent_id, None)
            self._show(pop)
            self._clerk.write(pop)
        return True

    # ------------------------------------------------------------ the clerk tells

    def fill(self, pop_id: int, match: Match | None, cards: Mapping[UUID, PartyCard] | None) -> None:
        """Take what the database knows; cards None: it is away."""
        pop = self.live(pop_id)
        if pop is None:
            return
        if match is not None and (pop.match is None or pop.match.outcome == "late"):
            pop.match = self._matches[pop.interaction_id] = match
        pop.record = "away" if cards is None else "complete"
        if cards is not None:
            pop.cards = cards
        self._show(pop)
        self._clerk.write(pop)

    def rebuilt(
        self, found: Mapping[tuple[AgentId, InteractionId], Pop], matches: Mapping[Any, Match]
    ) -> None:
        """Take the pops that an earlier life of the server had made; make those that it had not."""
        for interaction_id, match in matches.items():
            self._matches.setdefault(interaction_id, match)
        awaited, self._awaited = self._awaited, {}
        for agent_id, interaction_id in awaited.items():
            agent = self._floor.agents.get(agent_id)
            if agent is None or agent.interaction_id != interaction_id or agent_id in self._pops:
                continue
            pop = found.get((agent_id, interaction_id))
            if pop is None:
                live = self._floor.interactions.get(interaction_id)
                self._make(agent_id, interaction_id, live.attempt if live else 0)
                pop = self._pops[agent_id]
                if agent.state not in (AgentState.RESERVED, AgentState.RINGING):
                    pop.answered_ms = live.answered_at_ms if live else agent.since_ms
            else:
                live = self._floor.interactions.get(interaction_id)
                pop.number = pop.number or (live.caller_number if live else "")
                pop.match = self._matches.get(interaction_id)
                self._pops[agent_id] = pop
                self._show(pop, urgent=True)
                self._clerk.complete(pop)

    def live(self, pop_id: int) -> Pop | None:
        """Return the pop while its call goes on."""
        return next((pop for pop in self._pops.values() if pop.pop_id == pop_id), None)

    def pops_of(self, interaction_id: InteractionId) -> list[Pop]:
        """Return the pops that show this call now."""
        return [pop for pop in self._pops.values() if pop.interaction_id == interaction_id]

    # ------------------------------------------------------------ inside

    def _of(self, agent_id: AgentId, interaction_id: InteractionId) -> Pop | None:
        pop = self._pops.get(agent_id)
        return pop if pop is not None and pop.interaction_id == interaction_id else None

    def _make(self, agent_id: AgentId, interaction_id: InteractionId, attempt: int) -> None:
        before = self._pops.get(agent_id)
        if before is not None:
            if (before.interaction_id, before.attempt) == (interaction_id, attempt):
                return
            self._end(before, "done" if before.answered_ms is not None else "withdrawn")
        self._awaited.pop(agent_id, None)
        live = self._floor.interactions.get(interaction_id)
        pop = Pop(
            pop_id=self._next_id,
            agent_id=agent_id,
            interaction_id=interaction_id,
            attempt=attempt,
            queue_id=live.queue_id if live else None,
            number=live.caller_number if live else "",
            made_ms=self._now_ms(),
            match=self._matches.get(interaction_id),
        )
        self._next_id += 1
        self._pops[agent_id] = pop
        self._show(pop, urgent=True)
        self._clerk.write(pop)
        self._clerk.complete(pop)

    def _answered(self, pop: Pop, at_ms: int) -> None:
        if pop.answered_ms is not None:
            return
        pop.answered_ms = at_ms
        self._count("acknowledged" if pop.shown_before_answer else "unseen")
        if pop.acked_ms is None:
            self._note_unseen(pop.agent_id, at_ms)
        self._clerk.write(pop)

    def _end(self, pop: Pop, reason: str) -> None:
        pop.ended_ms, pop.end_reason = self._now_ms(), reason
        del self._pops[pop.agent_id]
        self._publisher.hide(topic_of(pop.agent_id), f"pop/{pop.pop_id}", urgent=True)
        self._note_unseen(pop.agent_id, None)
        self._clerk.write(pop)

    def _show(self, pop: Pop, *, urgent: bool = False) -> None:
        value = Json(document_of(pop))
        self._publisher.show(topic_of(pop.agent_id), f"pop/{pop.pop_id}", value, urgent=urgent)


def _why(event: ev.OfferNotAnswered | ev.OfferDeclined | ev.OfferWithdrawn) -> str:
    match event:
        case ev.OfferNotAnswered():
            return "not_answered"
        case ev.OfferDeclined():
            return str(event.cause)
        case ev.OfferWithdrawn():
            return event.reason or "withdrawn"
