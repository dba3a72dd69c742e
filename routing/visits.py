"""Queue visits: entering, waiting at a place, leaving. Law: every visit ends with exactly one exit."""

from __future__ import annotations

from routing import outside
from routing.centre import Centre
from routing.commands import HandToFallback, MoveToQueue
from routing.config import QueueConfig
from routing.events import InteractionAdopted, QueueEntered, QueueExit, QueueLeft
from routing.ids import AgentId, QueueId
from routing.presence import settle
from routing.signals import Party
from routing.state import IN_QUEUE, Interaction, Phase
from routing.timers import Timer
from routing.transfer_events import FallbackTalkEnded

VISITS_MAX = 10  # queues that send callers to each other stop there: the caller stays where he is
_DEFAULT_QUEUE = QueueConfig(queue_id="")  # type: ignore[arg-type]  # for its defaults only
PRIORITY_MS_MAX = 24 * 3_600_000  # a head start beyond a day is a mistake


def adopt_event(centre: Centre, interaction: Interaction, agent_id: AgentId | None) -> None:
    """Record that an interaction was found that the engine did not know, or knew otherwise."""
    centre.emit(
        InteractionAdopted(
            at_ms=centre.at_ms,
            occurred_ms=interaction.last_ms,
            interaction_id=interaction.interaction_id,
            phase=interaction.phase.value,
            queue_id=interaction.queue_id,
            agent_id=agent_id,
        )
    )


def enter(
    centre: Centre,
    interaction: Interaction,
    queue: QueueConfig,
    *,
    queued_at_ms: int,
    priority_ms: int,
    started_ms: int | None = None,
    hold_for: AgentId | None = None,
    hold_ms: int = 0,
) -> None:
    """Begin a queue visit.

    Args:
        queued_at_ms: The place; may lie before now when a place is kept.
        started_ms: When the visit began, if not with the present signal (an adopted caller).
        hold_for: Only this agent may take it, for at most hold_ms.
    """
    interaction_id = interaction.interaction_id
    if started_ms is None:
        when = centre.when(interaction)
    else:
        when = interaction.last_ms = max(interaction.last_ms, min(started_ms, centre.at_ms))
    interaction.queue_id = queue.queue_id
    interaction.visit += 1
    interaction.visit_started_ms = when
    interaction.queued_at_ms = min(queued_at_ms, centre.at_ms)
    if interaction.first_queued_ms is None:
        interaction.first_queued_ms = interaction.queued_at_ms
    interaction.priority_ms = max(0, min(priority_ms, PRIORITY_MS_MAX))
    interaction.effective_ms = interaction.queued_at_ms - queue.boost_ms - interaction.priority_ms
    centre.ordinal += 1
    interaction.ordinal = centre.ordinal
    interaction.agent_id = None
    end_fallback_talk(centre, interaction, when, Party.UNKNOWN)
    outside.left_by(centre, interaction, when, Party.UNKNOWN)
    interaction.stale_count = 0
    interaction.hangup_by = None
    interaction.gone = False
    interaction.exclusive = hold_for is not None
    if hold_for is not None:
        interaction.prefer_agent_id = hold_for
        centre.timers.arm(Timer.PREFER_HOLD, interaction_id, centre.at_ms + hold_ms)
    arm_exits(centre, interaction, queue)
    centre.timers.cancel(Timer.GRACE, interaction_id)
    centre.emit(
        QueueEntered(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction_id,
            queue_id=queue.queue_id,
            visit=interaction.visit,
            queued_at_ms=interaction.queued_at_ms,
            priority_ms=interaction.priority_ms,
        )
    )
    place(centre, interaction)


def place(centre: Centre, interaction: Interaction) -> None:
    """Let the interaction wait at its place, unless it is parked."""
    interaction.phase = Phase.QUEUED
    if interaction.parked_until_ms is None and not interaction.gone:
        centre.lines.add_waiting(interaction)
        centre.arrived[interaction.interaction_id] = True


def back_to_queue(centre: Centre, interaction: Interaction) -> None:
    """The offer is over: the interaction regains its place, or leaves when its timeout passed meanwhile."""
    place(centre, interaction)
    queue = centre.queues.get(interaction.queue_id) if interaction.queue_id is not None else None
    if queue is None or interaction.gone:
        return
    waited_ms = centre.at_ms - interaction.visit_started_ms
    if queue.queue_timeout_ms is not None and waited_ms >= queue.queue_timeout_ms:
        time_out(centre, interaction)
    elif queue.overflow_after_ms is not None and waited_ms >= queue.overflow_after_ms:
        overflow(centre, interaction)


def arm_exits(centre: Centre, interaction: Interaction, queue: QueueConfig) -> None:
    """Set the deadlines at which the queue lets the caller go, counted from the start of the visit."""
    for kind, after_ms in (
        (Timer.QUEUE_TIMEOUT, queue.queue_timeout_ms),
        (Timer.OVERFLOW, queue.overflow_after_ms),
    ):
        if after_ms is None:
            centre.timers.cancel(kind, interaction.interaction_id)
        else:
            due_ms = max(centre.at_ms, interaction.visit_started_ms + after_ms)
            centre.timers.arm(kind, interaction.interaction_id, due_ms)


def leave(centre: Centre, interaction: Interaction, queue_exit: QueueExit, when: int) -> None:
    """End the queue visit; the caller of this sets the phase that follows."""
    assert interaction.phase in IN_QUEUE, interaction
    assert interaction.queue_id is not None
    interaction_id = interaction.interaction_id
    centre.lines.remove_waiting(interaction_id)
    centre.arrived.pop(interaction_id, None)
    timers = centre.timers
    if interaction.exclusive:
        timers.cancel(Timer.PREFER_HOLD, interaction_id)
        interaction.exclusive = False
    timers.cancel(Timer.QUEUE_TIMEOUT, interaction_id)
    timers.cancel(Timer.OVERFLOW, interaction_id)
    if interaction.parked_until_ms is not None:
        timers.cancel(Timer.PARK, interaction_id)
        interaction.parked_until_ms = None
    interaction.prefer_agent_id = None
    centre.emit(
        QueueLeft(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction_id,
            queue_id=interaction.queue_id,
            visit=interaction.visit,
            exit=queue_exit,
            wait_ms=when - interaction.visit_started_ms,
        )
    )


