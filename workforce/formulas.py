"""The figures: one table of formulas, each a ratio of sums of cells, from which all readers are made.

A formula names the *terms* above and below the line: sums of a ``Cell``, or its exits of one kind
(``exit.key``). Because it says what it is made of, the same table computes the figure, lists the very calls
behind it, explains it on a page and writes it as SQL. "No calls" is None, never 0 or 1.

Sources: the six service levels are those in use among vendors; A and B are what Asterisk's ``app_queue``
reports as ServicelevelPerf and ServicelevelPerf2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from operator import attrgetter

from routing.events import QueueExit
from workforce.measures import FLOW_OUTS, NEVER_QUEUED, Cell
from workforce.wait_buckets import quantile_ms

EXIT = "exit."
"""Begins the term of one way out of a queue: ``exit.queue_timeout``."""


_MS_PER_HOUR = 3_600_000


class Unit(StrEnum):
    """Of what a formula gives."""

    SHARE = "share"  # in [0, 1]
    SECONDS = "s"
    TOTAL = "total_s"  # a sum of time in seconds, and no ratio
    PER_HOUR = "per_h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A ratio of sums: ``sum(over) / (sum(under) - sum(less))``; called with a cell it gives the figure.

    Attributes:
        formula_id: What the figure is shown and asked for by.
        unit: Milliseconds above the line become seconds, those below hours.
        over, under: Terms above and below the line; under a total stands what it is a part of, and where
            there is nothing of that there is no total either.
        less: Terms taken off below the line.

    >>> FORMULAS["SL-A"](Cell(answered_count=4, answered_within_count=3))
    0.75
    >>> FORMULAS["SL-A"](Cell()) is None
    True
    """

    formula_id: str
    unit: Unit
    over: tuple[str, ...]
    under: tuple[str, ...]
    less: tuple[str, ...] = ()

    def __call__(self, cell: Cell) -> float | None:
        return self.of(lambda name: term(cell, name))

    def of(self, term_of: Callable[[str], int]) -> float | None:
        """Return the figure of whatever has these terms; None where there is nothing to compute it from."""
        whole = sum(map(term_of, self.under)) - sum(map(term_of, self.less))
        part = sum(map(term_of, self.over))
        if whole <= 0:
            return None
        match self.unit:
            case Unit.SHARE:
                return part / whole
            case Unit.SECONDS:
                return part / 1000 / whole
            case Unit.TOTAL:
                return part / 1000
            case Unit.PER_HOUR:
                return part / (whole / _MS_PER_HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitQuantile:
    """How long an answered caller waited at the most, of this share of them; from the buckets of the waits.

    Attributes:
        share: In (0, 1]; 1 is the longest wait, which is exact.
    """

    formula_id: str
    share: float
    unit: Unit = Unit.SECONDS
    over: tuple[str, ...] = ("answered_count",)
    under: tuple[str, ...] = ()
    less: tuple[str, ...] = ()

    def __call__(self, cell: Cell) -> float | None:
        if not cell.answered_count:
            return None
        longest_ms = cell.wait_answered_max_ms
        if self.share == 1:
            return longest_ms / 1000
        return quantile_ms(cell.wait_buckets, self.share, longest_ms) / 1000


def term(cell: Cell, name: str) -> int:
    """Return one term of a formula: a sum of the cell, or its exits of one kind.

    >>> term(Cell(exit_counts={QueueExit.KEY: 2}), "exit.key")
    2
    """
    return _reader(name)(cell)


@cache
def _reader(name: str) -> Callable[[Cell], int]:
    """What reads a term: tables ask for thousands of cells."""
    if name.startswith(EXIT):
        way = QueueExit(name.removeprefix(EXIT))
        return lambda cell: cell.exit_counts.get(way, 0)
    return attrgetter(name)


def _exits(*ways: QueueExit) -> tuple[str, ...]:
    return tuple(f"{EXIT}{way}" for way in ways)


def _share(
    formula_id: str, over: tuple[str, ...], under: tuple[str, ...], less: tuple[str, ...] = ()
) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.SHARE, over=over, under=under, less=less)


