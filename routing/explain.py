"""Why this agent, why this caller: ids and parameters, never sentences; bounded.

``{at_ms, kind, interaction_id, agent_id, queue_id, step, wait_ms, factors, chosen, runner_up,
candidate_count, not_chosen: [{id, why}]}``. ``kind`` says what was chosen: an agent for an
interaction that came, or an interaction for an agent who became free.
"""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nsmallest

from routing.centre import Centre
from routing.lines import FIRST_STEP
from routing.state import Agent, Interaction

NOT_CHOSEN_MAX = 5  # others named per decision, beside the runner-up

EMPTY: Mapping[str, object] = {}


def of_agent(centre: Centre, interaction: Interaction, agent: Agent) -> Mapping[str, object]:
    """Explain the agent chosen for an interaction; call before the offer is made."""
    assert interaction.queue_id is not None
    lines = centre.lines
    if interaction.exclusive:
        ready, candidate_count = [], 1
    else:
        groups = lines.lines[interaction.queue_id, FIRST_STEP, ()].active.values()
        candidate_count = sum(len(group.ready) for group in groups)
        firsts = [ready for group in groups for ready in group.ready[: NOT_CHOSEN_MAX + 2]]
        ready = nsmallest(NOT_CHOSEN_MAX + 2, firsts)
    others = [agent_id for _, agent_id in ready if agent_id != agent.agent_id]
    able = [agent_id for agent_id in others if agent_id not in interaction.excluded]
    why = "not_preferred" if interaction.prefer_agent_id == agent.agent_id else "ready_more_recently"
    return {
        **_head(centre, "agent_for_interaction", interaction, agent),
        "chosen": agent.agent_id,
        "runner_up": able[0] if able else None,
        "candidate_count": candidate_count,
        "not_chosen": [
            {"id": other, "why": "excluded" if other in interaction.excluded else why}
            for other in others[:NOT_CHOSEN_MAX]
        ],
    }


def of_interaction(centre: Centre, interaction: Interaction, agent: Agent) -> Mapping[str, object]:
    """Explain the interaction chosen for a freed agent; call before the offer is made."""
    ranks = sorted(centre.lines.able_entries(agent, centre.at_ms))
    others = [(late, entry) for late, entry in ranks if entry[3] != interaction.interaction_id]
    own_late = centre.at_ms - interaction.effective_ms < _max_wait_ms(centre, interaction)
    return {
        **_head(centre, "interaction_for_agent", interaction, agent),
        "chosen": interaction.interaction_id,
        "runner_up": others[0][1][3] if others else None,
        "candidate_count": len(ranks),
        "not_chosen": [
            {"id": entry[3], "why": "later" if late == own_late else "within_max_wait"}
            for late, entry in others[:NOT_CHOSEN_MAX]
        ],
    }


def _head(centre: Centre, kind: str, interaction: Interaction, agent: Agent) -> dict[str, object]:
    ready_since_ms = agent.ready_since_ms
    return {
        "at_ms": centre.at_ms,
        "kind": kind,
        "interaction_id": interaction.interaction_id,
        "agent_id": agent.agent_id,
        "queue_id": interaction.queue_id,
        "step": FIRST_STEP,
        "wait_ms": centre.at_ms - interaction.visit_started_ms,
        "factors": {
            "ready_ms": centre.at_ms - ready_since_ms if ready_since_ms is not None else 0,
            "priority_ms": interaction.priority_ms,
            "effective_ms": interaction.effective_ms,
        },
    }


def _max_wait_ms(centre: Centre, interaction: Interaction) -> int:
    assert interaction.queue_id is not None
    return centre.queues[interaction.queue_id].max_wait_ms
