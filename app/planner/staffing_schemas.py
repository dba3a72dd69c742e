"""What is asked of, and answered by, the staffing endpoints."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ROWS_MAX = 3_000
"""A month of quarter-hours; more is a file."""
FILE_ROWS_MAX = 40_000
"""A year of quarter-hours; more is one for ``holdless plan staffing --in``."""

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
    """How many agents do these intervals need?

    Attributes:
        cost_per_hour: Of a scheduled (paid) agent.
        currency: Its label, ISO 4217; it is handed back, nothing is converted.
    """

    interval_s: Annotated[float, Field(gt=0, le=86_400)]
    goals: StaffingGoals = StaffingGoals()
    cost_per_hour: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    cases: Annotated[list[StaffingCase], Field(min_length=1, max_length=ROWS_MAX)]


class RequirementFile(StaffingQuestion):
    """The same question whose answer is wanted as a file.

    Attributes:
        starts_ms: When each case begins, in the order of the cases.
        zone: Whose clock the file shows, IANA.
    """

    format: Literal["csv", "xlsx"] = "csv"
    zone: Annotated[str, Field(min_length=1, max_length=64)]
    starts_ms: list[Annotated[int, Field(ge=0, le=4_102_444_800_000)]]
    cases: Annotated[list[StaffingCase], Field(min_length=1, max_length=FILE_ROWS_MAX)]

    @model_validator(mode="after")
    def _each_case_begins(self) -> RequirementFile:
        if len(self.starts_ms) != len(self.cases):
            raise ValueError("starts_ms needs one moment for each case")
        return self


class StaffedInterval(BaseModel):
    """The answer for one interval, in the order of the question; null: no such figure.

    Attributes:
        agents: Needed for the expected calls; agents_low and agents_high for the quantiles.
        scheduled: agents with shrinkage; they are paid.
        cost: Of the interval's scheduled agents.
        note_id: What is to be said about it; empty: nothing.
    """

    traffic_erl: float | None
    agents: int | None
    agents_low: int | None
    agents_high: int | None
    scheduled: int | None
    cost: float | None
    service_level: float | None
    service_level_formula: str = "SL-D"
    asa_s: float | None
    p_wait: float | None
    occupancy: float | None
    abandonment: float | None
    note_id: str


class StaffingAnswer(BaseModel):
    """All intervals, and what they come to.

    Attributes:
        agent_hours: Of agents who are there.
        scheduled_hours: Of agents who are scheduled and paid, shrinkage among them.
        cost: scheduled_hours times the cost of an hour, in ``currency``.
    """

    intervals: list[StaffedInterval]
    agents_max: int
    agent_hours: float
    scheduled_hours: float
    cost: float
    currency: str
