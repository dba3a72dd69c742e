"""Additive cells of agents: their time by displayed state, cut at any moment, and what they did in it. Pure.

A cell holds milliseconds and counts of agents in one interval; cells add, figures do not
(``workforce.agent_formulas``). Time comes from spans, and a span that is cut anywhere gives cells that add up
to the whole one's; signed-in time is the sum of all states. What an agent did counts where it happened: a
contact where its talk ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Final

from routing.events import AgentState

DEFAULT_WRAP_UP_MS: Final = 30_000
"""The wrap-up that is allowed where a queue says nothing."""

SIGNED_IN_STATES: Final = tuple(state for state in AgentState if state is not AgentState.SIGNED_OUT)
STATE: Final = "state."
"""Begins the term of the time in one state: ``state.ready_ms``."""

REASON: Final = "reason."
"""Begins the term of the time not ready for one reason: ``reason.lunch_ms``."""

CAPPED_WRAP_UP: Final = "state.wrap_up_capped_ms"
_MS: Final = "_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentCell:
    """Sums over agents; all of them add.

    Attributes:
        state_ms: Time in each displayed state, milliseconds.
        reason_ms: Of the time not ready: for each reason.
        wrap_up_capped_state_ms: Of the time in wrap-up: what lay within the allowed length of each one.
        handled_count: Participations that ended.
        talk_ms, hold_ms, wrap_up_ms: Sums over these, whole, where they ended.
        wrap_up_capped_ms: As ``wrap_up_ms``, of each one no more than is allowed.
        offer_count: Offers that began.
        rona_count: Offers that the agent let ring out; offer_caller_left_count: the caller left first.
    """

    state_ms: Mapping[AgentState, int] = field(default_factory=dict)
    reason_ms: Mapping[str, int] = field(default_factory=dict)
    wrap_up_capped_state_ms: int = 0
    handled_count: int = 0
    talk_ms: int = 0
    hold_ms: int = 0
    wrap_up_ms: int = 0
    wrap_up_capped_ms: int = 0
    offer_count: int = 0
    rona_count: int = 0
    offer_caller_left_count: int = 0

    def __add__(self, other: AgentCell) -> AgentCell:
        return agents_total((self, other))

    @property
    def signed_in_ms(self) -> int:
        """The time in all states."""
        return sum(self.state_ms.values())

    def term(self, name: str) -> int:
        """Return one term of a formula.

        >>> cell = AgentCell(state_ms={AgentState.NOT_READY: 7}, reason_ms={"lunch": 7}, offer_count=2)
        >>> cell.term("state.not_ready_ms"), cell.term("reason.lunch_ms"), cell.term("offer_count")
        (7, 7, 2)
        """
        if name == CAPPED_WRAP_UP:
            return self.wrap_up_capped_state_ms
        if name.startswith(STATE):
            return self.state_ms.get(AgentState(name.removeprefix(STATE).removesuffix(_MS)), 0)
        if name.startswith(REASON):
            return self.reason_ms.get(name.removeprefix(REASON).removesuffix(_MS), 0)
        value: int = getattr(self, name)
        return value


AGENT_COUNTS: Final = tuple(
    one.name
    for one in fields(AgentCell)
    if one.name not in {"state_ms", "reason_ms", "wrap_up_capped_state_ms"}
)
"""The sums of what agents did, by name."""

STATE_TERMS: Final = tuple(f"{STATE}{state}{_MS}" for state in SIGNED_IN_STATES)
AGENT_TERMS: Final = (*STATE_TERMS, CAPPED_WRAP_UP, *AGENT_COUNTS)
"""All terms that do not depend on which reasons a centre has."""


def reason_term(reason: str) -> str:
    """Return the term of the time not ready for a reason.

    >>> reason_term("lunch")
    'reason.lunch_ms'
    """
    return f"{REASON}{reason}{_MS}"


def agents_total(cells: Iterable[AgentCell]) -> AgentCell:
    """Return the sum of cells."""
    found = list(cells)
    states: Counter[AgentState] = Counter()
    reasons: Counter[str] = Counter()
    for cell in found:
        states.update(cell.state_ms)
        reasons.update(cell.reason_ms)
    names = (*AGENT_COUNTS, "wrap_up_capped_state_ms")
    return AgentCell(
        state_ms=dict(states),
        reason_ms=dict(reasons),
        **{name: sum([getattr(cell, name) for cell in found]) for name in names},
    )


def cell_of_span(
    state: AgentState,
    reason: str,
    span_ms: tuple[int, int],
    part_ms: tuple[int, int],
    *,
    wrap_up_allowed_ms: int = DEFAULT_WRAP_UP_MS,
) -> AgentCell:
    """Return what a span adds to the part of time that it reaches into.

    Args:
        span_ms, part_ms: Half-open; the span is one wrap-up where that is its state.

    >>> whole = cell_of_span(AgentState.WRAP_UP, "", (0, 50), (0, 100), wrap_up_allowed_ms=30)
    >>> whole.signed_in_ms, whole.wrap_up_capped_state_ms
    (50, 30)
    >>> later = cell_of_span(AgentState.WRAP_UP, "", (0, 50), (20, 100), wrap_up_allowed_ms=30)
    >>> later.signed_in_ms, later.wrap_up_capped_state_ms
    (30, 10)
    """
    (started_ms, ended_ms), (since_ms, until_ms) = span_ms, part_ms
    first_ms = max(started_ms, since_ms)
    length_ms = min(ended_ms, until_ms) - first_ms
    if length_ms <= 0:
        return AgentCell()
    capped_ms = 0
    if state is AgentState.WRAP_UP:
        capped_ms = max(0, min(ended_ms, until_ms, started_ms + wrap_up_allowed_ms) - first_ms)
    return AgentCell(
        state_ms={state: length_ms},
        reason_ms={reason: length_ms} if state is AgentState.NOT_READY else {},
        wrap_up_capped_state_ms=capped_ms,
    )
