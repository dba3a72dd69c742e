"""Forecasts as pages and programs read them. Moments are milliseconds since the Unix epoch (UTC)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import Row

from workforce.forecast import HORIZON_DAYS_MAX
from workforce.notes import NoteId

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
PartyKind = Literal["person", "organisation", "household", "partner", "supplier", "unknown"]


class QueueSource(BaseModel):
    """The visits to a queue, of all callers, of one kind of customers or (unknown) of those nobody knew."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["queue"]
    queue_id: Slug
    party_kind: PartyKind | None = None


class ReasonSource(BaseModel):
    """The contacts for a reason, of all callers or of one kind."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["reason"]
    reason_id: Slug
    party_kind: PartyKind | None = None


LogSource = Annotated[QueueSource | ReasonSource, Field(discriminator="kind")]


class AnalogySource(BaseModel):
    """A new queue that will be like another: its forecast at another scale.

    Attributes:
        like: Whose past is learnt from.
        ratio: New calls per call of the other. Absent: as measured on the days that both had.
        uncertain: How far the ratio may be off, relative; absent: 0.2.
        queue_id: The new queue; needed when no ratio is given.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Literal["analogy"]
    like: LogSource
    ratio: float | None = Field(default=None, gt=0, le=1_000)
    uncertain: float | None = Field(default=None, ge=0, le=2)
    queue_id: Slug | None = None

    @model_validator(mode="after")
    def _has_a_scale(self) -> AnalogySource:
        if self.ratio is None and self.queue_id is None:
            raise ValueError("say a ratio, or the queue_id of the new queue to measure it")
        return self


AskedSource = Annotated[QueueSource | ReasonSource | AnalogySource, Field(discriminator="kind")]


class ForecastBody(BaseModel):
    """What to forecast from the call log.

    Attributes:
        zone: Whose days are meant, IANA.
        country: Whose public holidays count: TW, DE-BY.
        events: The centre's own, CSV with date,event[,until].
        history_days: How far back to learn from.
    """

    model_config = ConfigDict(extra="forbid")

    display_name: str = Field(default="", max_length=200)
    source: AskedSource
    interval_min: Literal[15, 30, 60, 1440] = 30
    horizon_days: int = Field(default=28, ge=1, le=HORIZON_DAYS_MAX)
    zone: str = Field(min_length=1, max_length=64)
    country: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}(-[A-Za-z0-9]{1,4})?$")
    events: str | None = Field(default=None, max_length=200_000)
    history_days: int = Field(default=730, ge=7, le=1_100)


class ForecastMade(BaseModel):
    """A run that waits for its job."""

    run_id: UUID
    job_id: UUID


class OverlayBody(BaseModel):
    """A change by hand of the intervals that begin in [start_ms, end_ms): a factor, or a number of calls."""

    model_config = ConfigDict(extra="forbid")

    start_ms: int = Field(ge=0, le=4_102_444_800_000)
    end_ms: int = Field(ge=0, le=4_102_444_800_000)
    factor: float | None = Field(default=None, ge=0, le=1_000)
    calls: float | None = Field(default=None, ge=0, le=1_000_000)
    why: str = Field(min_length=1, max_length=500)


class OverlayKept(OverlayBody):
    """An overlay with who laid it and when; and who undid it, where somebody did.

    Attributes:
        at_ms: Null where it was laid before moments were kept.
        carried_from: The run in which it was laid, where this one took it over; null: it was laid here.
    """

    who: str
    at_ms: int | None = None
    undone_by: str | None = None
    undone_ms: int | None = None
    carried_from: UUID | None = None


class PeerFigures(BaseModel):
    """WAPE and bias as shares: 0.05 is 5 %; null where no calls came to be missed."""

    wape: float | None
    bias: float | None


class ForecastFigures(PeerFigures):
    """Figures of our own forecast.

    Attributes:
        coverage: Part of past intervals within the band.
        pinball: Mean quantile loss over mean calls.
    """

    coverage: float
    pinball: float | None


