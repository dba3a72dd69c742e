"""What the call log tells a planner: what can be forecast, a history with its marks, patience, today."""

from __future__ import annotations

from pydantic import BaseModel

from app.planner.schemas import MarkRow, NoteTold


class LogQueue(BaseModel):
    """A queue and how much of it the log has.

    Attributes:
        visit_count: In the period asked for.
        zone: Of its calendar; null: it has none.
        target, threshold_s: Its goal, the start of every what-if.
    """

    queue_id: str
    display_name: str
    visit_count: int
    zone: str | None
    target: float
    threshold_s: float


class LogReason(BaseModel):
    """A reason of contacts that the log has."""

    reason_id: str
    display_name: str
    contact_count: int


class LogGroup(BaseModel):
    """A kind of customers that called; ``unknown``: nobody knew who it was."""

    party_kind: str
    contact_count: int


class LogSources(BaseModel):
    """What can be forecast from the log.

    Attributes:
        region: The centre's country, whose public holidays are likely meant.
        first_day: First day (UTC) of the period with a call; null: the log has none.
    """

    days: int
    region: str
    first_day: str | None
    queues: list[LogQueue]
    reasons: list[LogReason]
    groups: list[LogGroup]


class HistoryDay(BaseModel):
    """One local day.

    Attributes:
        observed: Calls in the log or file; null: none, the day counts as closed.
        used: Calls that are reckoned with, repaired; null: the day is left out.
        kinds: Kinds of its marks, each once.
    """

    day: str
    observed: float | None
    used: float | None
    kinds: list[str]


class HistoryShown(BaseModel):
    """A history as it is learnt from.

    Attributes:
        aht_s: Mean handle time of the calls that were handled; null: not known.
        mark_count: Of all marks; ``marks`` holds the last of them.
    """

    zone: str
    interval_min: int
    call_count: float
    aht_s: float | None
    used_day_count: int
    days: list[HistoryDay]
    mark_count: int
    marks: list[MarkRow]


class CurvePoint(BaseModel):
    """Part of the callers still willing to wait after a time, with its band."""

    time_s: float
    survival: float
    low: float
    high: float


class HazardRow(BaseModel):
    """How readily callers give up at one stage of the wait, as a share per minute, with its band."""

    from_s: float
    to_s: float
    abandoned_count: int
    per_min: float
    low: float
    high: float


class PatienceShown(BaseModel):
    """How long callers are willing to wait.

    Attributes:
        mean_s, low_s, high_s: What Erlang A takes (total wait ÷ abandoned) and its band.
        median_s: Half would wait longer; null: fewer than half gave up as far as the curve goes.
        is_exponential: Whether one number tells it all.
        curve: At most 200 of its steps.
    """

    wait_count: int
    abandoned_count: int
    excluded_count: int
    confidence: float
    mean_s: float
    low_s: float
    high_s: float
    median_s: float | None
    is_exponential: bool
    curve: list[CurvePoint]
    hazards: list[HazardRow]


class TodayRow(BaseModel):
    """One interval of today.

    Attributes:
        planned: As the run says, with what people laid over it.
        calls: That came; null: the interval is not over.
        mean, p10, p50, p90: Expected now.
    """

    start_ms: int
    planned: float
    calls: int | None
    mean: float
    p10: float
    p50: float
    p90: float


class TodayShown(BaseModel):
    """Today so far, and the rest of it given that.

    Attributes:
        until_ms: What came before this moment is known.
        is_renewed: Whether past mornings told anything of their days; else the rest stands as planned.
        total_planned, total_expected: Calls of the whole day.
    """

    until_ms: int
    interval_min: int
    zone: str
    is_renewed: bool
    calls_so_far: float
    planned_so_far: float
    total_planned: float
    total_expected: float
    intervals: list[TodayRow]
    notes: list[NoteTold]