def _mean(formula_id: str, over: tuple[str, ...], under: str) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.SECONDS, over=over, under=(under,))


_IN_TIME = ("answered_within_count",)
_SHORT = ("short_abandoned_count",)
_FLOW_OUTS = _exits(*FLOW_OUTS)

SERVICE_LEVELS: Mapping[str, Formula] = {
    one.formula_id: one
    for one in (
        _share("SL-A", _IN_TIME, ("answered_count",)),
        _share("SL-B", (*_IN_TIME, "abandoned_within_count"), ("answered_count", "abandoned_count")),
        _share("SL-C", _IN_TIME, ("answered_count", "abandoned_count"), _SHORT),
        _share("SL-D", _IN_TIME, ("offered_count",)),
        _share("SL-E", _IN_TIME, ("answered_count", "abandoned_count")),
        _share("SL-F", _IN_TIME, ("offered_count",), _exits(*NEVER_QUEUED, QueueExit.WITHDRAWN)),
    )
}
"""The six service levels by formula id. SL-E has all abandons below the line; without any it is SL-A."""

AB = _share("AB", _exits(QueueExit.ABANDONED), ("answered_count", "abandoned_count"), _SHORT)
ASA = _mean("ASA", ("wait_answered_ms",), "answered_count")
AHT = _mean("AHT", ("talk_ms", "hold_ms", "wrap_up_ms"), "handled_count")
RONA = _share("RONA", ("rona_count",), ("offer_count",))

_TABLE: tuple[Formula | WaitQuantile, ...] = (
    *SERVICE_LEVELS.values(),
    _share("SL-C-FLOW", _IN_TIME, ("answered_count", "abandoned_count", *_FLOW_OUTS), _SHORT),
    _share("SL-E-FLOW", _IN_TIME, ("answered_count", "abandoned_count", *_FLOW_OUTS)),
    AB,
    _share("AB-ALL", ("abandoned_count",), ("answered_count", "abandoned_count")),
    ASA,
    WaitQuantile(formula_id="WAIT_P50", share=0.5),
    WaitQuantile(formula_id="WAIT_P90", share=0.9),
    WaitQuantile(formula_id="WAIT_P95", share=0.95),
    WaitQuantile(formula_id="WAIT_MAX", share=1.0),
    _mean("ATA", ("wait_abandoned_ms",), "abandoned_count"),
    AHT,
    _mean("TALK", ("talk_ms",), "handled_count"),
    _mean("HOLD", ("hold_ms",), "handled_count"),
    _mean("WRAP_UP", ("wrap_up_ms",), "handled_count"),
    RONA,
    Formula(
        formula_id="RONA-WAITED",
        unit=Unit.SHARE,
        over=("rona_count",),
        under=("offer_count",),
        less=("offer_caller_left_count",),
    ),
    _share("ENDED-CUSTOMER", ("customer_ended_count",), ("handled_count",)),
    _share("ENDED-AGENT", ("agent_ended_count",), ("handled_count",)),
    _share("ENDED-SYSTEM", ("system_ended_count",), ("handled_count",)),
    _share("TRANSFER", ("transferred_count",), ("handled_count",)),
    _share("SHORT-CALL", ("short_call_count",), ("handled_count",)),
    _share("HOLD-AB", ("hold_abandoned_count",), ("handled_count",)),
)
FORMULAS: Mapping[str, Formula | WaitQuantile] = {one.formula_id: one for one in _TABLE}
"""All formulas by id, in the order of a table."""


def terms_of(formula: Formula | WaitQuantile) -> Iterator[str]:
    """Yield what a formula is made of, each once."""
    yield from dict.fromkeys((*formula.over, *formula.under, *formula.less))
