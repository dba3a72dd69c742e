"""Tables of facts that are counted whole (contacts per person, transfers by pair), and what is behind them.

A *subject* says which facts there are and when each term counts one. Rows, total, grades and drill-down are
made alike for all subjects; they are read from the log, since a later contact or a merge changes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import Database, TenantId
from app.figures.dimensions import DIMENSIONS, FiguresBy, joins_of
from app.figures.drill import Drilled, Line
from app.figures.facts import FiguresView, fact_values, weight_sql
from app.figures.queries import CellKey, first_fact_ms, gaps_between, names_of, period_cells
from app.figures.reader import NO_ZONE, DrillAsked, FiguresAsked
from app.figures.rules import FiguresGrade, PeriodRow, rounded, rows_of
from app.wall.queries import centre_zone
from workforce.contact_formulas import Counts
from workforce.formulas import Formula
from workforce.periods import period_bounds

PAIR: Final = ">"
"""Between whom a transfer came from and whom it was meant for, in the key of a pair."""
HANDLED: Final = "handled_count"

_COUNTED: Final = """
, keyed AS (
    SELECT fact.*, {key} AS key FROM fact {joins} WHERE fact.at >= :since AND fact.at < :until {narrowed}
)
SELECT width_bucket(at, CAST(:bounds AS timestamptz[])) - 1 AS period, key,
    bool_or(grade = 'back_filled') AS is_back_filled, {terms}
FROM keyed AS fact GROUP BY 1, 2
"""
_BEHIND: Final = """
, keyed AS (
    SELECT fact.*, {key} AS key FROM fact {joins} WHERE fact.at >= :since AND fact.at < :until {narrowed}
), meant AS (
    SELECT * FROM (SELECT fact.*, ({over})::bigint AS over, ({under})::bigint AS under FROM keyed AS fact)
        AS weighed
    WHERE (over <> 0 OR under <> 0) AND (CAST(:key AS text) IS NULL OR key = :key)
), summed AS (
    SELECT count(*) AS row_count, coalesce(sum(over), 0) AS over_sum, coalesce(sum(under), 0) AS under_sum
    FROM meant
), page AS (
    SELECT * FROM meant ORDER BY at, interaction_id, detail LIMIT :limit OFFSET :offset
)
SELECT summed.*, page.*, contact.caller_number, contact.caller_name, party.display_name AS party_name,
    queue.display_name AS queue_name, agent.display_name AS agent_name
FROM summed LEFT JOIN page ON true
LEFT JOIN interaction AS contact ON contact.tenant_id = :tenant_id AND contact.day = page.day
    AND contact.interaction_id = page.interaction_id
