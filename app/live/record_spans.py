"""Agents' state changes become spans: PURE. Law: an agent's spans are exclusive and without a gap.

Each change names the start of the state that it ends, so it closes that span and opens the next. Where it
does not follow on what was seen before (events were lost, the engine began anew, this process is new), what
stands in the tables may say otherwise: that place is *torn*, and the newest change wins. Signed-out time has
no spans, a state that was left within its first millisecond has none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final

from app.live.record_rows import ESTIMATED, SpanRow
from routing.events import AgentState, AgentStateChanged, ConfigApplied, Event
from routing.ids import AgentId

SpanKey = tuple[AgentId, int]
"""Agent and start."""

_NEVER_SEEN: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Torn:
    """From *since_ms* until *until_ms* the agent was in one state, whatever stood there.

    Attributes:
        signed_out: That state was signed out: a span that still runs is over, none is taken away.
    """

    agent_id: AgentId
    since_ms: int
    until_ms: int
    signed_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Roll:
    """At this moment these agents were signed in; whoever else has a span that runs, it is over."""

    at_ms: int
    signed_in: frozenset[AgentId]


@dataclass(slots=True)
class SpanChanges:
    """What some events change, in this order: first *rolls* and *torn*, then the rows.

    Attributes:
        opened: Spans that began; None: there is no such span.
        ended: Spans that began before these events: only their end is news.
    """

    opened: dict[SpanKey, SpanRow | None] = field(default_factory=dict)
    ended: dict[SpanKey, SpanRow] = field(default_factory=dict)
    torn: list[Torn] = field(default_factory=list)
    rolls: list[Roll] = field(default_factory=list)

    def rows(self) -> dict[SpanKey, SpanRow]:
        """Return all rows that these events alone make."""
        return {**self.ended, **{key: row for key, row in self.opened.items() if row is not None}}


class SpanFold:
    """Folds events in the journal's order; remembers when each agent's span that runs began."""

    def __init__(self) -> None:
        self._since_ms: dict[AgentId, int | None] = {}  # None: signed out

    def forget(self) -> None:
        """What the tables hold is not known any more."""
        self._since_ms.clear()

    def fold(self, events: Iterable[Event]) -> SpanChanges:
        """Take more events in; return what they change."""
        changes = SpanChanges()
        for event in events:
            if isinstance(event, AgentStateChanged):
                self._change(event, changes)
            elif isinstance(event, ConfigApplied) and event.signed_in is not None:
                self._call_roll(event.occurred_ms, frozenset(event.signed_in), changes)
        return changes

    def _change(self, change: AgentStateChanged, changes: SpanChanges) -> None:
        agent_id, since_ms, at_ms = change.agent_id, change.since_ms, change.occurred_ms
        was_out = change.previous is AgentState.SIGNED_OUT
        follows_ms = None if was_out else since_ms
        if self._since_ms.get(agent_id, _NEVER_SEEN) != follows_ms:
            torn = Torn(agent_id=agent_id, since_ms=since_ms, until_ms=at_ms, signed_out=was_out)
            changes.torn.append(torn)
            _mend(torn, changes)
        if not was_out and since_ms < at_ms:
            _end(change, changes)
        is_out = change.state is AgentState.SIGNED_OUT
        changes.opened[agent_id, at_ms] = None if is_out else _opened(change)
        changes.ended.pop((agent_id, at_ms), None)
        self._since_ms[agent_id] = None if is_out else at_ms

    def _call_roll(self, at_ms: int, signed_in: frozenset[AgentId], changes: SpanChanges) -> None:
        changes.rolls.append(Roll(at_ms=at_ms, signed_in=signed_in))
        for agent_id in self._since_ms.keys() - signed_in:
            self._since_ms[agent_id] = None
        for (agent_id, started_ms), row in changes.opened.items():
            if row is not None and row.ended_ms is None and agent_id not in signed_in:
                changes.opened[agent_id, started_ms] = (
                    replace(row, ended_ms=at_ms, grade=ESTIMATED) if started_ms < at_ms else None
                )


def fold_spans(events: Iterable[Event]) -> dict[SpanKey, SpanRow]:
    """Return the spans that the events of a whole log make, by agent and start."""
    return SpanFold().fold(events).rows()


def _opened(change: AgentStateChanged) -> SpanRow:
    return SpanRow(
        agent_id=change.agent_id,
        started_ms=change.occurred_ms,
        ended_ms=None,
        state=change.state.value,
        reason=change.reason,
        interaction_id=change.interaction_id,
        queue_id=change.queue_id,
    )


def _end(change: AgentStateChanged, changes: SpanChanges) -> None:
    key = (change.agent_id, change.since_ms)
    begun = changes.opened.get(key)
    told = (change.previous.value, change.previous_reason)
    if begun is not None and (begun.state, begun.reason) == told:
        changes.opened[key] = replace(begun, ended_ms=change.occurred_ms)
        return
    ended = SpanRow(
        agent_id=change.agent_id,
        started_ms=change.since_ms,
        ended_ms=change.occurred_ms,
        state=change.previous.value,
        reason=change.previous_reason,
        interaction_id=None,
    )
    if key in changes.opened:
        changes.opened[key] = ended  # the change to this state was lost
    else:
        changes.ended[key] = ended


def _mend(torn: Torn, changes: SpanChanges) -> None:
    """Make the rows of these events agree, as the tables are made to agree."""
    for key, row in list(changes.rows().items()):
        if row.agent_id != torn.agent_id or row.started_ms >= torn.until_ms:
            continue
        ends_ms = mended_end_ms(row.started_ms, row.ended_ms, torn)
        if ends_ms is None:
            changes.ended.pop(key, None)
            changes.opened[key] = None
        elif ends_ms != row.ended_ms:
            rows = changes.ended if key in changes.ended else changes.opened
            rows[key] = replace(row, ended_ms=ends_ms, grade=ESTIMATED)


def mended_end_ms(started_ms: int, ended_ms: int | None, torn: Torn) -> int | None:
    """Return when a span of the agent that began before ``torn.until_ms`` ends; None: there was none."""
    if started_ms < torn.since_ms:
        return torn.since_ms if ended_ms is None else min(ended_ms, torn.since_ms)
    if torn.signed_out:
        return torn.until_ms if ended_ms is None else ended_ms
    return ended_ms or torn.until_ms if started_ms == torn.since_ms else None
