"""What an agent's page shows of the call and of the agent, as JSON-able values. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.desk.topic_values import CallPhase, DeskCall, DeskMe, DeskWrapUp, Presence
from app.floor.rules import Names
from routing.config import QueueConfig
from routing.events import AgentState
from routing.floor import AgentFloor, InteractionFloor
from routing.ids import AgentId, InteractionId

CALL_PHASES: Mapping[AgentState, CallPhase] = {
    AgentState.RESERVED: "offered",
    AgentState.RINGING: "ringing",
    AgentState.TALKING: "talking",
    AgentState.HOLDING: "held",
    AgentState.RE_ATTACH: "re_attach",
    AgentState.WRAP_UP: "wrap_up",
}
"""What a call is on its agent's page, by the agent's displayed state; in every other one there is none."""

BODY_CHARS_MAX = 128  # a caller's number and name: what a phone system can send


def presence_of(state: AgentState) -> Presence:
    """Return what colleagues see of an agent.

    >>> presence_of(AgentState.WRAP_UP), presence_of(AgentState.NOT_READY)
    ('busy', 'not_ready')
    """
    match state:
        case AgentState.READY:
            return "ready"
        case AgentState.NOT_READY:
            return "not_ready"
        case AgentState.SIGNED_OUT:
            return "signed_out"
        case _:
            return "busy"


def call_of(
    interaction_id: InteractionId, agent: AgentFloor, live: InteractionFloor | None, names: Names
) -> DeskCall | None:
    """Return the call that *agent* has; None: he has none, or nothing is known of it."""
    phase = CALL_PHASES.get(agent.state)
    if phase is None or live is None:
        return None
    return {
        "interaction_id": interaction_id,
        "attempt": live.attempt,
        "phase": phase,
        "queue_id": live.queue_id,
        "queue_name": names.queue(live.queue_id) if live.queue_id else None,
        "entry_point": live.entry_point,
        "entry_name": names.entry_point(live.entry_point),
        "caller_number": live.caller_number[:BODY_CHARS_MAX],
        "caller_name": live.caller_name[:BODY_CHARS_MAX],
        "queued_at_ms": live.queued_at_ms,
        "offered_at_ms": live.offered_at_ms,
        "answered_at_ms": live.answered_at_ms,
        "held_since_ms": live.held_since_ms,
    }


def me_of(
    agent_id: AgentId,
    agent: AgentFloor,
    names: Names,
    *,
    queue: QueueConfig | None,
    code: str | None,
) -> DeskMe:
    """Return the agent as their own page shows them.

    Args:
        queue: Of the call being wrapped up.
        code: The wrap-up code that it has so far.
    """
    wrap_up: DeskWrapUp | None = None
    if agent.state is AgentState.WRAP_UP and agent.interaction_id is not None:
        wrap_up = {
            "interaction_id": agent.interaction_id,
            "until_ms": agent.wrap_up_until_ms,
            "extendable": queue.wrap_up_extendable if queue else False,
            "mode": queue.wrap_up_mode if queue else "manual",
            "code": code,
        }
    return {
        "agent_id": agent_id,
        "display_name": names.agent(agent_id),
        "state": agent.state,
        "reason": agent.reason,
        "since_ms": agent.since_ms,
        "presence_wish": agent.wish or None,
        "presence_wish_reason": agent.wish_reason,
        "phone": {
            "kind": agent.phone_kind,
            "address": agent.phone_device,
            "reachable": agent.phone_reachable,
            "registered_since_ms": agent.phone_since_ms if agent.phone_reachable else None,
        },
        "wrap_up": wrap_up,
    }
