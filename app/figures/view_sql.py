"""The SQL views for other people's tools, written out of the table of formulas. Pure: text in, text out.

A view has one row per quarter of an hour and key, with every term of ``app.figures.facts`` and every formula
of ``workforce.formulas`` as a column named by its id (``SL-C`` is ``sl_c``, ``exit.key`` is ``exit_key``).
The facts are those that the API counts, so that both say the same; a figure is not rounded here. Beside each
view stands a function of the same rows between two moments, which reads only those days of the log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from app.figures.dimensions import DIMENSIONS, FiguresBy
from app.figures.facts import GROUPED, MOMENT, TERMS, FiguresView, facts_sql, weight_sql
from routing.events import QueueExit
from workforce.formulas import FORMULAS, Formula, Unit, WaitQuantile
from workforce.measures import DEFAULT_THRESHOLD_MS
from workforce.wait_buckets import WAIT_BOUNDS_MS

SCHEMA: Final = "report"
ROLE: Final = "holdless_report"
_BACK_FILLED: Final = "back_filled"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view.

    Attributes:
        by: Whose rows; its dimension needs no join.
        key: What the column of the key is called.
    """

    name: str
    by: FiguresBy
    view: FiguresView
    key: str
    about: str


VIEWS: Final = (
    View(
        name="queue_quarter",
        by=FiguresBy.QUEUE,
        view=FiguresView.EVENT,
        key="queue_id",
        about="Each queue by quarter of an hour; each fact where it happened (event view).",
    ),
    View(
        name="queue_quarter_cohort",
        by=FiguresBy.QUEUE,
        view=FiguresView.COHORT,
        key="queue_id",
        about="Each queue by quarter of an hour; all of a visit where it began (cohort view).",
    ),
    View(
        name="entry_point_quarter",
        by=FiguresBy.ENTRY_POINT,
        view=FiguresView.EVENT,
        key="entry_point",
        about="Each entry point by quarter of an hour; each fact where it happened.",
    ),
    View(
        name="agent_quarter",
        by=FiguresBy.AGENT,
        view=FiguresView.EVENT,
        key="agent_id",
        about="Each agent by quarter of an hour; each fact where it happened. What has no agent is under ''.",
    ),
)
"""All views; a name and a column that once stood here stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of every view: its name, its type and what it says."""

    name: str
    sql_type: str
    about: str


def column_of(figure_id: str) -> str:
    """Return the column's name of a formula or term.

    >>> column_of("SL-C"), column_of("exit.no_agents_later")
    ('sl_c', 'exit_no_agents_later')
    """
    return re.sub(r"[^a-z0-9]+", "_", figure_id.lower())


def formula_text(formula: Formula | WaitQuantile) -> str:
    """Return a formula as the words of its columns.

    >>> formula_text(FORMULAS["SL-C"])
    'answered_within_count / (answered_count + abandoned_count - short_abandoned_count)'
    """
    if isinstance(formula, WaitQuantile):
        if formula.share == 1:
            return "the longest wait of an answered call, in seconds"
        return f"what {formula.share:.0%} of the answered waited at the most, in seconds"
    over = " + ".join(map(column_of, formula.over))
    under = " + ".join(map(column_of, formula.under)) + "".join(
        f" - {column_of(name)}" for name in formula.less
    )
    written = f"{_wrapped(over)} / {_wrapped(under)}"
    return written if formula.unit is Unit.SHARE else f"{written} / 1000, in seconds"


def columns(view: View) -> Iterator[Column]:
    """Yield the columns of a view, in their order."""
    yield Column(name="started_at", sql_type="timestamptz", about="The quarter of an hour begins.")
    yield Column(name="ended_at", sql_type="timestamptz", about="It ends; half-open.")
    yield Column(name=view.key, sql_type="text", about="Whose row; '' for what has none.")
    for name in TERMS:
        unit = "sum of milliseconds" if name.endswith("_ms") else "count"
        yield Column(
            name=column_of(name), sql_type="bigint", about=f"Term {name}: {unit}; adds up over rows."
        )
    for formula in FORMULAS.values():
        kind = "share from 0 to 1" if formula.unit is Unit.SHARE else "seconds"
        about = f"{formula.formula_id} = {formula_text(formula)}; {kind}; NULL without calls."
        yield Column(name=column_of(formula.formula_id), sql_type="double precision", about=about)
    yield Column(
        name="grade",
        sql_type="text",
        about="live; back_filled: the witness corrected a call; estimated: steps were lost;"
        " unknown: not all of it was heard.",
    )


def version() -> str:
    """Return what changes when any view would."""
    return hashlib.sha256("\n".join(statements("public")).encode()).hexdigest()[:16]


