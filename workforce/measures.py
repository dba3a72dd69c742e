"""Figures from additive cells: pure functions, each with its formula's id. "No calls" is None, never 0 or 1.

A cell holds counts and sums of one queue in one interval; cells add, figures do not. Cells are folded
from events, each fact in the interval in which it happened (event view), or summed in SQL by the same
names. Sources: the six service levels are those in use among vendors; A and B are what Asterisk's
``app_queue`` reports as ServicelevelPerf and ServicelevelPerf2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields

from routing import events as ev
from routing.events import QueueExit
from routing.ids import AgentId, QueueId

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Counts and sums of queue visits; all of them add.

    Attributes:
        offered_count: Queue visits that began.
        answered_within_count, abandoned_within_count: Of these, within the threshold.
        abandoned_count: All that the caller ended while waiting, the short ones among them.
        exit_counts: Visits by how they ended.
        wait_answered_ms: Sum of the speeds of answer; wait_answered_max_ms is the longest (adds by max).
        talk_ms, hold_ms, wrap_up_ms: Sums over participations that ended.
        handled_count: Participations that ended.
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
    handled_count: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    offer_count: int = 0
    rona_count: int = 0
    offer_caller_left_count: int = 0

    def __add__(self, other: Cell) -> Cell:
        return total((self, other))

    def exits(self, *queue_exits: QueueExit) -> int:
        """Return how many visits ended in one of these ways."""
        return sum(self.exit_counts.get(queue_exit, 0) for queue_exit in queue_exits)


_SUMS = tuple(one.name for one in fields(Cell) if one.name not in ("exit_counts", "wait_answered_max_ms"))


def total(cells: Iterable[Cell]) -> Cell:
    """Return the sum of cells."""
    found = list(cells)
    exits: dict[QueueExit, int] = {}
    for cell in found:
        for queue_exit, count in cell.exit_counts.items():
            exits[queue_exit] = exits.get(queue_exit, 0) + count
    return Cell(
        **{name: sum([getattr(cell, name) for cell in found]) for name in _SUMS},
        exit_counts=exits,
        wait_answered_max_ms=max((cell.wait_answered_max_ms for cell in found), default=0),
    )


# ---------------------------------------------------------------- cells from events


def cell_of_exit(queue_exit: QueueExit, wait_ms: int, threshold_ms: int) -> Cell:
    """Return the cell of one visit's end."""
    within_count = int(wait_ms <= threshold_ms)
    return cell_of_exits(queue_exit, count=1, within_count=within_count, wait_ms=wait_ms, wait_max_ms=wait_ms)


def cell_of_exits(
    queue_exit: QueueExit, *, count: int, within_count: int, wait_ms: int, wait_max_ms: int
) -> Cell:
    """Return the cell of the ends of *count* visits that ended alike.

    Args:
        within_count: How many of them waited no longer than the threshold.
        wait_ms: The sum of their waits; *wait_max_ms*: the longest.
    """
    exits = {queue_exit: count}
    if queue_exit is QueueExit.ANSWERED:
        return Cell(
            answered_count=count,
            answered_within_count=within_count,
            wait_answered_ms=wait_ms,
            wait_answered_max_ms=wait_max_ms,
            exit_counts=exits,
        )
    if queue_exit in (QueueExit.ABANDONED, QueueExit.SHORT_ABANDON):
        return Cell(
            abandoned_count=count,
            abandoned_within_count=within_count,
            short_abandoned_count=count if queue_exit is QueueExit.SHORT_ABANDON else 0,
            exit_counts=exits,
        )
    return Cell(exit_counts=exits)


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
                return event.queue_id, Cell(handled_count=1, talk_ms=event.talk_ms, hold_ms=event.hold_ms)
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


# ---------------------------------------------------------------- service levels


