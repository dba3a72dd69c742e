"""What ``/figures`` takes and gives. The page's types come from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from app.figures.dimensions import FiguresBy
from app.figures.drill import DRILL_ROWS_MAX, Drilled, Line
from app.figures.facts import TERMS, FiguresView
from app.figures.layout import ALL_COLUMNS, Shape, is_column
from app.figures.queries import narrowed_to
from app.figures.reader import DrillAsked, FiguresAsked, FiguresChoices, FiguresTable
from app.figures.rules import C, FiguresGrade, GapCause, LogGap, PeriodRow
from app.figures.words import Language
from routing.events import QueueExit
from workforce.formulas import FORMULAS, Formula, Unit, WaitQuantile, term
from workforce.periods import PeriodStep

_ONLY_MAX = 50


class PeriodsQuery(BaseModel):
    """Which periods and parts: local days, both included; the zone is the centre's where none is named.

    Attributes:
        only: ``queue:sales`` and the like: of these alone; ``team:`` is what has no team.
    """

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date
    step: PeriodStep = PeriodStep.RANGE
    by: FiguresBy = FiguresBy.QUEUE
    zone: str | None = Field(default=None, min_length=1, max_length=64)
    only: list[str] = Field(default_factory=list, max_length=_ONLY_MAX)

    @field_validator("only")
    @classmethod
    def _names_dimensions(cls, only: list[str]) -> list[str]:
        narrowed_to(only)
        return only

    def asked(self) -> FiguresAsked:
        """Return it as the reader takes it."""
        return FiguresAsked(
            first=self.first,
            last=self.last,
            step=self.step,
            by=self.by,
            zone=self.zone,
            narrowed=narrowed_to(self.only),
        )


class FiguresQuery(PeriodsQuery):
    """Which figures; *view*: each fact where it happened, or all of a call where it began."""

    step: PeriodStep = PeriodStep.DAY
    view: FiguresView = FiguresView.EVENT

    def asked(self) -> FiguresAsked:
        """Return it as the reader takes it."""
        return replace(super().asked(), view=self.view)


class ExportQuery(FiguresQuery):
    """Which figures to take away, and how they are laid out.

    Attributes:
        columns: Terms and formula ids, in their order; none: all.
        sort: A column or ``key``, ``-`` before it for the largest first; empty: by time.
        language: Of what a PDF says in words.
    """

    columns: list[str] = Field(default_factory=list, max_length=len(ALL_COLUMNS))
    sort: str = Field(default="", max_length=40)
    language: Language = "en"

    @field_validator("columns")
    @classmethod
    def _are_columns(cls, columns: list[str]) -> list[str]:
        if unknown := [column for column in columns if not is_column(column)]:
            raise ValueError(f"there is no such figure: {', '.join(unknown)}")
        return columns

    @property
    def shape(self) -> Shape:
        """How it is laid out."""
        return Shape(columns=self.columns or ALL_COLUMNS, sort=self.sort)


class NumberQuery(BaseModel):
    """Which number of a table, and which page of what is behind it.

    Attributes:
        start, end: The row's period; none: the whole range.
        key: The row's; none: the total.
    """

    start: datetime | None = None
    end: datetime | None = None
    key: str | None = Field(default=None, max_length=64)
    limit: int = Field(default=100, ge=1, le=DRILL_ROWS_MAX)
    offset: int = Field(default=0, ge=0, le=10_000_000)

    @model_validator(mode="after")
    def _has_a_period(self) -> Self:
        if (self.start is None) != (self.end is None):
            raise ValueError("name both start and end of the period, or neither")
        if self.start is not None and self.end is not None:
            if self.start.tzinfo is None or self.end.tzinfo is None:
                raise ValueError("write start and end with their offset from UTC")
            if self.end <= self.start:
                raise ValueError("the period ends before it starts")
        return self

    def bounds_ms(self) -> tuple[int, int] | None:
        """Return the row's period, half-open; None: the whole range."""
        if self.start is None or self.end is None:
            return None
        return _ms(self.start), _ms(self.end)


class DrillQuery(FiguresQuery, NumberQuery):
    """Which number of that table.

    Attributes:
        figure: Id of a formula, or one of its terms (``offered_count``, ``exit.key``).
        against: Id of a second formula: only what the two count differently.
    """

    figure: str = Field(max_length=32)
    against: str | None = Field(default=None, max_length=32)

    @field_validator("figure", "against")
    @classmethod
    def _is_known(cls, figure: str | None) -> str | None:
        if figure is not None and figure not in FORMULAS and figure not in TERMS:
            raise ValueError(f"there is no such figure; the formulas: {', '.join(FORMULAS)}")
        return figure

    def drill(self) -> DrillAsked:
        """Return it as the reader takes it."""
        return DrillAsked(
            line=line_of(self.figure),
            against=None if self.against is None else line_of(self.against),
            key=self.key,
            bounds_ms=self.bounds_ms(),
            limit=self.limit,
            offset=self.offset,
        )


class FormulaShown(BaseModel):
    """What a figure is made of: sum of ``over`` ÷ (sum of ``under`` less ``less``); of a total: ``over``."""

    formula_id: str
    unit: Unit
    over: list[str]
    under: list[str]
    less: list[str]


