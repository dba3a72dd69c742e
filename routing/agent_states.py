"""The agent states. Law: the displayed state is one pure function of presence and slot.

Presence is what the agent wishes (``ready`` while talking means: ready afterwards); the slot is
what occupies him. The first row of ``PRECEDENCE`` that fits is displayed, so a wish expressed
during a contact needs no memory of its own: it shows when the slot is empty. Spans are of
displayed states. ``docs/agent-states.md`` is drawn from these tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from routing.events import AgentState


class Presence(StrEnum):
    """What the agent wishes."""

    SIGNED_OUT = "signed_out"
    READY = "ready"
    NOT_READY = "not_ready"


class SlotPhase(StrEnum):
    """What a slot does with its interaction."""

    RESERVED = "reserved"  # the hand-over was commanded, nothing rings yet
    RINGING = "ringing"
    TALKING = "talking"
    HOLDING = "holding"
    RE_ATTACH = "re_attach"  # the phone was lost in mid-call, the customer hears music
    WRAP_UP = "wrap_up"
    ASKED = "asked"  # rings because a colleague wants to ask
    CONSULTED = "consulted"  # talks with the colleague, or with him and the customer


NOT_READY_SIGNED_IN = "signed_in"
NOT_READY_RONA = "ring_no_answer"
NOT_READY_REJECTED = "rejected"
NOT_READY_DEVICE_LOST = "device_lost"


@dataclass(frozen=True, slots=True)
class Row:
    """One displayed state: when it shows, what it means, and which states may follow it."""

    state: AgentState
    shows: str
    meaning: str
    next_states: tuple[AgentState, ...]


_S = AgentState
_FREE = (_S.READY, _S.NOT_READY, _S.BUSY_ELSEWHERE, _S.SIGNED_OUT)

PRECEDENCE: tuple[Row, ...] = (
    Row(
        _S.TALKING,
        "the slot is talking",
        "connected with a customer, or with a colleague who asks",
        (_S.HOLDING, _S.RE_ATTACH, _S.WRAP_UP, *_FREE),
    ),
    Row(
        _S.HOLDING,
        "the slot is holding",
        "connected, the customer is on hold: also while the agent asks somebody",
        (_S.TALKING, _S.RE_ATTACH, _S.WRAP_UP, *_FREE),
    ),
    Row(
        _S.RE_ATTACH,
        "the slot waits for the phone",
        "the browser phone was lost in mid-call; the customer hears music until it is back",
        (_S.TALKING, _S.WRAP_UP, *_FREE),
    ),
    Row(
        _S.RINGING,
        "the slot is ringing",
        "the phone rings for an offer or for a colleague",
        (_S.TALKING, _S.HOLDING, *_FREE),
    ),
    Row(
        _S.RESERVED,
        "the slot is reserved",
        "chosen, the hand-over is under way",
        (_S.RINGING, _S.TALKING, _S.HOLDING, *_FREE),
    ),
    Row(
        _S.WRAP_UP,
        "the slot is in wrap-up",
        "after-call work",
        (_S.TALKING, _S.HOLDING, _S.RE_ATTACH, _S.RINGING, *_FREE),
    ),
    Row(
        _S.SIGNED_OUT,
        "presence is signed out",
        "not at work",
        (_S.NOT_READY, _S.TALKING, _S.HOLDING, _S.RE_ATTACH, _S.RINGING),
    ),
    Row(
        _S.NOT_READY,
        "presence is not ready (with a reason)",
        "at work, wants no contact",
        (
            _S.NOT_READY,
            _S.READY,
            _S.BUSY_ELSEWHERE,
            _S.SIGNED_OUT,
            _S.TALKING,
            _S.HOLDING,
            _S.RE_ATTACH,
            _S.RINGING,
        ),
    ),
    Row(
        _S.BUSY_ELSEWHERE,
        "the phone is in use by something that the engine did not start",
        "would be ready, but is on another call",
        (
            _S.BUSY_ELSEWHERE,
            _S.READY,
            _S.NOT_READY,
            _S.SIGNED_OUT,
            _S.TALKING,
            _S.HOLDING,
            _S.RE_ATTACH,
            _S.RINGING,
        ),
    ),
    Row(
        _S.READY,
        "nothing else applies",
        "waits for work; only this state is offered work",
        (
            _S.RESERVED,
            _S.NOT_READY,
            _S.BUSY_ELSEWHERE,
            _S.SIGNED_OUT,
            _S.TALKING,
            _S.HOLDING,
            _S.RE_ATTACH,
            _S.RINGING,
        ),
    ),
)

ROWS: dict[AgentState, Row] = {row.state: row for row in PRECEDENCE}
_SLOT_ORDER = (
    SlotPhase.TALKING,
    SlotPhase.HOLDING,
    SlotPhase.RE_ATTACH,
    SlotPhase.CONSULTED,
    SlotPhase.RINGING,
    SlotPhase.ASKED,
    SlotPhase.RESERVED,
    SlotPhase.WRAP_UP,
)
_SHOWN_AS = {SlotPhase.ASKED: "ringing", SlotPhase.CONSULTED: "talking"}
_OF_PHASE = {phase: AgentState(_SHOWN_AS.get(phase, phase.value)) for phase in SlotPhase}


def strongest(phases: Iterable[SlotPhase]) -> SlotPhase | None:
    """Return the phase that shows when an agent has several slots; None when all are empty.

    >>> strongest([SlotPhase.WRAP_UP, SlotPhase.TALKING])
    <SlotPhase.TALKING: 'talking'>
    """
    return min(phases, key=_SLOT_ORDER.index, default=None)


def displayed(presence: Presence, phase: SlotPhase | None, busy_elsewhere: bool) -> AgentState:
    """Return the displayed state.

    Args:
        presence: What the agent wishes.
        phase: The strongest slot phase; None when no slot is in use.
        busy_elsewhere: The phone is in use by something the engine did not start.

    >>> displayed(Presence.NOT_READY, SlotPhase.TALKING, False)
    <AgentState.TALKING: 'talking'>
    >>> displayed(Presence.READY, None, True)
    <AgentState.BUSY_ELSEWHERE: 'busy_elsewhere'>
    """
    if phase is not None:
        return _OF_PHASE[phase]
    if presence is Presence.READY:
        return AgentState.BUSY_ELSEWHERE if busy_elsewhere else AgentState.READY
    return AgentState.NOT_READY if presence is Presence.NOT_READY else AgentState.SIGNED_OUT


def may_follow(previous: AgentState, state: AgentState) -> bool:
    """Return whether the table allows *state* right after *previous*."""
    return state in ROWS[previous].next_states


def as_markdown() -> str:
    """Return the page ``docs/agent-states.md``."""
    lines = [
        "# Agent states",
        "",
        "Drawn from `routing/agent_states.py`; do not edit by hand.",
        "",
        "The displayed state is a pure function of presence (what the agent wishes) and slot (what",
        "occupies him). The first row that fits is displayed. Spans are of displayed states, and an",
        "agent's spans add up to the signed-in time exactly.",
        "",
        "| # | state | shows when | meaning | may be followed by |",
        "|---|---|---|---|---|",
    ]
    for number, row in enumerate(PRECEDENCE, 1):
        following = ", ".join(f"`{state}`" for state in row.next_states)
        lines.append(f"| {number} | `{row.state}` | {row.shows} | {row.meaning} | {following} |")
    lines += [
        "",
        "States that follow out of the ordinary (`signed_out` → `talking`, `wrap_up` → `ringing` …) come",
        "from a reconnect: what the PBX shows wins.",
        "",
        "Reasons that the engine gives for `not_ready`:",
        "",
        f"- `{NOT_READY_SIGNED_IN}`: signed in, not yet ready.",
        f"- `{NOT_READY_RONA}`: let an offer ring out; ends when the agent makes himself ready.",
        f"- `{NOT_READY_REJECTED}`: refused an offer; ends when the agent makes himself ready.",
        f"- `{NOT_READY_DEVICE_LOST}`: the phone cannot be reached; ends by itself when it can.",
        "",
        "A browser phone that is lost in mid-call (the page was reloaded, the network was away) makes",
        "`re_attach`: the customer hears music; when the phone is back within 30 s it is rung and answers",
        "by itself, and the talk goes on. Else the customer goes to the front of the queue, for this agent",
        "first, and the agent is `not_ready` (`device_lost`) until the phone is back. With a browser phone",
        "that cannot be reached nobody gets `ready` (`phone_not_reachable`).",
        "",
    ]
    return "\n".join(lines)