class HorizonFigures(BaseModel):
    """Accuracy of all days up to a horizon, beside what must be beaten; ``winner`` says who was nearest."""

    horizon_days: int
    origins: int
    winner: Literal["forecast", "seasonal_naive", "industry"]
    forecast: ForecastFigures
    seasonal_naive: PeerFigures
    industry: PeerFigures


class NoteTold(BaseModel):
    """What a planner should know of a forecast: an id, and what belongs into its sentence."""

    note_id: NoteId
    params: dict[str, int | float | str]


class Accuracy(BaseModel):
    """A backtest in short; without horizons the notes say why there is none."""

    horizons: list[HorizonFigures]
    notes: list[NoteTold]


class MarkRow(BaseModel):
    """What was wrong with an interval or (``slot_min`` null) a day of the history, and what was done."""

    kind: str
    day: str
    slot_min: int | None
    observed: float | None
    used: float | None
    why: str


class HistoryTold(BaseModel):
    """The history that was learnt from, and its last marks."""

    day_count: int
    first_day: str
    last_day: str
    mark_count: int
    marks: list[MarkRow]


class ScaleTold(BaseModel):
    """How large a new queue was taken to be against the one that it is like.

    Attributes:
        ratio: New calls per call of the other.
        uncertain: Its relative standard deviation.
        days_count: Days that both had, from which it was measured; 0: it was given.
    """

    ratio: float
    uncertain: float
    days_count: int


class ForecastOutcome(BaseModel):
    """How a forecast was made.

    Attributes:
        weights: Share of each way that was averaged, by name.
        scale: Of a new queue by analogy.
    """

    weights: dict[str, float]
    scale: ScaleTold | None = None
    notes: list[NoteTold]
    history: HistoryTold
    accuracy: Accuracy


class ForecastParameters(BaseModel):
    """As they were asked for."""

    interval_min: int
    horizon_days: int
    zone: str
    country: str | None = None
    events: str | None = None
    history_days: int | None = None


class FileSource(BaseModel):
    """An uploaded series."""

    kind: Literal["file"]


class ForecastRunRow(BaseModel):
    """A run.

    Attributes:
        job_id: Its state is at ``/jobs/{job_id}``.
        outcome: Null until the job is done; method, accuracy beside the peers, marks, notes.
    """

    run_id: UUID
    display_name: str
    made_by: str
    made_ms: int
    job_id: UUID | None
    again_of: UUID | None
    source: Annotated[QueueSource | ReasonSource | AnalogySource | FileSource, Field(discriminator="kind")]
    parameters: ForecastParameters
    overlays: list[OverlayKept]
    outcome: ForecastOutcome | None

    @classmethod
    def of(cls, row: Row[Any]) -> ForecastRunRow:
        """Return the run as it is shown."""
        return cls(
            run_id=row.run_id,
            display_name=row.display_name,
            made_by=row.made_by,
            made_ms=int(row.made_at.timestamp() * 1_000),
            job_id=row.job_id,
            again_of=row.again_of,
            source=row.source,
            parameters=ForecastParameters(**row.parameters),
            overlays=[OverlayKept(**overlay) for overlay in row.overlays],
            outcome=ForecastOutcome(**row.outcome) if row.outcome else None,
        )


class ForecastRunPage(BaseModel):
    """Runs, newest first."""

    runs: list[ForecastRunRow]
    next_cursor: str | None


class IntervalRow(BaseModel):
    """One interval.

    Attributes:
        forecast: What the method says.
        mean: What is used: with the overlays.
        overlay: Number (from 0) of the overlay in force that was last to change it; null: none.
    """

    start_ms: int
    forecast: float
    mean: float
    p10: float
    p50: float
    p90: float
    aht_s: float | None
    overlay: int | None


class IntervalPage(BaseModel):
    """All intervals of a run, and the calls it was made from by the same interval (history)."""

    interval_min: int
    zone: str
    intervals: list[IntervalRow]
    history_start_ms: list[int]
    history_calls: list[float | None]
