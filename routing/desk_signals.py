"""Signals of an agent's desk beside the call itself: what a call was about."""

from __future__ import annotations

from dataclasses import dataclass

from routing.ids import AgentId, InteractionId
from routing.signals import Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonGiven(Signal):
    """The agent said why the customer made contact: a node of the reason tree.

    Attributes:
        tree_version: The version of the tree that reason_id belongs to.
    """

    agent_id: AgentId
    interaction_id: InteractionId
    reason_id: str
    tree_version: int
