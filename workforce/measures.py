"""Additive cells, of which all figures are computed (``workforce.formulas``).

A cell holds counts and sums of one queue in one interval; cells add, figures do not. Cells are folded
from events, each fact in the interval in which it happened (event view), or summed in SQL by the same
names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from routing import events as ev
from routing.events import QueueExit
from routing.ids import AgentId, QueueId
from routing.signals import Party
from workforce.wait_buckets import added, bucket_of

FLOW_OUTS = (
    QueueExit.QUEUE_TIMEOUT,
    QueueExit.KEY,
    QueueExit.NO_AGENTS_LATER,
    QueueExit.OVERFLOWED,
    QueueExit.FALLBACK,
)
"""Exits by which the queue, not the caller, ended the wait."""

NEVER_QUEUED = (QueueExit.NO_AGENTS_AT_ENTRY, QueueExit.QUEUE_FULL, QueueExit.CLOSED)
DEFAULT_THRESHOLD_MS = 20_000
SHORT_CALL_MS = 10_000
"""Who talked no longer than this had a short call: mostly a wrong number, or a line that failed."""
GIVEN_ON_REASONS = ("transfer", "attended_transfer")
"""Participations that ended for these were given on; nobody hung up."""
LEFT_CONFERENCE = "left_conference"
"""Who left a conference hung up on nobody: the others went on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Counts and sums of queue visits; all of them add.

    Attributes:
        offered_count: Queue visits that began.
        answered_within_count, abandoned_within_count: Of these, within the threshold.
        abandoned_count: All that the caller ended while waiting, the short ones among them.
        exit_counts: Visits by how they ended.
        wait_answered_ms: Sum of the speeds of answer; wait_answered_max_ms is the longest (adds by max),
            wait_buckets all of them (``workforce.wait_buckets``).
        wait_abandoned_ms: Sum of the waits of those who gave up, the short ones among them.
        talk_ms, hold_ms, wrap_up_ms: Sums over participations that ended.
        handled_count: Participations that ended.
        customer_ended_count, agent_ended_count, system_ended_count: Of these, by who hung up first; and
            transferred_count: those that were given on. What is left is not known, of a party outside,
            or left a conference.
        short_call_count: Of these, with at most ``SHORT_CALL_MS`` of talk.
        hold_abandoned_count: Of these, the customer hung up while on hold or while a colleague was asked.
        rona_count: Offers that the agent let ring out; offer_caller_left_count: the caller left first.
    """

    offered_count: int = 0
    answered_count: int = 0
    answered_within_count: int = 0
    abandoned_count: int = 0
    abandoned_within_count: int = 0
    short_abandoned_count: int = 0
    exit_counts: Mapping[QueueExit, int] = field(default_factory=dict)
    wait_answered_ms: int = 0
    wait_answered_max_ms: int = 0
    wait_buckets: Mapping[int, int] = field(default_factory=dict)
    wait_abandoned_ms: int = 0
    handled_count: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    customer_ended_count: int = 0
    agent_ended_count: int = 0
    system_ended_count: int = 0
    transferred_count: int = 0
    short_call_count: int = 0
    hold_abandoned_count: int = 0
    offer_count: int = 0
    rona_count: int = 0
    offer_caller_left_count: int = 0

    def __add__(self, other: Cell) -> Cell:
        return total((self, other))

    def exits(self, *queue_exits: QueueExit) -> int:
        """Return how many visits ended in one of these ways."""
        return sum(self.exit_counts.get(queue_exit, 0) for queue_exit in queue_exits)


_NO_SUMS = ("exit_counts", "wait_answered_max_ms", "wait_buckets")
SUMS = tuple(one.name for one in fields(Cell) if one.name not in _NO_SUMS)
"""The fields of a cell that are plain sums."""


def total(cells: Iterable[Cell]) -> Cell:
    """Return the sum of cells."""
    found = list(cells)
    exits: dict[QueueExit, int] = {}
    for cell in found:
        for queue_exit, count in cell.exit_counts.items():
            exits[queue_exit] = exits.get(queue_exit, 0) + count
    return Cell(
        **{name: sum([getattr(cell, name) for cell in found]) for name in SUMS},
        exit_counts=exits,
        wait_answered_max_ms=max((cell.wait_answered_max_ms for cell in found), default=0),
        wait_buckets=added(cell.wait_buckets for cell in found),
    )


# ---------------------------------------------------------------- cells from events


def cell_of_exit(queue_exit: QueueExit, wait_ms: int, threshold_ms: int) -> Cell:
    """Return the cell of one visit's end."""
    within_count = int(wait_ms <= threshold_ms)
    return cell_of_exits(
        queue_exit,
        count=1,
        within_count=within_count,
        wait_ms=wait_ms,
        wait_max_ms=wait_ms,
        buckets={bucket_of(wait_ms): 1},
    )


