"""Cells of the figures rolled up by day of the log: how they are made, and when they may stand for it.

The cells of a day are made of that day's rows alone, wherever their facts lie in time; so a day is the one
thing that can be out of date. They hold groups of like facts, so that the same statements count them. A day
counts as rolled up when its version is the one that was rolled up, with the thresholds in force now; of every
other the log itself is read. A day whose log was dropped counts as it was then.

Two grains: by queue and entry point in quarters of an hour, in either view; by queue and agent in hours, each
fact where it happened. Whatever they cannot tell is counted from the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import Database, TenantId
from app.figures.dimensions import FiguresBy
from app.figures.facts import FiguresView, facts_sql
from routing.events import QueueExit
from workforce.measures import DEFAULT_THRESHOLD_MS
from workforce.wait_buckets import WAIT_BOUNDS_MS

QUIET_S: Final = 60.0
"""A day that was changed less long ago is left alone: more may come."""
_QUARTER_MS: Final = 900_000
_HOUR_MS: Final = 3_600_000
_BY_QUEUE: Final = frozenset({FiguresBy.NOTHING, FiguresBy.QUEUE, FiguresBy.ENTRY_POINT})
_BY_AGENT: Final = frozenset(
    {
        FiguresBy.NOTHING,
        FiguresBy.QUEUE,
        FiguresBy.AGENT,
        FiguresBy.TEAM,
        FiguresBy.TEAM_NOW,
        FiguresBy.SITE,
        FiguresBy.EMPLOYER,
    }
)
_SERIALIZATION_FAILURE: Final = "40001"

_HAS_OTHER_THRESHOLDS: Final = """
EXISTS (
    SELECT FROM jsonb_each_text(rolled.thresholds) AS used
    LEFT JOIN queue ON queue.tenant_id = rolled.tenant_id AND queue.queue_id = used.key
    WHERE used.value::numeric <> coalesce(queue.threshold_s * 1000, :threshold_ms)::numeric
)
"""
_WHOLE: Final = f"""
(rolled.log_dropped_at IS NOT NULL
    OR (rolled.rolled_version IS NOT DISTINCT FROM rolled.version
        AND rolled.form = :form AND NOT {_HAS_OTHER_THRESHOLDS}))
"""
_WHOLE_DAYS: Final = """
SELECT day FROM rollup_day AS rolled
WHERE tenant_id = :tenant_id AND day BETWEEN :first_day AND :last_day AND {whole}
ORDER BY day
"""
_DUE: Final = """
SELECT day FROM rollup_day AS rolled
WHERE tenant_id = :tenant_id AND NOT {whole} AND day < (now() AT TIME ZONE 'UTC')::date
    AND changed_at <= now() - make_interval(secs => :quiet_s)
