"""Transfers and hang-ups on request. The interaction keeps identity, arrival time and attributes.

A transferred caller keeps the place of the first queueing; the visit, and with it the measured
wait, is new. A transfer to an agent is a visit held for that agent alone, for a while.
"""

from __future__ import annotations

from routing import outside
from routing.agent_states import Presence
from routing.centre import CLOSING_GRACE_MS, Centre
from routing.commands import DialOutside, EndInteraction
from routing.config import QueueConfig
from routing.consults import NUMBER
from routing.events import InteractionTransferred as TransferDone
from routing.events import QueueExit
from routing.ids import AgentId
from routing.offers import take_back
from routing.signals import HangupRequested, InteractionTransferred, Party, TransferRequested
from routing.state import IN_QUEUE, WITH_AGENT, Agent, Interaction, Phase
from routing.talks import finish_talk
from routing.timers import Timer
from routing.visits import command_back, end_fallback_talk, enter, leave

PREFER_HOLD_MS = 20_000  # a transferred caller waits this long for the agent alone

_MOVABLE = IN_QUEUE | WITH_AGENT | {Phase.UNATTENDED}


def request(centre: Centre, signal: TransferRequested) -> None:
    """Somebody asks for a blind transfer; what does not fit is refused, never guessed."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id, signal.by_agent_id)
        return
    if signal.to_number:
        queue, target, reason = None, None, _number_refused(signal)
    else:
        queue, target, reason = _target(centre, interaction, signal)
    if reason == "" and signal.by_agent_id not in (None, interaction.agent_id):
        reason = "not_your_interaction"
    if reason == "" and (interaction.phase not in _MOVABLE or interaction.gone):
        reason = "not_connected"
    if reason == "" and interaction.consult is not None:
        reason = "in_consult"
    if reason == "" and not centre.link_up:
        reason = "pbx_link_down"
    if reason == "" and queue is None and not signal.to_number:
        reason = "no_queue"
    if reason:
        centre.ignore(signal, reason, signal.interaction_id, signal.by_agent_id)
    elif queue is None:
        _send_outside(centre, interaction, signal.to_number)
    else:
        _move(centre, interaction, queue, target, signal.to_agent_id)
        command_back(centre, interaction)


def _number_refused(signal: TransferRequested) -> str:
    one = signal.to_queue_id is None and signal.to_agent_id is None
    return "" if one and NUMBER.fullmatch(signal.to_number) else "bad_target"


def done(centre: Centre, signal: InteractionTransferred) -> None:
    """The agent's phone transferred the customer by itself; the PBX has moved it already."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id, signal.agent_id)
        return
    served = interaction.phase is Phase.FALLBACK and interaction.fallback_agent_id is not None
    if interaction.phase not in _MOVABLE and not served:
        centre.ignore(signal, "not_connected", signal.interaction_id, signal.agent_id)
        return
    queue, target, _ = _target(centre, interaction, signal)
    queue = queue or centre.queue_or_default(interaction.queue_id)
    if queue is None:
        centre.ignore(signal, "no_queue", signal.interaction_id, signal.agent_id)
        return
    _move(centre, interaction, queue, target, signal.to_agent_id)
    centre.heard[interaction.interaction_id] = True


def _target(
    centre: Centre, interaction: Interaction, signal: TransferRequested | InteractionTransferred
) -> tuple[QueueConfig | None, Agent | None, str]:
    """Return where to: queue, agent, and a reason when the request names no possible target."""
    if (signal.to_queue_id is None) == (signal.to_agent_id is None):
        return None, None, "bad_target"
    if signal.to_queue_id is not None:
        queue = centre.queues.get(signal.to_queue_id)
        return queue, None, "" if queue else "unknown_queue"
    back = centre.queue_or_default(interaction.queue_id)
    target = centre.agents.get(signal.to_agent_id) if signal.to_agent_id is not None else None
    if target is None:
        return back, None, "unknown_agent"
    if target.presence is Presence.SIGNED_OUT or target.agent_id == interaction.agent_id:
        return back, None, "agent_not_available"
    return back, target, ""


