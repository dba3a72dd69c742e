"""What is asked of, and answered by, the staffing endpoints."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ROWS_MAX = 3_000
"""A month of quarter-hours; more is a file for ``holdless plan staffing --in``."""

Share = Annotated[float, Field(gt=0, le=1)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class StaffingGoals(_Body):
    """What is promised to callers and to agents.

    Attributes:
        target: Share of all calls to be answered within the threshold.
        patience_s: Mean patience; absent: nobody gives up (Erlang C).
        max_occupancy, max_abandonment: Limits beside the target.
        shrinkage: Share of scheduled time without calls.
        rate_cv: Coefficient of variation of the rate of calls.
    """

    target: Annotated[float, Field(gt=0, lt=1)] = 0.8
    threshold_s: Annotated[float, Field(ge=0, le=86_400)] = 20.0
    patience_s: Annotated[float | None, Field(gt=0, le=1e9)] = None
    max_occupancy: Share = 1.0
    max_abandonment: Share = 1.0
    shrinkage: Annotated[float, Field(ge=0, lt=1)] = 0.0
    rate_cv: Annotated[float, Field(ge=0, le=1)] = 0.0


class StaffingCase(_Body):
    """One interval: its expected calls, if you like with a low and a high quantile, and handling time."""

    calls: Annotated[float, Field(ge=0, le=1e9)]
    calls_low: Annotated[float | None, Field(ge=0, le=1e9)] = None
    calls_high: Annotated[float | None, Field(ge=0, le=1e9)] = None
    aht_s: Annotated[float, Field(gt=0, le=1e6)]


class StaffingQuestion(_Body):
    """How many agents do these intervals need?"""

    interval_s: Annotated[float, Field(gt=0, le=86_400)]
    goals: StaffingGoals = StaffingGoals()
    cost_per_hour: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    cases: Annotated[list[StaffingCase], Field(min_length=1, max_length=ROWS_MAX)]


class StaffedInterval(BaseModel):
    """The answer for one interval, in the order of the question; null: no such figure.

    Attributes:
        agents: Needed for the expected calls; agents_low and agents_high for the quantiles.
        scheduled: agents with shrinkage.
        note_id: What is to be said about it; empty: nothing.
    """

    traffic_erl: float | None
    agents: int | None
    agents_low: int | None
    agents_high: int | None
    scheduled: int | None
    service_level: float | None
    service_level_formula: str = "SL-D"
    asa_s: float | None
    p_wait: float | None
    occupancy: float | None
    abandonment: float | None
    note_id: str


class StaffingAnswer(BaseModel):
    """All intervals, and what they come to."""

    intervals: list[StaffedInterval]
    agents_max: int
    agent_hours: float
    scheduled_hours: float
    cost: float
