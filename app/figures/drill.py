"""The calls behind a number: which visits and participations a formula counts, above and below its line.

The rows are the very facts that made the cell: their weights add up to the formula's sums, so a count has as
many rows as it says. Against a second formula only those remain that the two count differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.figures.dimensions import FiguresBy, joins_of
from app.figures.facts import HASHED, MOMENT, FiguresView, fact_values, facts_sql, weight_sql
from app.figures.queries import Narrowed

DRILL_ROWS_MAX = 500

_WEIGHED = """
, weighed AS (
    SELECT fact.day, fact.interaction_id, fact.visit, fact.attempt, min({moment}) AS at,
        max(fact.queue_id) AS queue_id, max(fact.agent_id) AS agent_id,
        max(fact.exit) FILTER (WHERE fact.kind = 'left') AS exit_cause,
        max(fact.exit) FILTER (WHERE fact.kind = 'handled') AS ended_by,
        max(fact.first_ms) FILTER (WHERE fact.kind = 'left') AS wait_ms,
        sum({over})::bigint AS over, sum({under})::bigint AS under,
        sum({other_over})::bigint AS other_over, sum({other_under})::bigint AS other_under
    FROM fact {joins}
    WHERE {moment} >= :since AND {moment} < :until {narrowed}
    GROUP BY 1, 2, 3, 4
), meant AS (
    SELECT * FROM weighed WHERE {meant}
), summed AS (
    SELECT count(*) AS row_count, coalesce(sum(over), 0) AS over_sum, coalesce(sum(under), 0) AS under_sum
    FROM meant
), page AS (
    SELECT * FROM meant ORDER BY at, interaction_id, visit, attempt LIMIT :limit OFFSET :offset
)
SELECT summed.*, page.*, contact.caller_number, contact.caller_name, contact.party_id, contact.grade,
    party.display_name AS party_name, queue.display_name AS queue_name, agent.display_name AS agent_name
FROM summed LEFT JOIN page ON true
LEFT JOIN interaction AS contact ON contact.tenant_id = :tenant_id AND contact.day = page.day
    AND contact.interaction_id = page.interaction_id AND contact.day BETWEEN :first_day AND :last_day
LEFT JOIN party ON party.tenant_id = :tenant_id AND party.party_id = contact.party_id
LEFT JOIN queue ON queue.tenant_id = :tenant_id AND queue.queue_id = page.queue_id
LEFT JOIN agent ON agent.tenant_id = :tenant_id AND agent.agent_id = page.agent_id
ORDER BY page.at, page.interaction_id, page.visit, page.attempt
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Terms above and below a formula's line; a count alone has nothing below it."""

    over: Sequence[str]
    under: Sequence[str] = ()
    less: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One page of the rows, and what all of them add up to.

    Attributes:
        rows: Each with ``over`` and ``under``: what it adds; milliseconds where the term is a time.
        row_count, over_sum, under_sum: Of all rows, on every page.
    """

    rows: Sequence[Any]
    row_count: int
    over_sum: int
    under_sum: int


async def facts_behind(
    connection: AsyncConnection,
    tenant_id: TenantId,
    bounds_ms: tuple[int, int],
    line: Line,
    *,
    against: Line | None = None,
    view: FiguresView,
    narrowed: Narrowed,
    zone: str,
    limit: int,
    offset: int,
) -> Drilled:
    """Return the rows behind a number, the earliest first.

    Args:
        bounds_ms: The period, half-open.
        against: Only what this one counts differently.
        narrowed: The key of the number among it.

    Raises:
        KeyError: there is no such term.
    """
    other = against or Line(over=())
    differs = "over <> other_over OR under <> other_under" if against else "over <> 0 OR under <> 0"
    asked = {*line.over, *line.under, *line.less, *other.over, *other.under, *other.less}
    statement = facts_sql(view, terms=sorted(asked)) + _WEIGHED.format(
        moment=MOMENT[view],
        joins=joins_of(*narrowed.ids),
        narrowed=narrowed.sql(),
        meant=differs,
        over=weight_sql(line.over),
        under=weight_sql(line.under, line.less),
        other_over=weight_sql(other.over),
        other_under=weight_sql(other.under, other.less),
    )
    values = {
        **fact_values(tenant_id, bounds_ms, view=view, zone=zone),
        **narrowed.values(),
        "limit": limit,
        "offset": offset,
    }
    await connection.execute(text(HASHED))
    rows = (await connection.execute(text(statement), values)).all()
    first = rows[0]
    return Drilled(
        rows=[row for row in rows if row.interaction_id is not None],
        row_count=first.row_count,
        over_sum=int(first.over_sum),
        under_sum=int(first.under_sum),
    )


def keyed(narrowed: Narrowed, by: FiguresBy, key: str | None) -> Narrowed:
    """Return what is narrowed to one key of *by* as well; None: to none of them (the total)."""
    if key is None or by is FiguresBy.NOTHING:
        return narrowed
    return Narrowed(ids={**narrowed.ids, by: [key]})