def service_level_a(cell: Cell) -> float | None:
    """SL-A: answered within the threshold ÷ answered; in [0, 1], None without answers.

    >>> service_level_a(Cell(answered_count=4, answered_within_count=3))
    0.75
    """
    return _share(cell.answered_within_count, cell.answered_count)


def service_level_b(cell: Cell) -> float | None:
    """SL-B: (answered + abandoned, both within the threshold) ÷ (answered + abandoned)."""
    return _share(
        cell.answered_within_count + cell.abandoned_within_count, cell.answered_count + cell.abandoned_count
    )


def service_level_c(cell: Cell, *, flow_outs: bool = False) -> float | None:
    """SL-C, the default: answered within ÷ (answered + abandoned − short abandons [+ flow-outs]).

    >>> cell = Cell(answered_count=8, answered_within_count=8, abandoned_count=3, short_abandoned_count=1)
    >>> service_level_c(cell)
    0.8
    """
    denominator = cell.answered_count + cell.abandoned_count - cell.short_abandoned_count
    return _share(cell.answered_within_count, denominator + (cell.exits(*FLOW_OUTS) if flow_outs else 0))


def service_level_d(cell: Cell) -> float | None:
    """SL-D: answered within the threshold ÷ offered."""
    return _share(cell.answered_within_count, cell.offered_count)


def service_level_e(cell: Cell, *, abandons: bool = False, flow_outs: bool = False) -> float | None:
    """SL-E: as SL-C, without any abandons in the denominator, or with all of them."""
    denominator = cell.answered_count + (cell.abandoned_count if abandons else 0)
    return _share(cell.answered_within_count, denominator + (cell.exits(*FLOW_OUTS) if flow_outs else 0))


def service_level_f(cell: Cell) -> float | None:
    """SL-F: answered within ÷ queued: who was refused at the entry never queued, callbacks stand apart."""
    queued_count = cell.offered_count - cell.exits(*NEVER_QUEUED, QueueExit.WITHDRAWN)
    return _share(cell.answered_within_count, queued_count)


SERVICE_LEVELS: Mapping[str, Callable[[Cell], float | None]] = {
    "SL-A": service_level_a,
    "SL-B": service_level_b,
    "SL-C": service_level_c,
    "SL-D": service_level_d,
    "SL-E": service_level_e,
    "SL-F": service_level_f,
}
"""By formula id, with their default switches."""


# ---------------------------------------------------------------- other figures


def asa_s(cell: Cell) -> float | None:
    """ASA: sum of the waits of answered visits ÷ answered, in seconds; a result, never an input.

    >>> asa_s(Cell(answered_count=2, wait_answered_ms=15_000))
    7.5
    """
    return _share(cell.wait_answered_ms / 1000, cell.answered_count)


def abandonment(cell: Cell, *, short: bool = False) -> float | None:
    """AB: abandoned ÷ (answered + abandoned), in [0, 1]; without the short abandons unless *short*."""
    abandoned_count = cell.abandoned_count - (0 if short else cell.short_abandoned_count)
    return _share(abandoned_count, cell.answered_count + abandoned_count)


def aht_s(cell: Cell) -> float | None:
    """AHT: (talk + hold + wrap-up) ÷ handled, in seconds."""
    return _share((cell.talk_ms + cell.hold_ms + cell.wrap_up_ms) / 1000, cell.handled_count)


def rona_rate(cell: Cell, *, caller_left: bool = True) -> float | None:
    """RONA: offers that rang out ÷ offers; without *caller_left*, only those that the caller waited out.

    >>> rona_rate(Cell(offer_count=10, rona_count=2, offer_caller_left_count=2), caller_left=False)
    0.25
    """
    left_count = 0 if caller_left else cell.offer_caller_left_count
    return _share(cell.rona_count, cell.offer_count - left_count)


def occupancy(handling_ms: int, ready_ms: int) -> float | None:
    """OCC: handling including wrap-up ÷ (handling + ready), in [0, 1]."""
    return _share(handling_ms, handling_ms + ready_ms)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
