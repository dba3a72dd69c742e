"""Offers: one interaction rings for one agent. Law: an offer ends in exactly one way.

It is answered, not answered, declined, or withdrawn; unless answered, the interaction regains its
place and the agent bears the consequence of the cause, if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from routing.agent_states import (
    NOT_READY_DEVICE_LOST,
    NOT_READY_REJECTED,
    NOT_READY_RONA,
    Presence,
    SlotPhase,
)
from routing.centre import CLOSING_GRACE_MS, Centre
from routing.commands import OfferInteraction
from routing.events import (
    AgentRang,
    InteractionAnswered,
    InteractionOffered,
    OfferDeclined,
    OfferNotAnswered,
    OfferWithdrawn,
    QueueExit,
)
from routing.ids import LegId
from routing.presence import settle
from routing.signals import OfferAnswered, OfferFailed, OfferFailure, OfferRang
from routing.state import Agent, Interaction, Offer, Phase, Slot
from routing.timers import Timer
from routing.visits import back_to_queue, command_back, leave, queue_of, release_hold

RANG_BY_MS = 5_000  # an offer that does not ring by then has met a dead phone
RING_SAFETY_MS = 3_000  # the PBX's own ring timeout is the truth; this waits for its report
DEVICE_STABLE_MS = 3_000  # reachable for this long before the agent is ready again
BUSY_RETRY_MS = 2_000
STALE_RETRY_MS = 1_000
RETRY_MS_MAX = 60_000
_DOUBLINGS_MAX = 6


def make(centre: Centre, interaction: Interaction, agent: Agent, explanation: Mapping[str, object]) -> None:
    """Offer the interaction to the agent: the one place where an attempt begins."""
    interaction_id, agent_id = interaction.interaction_id, agent.agent_id
    assert interaction.queue_id is not None
    assert agent.voice is None, agent
    when = centre.when(interaction, agent)
    centre.lines.remove_waiting(interaction_id)
    interaction.attempt += 1
    interaction.phase = Phase.OFFERED
    interaction.offer = Offer(agent_id=agent_id, attempt=interaction.attempt, offered_at_ms=when)
    agent.voice = Slot(interaction_id=interaction_id, phase=SlotPhase.RESERVED, queue_id=interaction.queue_id)
    centre.timers.arm(Timer.OFFER, interaction_id, centre.at_ms + RANG_BY_MS)
    centre.emit(
        InteractionOffered(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction_id,
            agent_id=agent_id,
            queue_id=interaction.queue_id,
            visit=interaction.visit,
            attempt=interaction.attempt,
            wait_ms=when - interaction.visit_started_ms,
            explanation=explanation,
        )
    )
    centre.command(
        OfferInteraction(interaction_id=interaction_id, agent_id=agent_id, attempt=interaction.attempt)
    )
    settle(centre, agent, when)


# ---------------------------------------------------------------- what the PBX reports


def rang(centre: Centre, signal: OfferRang) -> None:
    """The phone rings."""
    interaction = _current(centre, signal)
    if interaction is None:
        return
    offer = interaction.offer
    assert offer is not None
    if offer.rang_at_ms is not None:
        centre.ignore(signal, "duplicate", signal.interaction_id, signal.agent_id)
        return
    note_ringing(centre, interaction, signal.leg_id)


def note_ringing(centre: Centre, interaction: Interaction, leg_id: LegId | None) -> None:
    """The offered phone rings from now on."""
    offer = interaction.offer
    assert offer is not None
    agent = centre.agents[offer.agent_id]
    assert agent.voice is not None
    when = centre.when(interaction, agent)
    offer.rang_at_ms, offer.leg_id = when, leg_id
    agent.voice.phase = SlotPhase.RINGING
    agent.strike_count = 0
    watch_ringing(centre, interaction)
    centre.emit(
        AgentRang(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=offer.agent_id,
            attempt=offer.attempt,
            leg_id=leg_id,
            offered_at_ms=offer.offered_at_ms,
        )
    )
    settle(centre, agent, when)


def watch_ringing(centre: Centre, interaction: Interaction) -> None:
    """Expect the PBX's report of the ring timeout; the engine's own deadline lies behind it."""
    queue = queue_of(centre, interaction)
    due_ms = centre.at_ms + queue.ring_timeout_ms + RING_SAFETY_MS
    centre.timers.arm(Timer.OFFER, interaction.interaction_id, due_ms)


def answered(centre: Centre, signal: OfferAnswered) -> None:
    """The agent took it."""
    interaction = _current(centre, signal)
    if interaction is not None:
        connect(centre, interaction, signal.leg_id)


def connect(centre: Centre, interaction: Interaction, leg_id: LegId | None) -> None:
    """The offered agent and the customer are connected: the visit ends as answered."""
    offer = interaction.offer
    assert offer is not None
    agent = centre.agents[offer.agent_id]
    assert agent.voice is not None
    when = centre.when(interaction, agent)
    leave(centre, interaction, QueueExit.ANSWERED, when)
    centre.timers.cancel(Timer.OFFER, interaction.interaction_id)
    interaction.phase, interaction.offer = Phase.CONNECTED, None
    interaction.agent_id = agent.agent_id
    interaction.talk_started_ms, interaction.hold_started_ms, interaction.hold_ms = when, None, 0
    interaction.reattach_ms = 0
    interaction.leg_id = leg_id or offer.leg_id
    if agent.agent_id not in interaction.handled_by:
        interaction.handled_by.append(agent.agent_id)
    agent.voice.phase = SlotPhase.TALKING
    agent.ready_since_ms = None
    agent.strike_count = 0
    centre.emit(
        InteractionAnswered(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            queue_id=interaction.queue_id,
            visit=interaction.visit,
            attempt=offer.attempt,
            leg_id=leg_id or offer.leg_id,
            wait_ms=when - interaction.visit_started_ms,
            ring_ms=0 if offer.rang_at_ms is None else when - offer.rang_at_ms,
        )
    )
    settle(centre, agent, when)


def failed(centre: Centre, signal: OfferFailed) -> None:
    """The PBX reports that the offer ended without an answer; the caller goes back by itself.

    A phone that neither rang nor said anything is dead: its agent could not know, so he bears no RONA.
    """
    interaction = _current(centre, signal)
    if interaction is None:
        return
    silent = _offer(interaction).rang_at_ms is None and signal.hangup_cause == 0
    dead = silent and signal.cause is OfferFailure.NO_ANSWER
    fail(centre, interaction, OfferFailure.DEVICE_ERROR if dead else signal.cause)


def fail(centre: Centre, interaction: Interaction, cause: OfferFailure) -> None:
    """End the offer for a cause, with its consequence for the agent and for the interaction."""
    offer, agent, when = _clear(centre, interaction)
    rang_ms = 0 if offer.rang_at_ms is None else when - offer.rang_at_ms
    if cause is OfferFailure.NO_ANSWER:
        centre.emit(
            OfferNotAnswered(
                at_ms=centre.at_ms,
                occurred_ms=when,
                interaction_id=interaction.interaction_id,
                agent_id=agent.agent_id,
                queue_id=interaction.queue_id,
                attempt=offer.attempt,
                rang_ms=rang_ms,
            )
        )
    else:
        centre.emit(
            OfferDeclined(
                at_ms=centre.at_ms,
                occurred_ms=when,
                interaction_id=interaction.interaction_id,
                agent_id=agent.agent_id,
                queue_id=interaction.queue_id,
                attempt=offer.attempt,
                cause=cause,
                rang_ms=rang_ms,
            )
        )
    match cause:
        case OfferFailure.NO_ANSWER:
            _stand_down(agent, NOT_READY_RONA)
            _exclude(centre, interaction, agent)
        case OfferFailure.REJECTED | OfferFailure.BUSY:
            _stand_down(agent, NOT_READY_REJECTED)
            _exclude(centre, interaction, agent)
        case OfferFailure.DEVICE_ERROR:
            if agent.presence is Presence.READY:  # keeps his place for when the phone is back
                agent.presence, agent.presence_reason = Presence.NOT_READY, NOT_READY_DEVICE_LOST
            _exclude(centre, interaction, agent)
            retry_ms = _backoff(DEVICE_STABLE_MS, agent.strike_count)
            agent.strike_count += 1
            if not agent.device_lost:
                centre.timers.arm(Timer.DEVICE_STABLE, agent.agent_id, centre.at_ms + retry_ms)
        case OfferFailure.DEVICE_BUSY:
            agent.busy_elsewhere, agent.busy_evidence = True, "device_busy"
            retry_ms = _backoff(BUSY_RETRY_MS, agent.strike_count)
            agent.strike_count += 1
            centre.timers.arm(Timer.BUSY_RETRY, agent.agent_id, centre.at_ms + retry_ms)
        case OfferFailure.STALE:
            retry_ms = _backoff(STALE_RETRY_MS, interaction.stale_count)
            interaction.stale_count += 1
            interaction.parked_until_ms = centre.at_ms + retry_ms
            centre.timers.arm(Timer.PARK, interaction.interaction_id, interaction.parked_until_ms)
        case OfferFailure.UNKNOWN_CHANNEL:
            await_end(centre, interaction)
    settle(centre, agent, when)
    back_to_queue(centre, interaction)


def await_end(centre: Centre, interaction: Interaction) -> None:
    """The PBX knows no such channel: offer it no more, and close it as lost if no end is reported."""
    if interaction.gone:
        return
    interaction.gone = True
    centre.lines.remove_waiting(interaction.interaction_id)
    centre.arrived.pop(interaction.interaction_id, None)
    centre.timers.arm(Timer.GRACE, interaction.interaction_id, centre.at_ms + CLOSING_GRACE_MS)


def take_back(centre: Centre, interaction: Interaction, when: int, reason: str) -> None:
    """End the offer through no fault of the agent, who keeps his ready-since; the caller places it."""
    when = max(when, centre.agents[_offer(interaction).agent_id].since_ms)
    interaction.last_ms = when
    offer, agent, when = _clear(centre, interaction, when)
    centre.emit(
        OfferWithdrawn(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent.agent_id,
            attempt=offer.attempt,
            reason=reason,
            rang_ms=0 if offer.rang_at_ms is None else when - offer.rang_at_ms,
        )
    )
    settle(centre, agent, when)


def expire(centre: Centre, interaction: Interaction, *, lost: bool = False) -> None:
    """The offer's deadline passed without a report: withdraw it; the fault is the phone's or the agent's.

    Args:
        lost: The phone is known to be gone, whether it had rung or not.
    """
    offer = _offer(interaction)
    command_back(centre, interaction)
    dead = lost or offer.rang_at_ms is None
    cause = OfferFailure.DEVICE_ERROR if dead else OfferFailure.NO_ANSWER
    fail(centre, interaction, cause)


# ---------------------------------------------------------------- inside


def _current(centre: Centre, signal: OfferRang | OfferAnswered | OfferFailed) -> Interaction | None:
    """Return the interaction whose present offer the signal is about, else record why not."""
    interaction = centre.interactions.get(signal.interaction_id)
    if interaction is None:
        reason = "interaction_ended" if signal.interaction_id in centre.ended else "unknown_interaction"
    else:
        offer = interaction.offer
        if offer is not None and (offer.agent_id, offer.attempt) == (signal.agent_id, signal.attempt):
            return interaction
        reason = "stale_attempt"
    centre.ignore(signal, reason, signal.interaction_id, signal.agent_id)
    return None


def _offer(interaction: Interaction) -> Offer:
    assert interaction.offer is not None, interaction
    return interaction.offer


def _clear(centre: Centre, interaction: Interaction, when: int | None = None) -> tuple[Offer, Agent, int]:
    offer = _offer(interaction)
    agent = centre.agents[offer.agent_id]
    if when is None:
        when = centre.when(interaction, agent)
    centre.timers.cancel(Timer.OFFER, interaction.interaction_id)
    interaction.offer = None
    interaction.phase = Phase.QUEUED
    agent.voice = None
    return offer, agent, when


def _stand_down(agent: Agent, reason: str) -> None:
    """Not ready for this reason, unless he wants no work for one of his own."""
    lost = agent.presence is Presence.NOT_READY and agent.presence_reason == NOT_READY_DEVICE_LOST
    if agent.presence is Presence.READY or lost:
        agent.presence, agent.presence_reason = Presence.NOT_READY, reason
    agent.ready_since_ms = None


def _exclude(centre: Centre, interaction: Interaction, agent: Agent) -> None:
    interaction.excluded[agent.agent_id] = True
    agent.excluded_from[interaction.interaction_id] = True
    if interaction.prefer_agent_id == agent.agent_id:
        release_hold(centre, interaction)


def _backoff(first_ms: int, count: int) -> int:
    return min(first_ms << min(count, _DOUBLINGS_MAX), RETRY_MS_MAX)
