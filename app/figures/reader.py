"""One table of figures, read from the log at one moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from app.db.session import Database, TenantId
from app.figures.agent_queries import reasons_of
from app.figures.dimensions import FiguresBy
from app.figures.drill import Drilled, Line, facts_behind, keyed
from app.figures.facts import FiguresView
from app.figures.queries import EVERYTHING, Narrowed, first_fact_ms, gaps_between, names_of, period_cells
from app.figures.rollups import grain_of
from app.figures.rules import FiguresRow, LogGap, figures_table
from app.wall.queries import centre_zone
from workforce.periods import PeriodStep, period_bounds

NO_ZONE: Final = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresAsked:
    """Which figures.

    Attributes:
        first, last: Local days, both included.
        zone: IANA name; None: the centre's.
        narrowed: Of these queues, agents … alone.
    """

    first: date
    last: date
    step: PeriodStep = PeriodStep.DAY
    by: FiguresBy = FiguresBy.QUEUE
    view: FiguresView = FiguresView.EVENT
    zone: str | None = None
    narrowed: Narrowed = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresTable:
    """The answer.

    Attributes:
        rows: By period and key, without those that have no fact.
        whole: All of it in one row.
        names: What the keys are called now.
        gaps: In the log, within the days asked for.
    """

    asked: FiguresAsked
    zone: str
    rows: Sequence[FiguresRow]
    whole: FiguresRow
    names: Mapping[str, str]
    gaps: Sequence[LogGap] = ()


async def read_figures(
    database: Database, tenant_id: TenantId, asked: FiguresAsked, now_ms: int
) -> FiguresTable:
    """Return the table.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    async with database.snapshot(tenant_id) as connection:
        zone = asked.zone or await centre_zone(connection, tenant_id) or NO_ZONE
        bounds_ms = period_bounds(zone, asked.first, asked.last, asked.step)
        cells, corrected = await period_cells(
            connection,
            tenant_id,
            bounds_ms,
            view=asked.view,
            by=asked.by,
            narrowed=asked.narrowed,
            zone=zone,
        )
        is_rolled = grain_of(bounds_ms, asked.view, (asked.by, *asked.narrowed.ids)) is not None
        since_ms = await first_fact_ms(connection, tenant_id, rollups=is_rolled)
        gaps = await gaps_between(connection, tenant_id, bounds_ms[0], bounds_ms[-1], now_ms)
        names = await names_of(connection, tenant_id, asked.by)
    *rows, whole = await asyncio.to_thread(  # a month of half hours takes a second, and others want the loop
        figures_table, cells, bounds_ms, corrected=corrected, since_ms=since_ms, now_ms=now_ms, gaps=gaps
    )
    return FiguresTable(asked=asked, zone=zone, rows=rows, whole=whole, names=names, gaps=gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresChoices:
    """What can be asked for: the zone, since when there is a log, names by dimension, and reasons."""

    zone: str
    since_ms: int | None
    names: Mapping[FiguresBy, Mapping[str, str]]
    reasons: Mapping[str, str]


async def read_choices(database: Database, tenant_id: TenantId) -> FiguresChoices:
    """Return what a table can be parted and narrowed by."""
    async with database.snapshot(tenant_id) as connection:
        return FiguresChoices(
            zone=await centre_zone(connection, tenant_id) or NO_ZONE,
            since_ms=await first_fact_ms(connection, tenant_id),
            names={by: await names_of(connection, tenant_id, by) for by in FiguresBy},
            reasons=await reasons_of(connection, tenant_id),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillAsked:
    """Which number's calls.

    Attributes:
        key: Of the number's row; None: of the total.
        bounds_ms: The row's period; None: the whole range.
        against: Only what this line counts differently.
    """

    line: Line
    against: Line | None = None
    key: str | None = None
    bounds_ms: tuple[int, int] | None = None
    limit: int = 100
    offset: int = 0


async def read_drill(
    database: Database, tenant_id: TenantId, asked: FiguresAsked, drill: DrillAsked
) -> Drilled:
    """Return the calls behind one number of the table that *asked* makes.

    Raises:
        workforce.errors.InputError: the days, the step or the zone make no periods.
    """
    async with database.snapshot(tenant_id) as connection:
        zone = asked.zone or await centre_zone(connection, tenant_id) or NO_ZONE
        whole = period_bounds(zone, asked.first, asked.last, asked.step)
        return await facts_behind(
            connection,
            tenant_id,
            drill.bounds_ms or (whole[0], whole[-1]),
            drill.line,
            against=drill.against,
            view=asked.view,
            narrowed=keyed(asked.narrowed, asked.by, drill.key),
            zone=zone,
            limit=drill.limit,
            offset=drill.offset,
        )
