from __future__ import annotations

from itertools import product
from pathlib import Path

from routing.agent_states import ROWS, Presence, SlotPhase, as_markdown, displayed
from routing.events import AgentState

PAGE = Path(__file__).parents[2] / "docs" / "agent-states.md"


def test_the_drawn_page_is_up_to_date() -> None:
    """Renew with: python -c "from routing.agent_states import as_markdown; print(as_markdown(), end='')"."""
    assert PAGE.read_text(encoding="utf-8") == as_markdown()


def test_every_state_has_a_row() -> None:
    assert set(ROWS) == set(AgentState)


def test_a_slot_in_use_shows_whatever_the_agent_wishes() -> None:
    for presence, phase, busy in product(Presence, SlotPhase, (False, True)):
        shown = {SlotPhase.ASKED: "ringing", SlotPhase.CONSULTED: "talking"}.get(phase, phase.value)
        assert displayed(presence, phase, busy) == shown


def test_only_an_agent_who_would_be_ready_shows_as_busy_elsewhere() -> None:
    assert displayed(Presence.READY, None, True) is AgentState.BUSY_ELSEWHERE
    assert displayed(Presence.NOT_READY, None, True) is AgentState.NOT_READY
    assert displayed(Presence.SIGNED_OUT, None, True) is AgentState.SIGNED_OUT