ORDER BY day DESC LIMIT :limit
"""
# All of a day is read, whatever the planner thinks of a table that it does not know yet.
_PLAIN_PLAN: Final = """
SELECT set_config('enable_nestloop', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('enable_sort', 'off', true), set_config('work_mem', '128MB', true)
"""
_VERSION: Final = """
SELECT version FROM rollup_day WHERE tenant_id = :tenant_id AND day = :first_day AND log_dropped_at IS NULL
"""
_CLEAR: Final = """
DELETE FROM rollup_cell WHERE tenant_id = :tenant_id AND view = ANY(ARRAY['event', 'cohort'])
    AND grain = ANY(ARRAY['queue', 'agent']) AND day = :first_day
"""
_FILL: Final = """
INSERT INTO rollup_cell (tenant_id, view, grain, day, at, queue_id, entry_point, agent_id, kind, exit,
    facts, first_ms, second_ms, longest_ms, within, is_back_filled, buckets, bucket_facts)
{facts}
, counted AS (
    SELECT told.view, told.grain, date_bin(told.width, told.at, timestamptz '1970-01-01 00:00:00+00') AS at,
        coalesce(fact.queue_id, '') AS queue_id,
        CASE WHEN told.grain = 'queue' THEN fact.entry_point ELSE '' END AS entry_point,
        CASE WHEN told.grain = 'agent' THEN coalesce(fact.agent_id, '') ELSE '' END AS agent_id,
        fact.kind, coalesce(fact.exit, '') AS exit, CASE WHEN fact.exit = :answered
            THEN width_bucket(fact.first_ms, CAST(:wait_bounds_ms AS bigint[])) END AS bucket,
        count(*) AS facts, sum(fact.first_ms)::bigint AS first_ms, sum(fact.second_ms)::bigint AS second_ms,
        max(fact.first_ms)::bigint AS longest_ms, count(*) FILTER (WHERE fact.within) AS within,
        bool_or(fact.grade = :back_filled) AS is_back_filled
    FROM fact CROSS JOIN LATERAL (VALUES
        ('event', 'queue', interval '15 minutes', fact.at), ('event', 'agent', interval '1 hour', fact.at),
        ('cohort', 'queue', interval '15 minutes', fact.began_at)
    ) AS told (view, grain, width, at)
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT :tenant_id, view, grain, CAST(:first_day AS date), at, queue_id, entry_point, agent_id, kind, exit,
    sum(facts), sum(first_ms), sum(second_ms), max(longest_ms), sum(within), bool_or(is_back_filled),
    array_agg(bucket) FILTER (WHERE bucket IS NOT NULL), array_agg(facts) FILTER (WHERE bucket IS NOT NULL)
FROM counted GROUP BY 2, 3, 5, 6, 7, 8, 9, 10 ORDER BY 2, 3, 5 -- so that what is read together lies together
"""
_ROLLED: Final = """
UPDATE rollup_day SET rolled_version = :version, form = :form, rolled_at = now(), thresholds = (
    SELECT coalesce(jsonb_object_agg(used.queue_id, coalesce(queue.threshold_s * 1000, :threshold_ms)), '{}')
    FROM (SELECT DISTINCT queue_id FROM queue_visit WHERE tenant_id = :tenant_id AND day = :first_day) AS used
    LEFT JOIN queue ON queue.tenant_id = :tenant_id AND queue.queue_id = used.queue_id
)
WHERE tenant_id = :tenant_id AND day = :first_day AND version = :version
"""

ROLLED_FACTS: Final = """
WITH fact AS (
    SELECT * FROM rollup_cell
    WHERE tenant_id = :tenant_id AND view = :view AND grain = :grain AND day BETWEEN :first_day AND :last_day
        AND day = ANY(CAST(:days AS date[])) AND at >= :since AND at < :until
)
"""
"""``WITH … fact``: groups of like facts of the days ``days``, in the place of single ones."""


def grain_of(bounds_ms: Sequence[int], view: FiguresView, dimensions: Sequence[FiguresBy]) -> str | None:
    """Return the grain that can tell these periods and dimensions; None: only the log itself can.

    >>> grain_of([0, 900_000], FiguresView.EVENT, [FiguresBy.QUEUE])
    'queue'
    >>> grain_of([0, 900_000], FiguresView.EVENT, [FiguresBy.AGENT]) is None
    True
    """
    asked = frozenset(dimensions)
    if asked <= _BY_QUEUE:
        return "queue" if all(bound_ms % _QUARTER_MS == 0 for bound_ms in bounds_ms) else None
    if view is FiguresView.EVENT and asked <= _BY_AGENT:
        return "agent" if all(bound_ms % _HOUR_MS == 0 for bound_ms in bounds_ms) else None
    return None


@cache
def _form() -> int:
    """A number that is another one as soon as facts, buckets or grains are: then all days are made anew."""
    said = f"{facts_sql()}{_FILL}{WAIT_BOUNDS_MS}{DEFAULT_THRESHOLD_MS}"
    return int.from_bytes(hashlib.sha256(said.encode()).digest()[:4]) >> 1


async def whole_days(
    connection: AsyncConnection, tenant_id: TenantId, first_day: date, last_day: date
) -> list[date]:
    """Return the days of the log, both ends included, for which their cells may stand."""
    values = {"tenant_id": tenant_id, "first_day": first_day, "last_day": last_day}
    rows = await connection.execute(text(_WHOLE_DAYS.format(whole=_WHOLE)), values | _constants())
    return [row.day for row in rows]


async def due_days(
    database: Database, tenant_id: TenantId, *, limit: int, quiet_s: float = QUIET_S
) -> list[date]:
    """Return past days that have to be rolled up, the newest first; not those that are being written."""
    async with database.transaction(tenant_id) as connection:
        values = {"tenant_id": tenant_id, "limit": limit, "quiet_s": quiet_s}
        rows = await connection.execute(text(_DUE.format(whole=_WHOLE)), values | _constants())
        return [row.day for row in rows]


async def roll_up(database: Database, tenant_id: TenantId, day: date) -> bool:
    """Make the cells of one day anew; False: it was changed meanwhile, is unknown, or its log is gone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError, OSError: the database is away.
    """
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "first_day": day,
        "last_day": day,
        "answered": QueueExit.ANSWERED.value,
        "wait_bounds_ms": list(WAIT_BOUNDS_MS),
        "back_filled": "back_filled",
        **_constants(),
    }
    try:
        async with database.snapshot(tenant_id, writes=True) as connection:
            version = (await connection.execute(text(_VERSION), values)).scalar_one_or_none()
            if version is None:
                return False
            await connection.execute(text(_PLAIN_PLAN))
            await connection.execute(text(_CLEAR), values)
            await connection.execute(text(_FILL.format(facts=facts_sql())), values)
            rolled = await connection.execute(text(_ROLLED), values | {"version": version})
            return rolled.rowcount == 1
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == _SERIALIZATION_FAILURE:
            return False  # a writer was there first: nothing of ours stays
        raise


def _constants() -> dict[str, Any]:
    return {"form": _form(), "threshold_ms": DEFAULT_THRESHOLD_MS}
