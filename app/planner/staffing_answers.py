"""A question about staffing, computed."""

from __future__ import annotations

import math

import numpy as np

from app.planner.staffing_schemas import StaffedInterval, StaffingAnswer, StaffingQuestion
from workforce.requirement import Goals, required_agents


def answer_staffing(question: StaffingQuestion) -> StaffingAnswer:
    """Return the answer; pure."""
    goals, cases = question.goals, question.cases

    def quantile(name: str) -> list[float] | None:
        found = [getattr(case, name) for case in cases]
        if all(value is None for value in found):
            return None
        return [math.nan if value is None else value for value in found]

    need = required_agents(
        [case.calls for case in cases],
        question.interval_s,
        [case.aht_s for case in cases],
        Goals(
            target=goals.target,
            threshold_s=goals.threshold_s,
            patience_s=math.inf if goals.patience_s is None else goals.patience_s,
            occupancy_max=goals.max_occupancy,
            abandonment_max=goals.max_abandonment,
            shrinkage=goals.shrinkage,
            rate_cv=goals.rate_cv,
        ),
        calls_low=quantile("calls_low"),
        calls_high=quantile("calls_high"),
        cost_per_hour=question.cost_per_hour,
    )
    plan, figures = need.plan, need.plan.figures
    columns = zip(
        plan.traffic_erl.tolist(),
        plan.agents.tolist(),
        need.agents_low.tolist(),
        need.agents_high.tolist(),
        plan.scheduled.tolist(),
        plan.service_level.tolist(),
        figures.asa_s.tolist(),
        figures.p_wait.tolist(),
        figures.occupancy.tolist(),
        figures.abandonment.tolist(),
        plan.notes,
        strict=True,
    )
    hourly = question.interval_s / 3600.0 * question.cost_per_hour
    intervals = [
        StaffedInterval(
            traffic_erl=_real(traffic),
            agents=_whole(agents),
            agents_low=_whole(low),
            agents_high=_whole(high),
            scheduled=_whole(scheduled),
            cost=_real(scheduled * hourly),
            service_level=_real(level),
            asa_s=_real(asa),
            p_wait=_real(waits),
            occupancy=_real(busy),
            abandonment=_real(gone),
            note_id=str(note),
        )
        for traffic, agents, low, high, scheduled, level, asa, waits, busy, gone, note in columns
    ]
    return StaffingAnswer(
        intervals=intervals,
        agents_max=int(np.nanmax(np.append(plan.agents, 0.0))),
        agent_hours=need.agent_hours,
        scheduled_hours=need.scheduled_hours,
        cost=need.cost,
        currency=question.currency,
    )


def _real(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _whole(value: float) -> int | None:
    return None if math.isnan(value) else int(value)