def cell_of_exits(
    queue_exit: QueueExit,
    *,
    count: int,
    within_count: int,
    wait_ms: int,
    wait_max_ms: int,
    buckets: Mapping[int, int],
) -> Cell:
    """Return the cell of the ends of *count* visits that ended alike.

    Args:
        within_count: How many of them waited no longer than the threshold.
        wait_ms: The sum of their waits; *wait_max_ms*: the longest; *buckets*: all of them.
    """
    exits = {queue_exit: count}
    if queue_exit is QueueExit.ANSWERED:
        return Cell(
            answered_count=count,
            answered_within_count=within_count,
            wait_answered_ms=wait_ms,
            wait_answered_max_ms=wait_max_ms,
            wait_buckets=buckets,
            exit_counts=exits,
        )
    if queue_exit in (QueueExit.ABANDONED, QueueExit.SHORT_ABANDON):
        return Cell(
            abandoned_count=count,
            abandoned_within_count=within_count,
            short_abandoned_count=count if queue_exit is QueueExit.SHORT_ABANDON else 0,
            wait_abandoned_ms=wait_ms,
            exit_counts=exits,
        )
    return Cell(exit_counts=exits)


def cell_of_talk(
    ended_by: str,
    reason: str,
    *,
    talk_ms: int,
    hold_ms: int,
    was_held: bool,
    count: int = 1,
    short_count: int,
) -> Cell:
    """Return the cell of participations that ended alike.

    Args:
        ended_by: A ``Party``; *reason* as in ``TalkEnded``.
        talk_ms, hold_ms: Sums over all of them.
        short_count: How many of them were short calls.

    >>> cell = cell_of_talk("system", "transfer", talk_ms=90_000, hold_ms=0, was_held=False, short_count=0)
    >>> cell.transferred_count, cell.system_ended_count
    (1, 0)
    """
    by = "transferred" if reason in GIVEN_ON_REASONS else f"{ended_by}_ended"
    by = reason if reason == LEFT_CONFERENCE else by
    known: dict[str, Any] = {f"{by}_count": count} if f"{by}_count" in SUMS else {}
    return Cell(
        handled_count=count,
        talk_ms=talk_ms,
        hold_ms=hold_ms,
        short_call_count=short_count,
        hold_abandoned_count=count if was_held and ended_by == Party.CUSTOMER else 0,
        **known,
    )


class CellFold:
    """Tells what an event adds and to which queue; remembers only what later events leave out.

    Args:
        threshold_ms: By queue; 20 s where a queue is missing.
        wrapping: The queue of each wrap-up under way, by agent.
        offered: The queue of each open offer, by interaction and attempt.
    """

    def __init__(
        self,
        threshold_ms: Mapping[QueueId, int] | None = None,
        *,
        wrapping: Mapping[AgentId, QueueId | None] | None = None,
        offered: Mapping[tuple[str, int], QueueId] | None = None,
    ) -> None:
        self._threshold_ms = threshold_ms or {}
        self._wrapping = dict(wrapping or {})
        self._offered = dict(offered or {})

    def added(self, event: ev.Event) -> tuple[QueueId | None, Cell] | None:
        """Return the queue (None: no queue's) and what *event* adds at its ``occurred_ms``; None: nothing."""
        match event:
            case ev.QueueEntered():
                return event.queue_id, Cell(offered_count=1)
            case ev.QueueLeft():
                limit_ms = self._threshold_ms.get(event.queue_id, DEFAULT_THRESHOLD_MS)
                return event.queue_id, cell_of_exit(event.exit, event.wait_ms, limit_ms)
            case ev.InteractionOffered():
                self._offered[event.interaction_id, event.attempt] = event.queue_id
                return event.queue_id, Cell(offer_count=1)
            case ev.OfferNotAnswered():
                self._offered.pop((event.interaction_id, event.attempt), None)
                return event.queue_id, Cell(rona_count=1)
            case ev.OfferDeclined() | ev.InteractionAnswered():
                self._offered.pop((event.interaction_id, event.attempt), None)
            case ev.OfferWithdrawn():
                queue_id = self._offered.pop((event.interaction_id, event.attempt), None)
                if event.reason == "caller_left":
                    return queue_id, Cell(offer_caller_left_count=1)
            case ev.TalkEnded():
                return event.queue_id, cell_of_talk(
                    event.ended_by,
                    event.reason,
                    talk_ms=event.talk_ms,
                    hold_ms=event.hold_ms,
                    was_held=event.was_held,
                    short_count=int(event.talk_ms <= SHORT_CALL_MS),
                )
            case ev.WrapUpStarted():
                self._wrapping[event.agent_id] = event.queue_id
            case ev.WrapUpDone():
                return self._wrapping.pop(event.agent_id, None), Cell(wrap_up_ms=event.wrap_up_ms)
        return None


def cells_of(
    events: Iterable[ev.Event],
    *,
    threshold_ms: Mapping[QueueId, int] | None = None,
    interval_ms: int = 900_000,
) -> dict[tuple[QueueId | None, int], Cell]:
    """Fold events into cells by queue and start of interval (milliseconds since the epoch, UTC).

    Args:
        events: In the journal's order.
        threshold_ms: By queue; 20 s where a queue is missing.
    """
    fold = CellFold(threshold_ms)
    cells: dict[tuple[QueueId | None, int], Cell] = {}
    for event in events:
        if (found := fold.added(event)) is not None:
            queue_id, cell = found
            key = (queue_id, event.occurred_ms - event.occurred_ms % interval_ms)
            cells[key] = cells.get(key, Cell()) + cell
    return cells
