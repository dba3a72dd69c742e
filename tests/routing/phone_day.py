"""A random day with browser phones: chosen, registered, lost in mid-call, and back as another page."""

from __future__ import annotations

from dataclasses import replace

from routing import commands as cmd
from routing import phone_signals as phone
from routing import signals as sig
from routing.ids import AgentId, InteractionId
from routing.phone_signals import PhoneKind
from routing.signals import Party, PbxPhase, Signal
from tests.routing.day import Call, Day


class PhoneDay(Day):
    """Everybody begins with a browser phone; phones go and come more often than in life."""

    def __init__(self, seed: int, *, explain: bool = True) -> None:
        super().__init__(seed, explain=explain)
        self.music: set[InteractionId] = set()
        chosen: list[Signal] = []
        for agent in self.config.agents:
            device = f"PJSIP/{agent.agent_id}-web"
            chosen += [
                phone.PhoneChosen(agent_id=agent.agent_id, kind=PhoneKind.BROWSER, device=device),
                phone.BrowserPhoneRegistered(agent_id=agent.agent_id, instance="page1"),
            ]
        self.backlog[1:1] = chosen

    def _agent_acts(self, agent_id: AgentId) -> Signal:
        rng = self.rng
        if rng.random() < 0.6:
            return super()._agent_acts(agent_id)
        page = rng.choice(("page1", "page1", "page2"))
        roll = rng.random()
        if roll < 0.05:
            kind = rng.choice(list(PhoneKind))
            device = {PhoneKind.DESK: "", PhoneKind.BROWSER: f"PJSIP/{agent_id}-web"}.get(kind, "Local/1")
            return phone.PhoneChosen(agent_id=agent_id, kind=kind, device=device)
        if roll < 0.4:
            return phone.BrowserPhoneLost(agent_id=agent_id, instance=page)
        return phone.BrowserPhoneRegistered(agent_id=agent_id, instance=page)

    def _call_acts(self, call: Call) -> Signal | None:
        if call.interaction_id not in self.music or call.phase is not PbxPhase.HELD:
            return super()._call_acts(call)
        return self._hang_up(call, Party.CUSTOMER) if self.rng.random() < 0.05 else None

    def _snapshot(self, *, same_boot: bool) -> Signal:
        taken = super()._snapshot(same_boot=same_boot)
        assert isinstance(taken, sig.PbxSnapshotTaken)
        seen = tuple(
            replace(row, bridged=False)
            if row.phase is PbxPhase.HELD and row.interaction_id in self.music
            else row
            for row in taken.interactions
        )
        return replace(taken, interactions=seen)

    def _obey(self, command: cmd.Command) -> None:
        super()._obey(command)
        call = self.calls.get(getattr(command, "interaction_id", InteractionId("")))
        if call is None or not self.link_up:
            return
        if isinstance(command, cmd.HoldInteraction):
            call.phase, call.ringing = PbxPhase.HELD, False
            self.music.add(call.interaction_id)
        elif isinstance(command, cmd.ReattachInteraction):
            assert command.attempt > call.attempt, "an attempt goes up"
            call.phase, call.agent_id, call.ringing = PbxPhase.OFFERED, command.agent_id, False
            call.attempt = command.attempt