LEFT JOIN party ON party.tenant_id = :tenant_id AND party.party_id = page.party_id
LEFT JOIN queue ON queue.tenant_id = :tenant_id AND queue.queue_id = page.queue_id
LEFT JOIN agent ON agent.tenant_id = :tenant_id AND agent.agent_id = page.agent_id
ORDER BY page.at, page.interaction_id, page.detail
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is counted.

    Attributes:
        facts: SQL ``WITH … fact``; each has the columns of a dimension, ``at``, ``grade`` and ``detail``.
        terms: By term, when a fact counts.
        key: SQL after the dimension's own key; "" where that is all.
        with_handled: Its terms are shares of the participations of the first part of the key.
        values: More values of *facts*.
    """

    name: str
    facts: str
    terms: Mapping[str, str]
    formulas: Mapping[str, Formula]
    key: str = ""
    with_handled: bool = False
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """All terms, then all formulas."""
        return (*self.term_names, *self.formulas)

    @property
    def term_names(self) -> tuple[str, ...]:
        """All terms, those among them that other tables count."""
        return (*self.terms, *((HANDLED,) if self.with_handled else ()))

    def line(self, figure: str) -> Line | None:
        """Return the line of a formula or term, of what it counts itself; None: there is no such figure."""
        if (formula := self.formulas.get(figure)) is not None:
            return Line(over=formula.over, under=self._own(formula.under), less=self._own(formula.less))
        return Line(over=(figure,)) if figure in self.terms else None

    def _own(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.terms)

    def key_sql(self, by: FiguresBy) -> str:
        """Return SQL of the key of a fact."""
        return f"coalesce({DIMENSIONS[by].key}, '')" + self.key


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedTable:
    """The answer; *names*: what the ids of keys are called now, of pairs as ``queue:sales``."""

    subject: Subject
    asked: FiguresAsked
    zone: str
    rows: Sequence[PeriodRow[Counts]]
    whole: PeriodRow[Counts]
    names: Mapping[str, str]

    def value_of(self, row: PeriodRow[Counts], column: str) -> float | int | None:
        """Return what a column holds in a row; None: nothing to compute it from."""
        return row.figures[column] if column in self.subject.formulas else row.cell.get(column, 0)


async def counted_cells(
    connection: AsyncConnection,
    tenant_id: TenantId,
    subject: Subject,
    asked: FiguresAsked,
    bounds_ms: Sequence[int],
    zone: str,
) -> tuple[dict[CellKey, Counts], frozenset[CellKey]]:
    """Return the counts by number of the period and key, and those that hold a back-filled call."""
    statement = subject.facts + _COUNTED.format(
        key=subject.key_sql(asked.by),
        joins=joins_of(asked.by, *asked.narrowed.ids),
        narrowed=asked.narrowed.sql(),
        terms=", ".join(f"count(*) FILTER (WHERE {when}) AS {name}" for name, when in subject.terms.items()),
    )
    rows = (
        await connection.execute(text(statement), _values(tenant_id, subject, asked, bounds_ms, zone))
    ).all()
    cells: dict[CellKey, Counts] = {
        (row.period, row.key): {name: getattr(row, name) for name in subject.terms} for row in rows
    }
    return cells, frozenset((row.period, row.key) for row in rows if row.is_back_filled)


async def read_counted(
    database: Database, tenant_id: TenantId, subject: Subject, asked: FiguresAsked, now_ms: int
) -> CountedTable:
    """Return the table.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    async with database.snapshot(tenant_id) as connection:
        zone = asked.zone or await centre_zone(connection, tenant_id) or NO_ZONE
        bounds_ms = period_bounds(zone, asked.first, asked.last, asked.step)
        cells, corrected = await counted_cells(connection, tenant_id, subject, asked, bounds_ms, zone)
        handled: dict[CellKey, int] = {}
        if subject.with_handled:
            found, _ = await period_cells(
                connection,
                tenant_id,
                bounds_ms,
                view=FiguresView.EVENT,
                by=asked.by,
                narrowed=asked.narrowed,
                zone=zone,
            )
            handled = {key: cell.handled_count for key, cell in found.items()}
            cells = {
                (period, key): {**cell, HANDLED: handled.get((period, key.partition(PAIR)[0]), 0)}
                for (period, key), cell in cells.items()
            }
        since_ms = await first_fact_ms(connection, tenant_id, rollups=False)
        gaps = await gaps_between(connection, tenant_id, bounds_ms[0], bounds_ms[-1], now_ms)
        names = await _names(connection, tenant_id, subject, asked.by)

    def add_up(parts: Iterable[Counts]) -> Counts:
        whole = dict.fromkeys(subject.terms, 0)
        for part in parts:
            for name in whole:
                whole[name] += part.get(name, 0)
        return {**whole, HANDLED: sum(handled.values())} if subject.with_handled else whole

    *rows, whole = rows_of(
        cells,
        bounds_ms,
        grades=dict.fromkeys(corrected, FiguresGrade.BACK_FILLED),
        since_ms=since_ms,
        now_ms=now_ms,
        figures=lambda cell: rounded(
            {name: one.of(lambda term: cell.get(term, 0)) for name, one in subject.formulas.items()}
        ),
        add_up=add_up,
        gaps=gaps,
    )
    return CountedTable(subject=subject, asked=asked, zone=zone, rows=rows, whole=whole, names=names)


async def read_behind_counted(
    database: Database, tenant_id: TenantId, subject: Subject, asked: FiguresAsked, drill: DrillAsked
) -> Drilled:
    """Return the calls behind one number, the earliest first: as many as it counts.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    known = {name: (when, "1") for name, when in subject.terms.items()}
    statement = subject.facts + _BEHIND.format(
        key=subject.key_sql(asked.by),
        joins=joins_of(asked.by, *asked.narrowed.ids),
        narrowed=asked.narrowed.sql(),
        over=weight_sql(drill.line.over, known=known),
        under=weight_sql(drill.line.under, drill.line.less, known=known),
    )
    async with database.snapshot(tenant_id) as connection:
        zone = asked.zone or await centre_zone(connection, tenant_id) or NO_ZONE
        whole = period_bounds(zone, asked.first, asked.last, asked.step)
        bounds_ms = drill.bounds_ms or (whole[0], whole[-1])
        page = {"key": drill.key, "limit": drill.limit, "offset": drill.offset}
        values = _values(tenant_id, subject, asked, bounds_ms, zone) | page
        rows = (await connection.execute(text(statement), values)).all()
    return Drilled(
        rows=[row for row in rows if row.interaction_id is not None],
        row_count=rows[0].row_count,
        over_sum=int(rows[0].over_sum),
        under_sum=int(rows[0].under_sum),
    )


def _values(
    tenant_id: TenantId, subject: Subject, asked: FiguresAsked, bounds_ms: Sequence[int], zone: str
) -> dict[str, Any]:
    values = fact_values(tenant_id, bounds_ms, view=FiguresView.EVENT, zone=zone)
    return values | asked.narrowed.values() | dict(subject.values)


async def _names(
    connection: AsyncConnection, tenant_id: TenantId, subject: Subject, by: FiguresBy
) -> dict[str, str]:
    if not subject.key:
        return await names_of(connection, tenant_id, by)
    return {
        f"{one.value}:{key}": name
        for one in (FiguresBy.QUEUE, FiguresBy.AGENT)
        for key, name in (await names_of(connection, tenant_id, one)).items()
    }
