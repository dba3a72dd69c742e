"""One table of agents' figures, read from the log at one moment, and what stands behind a number of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import Database, TenantId
from app.figures.agent_facts import ALL_AGENTS, AgentsBy, AgentsNarrowed, is_reason
from app.figures.agent_queries import (
    Cuts,
    agent_cells,
    agent_names_of,
    behind_agents,
    first_moment_ms,
    reasons_in,
    reasons_of,
)
from app.figures.drill import Drilled, Line
from app.figures.queries import gaps_between
from app.figures.reader import NO_ZONE
from app.figures.rules import PeriodRow, rounded, rows_of
from app.wall.queries import centre_zone
from workforce.agent_cells import AGENT_TERMS, AgentCell, agents_total, reason_term
from workforce.agent_formulas import AGENT_FORMULAS, not_ready_for
from workforce.formulas import Formula
from workforce.periods import PeriodStep, day_start_ms, period_bounds


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsAsked:
    """Which figures of agents.

    Attributes:
        first, last: Local days, both included.
        zone: IANA name; None: the centre's.
        narrowed: Of these agents, teams … alone.
    """

    first: date
    last: date
    step: PeriodStep = PeriodStep.DAY
    by: AgentsBy = AgentsBy.AGENT
    zone: str | None = None
    narrowed: AgentsNarrowed = ALL_AGENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsTable:
    """The answer.

    Attributes:
        rows: By period and key, without those in which nobody was signed in and nothing happened.
        whole: All of it in one row.
        names: What the keys are called now.
        formulas: By id; one for each reason for not being ready among them.
        reason_names: What the reasons are called now.
    """

    asked: AgentsAsked
    zone: str
    rows: Sequence[PeriodRow[AgentCell]]
    whole: PeriodRow[AgentCell]
    names: Mapping[str, str]
    formulas: Mapping[str, Formula]
    reason_names: Mapping[str, str]

    def value_of(self, row: PeriodRow[AgentCell], column: str) -> float | int | None:
        """Return what a column holds in a row; None: no time or no calls."""
        return row.figures[column] if column in self.formulas else row.cell.term(column)

    @property
    def terms(self) -> tuple[str, ...]:
        """What the figures are computed from."""
        return (*AGENT_TERMS, *map(reason_term, reasons_in([self.whole.cell])))


async def read_agents(
    database: Database, tenant_id: TenantId, asked: AgentsAsked, now_ms: int
) -> AgentsTable:
    """Return the table.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    async with database.snapshot(tenant_id) as connection:
        cuts = await _cuts(connection, tenant_id, asked, now_ms)
        cells, grades = await agent_cells(connection, tenant_id, cuts, by=asked.by, narrowed=asked.narrowed)
        since_ms = await first_moment_ms(connection, tenant_id)
        gaps = await gaps_between(connection, tenant_id, cuts.bounds_ms[0], cuts.bounds_ms[-1], now_ms)
        names = await agent_names_of(connection, tenant_id, asked.by)
        reason_names = await reasons_of(connection, tenant_id)
    formulas = formulas_for(reasons_in(cells.values()))
    *rows, whole = await asyncio.to_thread(
        rows_of,
        cells,
        cuts.bounds_ms,
        grades=grades,
        since_ms=since_ms,
        now_ms=now_ms,
        figures=lambda cell: rounded({name: one.of(cell.term) for name, one in formulas.items()}),
        add_up=agents_total,
        gaps=gaps,
    )
    return AgentsTable(
        asked=asked,
        zone=cuts.zone,
        rows=rows,
        whole=whole,
        names=names,
        formulas=formulas,
        reason_names=reason_names,
    )


def formulas_for(reasons: Sequence[str]) -> dict[str, Formula]:
    """Return all formulas by id, those of the reasons last."""
    of_reasons = [not_ready_for(reason) for reason in reasons if is_reason(reason)]
    return {**AGENT_FORMULAS, **{one.formula_id: one for one in of_reasons}}


def agents_line(figure: str) -> Line | None:
    """Return the line of a formula or of one term; None: there is no such figure."""
    reason = figure.partition(".")[2]
    formula = formulas_for([reason]).get(figure)
    if formula is not None:
        is_total = formula.unit == "total_s"
        return Line(over=formula.over, under=() if is_total else formula.under, less=formula.less)
    named = reason.removesuffix("_ms")
    if figure in AGENT_TERMS or (figure == reason_term(named) and is_reason(named)):
        return Line(over=(figure,))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsDrill:
    """Which number's spans and calls.

    Attributes:
        key: Of the number's row; None: of the total.
        bounds_ms: The row's period; None: the whole range.
    """

    line: Line
    key: str | None = None
    bounds_ms: tuple[int, int] | None = None
    limit: int = 100
    offset: int = 0


async def read_behind(
    database: Database, tenant_id: TenantId, asked: AgentsAsked, drill: AgentsDrill, now_ms: int
) -> Drilled:
    """Return what stands behind one number of the table that *asked* makes.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    async with database.snapshot(tenant_id) as connection:
        cuts = await _cuts(connection, tenant_id, asked, now_ms)
        bounds_ms = drill.bounds_ms or (cuts.bounds_ms[0], cuts.bounds_ms[-1])
        return await behind_agents(
            connection,
            tenant_id,
            Cuts(
                bounds_ms=bounds_ms,
                midnights_ms=cuts.midnights_ms,
                zone=cuts.zone,
                now_ms=now_ms,
            ),
            drill.line,
            narrowed=asked.narrowed.to(asked.by, drill.key),
            limit=drill.limit,
            offset=drill.offset,
        )


async def _cuts(connection: AsyncConnection, tenant_id: TenantId, asked: AgentsAsked, now_ms: int) -> Cuts:
    zone = asked.zone or await centre_zone(connection, tenant_id) or NO_ZONE
    bounds_ms = period_bounds(zone, asked.first, asked.last, asked.step)
    day_count = (asked.last - asked.first).days + 1
    info = ZoneInfo(zone)
    midnights_ms = [day_start_ms(info, asked.first + timedelta(days=number)) for number in range(day_count)]
    return Cuts(bounds_ms=bounds_ms, midnights_ms=midnights_ms, zone=zone, now_ms=now_ms)


def now_in_ms() -> int:
    """Return the wall clock, in milliseconds since the epoch."""
    return int(datetime.now(UTC).timestamp() * 1000)