class ChoicesShown(BaseModel):
    """What can be asked for.

    Attributes:
        zone: The centre's, whose days are meant where none is named.
        since: When the log begins; null: it is empty.
        names: By dimension, what its ids are called now; a dimension without names has fixed ids.
        reasons: For not being ready.
    """

    zone: str
    since: datetime | None
    names: dict[FiguresBy, dict[str, str]]
    reasons: dict[str, str]


class FiguresLine(BaseModel):
    """One period of one key.

    Attributes:
        is_running: The period is not over; all is said of it so far.
        terms: What the figures are computed from, those that are not 0; they add up over rows.
        figures: By formula id, shares in [0, 1], seconds and counts per hour; null without calls or time.
    """

    start: datetime
    end: datetime
    key: str
    terms: dict[str, int]
    figures: dict[str, float | None]
    grade: FiguresGrade
    is_running: bool


class GapShown(BaseModel):
    """A stretch of the log from which facts may be missing.

    Attributes:
        end: Null: it goes on.
        grade: What it makes of every period that it reaches into.
    """

    start: datetime
    end: datetime | None
    cause: GapCause
    grade: FiguresGrade


class FiguresShown(BaseModel):
    """A table of figures; ``names`` says what the keys are called now, ``gaps`` where the log has some."""

    zone: str
    step: PeriodStep
    by: FiguresBy
    view: FiguresView
    names: dict[str, str]
    formulas: list[FormulaShown]
    rows: list[FiguresLine]
    total: FiguresLine
    gaps: list[GapShown]


class DrillRow(BaseModel):
    """One visit or participation that a number counts.

    Attributes:
        attempt: Of an offer or participation; null: the visit as a whole.
        exit_cause, wait_ms: How and after what wait the visit ended, where the number counts that.
        ended_by: Who ended the participation: customer, agent, system, outside or unknown; ``transferred``
            where it was given on, ``left_conference`` where the others went on. Null: it counts no end.
        over, under: What it adds above and below the line; milliseconds where the term is a time.
    """

    interaction_id: str
    visit: int | None
    attempt: int | None
    at: datetime
    queue_id: str | None
    queue_name: str | None
    agent_id: str | None
    agent_name: str | None
    caller_number: str
    caller_name: str
    party_id: UUID | None
    party_name: str | None
    exit_cause: QueueExit | None
    ended_by: str | None = None
    wait_ms: int | None
    over: int
    under: int
    grade: str


class DrillShown(BaseModel):
    """The calls behind one number: a page of them, and what all of them add up to."""

    figure: str
    against: str | None
    row_count: int
    over_sum: int
    under_sum: int
    rows: list[DrillRow]


def line_of(figure: str) -> Line:
    """Return the line of a formula, or of one of its terms."""
    formula = FORMULAS.get(figure)
    if formula is None:
        return Line(over=(figure,))
    return Line(over=formula.over, under=formula.under, less=formula.less)


def choices_shown(choices: FiguresChoices) -> ChoicesShown:
    """Return what can be asked for as it is sent."""
    since_ms = choices.since_ms
    return ChoicesShown(
        zone=choices.zone,
        since=None if since_ms is None else datetime.fromtimestamp(since_ms / 1000, UTC),
        names={by: dict(names) for by, names in choices.names.items()},
        reasons=dict(choices.reasons),
    )


def shown(table: FiguresTable) -> FiguresShown:
    """Return a table as it is sent."""
    return FiguresShown(
        zone=table.zone,
        step=table.asked.step,
        by=table.asked.by,
        view=table.asked.view,
        names=dict(table.names),
        formulas=formulas_shown(FORMULAS.values()),
        rows=[line_shown(row, TERMS, term) for row in table.rows],
        total=line_shown(table.whole, TERMS, term),
        gaps=[gap_shown(gap) for gap in table.gaps],
    )


def gap_shown(gap: LogGap) -> GapShown:
    """Return a gap as it is sent."""
    return GapShown(
        start=datetime.fromtimestamp(gap.started_ms / 1000, UTC),
        end=None if gap.is_running else datetime.fromtimestamp(gap.ended_ms / 1000, UTC),
        cause=gap.cause,
        grade=gap.grade,
    )


def formulas_shown(formulas: Iterable[Formula | WaitQuantile]) -> list[FormulaShown]:
    """Return formulas as they are sent."""
    return [
        FormulaShown(
            formula_id=one.formula_id,
            unit=one.unit,
            over=list(one.over),
            under=list(one.under),
            less=list(one.less),
        )
        for one in formulas
    ]


def drill_shown(query: DrillQuery, drilled: Drilled) -> DrillShown:
    """Return the calls behind a number as they are sent."""
    return DrillShown(
        figure=query.figure,
        against=query.against,
        row_count=drilled.row_count,
        over_sum=drilled.over_sum,
        under_sum=drilled.under_sum,
        rows=[DrillRow.model_validate(row, from_attributes=True) for row in drilled.rows],
    )


def line_shown(row: PeriodRow[C], terms: Sequence[str], value_of: Callable[[C, str], int]) -> FiguresLine:
    """Return a row as it is sent.

    Args:
        value_of: Gives a term of the row's cell.
    """
    return FiguresLine(
        start=datetime.fromtimestamp(row.start_ms / 1000, UTC),
        end=datetime.fromtimestamp(row.end_ms / 1000, UTC),
        key=row.key,
        terms={name: value for name in terms if (value := value_of(row.cell, name))},
        figures=dict(row.figures),
        grade=row.grade,
        is_running=row.is_running,
    )


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
