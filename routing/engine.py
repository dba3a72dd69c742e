"""The engine: one door. A signal goes in, commands and events come out; nothing else is touched.

What fell due by the signal's time is applied first, each deadline at its own time and followed by
matching, so that a late driver and an exact driver agree.
"""

from __future__ import annotations

from typing import Any, assert_never

from routing import (
    adoption,
    agents,
    arrivals,
    consult_reports,
    consults,
    fallback,
    offers,
    outside,
    phones,
    reattach,
    reconfigure,
    remembering,
    talks,
    transfers,
    visits,
    wrap_ups,
)
from routing.centre import Centre
from routing.config import CentreConfig
from routing.desk_signals import ReasonGiven
from routing.ids import AgentId, InteractionId
from routing.matching import match
from routing.phone_signals import BrowserPhoneLost, BrowserPhoneRegistered, PhoneChosen
from routing.signals import (
    AgentBusyElsewhere,
    AgentFreeElsewhere,
    AgentLegEnded,
    AgentNotReady,
    AgentReady,
    AgentSignedIn,
    AgentSignedOut,
    CallFactCorrected,
    CommandRefused,
    ConfigChanged,
    DeadlineReached,
    DeviceLost,
    DeviceReachable,
    FallbackEntered,
    FallbackServed,
    HangupRequested,
    InteractionArrived,
    InteractionEnded,
    InteractionHeld,
    InteractionTransferred,
    InteractionUnheld,
    InteractionWaiting,
    KeyPressed,
    OfferAnswered,
    OfferFailed,
    OfferRang,
    Party,
    PbxLinkLost,
    PbxSnapshotTaken,
    Signal,
    TransferRequested,
    WrapUpCoded,
    WrapUpEnded,
    WrapUpExtended,
)
from routing.state import Interaction
from routing.step import Step
from routing.timers import PBX_TIMERS, Timer
from routing.transfer_signals import (
    ConferenceRequested,
    ConsultAgentLeft,
    ConsultCancelled,
    ConsultCompleted,
    ConsultLegAnswered,
    ConsultLegEnded,
    ConsultLegRang,
    ConsultRequested,
    OutsideLegAnswered,
    OutsideLegEnded,
)

__all__ = ["Engine", "Step"]


class Engine:
    """Decides who talks to whom; never waits, reads a clock or does I/O.

    Args:
        config: The centre, if it is known already; later ones arrive as ``ConfigChanged``.
        explain: Whether every offer carries its explanation.

    >>> from routing.ids import InteractionId
    >>> engine = Engine()
    >>> step = engine.step(InteractionArrived(at_ms=1_000, interaction_id=InteractionId("pbx1-1.1")))
    >>> type(step.events[0]).__name__
    'ContactStarted'
    """

    __slots__ = ("centre",)

    def __init__(self, config: CentreConfig | None = None, *, explain: bool = True) -> None:
        self.centre = Centre(explain=explain)
        if config is not None:
            self.step(ConfigChanged(version=0, config=config))

    def step(self, signal: Signal) -> Step:
        """Take one signal and return what follows from it."""
        centre = self.centre
        at_ms = max(signal.at_ms, centre.at_ms)
        link_up = centre.link_up
        if isinstance(signal, PbxLinkLost | PbxSnapshotTaken):
            centre.link_up = False  # the snapshot, here or to come, knows better than deadlines that guess
        self._apply_due(at_ms)
        centre.link_up = link_up
        centre.at_ms = at_ms
        occurred_ms = signal.occurred_ms
        centre.occurred_ms = at_ms if occurred_ms is None or occurred_ms > at_ms else occurred_ms
        _dispatch(centre, signal)
        match(centre)
        if centre.heard:
            arrivals.mark_heard(centre)
        step = Step(signal, tuple(centre.commands), tuple(centre.events))
        centre.commands.clear()
        centre.events.clear()
        return step

    def next_deadline_ms(self) -> int | None:
        """Return when the engine next wants a ``DeadlineReached``; None: not before the next signal."""
        return self.centre.timers.next_ms()

    def snapshot(self) -> dict[str, Any]:
        """Return everything the engine knows, as JSON-able values."""
        return remembering.remember(self.centre)

    @classmethod
    def restore(cls, body: dict[str, Any], *, explain: bool = True) -> Engine:
        """Return an engine that goes on exactly where the one that wrote *body* stood.

        Raises:
            PlainError: the body is no snapshot of this version.
        """
        engine = cls(explain=explain)
        remembering.recall(engine.centre, body)
        return engine

    def _apply_due(self, at_ms: int) -> None:
        centre = self.centre
        while (due := centre.timers.pop_due(at_ms)) is not None:
            due_ms, kind, owner = due
            centre.at_ms = centre.occurred_ms = max(due_ms, centre.at_ms)
            if kind in PBX_TIMERS:
                interaction = centre.interactions.get(InteractionId(owner))
                if interaction is not None and centre.link_up:
                    _interaction_due(centre, kind, interaction)
            else:
                _agent_due(centre, kind, AgentId(owner))
            match(centre)


