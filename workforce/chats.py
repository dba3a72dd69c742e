"""Chats: one agent serves several at once, each the slower for it.

A birth-death chain: chats arrive at random and are spread evenly over the agents; an agent with k chats
finishes them at ``rates_per_s[k - 1]`` in all; who finds every agent full waits, without giving up.

Source: Tezcan & Zhang (2014), "Routing and staffing in customer service chat systems".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STATES_MAX = 10_000_000
AGENTS_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFigures:
    """What those who want to chat meet.

    Attributes:
        p_wait: Share who find every agent full; 1.0 when the queue never drains.
        wait_s: Mean wait of all; inf when the queue never drains.
        service_level: Share who begin within the threshold.
        chats_per_agent: Mean number of chats that an agent has.
    """

    p_wait: float
    wait_s: float
    service_level: float
    chats_per_agent: float


def chat_figures(
    chats_per_s: float, agents: int, rates_per_s: Sequence[float], *, threshold_s: float = 0.0
) -> ChatFigures:
    """Return what those who want to chat meet.

    Args:
        chats_per_s: Rate of arrival, above 0.
        agents: At least 1.
        rates_per_s: Chats that an agent finishes per second with 1, 2, … at once; not falling.
        threshold_s: The 20 of 80/20.

    Raises:
        ValueError: an argument is out of its range.

    >>> figures = chat_figures(300 / 3600, 16, [0.2 / 60, 0.34 / 60, 0.42 / 60])
    >>> round(figures.p_wait, 12), round(figures.wait_s, 10)
    (0.008359083056, 0.2915959205)
    """
    rates = np.array([0.0, *rates_per_s])
    if not (chats_per_s > 0 and agents >= 1 and len(rates) > 1 and threshold_s >= 0):
        raise ValueError("chats_per_s must be above 0, agents at least 1, and rates_per_s not empty")
    if rates[1] <= 0 or np.any(np.diff(rates) < 0):
        raise ValueError("rates_per_s must be above 0 and must not fall with more chats")
    places = agents * (len(rates) - 1)
    if places > STATES_MAX:
        raise ValueError(f"more than {STATES_MAX} chats at once")
    chats = np.arange(1, places + 1)
    each, more = np.divmod(chats, agents)
    finished = (agents - more) * rates[each] + more * rates[np.minimum(each + 1, len(rates) - 1)]
    capacity = float(finished[-1])
    if chats_per_s >= capacity:
        return ChatFigures(
            p_wait=1.0, wait_s=np.inf, service_level=0.0, chats_per_agent=float(len(rates) - 1)
        )
    log_weight = np.concatenate([[0.0], np.cumsum(np.log(chats_per_s) - np.log(finished))])
    weight = np.exp(log_weight - log_weight.max())
    ratio = chats_per_s / capacity
    waiting = weight[-1] / (1.0 - ratio)  # all full, with 0, 1, 2, … in the queue
    total = weight[:-1].sum() + waiting
    p_wait = float(waiting / total)
    in_progress = float(((np.arange(places) * weight[:-1]).sum() + places * waiting) / total)
    late = p_wait * float(np.exp(-(capacity - chats_per_s) * threshold_s))
    return ChatFigures(
        p_wait=p_wait,
        wait_s=p_wait / (capacity - chats_per_s),
        service_level=1.0 - late,
        chats_per_agent=in_progress / agents,
    )


def chat_agents(
    chats_per_s: float, rates_per_s: Sequence[float], *, target: float = 0.8, threshold_s: float = 20.0
) -> int:
    """Return the smallest number of agents at which a share *target* begins within the threshold.

    Raises:
        ValueError: an argument is out of its range, or more than 100,000 agents are needed.

    >>> chat_agents(300 / 3600, [0.2 / 60, 0.34 / 60, 0.42 / 60])
    14
    """
    if not 0 < target < 1:
        raise ValueError("target must be above 0 and below 1")
    low, high = 0, 1
    while chat_figures(chats_per_s, high, rates_per_s, threshold_s=threshold_s).service_level < target:
        low, high = high, high * 2
        if high > AGENTS_MAX:
            raise ValueError(f"more than {AGENTS_MAX} agents")
    while high - low > 1:
        middle = (low + high) // 2
        reached = (
            chat_figures(chats_per_s, middle, rates_per_s, threshold_s=threshold_s).service_level >= target
        )
        low, high = (low, middle) if reached else (middle, high)
    return high
