"""What ``/figures/agents`` takes and gives. The page's types come from here."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from app.figures.agent_facts import AgentsBy, agents_narrowed_to
from app.figures.agent_reader import AgentsAsked, AgentsDrill, AgentsTable, agents_line
from app.figures.drill import Drilled
from app.figures.rules import FiguresGrade
from app.figures.schemas import FiguresLine, FormulaShown, NumberQuery, formulas_shown, line_shown
from routing.events import AgentState
from workforce.agent_formulas import AGENT_FORMULAS
from workforce.periods import PeriodStep

_ONLY_MAX = 50
_COLUMNS_MAX = 200


class AgentsQuery(BaseModel):
    """Which figures of agents: local days, both included; the zone is the centre's where none is named.

    Attributes:
        only: ``team:front`` and the like: of these alone; ``team:`` is what has no team.
    """

    model_config = ConfigDict(extra="forbid")

    first: date
    last: date
    step: PeriodStep = PeriodStep.DAY
    by: AgentsBy = AgentsBy.AGENT
    zone: str | None = Field(default=None, min_length=1, max_length=64)
    only: list[str] = Field(default_factory=list, max_length=_ONLY_MAX)

    @field_validator("only")
    @classmethod
    def _names_dimensions(cls, only: list[str]) -> list[str]:
        agents_narrowed_to(only)
        return only

    def asked(self) -> AgentsAsked:
        """Return it as the reader takes it."""
        return AgentsAsked(
            first=self.first,
            last=self.last,
            step=self.step,
            by=self.by,
            zone=self.zone,
            narrowed=agents_narrowed_to(self.only),
        )


class AgentsExportQuery(AgentsQuery):
    """Which figures of agents to take away.

    Attributes:
        columns: Terms and formula ids, in their order; none: all. One that the table has not is passed over.
    """

    columns: list[str] = Field(default_factory=list, max_length=_COLUMNS_MAX)


class AgentsDrillQuery(AgentsQuery, NumberQuery):
    """Which number of that table.

    Attributes:
        figure: Id of a formula, or one of its terms (``state.ready_ms``, ``reason.lunch_ms``).
    """

    figure: str = Field(max_length=64)

    @field_validator("figure")
    @classmethod
    def _is_known(cls, figure: str) -> str:
        if agents_line(figure) is None:
            raise ValueError(f"there is no such figure; the formulas: {', '.join(AGENT_FORMULAS)}")
        return figure

    def drill(self) -> AgentsDrill:
        """Return it as the reader takes it."""
        line = agents_line(self.figure)
        assert line is not None, "checked"
        return AgentsDrill(
            line=line, key=self.key, bounds_ms=self.bounds_ms(), limit=self.limit, offset=self.offset
        )


class AgentFiguresShown(BaseModel):
    """A table of agents' figures; ``names`` and ``reasons`` say what the keys and reasons are called now."""

    zone: str
    step: PeriodStep
    by: AgentsBy
    names: dict[str, str]
    reasons: dict[str, str]
    formulas: list[FormulaShown]
    rows: list[FiguresLine]
    total: FiguresLine


class AgentDrillRow(BaseModel):
    """A span, or a participation, that a number counts.

    Attributes:
        at, until: Of a span, as far as it lies in the period; a participation has no end here.
        state, reason: Of a span.
        over, under: What it adds above and below the line; milliseconds where the term is a time.
    """

    agent_id: str
    agent_name: str | None
    at: datetime
    until: datetime | None
    state: AgentState | None
    reason: str | None
    interaction_id: str | None
    attempt: int | None
    queue_id: str | None
    queue_name: str | None
    caller_number: str
    caller_name: str
    party_id: UUID | None
    party_name: str | None
    over: int
    under: int
    grade: FiguresGrade


class AgentDrillShown(BaseModel):
    """What stands behind one number: a page of it, and what all of it adds up to."""

    figure: str
    row_count: int
    over_sum: int
    under_sum: int
    rows: list[AgentDrillRow]


def agents_shown(table: AgentsTable) -> AgentFiguresShown:
    """Return a table as it is sent."""
    terms = table.terms
    return AgentFiguresShown(
        zone=table.zone,
        step=table.asked.step,
        by=table.asked.by,
        names=dict(table.names),
        reasons=dict(table.reason_names),
        formulas=formulas_shown(table.formulas.values()),
        rows=[line_shown(row, terms, lambda cell, name: cell.term(name)) for row in table.rows],
        total=line_shown(table.whole, terms, lambda cell, name: cell.term(name)),
    )


def behind_shown(query: AgentsDrillQuery, drilled: Drilled) -> AgentDrillShown:
    """Return what stands behind a number as it is sent."""
    return AgentDrillShown(
        figure=query.figure,
        row_count=drilled.row_count,
        over_sum=drilled.over_sum,
        under_sum=drilled.under_sum,
        rows=[AgentDrillRow.model_validate(row, from_attributes=True) for row in drilled.rows],
    )
