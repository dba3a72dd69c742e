"""Matching: pairs are offered until none is left. Law: before the step there was none (I3).

So only who became ready or began to wait in this step can make a pair. One of them is the usual
case and is decided at once; several are decided in the order of the interactions.
"""

from __future__ import annotations

from routing import explain
from routing.centre import Centre
from routing.offers import make


def match(centre: Centre) -> None:
    """Offer every pair there is; nothing while the PBX cannot be heard."""
    freed, arrived = centre.freed, centre.arrived
    if not freed and not arrived and not centre.match_all:
        return
    if centre.link_up:
        if centre.match_all or len(freed) + len(arrived) > 1:
            _match_several(centre)
        elif freed:
            _match_agent(centre)
        else:
            _match_interaction(centre)
    freed.clear()
    arrived.clear()
    centre.match_all = False


def _match_agent(centre: Centre) -> None:
    (agent_id,) = centre.freed
    agent = centre.agents[agent_id]
    interaction_id = centre.lines.best_interaction(agent, centre.at_ms)
    if interaction_id is None:
        return
    interaction = centre.interactions[interaction_id]
    why = explain.of_interaction(centre, interaction, agent) if centre.explain else explain.EMPTY
    make(centre, interaction, agent, why)


def _match_interaction(centre: Centre) -> None:
    (interaction_id,) = centre.arrived
    interaction = centre.interactions[interaction_id]
    agent_id = centre.lines.best_agent(interaction)
    if agent_id is None:
        return
    agent = centre.agents[agent_id]
    why = explain.of_agent(centre, interaction, agent) if centre.explain else explain.EMPTY
    make(centre, interaction, agent, why)


def _match_several(centre: Centre) -> None:
    lines = centre.lines
    while (interaction := lines.best_pair(centre.interactions, centre.at_ms)) is not None:
        agent_id = lines.best_agent(interaction)
        assert agent_id is not None
        agent = centre.agents[agent_id]
        why = explain.of_agent(centre, interaction, agent) if centre.explain else explain.EMPTY
        make(centre, interaction, agent, why)