def _interaction_due(centre: Centre, kind: Timer, interaction: Interaction) -> None:
    match kind:
        case Timer.OFFER:
            offers.expire(centre, interaction)
        case Timer.QUEUE_TIMEOUT:
            visits.time_out(centre, interaction)
        case Timer.OVERFLOW:
            visits.overflow(centre, interaction)
        case Timer.PREFER_HOLD:
            visits.release_hold(centre, interaction)
        case Timer.PARK:
            visits.unpark(centre, interaction)
        case Timer.REATTACH:
            reattach.give_up(centre, interaction)
        case Timer.REATTACH_AGAIN:
            reattach.try_again(centre, interaction)
        case Timer.CONSULT:
            consult_reports.give_up(centre, interaction)
        case _:
            talks.end(centre, interaction, Party.UNKNOWN, 0, "lost")


def _agent_due(centre: Centre, kind: Timer, agent_id: AgentId) -> None:
    agent = centre.agents[agent_id]
    match kind:
        case Timer.WRAP_UP:
            wrap_ups.end_wrap_up(centre, agent)
        case Timer.DEVICE_STABLE:
            agents.recover(centre, agent)
        case _:
            agents.note_free(centre, agent)


def _dispatch(centre: Centre, signal: Signal) -> None:
    match signal:
        case InteractionWaiting():
            arrivals.lap(centre, signal)
        case InteractionArrived():
            arrivals.arrive(centre, signal)
        case OfferRang() | OfferAnswered() | OfferFailed() if reattach.is_about(centre, signal):
            reattach.report(centre, signal)
        case OfferRang():
            offers.rang(centre, signal)
        case OfferAnswered():
            offers.answered(centre, signal)
        case OfferFailed():
            offers.failed(centre, signal)
        case InteractionEnded():
            talks.ended(centre, signal)
        case AgentLegEnded():
            talks.leg_ended(centre, signal)
        case DeadlineReached():
            pass
        case AgentReady():
            agents.make_ready(centre, signal)
        case AgentNotReady():
            agents.make_not_ready(centre, signal)
        case AgentBusyElsewhere():
            agents.busy_elsewhere(centre, signal)
        case AgentFreeElsewhere():
            agents.free_elsewhere(centre, signal)
        case DeviceLost():
            agents.device_lost(centre, signal)
        case DeviceReachable():
            agents.device_reachable(centre, signal)
        case BrowserPhoneRegistered():
            phones.registered(centre, signal)
        case BrowserPhoneLost():
            phones.lost(centre, signal)
        case PhoneChosen():
            phones.choose(centre, signal)
        case AgentSignedIn():
            agents.sign_in(centre, signal)
        case AgentSignedOut():
            agents.sign_out(centre, signal)
        case InteractionHeld():
            talks.hold(centre, signal)
        case InteractionUnheld():
            talks.unhold(centre, signal)
        case WrapUpEnded():
            wrap_ups.wrap_up_ended(centre, signal)
        case WrapUpExtended():
            wrap_ups.wrap_up_extended(centre, signal)
        case WrapUpCoded():
            wrap_ups.wrap_up_coded(centre, signal)
        case ReasonGiven():
            wrap_ups.reason_given(centre, signal)
        case KeyPressed():
            arrivals.note_key(centre, signal)
        case TransferRequested():
            transfers.request(centre, signal)
        case InteractionTransferred():
            transfers.done(centre, signal)
        case HangupRequested():
            transfers.hang_up(centre, signal)
        case ConsultRequested():
            consults.request(centre, signal)
        case ConsultCancelled():
            consults.cancel(centre, signal)
        case ConsultCompleted():
            consults.complete(centre, signal)
        case ConferenceRequested():
            consults.confer(centre, signal)
        case ConsultLegRang():
            consult_reports.rang(centre, signal)
        case ConsultLegAnswered():
            consult_reports.answered(centre, signal)
        case ConsultLegEnded():
            consult_reports.leg_gone(centre, signal)
        case ConsultAgentLeft():
            consult_reports.phone_left(centre, signal)
        case OutsideLegAnswered():
            outside.leg_answered(centre, signal)
        case OutsideLegEnded():
            outside.leg_ended(centre, signal)
        case FallbackEntered():
            fallback.entered(centre, signal)
        case FallbackServed():
            fallback.served(centre, signal)
        case CommandRefused():
            fallback.refused(centre, signal)
        case CallFactCorrected():
            fallback.corrected(centre, signal)
        case PbxLinkLost():
            adoption.lose(centre, signal)
        case PbxSnapshotTaken():
            adoption.merge(centre, signal)
        case ConfigChanged():
            reconfigure.apply(centre, signal)
        case _:
            assert_never(signal)  # type: ignore[arg-type]  # the base class is open, its children are not
