"""What is asked of contacts per person and of transfers by pair, and what is answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field, field_validator

from app.figures.counted import CountedTable, Subject
from app.figures.dimensions import FiguresBy
from app.figures.drill import Drilled, Line
from app.figures.reader import DrillAsked
from app.figures.schemas import (
    FiguresLine,
    FormulaShown,
    NumberQuery,
    PeriodsQuery,
    formulas_shown,
    line_shown,
)
from workforce.contact_formulas import DAYS_WITHIN, DAYS_WITHIN_MAX
from workforce.periods import PeriodStep

_COLUMNS_MAX = 50
_FROM = (FiguresBy.QUEUE, FiguresBy.AGENT)


class CountedQuery(PeriodsQuery):
    """Which table; *columns*: of a file: terms and formula ids, in their order; none: all."""

    columns: list[str] = Field(default_factory=list, max_length=_COLUMNS_MAX)


class TransfersQuery(CountedQuery):
    """Which transfers; *by*: whether the first of a pair is a queue or an agent."""

    @field_validator("by")
    @classmethod
    def _is_first_of_a_pair(cls, by: FiguresBy) -> FiguresBy:
        if by not in _FROM:
            raise ValueError("pairs begin with a queue or with an agent")
        return by


class PersonsQuery(CountedQuery):
    """Which contacts; *within_days*: how far apart two of a person belong together, times 24 hours."""

    within_days: int = Field(default=DAYS_WITHIN, ge=1, le=DAYS_WITHIN_MAX)


class _Number(NumberQuery):
    """A number of the table."""

    key: str | None = Field(default=None, max_length=160)
    figure: str = Field(max_length=32)

    def drill(self, line: Line) -> DrillAsked:
        """Return it as the reader takes it."""
        return DrillAsked(
            line=line, key=self.key, bounds_ms=self.bounds_ms(), limit=self.limit, offset=self.offset
        )


class TransfersDrillQuery(TransfersQuery, _Number):
    """Which number of the transfers."""


class PersonsDrillQuery(PersonsQuery, _Number):
    """Which number of the contacts."""


class CountedShown(BaseModel):
    """A table: rows by period and key, without empty ones, and the total.

    Attributes:
        names: What the ids of keys are called now; of pairs (``sales>agent:a1001``) as ``queue:sales``.
    """

    zone: str
    step: PeriodStep
    by: FiguresBy
    names: dict[str, str]
    formulas: list[FormulaShown]
    rows: list[FiguresLine]
    total: FiguresLine


class CountedDrillRow(BaseModel):
    """One contact or transfer that a number counts.

    Attributes:
        detail: Of a transfer blind, attended or cancelled; of a contact resolved, came_again, open or nobody.
        over, under: What it adds above and below the line.
    """

    interaction_id: str
    at: datetime
    queue_id: str | None
    queue_name: str | None
    agent_id: str | None
    agent_name: str | None
    caller_number: str
    caller_name: str
    party_id: UUID | None
    party_name: str | None
    detail: str
    over: int
    under: int
    grade: str


class CountedDrillShown(BaseModel):
    """The calls behind one number: a page of them, and what all of them add up to."""

    figure: str
    row_count: int
    over_sum: int
    under_sum: int
    rows: list[CountedDrillRow]


def counted_shown(table: CountedTable) -> CountedShown:
    """Return a table as it is sent."""
    terms = table.subject.term_names
    return CountedShown(
        zone=table.zone,
        step=table.asked.step,
        by=table.asked.by,
        names=dict(table.names),
        formulas=formulas_shown(table.subject.formulas.values()),
        rows=[line_shown(row, terms, lambda cell, name: cell.get(name, 0)) for row in table.rows],
        total=line_shown(table.whole, terms, lambda cell, name: cell.get(name, 0)),
    )


def counted_drill_shown(figure: str, drilled: Drilled) -> CountedDrillShown:
    """Return what is behind a number as it is sent."""
    return CountedDrillShown(
        figure=figure,
        row_count=drilled.row_count,
        over_sum=drilled.over_sum,
        under_sum=drilled.under_sum,
        rows=[CountedDrillRow.model_validate(row, from_attributes=True) for row in drilled.rows],
    )


def known_line(subject: Subject, figure: str) -> Line:
    """Return the line of a figure.

    Raises:
        ValueError: there is no such figure, or another table counts it.
    """
    line = subject.line(figure)
    if line is None:
        raise ValueError(f"there is no such figure: {figure}; those there are: {', '.join(subject.columns)}")
    return line
