"""A random day on which agents ask each other and numbers outside, hand over, and talk in threes."""

from __future__ import annotations

from dataclasses import replace

from routing import commands as cmd
from routing import signals as sig
from routing import transfer_signals as tr
from routing.ids import AgentId, InteractionId, LegId
from routing.signals import OfferFailure, PbxPhase, Signal
from tests.routing.day import Call, Day

NUMBERS = ("+886287654321", "119")


class ConsultDay(Day):
    """Whoever talks asks often."""

    def __init__(self, seed: int, *, explain: bool = True) -> None:
        super().__init__(seed, explain=explain)
        self.asked: dict[InteractionId, AgentId | None] = {}  # of open consults and conferences
        self.answered: set[InteractionId] = set()

    def _call_acts(self, call: Call) -> Signal | None:
        rng = self.rng
        if rng.random() < 0.03:
            return self._wish(call)
        match call.phase:
            case PbxPhase.TALKING if rng.random() < 0.4:
                return self._wish(call)
            case PbxPhase.CONSULT:
                return self._consult_goes_on(call)
            case PbxPhase.CONFERENCE:
                return self._conference_goes_on(call)
            case PbxPhase.EXTERNAL:
                return self._outside_goes_on(call)
        said = super()._call_acts(call)
        if isinstance(said, sig.OfferAnswered):
            return replace(said, leg_id=LegId(f"leg-{call.interaction_id}-{call.attempt}"))
        return said

    def _wish(self, call: Call) -> Signal:
        rng, call_id = self.rng, call.interaction_id
        by = call.agent_id if rng.random() < 0.9 else None
        roll = rng.random()
        if roll < 0.5:
            if rng.random() < 0.75:
                return tr.ConsultRequested(interaction_id=call_id, by_agent_id=by, to_agent_id=self._agent())
            return tr.ConsultRequested(interaction_id=call_id, by_agent_id=by, to_number=rng.choice(NUMBERS))
        if roll < 0.6:
            return sig.TransferRequested(interaction_id=call_id, to_number=rng.choice(NUMBERS))
        kinds = (tr.ConsultCompleted, tr.ConsultCancelled, tr.ConferenceRequested)
        return rng.choice(kinds)(interaction_id=call_id, by_agent_id=by)

    def _consult_goes_on(self, call: Call) -> Signal | None:
        rng, call_id = self.rng, call.interaction_id
        roll = rng.random()
        if roll < 0.05:
            return self._hang_up(call, sig.Party.CUSTOMER)
        if call_id not in self.answered:
            if roll < 0.35:
                return tr.ConsultLegRang(interaction_id=call_id, attempt=call.attempt, leg_id=LegId("asked"))
            if roll < 0.75:
                self.answered.add(call_id)
                return tr.ConsultLegAnswered(
                    interaction_id=call_id, attempt=call.attempt, leg_id=LegId("asked")
                )
            causes = (OfferFailure.NO_ANSWER, OfferFailure.REJECTED, OfferFailure.DEVICE_ERROR)
            return tr.ConsultLegEnded(interaction_id=call_id, attempt=call.attempt, cause=rng.choice(causes))
        if roll < 0.7:
            return self._wish(call)
        if roll < 0.8:
            return tr.ConsultLegEnded(interaction_id=call_id, attempt=call.attempt)
        if roll < 0.85:
            return tr.ConsultAgentLeft(interaction_id=call_id, attempt=call.attempt, agent_id=call.agent_id)
        return None

    def _conference_goes_on(self, call: Call) -> Signal | None:
        rng, call_id = self.rng, call.interaction_id
        roll = rng.random()
        if roll < 0.1:
            return self._hang_up(call, sig.Party.CUSTOMER)
        if roll < 0.4:
            return self._wish(call)
        if roll < 0.7:
            who = rng.choice((call.agent_id, self.asked.get(call_id)))
            if who == call.agent_id:
                call.agent_id = self.asked.pop(call_id, None)
            call.phase = PbxPhase.TALKING if call.agent_id else PbxPhase.EXTERNAL
            return tr.ConsultAgentLeft(interaction_id=call_id, attempt=call.attempt, agent_id=who)
        return None

    def _outside_goes_on(self, call: Call) -> Signal | None:
        rng, call_id = self.rng, call.interaction_id
        roll = rng.random()
        if roll < 0.2:
            return self._hang_up(call, sig.Party.CUSTOMER)
        if roll < 0.4:
            return tr.OutsideLegAnswered(interaction_id=call_id, attempt=call.attempt)
        if roll < 0.7:
            cause = rng.choice((None, OfferFailure.BUSY))
            call.phase = PbxPhase.ENTRY
            return tr.OutsideLegEnded(interaction_id=call_id, attempt=call.attempt, cause=cause)
        return self._lap(call) if roll < 0.8 else None

    def _obey(self, command: cmd.Command) -> None:
        super()._obey(command)
        call = self.calls.get(getattr(command, "interaction_id", InteractionId("")))
        if call is None or not self.link_up:
            return
        match command:
            case cmd.StartConsult():
                call.phase, call.attempt = PbxPhase.CONSULT, command.attempt
                self.asked[call.interaction_id] = command.to_agent_id
                self.answered.discard(call.interaction_id)
            case cmd.EndConsult():
                call.phase, call.agent_id = PbxPhase.TALKING, command.agent_id
            case cmd.CompleteConsult():
                call.agent_id = command.to_agent_id
                call.phase = PbxPhase.TALKING if command.to_agent_id else PbxPhase.EXTERNAL
            case cmd.StartConference():
                call.phase = PbxPhase.CONFERENCE
            case cmd.DialOutside():
                call.phase, call.attempt, call.agent_id = PbxPhase.EXTERNAL, command.attempt, None
            case cmd.EndLeg() if call.phase is PbxPhase.CONFERENCE:
                if command.leg_id != LegId("asked"):
                    call.agent_id = self.asked.get(call.interaction_id)
                call.phase = PbxPhase.TALKING if call.agent_id else PbxPhase.EXTERNAL
            case _:
                pass
