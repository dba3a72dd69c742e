"""Agents' cells by period and key, and what stands behind a number, in SQL; equal to a fold of the events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.figures.agent_facts import (
    AGENT_DIMENSIONS,
    AGENT_FACTS,
    ALL_AGENTS,
    AgentsBy,
    AgentsNarrowed,
    agent_joins,
    agent_values,
    agent_weights,
)
from app.figures.drill import Drilled, Line
from app.figures.facts import weight_sql
from app.figures.queries import BACK_FILLED, CellKey, first_fact_ms
from app.figures.rules import FiguresGrade
from routing.events import AgentState
from workforce.agent_cells import AgentCell, agents_total

_ESTIMATED: Final = "estimated"
_CELLS: Final = """
SELECT fact.period, coalesce({key}, '') AS key, fact.kind, fact.state,
    CASE WHEN fact.state = 'not_ready' THEN fact.reason END AS reason, count(*) AS facts,
    sum(fact.first_ms)::bigint AS first_ms, sum(fact.second_ms)::bigint AS second_ms,
    sum(fact.capped_ms)::bigint AS capped_ms, bool_or(fact.grade = :back_filled) AS is_back_filled,
    bool_or(fact.grade = :estimated) AS is_estimated
FROM done AS fact {joins}
WHERE true {narrowed}
GROUP BY 1, 2, 3, 4, 5
"""
_BEHIND: Final = """
, weighed AS (
    SELECT fact.kind = 'spent' AS is_span, fact.agent_id, fact.started_at, fact.day, fact.interaction_id,
        fact.visit, fact.attempt, min(fact.at) AS at, max(fact.until) AS until, max(fact.state) AS state,
        max(fact.reason) AS reason, max(fact.queue_id) AS queue_id, max(fact.grade) AS span_grade,
        sum({over})::bigint AS over, sum({under})::bigint AS under
    FROM done AS fact {joins}
    WHERE true {narrowed}
    GROUP BY 1, 2, 3, 4, 5, 6, 7
), meant AS (
    SELECT * FROM weighed WHERE over <> 0 OR under <> 0
), summed AS (
    SELECT count(*) AS row_count, coalesce(sum(over), 0) AS over_sum, coalesce(sum(under), 0) AS under_sum
    FROM meant
), page AS (
    SELECT * FROM meant ORDER BY at, agent_id, interaction_id, visit, attempt LIMIT :limit OFFSET :offset
)
SELECT summed.*, page.*, coalesce(contact.caller_number, '') AS caller_number,
    coalesce(contact.caller_name, '') AS caller_name, contact.party_id, party.display_name AS party_name,
    CASE WHEN page.is_span THEN page.span_grade ELSE contact.grade END AS grade,
    queue.display_name AS queue_name, agent.display_name AS agent_name
FROM summed LEFT JOIN page ON true
LEFT JOIN interaction AS contact ON contact.tenant_id = :tenant_id
    AND contact.interaction_id = page.interaction_id
    AND contact.day BETWEEN coalesce(page.day, (page.started_at AT TIME ZONE 'UTC')::date - 2)
        AND coalesce(page.day, (page.started_at AT TIME ZONE 'UTC')::date + 1)
LEFT JOIN party ON party.tenant_id = :tenant_id AND party.party_id = contact.party_id
LEFT JOIN queue ON queue.tenant_id = :tenant_id AND queue.queue_id = page.queue_id
LEFT JOIN agent ON agent.tenant_id = :tenant_id AND agent.agent_id = page.agent_id
ORDER BY page.at, page.agent_id, page.interaction_id, page.visit, page.attempt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cuts:
    """Which time is meant.

    Attributes:
        bounds_ms: Of the periods, at least two, ascending.
        midnights_ms: The starts of the zone's days that may lie between them.
        zone: Whose days tell which team an agent was in.
        now_ms: Until here goes what still runs.
    """

    bounds_ms: Sequence[int]
    midnights_ms: Sequence[int]
    zone: str
    now_ms: int

    def values(self, tenant_id: TenantId) -> dict[str, Any]:
        """Return the values of ``AGENT_FACTS``."""
        return agent_values(tenant_id, self.bounds_ms, self.midnights_ms, zone=self.zone, now_ms=self.now_ms)


async def agent_cells(
    connection: AsyncConnection,
    tenant_id: TenantId,
    cuts: Cuts,
    *,
    by: AgentsBy,
    narrowed: AgentsNarrowed = ALL_AGENTS,
) -> tuple[dict[CellKey, AgentCell], dict[CellKey, FiguresGrade]]:
    """Return the cells by number of the period and key, and the grades of those that are not live.

    *connection* must see one moment (``Database.snapshot``) where anybody writes meanwhile. What is allowed
    of a wrap-up is the agent's length, else the queue's, as they are configured now; else 30 s.
    """
    statement = AGENT_FACTS + _CELLS.format(
        key=AGENT_DIMENSIONS[by].key,
        joins=agent_joins((by, *narrowed.ids)),
        narrowed=narrowed.sql(),
    )
    values = {
        **cuts.values(tenant_id),
        **narrowed.values(),
        "back_filled": BACK_FILLED,
        "estimated": _ESTIMATED,
    }
    rows = (await connection.execute(text(statement), values)).all()
    return await asyncio.to_thread(_added_up, rows)  # a month of half hours takes a while