def _give_away(centre: Centre, interaction: Interaction) -> AgentId | None:
    """End what is; return the agent who had the customer."""
    from_agent_id: AgentId | None = interaction.agent_id or interaction.fallback_agent_id
    when = centre.when(interaction)
    end_fallback_talk(centre, interaction, when, Party.SYSTEM)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "transferred")
    if interaction.phase in IN_QUEUE:
        leave(centre, interaction, QueueExit.OVERFLOWED, interaction.last_ms)
    elif interaction.phase in WITH_AGENT:
        finish_talk(centre, interaction, when, Party.SYSTEM, "transfer")
    return from_agent_id


def _send_outside(centre: Centre, interaction: Interaction, to_number: str) -> None:
    """End what is, tell the transfer, and let the PBX connect the customer with the number."""
    from_agent_id = _give_away(centre, interaction)
    interaction.attempt += 1
    centre.emit(
        TransferDone(
            at_ms=centre.at_ms,
            occurred_ms=interaction.last_ms,
            interaction_id=interaction.interaction_id,
            from_agent_id=from_agent_id,
            to_queue_id=None,
            to_agent_id=None,
            to_number=to_number,
            attempt=interaction.attempt,
        )
    )
    outside.begin(centre, interaction, interaction.attempt, to_number)
    centre.command(
        DialOutside(
            interaction_id=interaction.interaction_id, attempt=interaction.attempt, to_number=to_number
        )
    )


def _move(
    centre: Centre,
    interaction: Interaction,
    queue: QueueConfig,
    target: Agent | None,
    meant_agent_id: AgentId | None,
) -> None:
    """End what is, tell the transfer, begin a new visit in the queue (held for the target).

    Args:
        meant_agent_id: The agent whom the transfer named, able to take it or not.
    """
    from_agent_id = _give_away(centre, interaction)
    first_ms = interaction.first_queued_ms
    target_id = target.agent_id if target else None
    if target is not None and interaction.interaction_id in target.excluded_from:
        del target.excluded_from[interaction.interaction_id]
        del interaction.excluded[target.agent_id]
    centre.emit(
        TransferDone(
            at_ms=centre.at_ms,
            occurred_ms=interaction.last_ms,
            interaction_id=interaction.interaction_id,
            from_agent_id=from_agent_id,
            to_queue_id=None if meant_agent_id else queue.queue_id,
            to_agent_id=meant_agent_id,
        )
    )
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=interaction.last_ms if first_ms is None else first_ms,
        priority_ms=interaction.priority_ms,
        hold_for=target_id,
        hold_ms=PREFER_HOLD_MS,
    )


def hang_up(centre: Centre, signal: HangupRequested) -> None:
    """Somebody with the right to do so wants the interaction ended."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        centre.ignore(signal, "unknown_interaction", signal.interaction_id, signal.by_agent_id)
        return
    if not centre.link_up:
        centre.ignore(signal, "pbx_link_down", signal.interaction_id, signal.by_agent_id)
        return
    if signal.by_agent_id not in (None, interaction.agent_id):
        centre.ignore(signal, "not_your_interaction", signal.interaction_id, signal.by_agent_id)
        return
    when = centre.when(interaction)
    if interaction.phase is Phase.OFFERED:
        take_back(centre, interaction, when, "hangup_requested")
    if interaction.phase in IN_QUEUE:
        leave(centre, interaction, QueueExit.WITHDRAWN, interaction.last_ms)
        interaction.phase = Phase.CLOSING
        centre.timers.arm(Timer.GRACE, interaction.interaction_id, centre.at_ms + CLOSING_GRACE_MS)
    interaction.hangup_by = Party.AGENT if signal.by_agent_id is not None else Party.SYSTEM
    centre.command(EndInteraction(interaction_id=interaction.interaction_id))