def abandon_exit(centre: Centre, interaction: Interaction, when: int) -> QueueExit:
    """Return whether a caller who leaves now abandons or short-abandons."""
    queue = centre.queues.get(interaction.queue_id) if interaction.queue_id is not None else None
    short = queue is not None and when - interaction.visit_started_ms <= queue.short_abandon_ms
    return QueueExit.SHORT_ABANDON if short else QueueExit.ABANDONED


def time_out(centre: Centre, interaction: Interaction) -> None:
    """The queue's timeout is over: on to the queue that it names, else to the PBX's own queue."""
    if interaction.phase is Phase.OFFERED or interaction.gone:
        return  # it rings; should the offer fail, ``back_to_queue`` looks at the timeout again
    target = _next_queue(centre, interaction, queue_of(centre, interaction).queue_timeout_to)
    if target is not None:
        _go_on(centre, interaction, QueueExit.QUEUE_TIMEOUT, target)
        return
    leave(centre, interaction, QueueExit.QUEUE_TIMEOUT, centre.when(interaction))
    interaction.phase = Phase.FALLBACK
    centre.command(HandToFallback(interaction_id=interaction.interaction_id, cause="queue_timeout"))


def overflow(centre: Centre, interaction: Interaction) -> None:
    """The caller waited so long that another queue shall serve; where there is none, he stays."""
    if interaction.phase is Phase.OFFERED or interaction.gone:
        return  # as with the timeout
    target = _next_queue(centre, interaction, queue_of(centre, interaction).overflow_to)
    if target is not None:
        _go_on(centre, interaction, QueueExit.OVERFLOWED, target)


def leave_by_key(centre: Centre, interaction: Interaction, digit: str) -> None:
    """The caller pressed a key while waiting: where the queue gives it a meaning, he goes there."""
    if interaction.phase is not Phase.QUEUED or interaction.gone:
        return
    target = _next_queue(centre, interaction, queue_of(centre, interaction).key_exits.get(digit))
    if target is not None:
        _go_on(centre, interaction, QueueExit.KEY, target)


def _next_queue(centre: Centre, interaction: Interaction, queue_id: QueueId | None) -> QueueConfig | None:
    if queue_id is None or queue_id == interaction.queue_id or interaction.visit >= VISITS_MAX:
        return None
    return centre.queues.get(queue_id)


def _go_on(centre: Centre, interaction: Interaction, queue_exit: QueueExit, queue: QueueConfig) -> None:
    """End the visit and begin one in another queue; the place of the first queueing is kept."""
    leave(centre, interaction, queue_exit, centre.when(interaction))
    first_ms = interaction.first_queued_ms
    enter(
        centre,
        interaction,
        queue,
        queued_at_ms=interaction.last_ms if first_ms is None else first_ms,
        priority_ms=interaction.priority_ms,
    )
    command_back(centre, interaction)


def command_back(centre: Centre, interaction: Interaction) -> None:
    """Ask the PBX to bring the customer to the waiting laps of the interaction's queue."""
    assert interaction.queue_id is not None
    centre.command(
        MoveToQueue(
            interaction_id=interaction.interaction_id,
            queue_id=interaction.queue_id,
            queued_at_ms=interaction.queued_at_ms,
            priority_ms=interaction.priority_ms,
            ring_timeout_ms=queue_of(centre, interaction).ring_timeout_ms,
        )
    )


def queue_of(centre: Centre, interaction: Interaction) -> QueueConfig:
    """Return the interaction's queue; one with the defaults when there is none any more."""
    queue = centre.queues.get(interaction.queue_id) if interaction.queue_id is not None else None
    return queue or _DEFAULT_QUEUE


def release_hold(centre: Centre, interaction: Interaction) -> None:
    """Nobody in particular any more: the interaction waits in its queue for everyone."""
    centre.timers.cancel(Timer.PREFER_HOLD, interaction.interaction_id)
    was_waiting = centre.lines.remove_waiting(interaction.interaction_id)
    interaction.exclusive = False
    interaction.prefer_agent_id = None
    if was_waiting:
        place(centre, interaction)


def unpark(centre: Centre, interaction: Interaction) -> None:
    """The hold-off after a stale offer is over."""
    interaction.parked_until_ms = None
    if interaction.phase is Phase.QUEUED:
        place(centre, interaction)


def end_fallback_talk(centre: Centre, interaction: Interaction, when: int, ended_by: Party) -> None:
    """Whoever served the caller on the PBX's own queue does so no more, and is free of it."""
    agent_id, since_ms = interaction.fallback_agent_id, interaction.fallback_talk_ms
    if agent_id is None:
        return
    interaction.fallback_agent_id = interaction.fallback_talk_ms = None
    centre.emit(
        FallbackTalkEnded(
            at_ms=centre.at_ms,
            occurred_ms=when,
            interaction_id=interaction.interaction_id,
            agent_id=agent_id,
            talk_ms=0 if since_ms is None else when - since_ms,
            ended_by=ended_by,
        )
    )
    agent = centre.agents.get(agent_id)
    if agent is not None and agent.busy_elsewhere and agent.busy_evidence == "fallback":
        agent.busy_elsewhere, agent.busy_evidence = False, ""
        settle(centre, agent, when)
