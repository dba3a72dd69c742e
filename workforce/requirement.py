"""From a forecast to agents per interval: with the forecast's doubt, shrinkage, paid hours and cost.

The doubt comes as quantiles of the calls (how many agents on a quiet, on a busy day), as the rate's
coefficient of variation (how many agents so that the goal holds on average over such days), or both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from workforce.erlang_integrals import Floats
from workforce.staffing import Staffing, agents_needed, staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Goals:
    """What is promised to callers and to agents; see ``workforce.staffing.staff``."""

    target: float = 0.8
    threshold_s: float = 20.0
    patience_s: float = np.inf
    occupancy_max: float = 1.0
    abandonment_max: float = 1.0
    shrinkage: float = 0.0
    rate_cv: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """Agents per interval and what they cost together.

    Attributes:
        plan: For the expected calls.
        agents_low, agents_high: For the calls' low and high quantile; nan without them.
        agent_hours: Hours of agents who are there, over the rows that could be planned.
        scheduled_hours: Hours of agents who are scheduled, shrinkage among them.
        cost: scheduled_hours times the cost of an hour.
    """

    plan: Staffing
    agents_low: Floats
    agents_high: Floats
    agent_hours: float
    scheduled_hours: float
    cost: float


def required_agents(
    calls: ArrayLike,
    interval_s: float,
    aht_s: ArrayLike,
    goals: Goals,
    *,
    calls_low: ArrayLike | None = None,
    calls_high: ArrayLike | None = None,
    cost_per_hour: float = 0.0,
) -> Requirement:
    """Return how many agents each interval needs.

    Args:
        calls: Expected per interval, shape (intervals,).
        interval_s: Length of each interval.
        aht_s: Mean handling time, one or per interval.
        goals: What is promised.
        calls_low: A low quantile of the calls, such as the 10 % one.
        calls_high: A high quantile.
        cost_per_hour: Of a scheduled agent.

    >>> need = required_agents([50, 100], 1800.0, 180.0, Goals(shrinkage=0.3), cost_per_hour=20.0)
    >>> need.plan.agents.tolist(), need.agent_hours, need.scheduled_hours, need.cost
    ([8.0, 14.0], 11.0, 16.0, 320.0)
    """
    promised = {
        "target": goals.target,
        "threshold_s": goals.threshold_s,
        "patience_s": goals.patience_s,
        "occupancy_max": goals.occupancy_max,
        "abandonment_max": goals.abandonment_max,
    }
    plan = staff(calls, interval_s, aht_s, **promised, shrinkage=goals.shrinkage, rate_cv=goals.rate_cv)
    nothing = np.full(plan.agents.shape, np.nan)
    low, high = (
        nothing if quantile is None else agents_needed(quantile, interval_s, aht_s, **promised)
        for quantile in (calls_low, calls_high)
    )
    hours = interval_s / 3600.0
    scheduled_hours = float(np.nansum(plan.scheduled)) * hours
    return Requirement(
        plan=plan,
        agents_low=low,
        agents_high=high,
        agent_hours=float(np.nansum(plan.agents)) * hours,
        scheduled_hours=scheduled_hours,
        cost=scheduled_hours * cost_per_hour,
    )
