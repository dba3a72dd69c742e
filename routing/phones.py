"""Which phone an agent is rung on, and what a browser phone tells of itself.

The engine knows a phone as an opaque device; the PBX is told by command, and told again after every
reconnect. A browser phone counts as lost until it is shown to be there.
"""

from __future__ import annotations

from routing import reattach
from routing.agent_states import Presence, SlotPhase
from routing.agents import note_free, note_lost, note_reachable
from routing.centre import Centre
from routing.commands import UsePhone
from routing.offers import expire
from routing.phone_signals import BrowserPhoneLost, BrowserPhoneRegistered, PhoneChosen, PhoneKind
from routing.presence import join_fallback, settle, tell_phone
from routing.state import Agent, Phase

_IN_TALK = (SlotPhase.TALKING, SlotPhase.HOLDING)
_OFFERED = (SlotPhase.RESERVED, SlotPhase.RINGING)


def choose(centre: Centre, signal: PhoneChosen) -> None:
    """The agent is rung elsewhere from now on; never in the middle of a call."""
    agent = centre.agents.get(signal.agent_id)
    if agent is None:
        centre.ignore(signal, "unknown_agent", agent_id=signal.agent_id)
        return
    if (agent.phone_kind, agent.phone_device) == (signal.kind, signal.device):
        return
    if agent.voice is not None and agent.voice.phase is not SlotPhase.WRAP_UP:
        centre.ignore(signal, "on_a_call", agent_id=agent.agent_id)
        return
    if not centre.link_up and agent.presence is not Presence.SIGNED_OUT:
        centre.ignore(signal, "pbx_link_down", agent_id=agent.agent_id)
        return
    queue_ids = agent.fallback_queue_ids
    join_fallback(centre, agent, ())  # the membership names the phone
    agent.phone_kind, agent.phone_device, agent.phone_chosen = signal.kind, signal.device, True
    agent.phone_instance = ""
    agent.device_lost = signal.kind is PhoneKind.BROWSER
    use(centre, agent)
    join_fallback(centre, agent, queue_ids)
    tell_phone(centre, agent)
    note_free(centre, agent)  # the other phone's affair
    settle(centre, agent, centre.when(agent=agent))


def use(centre: Centre, agent: Agent) -> None:
    """Tell the PBX where the agent is rung."""
    centre.command(UsePhone(agent_id=agent.agent_id, kind=agent.phone_kind, device=agent.phone_device))


def registered(centre: Centre, signal: BrowserPhoneRegistered) -> None:
    """A page registered as the agent's phone: the one that was there, or another in its place."""
    agent = _browser(centre, signal)
    if agent is None:
        return
    before, agent.phone_instance = agent.phone_instance, signal.instance
    note_reachable(centre, agent)
    slot = agent.voice
    if slot is None:
        settle(centre, agent, centre.when(agent=agent))
        return
    interaction = centre.interactions.get(slot.interaction_id)
    replaced = before not in ("", signal.instance)
    if interaction is not None and slot.phase in _OFFERED and replaced and centre.link_up:
        expire(centre, interaction, lost=True)  # the page that rang is gone
        return
    if interaction is not None and slot.phase in _IN_TALK and replaced:
        reattach.begin(centre, interaction)
    if interaction is not None and interaction.phase is Phase.RE_ATTACH:
        if replaced:
            reattach.lose_again(centre, interaction)
        reattach.phone_back(centre, interaction)


def lost(centre: Centre, signal: BrowserPhoneLost) -> None:
    """The page went away without a word; what it was doing is taken from it."""
    agent = _browser(centre, signal)
    if agent is None:
        return
    if agent.phone_instance not in ("", signal.instance):
        centre.ignore(signal, "stale_phone", agent_id=agent.agent_id)  # another page took its place
        return
    agent.phone_instance = ""
    note_lost(centre, agent)
    slot = agent.voice
    interaction = centre.interactions.get(slot.interaction_id) if slot is not None else None
    if slot is None or interaction is None or not centre.link_up:
        return
    if slot.phase in _IN_TALK:
        reattach.begin(centre, interaction)
    elif slot.phase is SlotPhase.RE_ATTACH:
        reattach.lose_again(centre, interaction)
    elif slot.phase in _OFFERED:
        expire(centre, interaction, lost=True)


def _browser(centre: Centre, signal: BrowserPhoneRegistered | BrowserPhoneLost) -> Agent | None:
    agent = centre.agents.get(signal.agent_id)
    if agent is None:
        centre.ignore(signal, "unknown_agent", agent_id=signal.agent_id)
    elif agent.phone_kind is not PhoneKind.BROWSER:
        centre.ignore(signal, "not_a_browser_phone", agent_id=agent.agent_id)
    else:
        return agent
    return None