def statements(tables_schema: str) -> Iterator[str]:
    """Yield the statements that make the views anew, in their order.

    Args:
        tables_schema: Where the tables are.
    """
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", tables_schema), "a schema's name"
    yield f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"
    for view in VIEWS:
        yield f"DROP VIEW IF EXISTS {SCHEMA}.{view.name}"
        yield f"DROP FUNCTION IF EXISTS {SCHEMA}.{view.name}_between(timestamptz, timestamptz)"
        yield _function(view, tables_schema)
        yield _VIEW.format(schema=SCHEMA, name=view.name)
        yield _comment("VIEW", f"{SCHEMA}.{view.name}", view.about)
        for column in columns(view):
            yield _comment("COLUMN", f"{SCHEMA}.{view.name}.{column.name}", column.about)


_VIEW: Final = (
    "CREATE VIEW {schema}.{name} WITH (security_invoker = true) AS"
    " SELECT * FROM {schema}.{name}_between('-infinity', 'infinity')"
)


def _comment(kind: str, name: str, about: str) -> str:
    quoted = about.replace("'", "''")
    return f"COMMENT ON {kind} {name} IS '{quoted}'"


def _wrapped(text: str) -> str:
    return f"({text})" if " " in text else text


def _function(view: View, tables_schema: str) -> str:
    shape = ", ".join(f"{column.name} {column.sql_type}" for column in columns(view))
    return (
        f"CREATE FUNCTION {SCHEMA}.{view.name}_between(since timestamptz, until timestamptz)\n"
        f"RETURNS TABLE ({shape})\n"
        f'LANGUAGE sql STABLE SECURITY INVOKER SET search_path = "{tables_schema}", pg_temp AS $view$\n'
        f"{_body(view)}$view$"
    )


_VALUES: Final = {
    "tenant_id": "current_setting('holdless.tenant', true)",
    "first_day": "((since AT TIME ZONE 'UTC')::date - 2)",
    "last_day": "((until AT TIME ZONE 'UTC')::date + 2)",
    "threshold_ms": str(DEFAULT_THRESHOLD_MS),
    "since": "since",
    "until": "until",
}
_QUANTILES: Final = tuple(
    one for one in FORMULAS.values() if isinstance(one, WaitQuantile) and one.share != 1
)
_DROPPED: Final = """
FROM rollup_cell AS fact
JOIN rollup_day AS rolled ON rolled.tenant_id = fact.tenant_id AND rolled.day = fact.day
    AND rolled.log_dropped_at IS NOT NULL
WHERE fact.tenant_id = :tenant_id AND fact.view = '{view}' AND fact.grain = 'queue'
    AND fact.day BETWEEN :first_day AND :last_day AND fact.at >= since AND fact.at < until
"""
"""Of days whose log was dropped the rolled-up cells are left, by queue and entry point."""
_DROPPED_COUNTED: Final = """
    UNION ALL
    SELECT fact.at, coalesce({key}, ''), {terms},
        max(fact.longest_ms) FILTER (WHERE {answered}), bool_or(fact.is_back_filled)
    {dropped} GROUP BY 1, 2
"""
_DROPPED_BUCKETED: Final = """
    UNION ALL
    SELECT fact.at, coalesce({key}, ''), wait.bucket, sum(wait.facts)
    FROM (SELECT fact.* {dropped}) AS fact
    CROSS JOIN LATERAL unnest(fact.buckets, fact.bucket_facts) AS wait (bucket, facts)
    WHERE {answered} GROUP BY 1, 2, 3
"""
_BODY: Final = """
, parts AS (
    SELECT date_bin('15 minutes', {moment}, timestamptz '1970-01-01 00:00:00+00') AS started_at,
        coalesce({key}, '') AS key, {terms},
        max(fact.first_ms) FILTER (WHERE {answered}) AS longest_ms,
        bool_or(fact.grade = '{back_filled}') AS is_back_filled
    FROM fact WHERE {moment} >= since AND {moment} < until
    GROUP BY 1, 2 {dropped_counted}
), counted AS (
    SELECT started_at, key, {term_sums}, max(longest_ms) AS longest_ms,
        bool_or(is_back_filled) AS is_back_filled
    FROM parts GROUP BY 1, 2
), waits_of AS (
    SELECT date_bin('15 minutes', {moment}, timestamptz '1970-01-01 00:00:00+00') AS started_at,
        coalesce({key}, '') AS key, width_bucket(fact.first_ms, {bounds}) AS bucket, count(*) AS waits
    FROM fact WHERE {moment} >= since AND {moment} < until AND {answered}
    GROUP BY 1, 2, 3 {dropped_bucketed}
), bucketed AS (
    SELECT started_at, key, bucket, sum(waits)::bigint AS waits FROM waits_of GROUP BY 1, 2, 3
), ranked AS (
    SELECT bucketed.*, counted.longest_ms, sum(waits) OVER whole AS all_waits,
        sum(waits) OVER (whole ORDER BY bucket) - waits AS waits_before,
        coalesce(({bounds})[bucket], 0) AS low_ms,
        least(coalesce(({bounds})[bucket + 1], counted.longest_ms), counted.longest_ms) AS high_ms
    FROM bucketed JOIN counted USING (started_at, key)
    WINDOW whole AS (PARTITION BY started_at, key)
), waited AS (
    SELECT started_at, key, {quantiles} FROM ranked GROUP BY 1, 2
)
SELECT started_at, started_at + interval '15 minutes', key, {term_columns}, {figures},
    CASE WHEN is_unknown OR started_at < least(
            (SELECT min(first.started_at) FROM interaction AS first WHERE first.tenant_id = {tenant}),
            (SELECT min(kept.at) FROM rollup_cell AS kept JOIN rollup_day AS day_of USING (tenant_id, day)
            WHERE kept.tenant_id = {tenant} AND kept.view = 'event' AND day_of.log_dropped_at IS NOT NULL)
        ) THEN 'unknown'
        WHEN is_estimated THEN 'estimated'
        WHEN is_back_filled OR is_witnessed THEN '{back_filled}' ELSE 'live' END
FROM counted LEFT JOIN waited USING (started_at, key)
CROSS JOIN LATERAL (
    SELECT coalesce(bool_or(gap.cause IN ('steps_lost', 'unreadable')), false) AS is_estimated,
        coalesce(bool_or(gap.cause IN ('server_down', 'pbx_unheard') AND gap.witnessed_at IS NULL), false)
            AS is_unknown,
        count(*) > 0 AS is_witnessed
    FROM log_gap AS gap WHERE gap.tenant_id = {tenant}
        AND gap.started_at < counted.started_at + interval '15 minutes'
        AND coalesce(gap.ended_at, now()) > counted.started_at
) AS gaps
"""