def _added_up(rows: Sequence[Any]) -> tuple[dict[CellKey, AgentCell], dict[CellKey, FiguresGrade]]:
    cells: dict[CellKey, list[AgentCell]] = {}
    grades: dict[CellKey, FiguresGrade] = {}
    for row in rows:
        key = (row.period, row.key)
        cells.setdefault(key, []).append(_cell(row))
        if row.is_estimated:
            grades[key] = FiguresGrade.ESTIMATED
        elif row.is_back_filled:
            grades.setdefault(key, FiguresGrade.BACK_FILLED)
    return {key: agents_total(parts) for key, parts in cells.items()}, grades


async def behind_agents(
    connection: AsyncConnection,
    tenant_id: TenantId,
    cuts: Cuts,
    line: Line,
    *,
    narrowed: AgentsNarrowed,
    limit: int,
    offset: int,
) -> Drilled:
    """Return the spans and participations behind a number, the earliest first.

    Args:
        cuts: Of one period.
        narrowed: The key of the number among it.

    Raises:
        KeyError: there is no such term.
    """
    known = agent_weights((*line.over, *line.under, *line.less))
    statement = AGENT_FACTS + _BEHIND.format(
        joins=agent_joins(narrowed.ids),
        narrowed=narrowed.sql(),
        over=weight_sql(line.over, known=known),
        under=weight_sql(line.under, line.less, known),
    )
    values = {**cuts.values(tenant_id), **narrowed.values(), "limit": limit, "offset": offset}
    rows = (await connection.execute(text(statement), values)).all()
    first = rows[0]
    return Drilled(
        rows=[row for row in rows if row.agent_id is not None],
        row_count=first.row_count,
        over_sum=int(first.over_sum),
        under_sum=int(first.under_sum),
    )


async def agent_names_of(connection: AsyncConnection, tenant_id: TenantId, by: AgentsBy) -> dict[str, str]:
    """Return what the ids are called now."""
    names = AGENT_DIMENSIONS[by].names
    if not names:
        return {}
    rows = await connection.execute(text(names), {"tenant_id": tenant_id})
    return {row.id: row.name for row in rows}


async def reasons_of(connection: AsyncConnection, tenant_id: TenantId) -> Mapping[str, str]:
    """Return the reasons for not being ready and what they are called."""
    return await agent_names_of(connection, tenant_id, AgentsBy.NOT_READY_REASON)


async def first_moment_ms(connection: AsyncConnection, tenant_id: TenantId) -> int | None:
    """Return when the log begins, of agents or calls, in milliseconds since the epoch; None: it is empty."""
    values = {"tenant_id": tenant_id}
    day_query = text("SELECT min(day) FROM agent_span WHERE tenant_id = :tenant_id")
    first_day: date | None = (await connection.execute(day_query, values)).scalar_one()
    found = [await first_fact_ms(connection, tenant_id, rollups=False)]
    if first_day is not None:
        query = text("SELECT min(started_at) FROM agent_span WHERE tenant_id = :tenant_id AND day = :day")
        first: datetime = (await connection.execute(query, {**values, "day": first_day})).scalar_one()
        found.append(int(first.astimezone(UTC).timestamp() * 1000))
    return min((at_ms for at_ms in found if at_ms is not None), default=None)


def reasons_in(cells: Iterable[AgentCell]) -> list[str]:
    """Return the reasons for which somebody was not ready, in order."""
    return sorted({reason for cell in cells for reason in cell.reason_ms})


def _cell(row: Any) -> AgentCell:
    """Facts of one kind."""
    match row.kind:
        case "spent":
            return AgentCell(
                state_ms={AgentState(row.state): row.first_ms},
                reason_ms={} if row.reason is None else {row.reason: row.first_ms},
                wrap_up_capped_state_ms=row.capped_ms,
            )
        case "offered":
            return AgentCell(offer_count=row.facts)
        case "not_answered":
            return AgentCell(rona_count=row.facts)
        case "caller_left":
            return AgentCell(offer_caller_left_count=row.facts)
        case "handled":
            return AgentCell(handled_count=row.facts, talk_ms=row.first_ms, hold_ms=row.second_ms)
        case _:
            return AgentCell(wrap_up_ms=row.first_ms, wrap_up_capped_ms=row.capped_ms)