def _body(view: View) -> str:
    def valued(sql: str) -> str:
        return re.sub(r"(?<![:\w]):([a-z_]+)", lambda found: _VALUES[found[1]], sql)

    bounds = f"'{{{','.join(map(str, WAIT_BOUNDS_MS))}}}'::bigint[]"
    key = DIMENSIONS[view.by]
    assert not key.join, "a view reads the facts alone"
    answered = f"fact.kind = 'left' AND fact.exit = '{QueueExit.ANSWERED}'"
    has_cells = view.by in (FiguresBy.QUEUE, FiguresBy.ENTRY_POINT)
    dropped = {
        "key": key.key,
        "answered": answered,
        "dropped": _DROPPED.format(view=view.view.value),
        "terms": ", ".join(f"sum({weight_sql([name], known=GROUPED)})::bigint" for name in TERMS),
    }
    body = _BODY.format(
        dropped_counted=_DROPPED_COUNTED.format(**dropped) if has_cells else "",
        dropped_bucketed=_DROPPED_BUCKETED.format(**dropped) if has_cells else "",
        term_sums=", ".join(f"sum({one})::bigint AS {one}" for one in map(column_of, TERMS)),
        moment=MOMENT[view.view],
        key=key.key,
        terms=", ".join(f"sum({weight_sql([name])})::bigint AS {column_of(name)}" for name in TERMS),
        term_columns=", ".join(map(column_of, TERMS)),
        answered=answered,
        bounds=bounds,
        quantiles=", ".join(_quantile(one) for one in _QUANTILES),
        figures=", ".join(_figure(one) for one in FORMULAS.values()),
        back_filled=_BACK_FILLED,
        tenant=_VALUES["tenant_id"],
    )
    return valued(facts_sql(view.view) + body)


def _quantile(one: WaitQuantile) -> str:
    """As ``workforce.wait_buckets.quantile_ms``: evenly within the first bucket that reaches the rank."""
    rank = f"({one.share}::float8 * all_waits)"
    within = f"low_ms + (high_ms - low_ms) * ({rank} - waits_before) / waits"
    return (
        f"(array_agg(least({within}, longest_ms) ORDER BY bucket)"
        f" FILTER (WHERE waits_before + waits >= {rank}))[1] / 1000 AS {column_of(one.formula_id)}"
    )


def _figure(one: Formula | WaitQuantile) -> str:
    if isinstance(one, WaitQuantile):
        return "longest_ms::float8 / 1000" if one.share == 1 else f"waited.{column_of(one.formula_id)}"
    over = " + ".join(map(column_of, one.over))
    under = " + ".join(map(column_of, one.under)) + "".join(f" - {column_of(name)}" for name in one.less)
    part = f"({over})::float8" if one.unit is Unit.SHARE else f"({over})::float8 / 1000"
    return f"CASE WHEN {under} > 0 THEN {part} / ({under}) END"
