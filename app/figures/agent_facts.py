"""What agents' figures count, as a part of a SQL statement: time in states, cut at will, and what was done.

Kinds: time ``spent`` in one state, a piece of a span; and of the log's facts what an agent did (``offered``,
``not_answered``, ``caller_left``, ``handled``, ``wrapped_up``), each where it happened. Spans are cut at the
periods' edges and at every local midnight, so that a piece lies in one period and in one day's team. A span
that still runs ends now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

from app.db.session import TenantId
from app.figures.dimensions import DIMENSIONS, Dimension, FiguresBy
from app.figures.facts import FiguresView, fact_values, facts_sql
from routing.ids import slug
from workforce.agent_cells import (
    CAPPED_WRAP_UP,
    DEFAULT_WRAP_UP_MS,
    REASON,
    SIGNED_IN_STATES,
    STATE,
    reason_term,
)


class AgentsBy(StrEnum):
    """What agents' figures are parted by, beside the period."""

    NOTHING = "nothing"
    AGENT = "agent"
    TEAM = "team"  # as it was on that day
    TEAM_NOW = "team_now"
    SITE = "site"
    EMPLOYER = "employer"
    NOT_READY_REASON = "not_ready_reason"


AGENT_DIMENSIONS: Final[Mapping[AgentsBy, Dimension]] = {
    **{by: DIMENSIONS[FiguresBy(by.value)] for by in AgentsBy if by is not AgentsBy.NOT_READY_REASON},
    AgentsBy.NOT_READY_REASON: Dimension(
        key="CASE WHEN fact.state = 'not_ready' THEN fact.reason END",
        names="SELECT reason AS id, display_name AS name FROM not_ready_reason WHERE tenant_id = :tenant_id",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentsNarrowed:
    """Only what has one of these ids, in every dimension named; "" means: none."""

    ids: Mapping[AgentsBy, Sequence[str]] = field(default_factory=dict)

    def sql(self) -> str:
        """Return the conditions, each with ``AND`` before it."""
        parts = (f"AND coalesce({AGENT_DIMENSIONS[by].key}, '') = ANY(:only_{by.value})" for by in self.ids)
        return " ".join(parts)

    def values(self) -> dict[str, Any]:
        """Return the values of ``sql``."""
        return {f"only_{by.value}": list(ids) for by, ids in self.ids.items()}

    def to(self, by: AgentsBy, key: str | None) -> AgentsNarrowed:
        """Return it narrowed to one key as well; None: to none of them."""
        if key is None or by is AgentsBy.NOTHING:
            return self
        return AgentsNarrowed(ids={**self.ids, by: [key]})


ALL_AGENTS: Final = AgentsNarrowed()


def agents_narrowed_to(only: Sequence[str]) -> AgentsNarrowed:
    """Read ``team:front`` and the like; what names the same dimension is put together.

    Raises:
        ValueError: one of them names no dimension.

    >>> agents_narrowed_to(["agent:a1001", "agent:a1002"]).ids
    {<AgentsBy.AGENT: 'agent'>: ['a1001', 'a1002']}
    """
    known = sorted(by.value for by in AgentsBy if by is not AgentsBy.NOTHING)
    ids: dict[AgentsBy, list[str]] = {}
    for one in only:
        by, colon, key = one.partition(":")
        if by not in known or not colon:
            raise ValueError(f"write it as team:front; what can be named: {', '.join(known)}")
        ids.setdefault(AgentsBy(by), []).append(key)
    return AgentsNarrowed(ids=ids)


def agent_joins(dimensions: Iterable[AgentsBy]) -> str:
    """Return the joins that these dimensions need, each once."""
    joins = (AGENT_DIMENSIONS[one].join for one in dimensions)
    return "\n".join(dict.fromkeys(join for join in joins if join))


_SPENT: Final = """
, cut AS MATERIALIZED (
    SELECT CAST(:cuts AS timestamptz[]) AS at, CAST(:periods AS integer[]) AS period
), span AS (
    SELECT agent_id, state, reason, interaction_id, queue_id, grade, started_at,
        coalesce(ended_at, CAST(:now AS timestamptz)) AS ended_at,
        generate_series(
            width_bucket(greatest(started_at, :since), cut.at),
            least(
                width_bucket(coalesce(ended_at, CAST(:now AS timestamptz)), cut.at), cardinality(cut.period)
            )
        ) AS piece
    FROM agent_span CROSS JOIN cut
    WHERE tenant_id = :tenant_id AND day <= :last_day AND started_at < :until
        AND (ended_at > :since OR ended_at IS NULL)
), told AS (
    SELECT 'spent' AS kind, cut.period[piece] AS period, span.agent_id, NULL::date AS day,
        span.interaction_id, NULL::integer AS visit, NULL::integer AS attempt, span.queue_id, span.grade,
        span.state, span.reason, span.started_at, greatest(span.started_at, cut.at[piece]) AS at,
        least(span.ended_at, cut.at[piece + 1]) AS until, 0::bigint AS first_ms, 0::bigint AS second_ms
    FROM span CROSS JOIN cut
    UNION ALL
    SELECT fact.kind, cut.period[width_bucket(fact.at, cut.at)], fact.agent_id, fact.day,
        fact.interaction_id, fact.visit, fact.attempt, fact.queue_id, fact.grade,
        NULL, NULL, NULL, fact.at, NULL, fact.first_ms, fact.second_ms
    FROM fact CROSS JOIN cut
    WHERE fact.kind IN ('offered', 'not_answered', 'caller_left', 'handled', 'wrapped_up')
        AND fact.at >= :since AND fact.at < :until
), allowed AS (
    SELECT told.*, told.started_at + make_interval(secs => allowed_s) AS allowed_until, allowed_s
    FROM told
    LEFT JOIN agent AS own ON own.tenant_id = :tenant_id AND own.agent_id = told.agent_id
    LEFT JOIN queue AS line ON line.tenant_id = :tenant_id AND line.queue_id = told.queue_id
    CROSS JOIN LATERAL (SELECT coalesce(own.wrap_up_s, line.wrap_up_s, :wrap_up_s) AS allowed_s) AS told_s
    WHERE told.until IS NULL OR told.at < told.until
), done AS (
    SELECT kind, period, agent_id, day, interaction_id, visit, attempt, queue_id, grade, state, reason,
        started_at, at, until, second_ms,
        CASE WHEN kind = 'spent' THEN round(date_part('epoch', until - at) * 1000)::bigint
            ELSE first_ms END AS first_ms,
        CASE WHEN kind = 'wrapped_up' THEN least(first_ms, round(allowed_s * 1000)::bigint)
            WHEN state = 'wrap_up' THEN greatest(0,
                round(date_part('epoch', least(until, allowed_until) - at) * 1000)::bigint)
            ELSE 0 END AS capped_ms
    FROM allowed
)
"""
AGENT_FACTS: Final = facts_sql(FiguresView.EVENT) + _SPENT
"""``WITH … done``: what agents' figures count; its values are ``agent_values``."""


def agent_values(
    tenant_id: TenantId,
    bounds_ms: Sequence[int],
    midnights_ms: Iterable[int],
    *,
    zone: str,
    now_ms: int,
) -> dict[str, Any]:
    """Return the values of ``AGENT_FACTS``.

    Args:
        bounds_ms: Of the periods, at least two, ascending.
        midnights_ms: The starts of the zone's days that may lie between them.
        now_ms: Until here goes what still runs.
    """
    since_ms, until_ms = bounds_ms[0], bounds_ms[-1]
    cuts_ms = sorted({*bounds_ms, *(at_ms for at_ms in midnights_ms if since_ms < at_ms < until_ms)})
    numbers = {at_ms: number for number, at_ms in enumerate(bounds_ms)}
    periods, number = [], 0
    for at_ms, _ in pairwise(cuts_ms):
        number = numbers.get(at_ms, number)
        periods.append(number)
    return {
        **fact_values(tenant_id, bounds_ms, view=FiguresView.EVENT, zone=zone),
        "cuts": [datetime.fromtimestamp(at_ms / 1000, UTC) for at_ms in cuts_ms],
        "periods": periods,
        "now": datetime.fromtimestamp(now_ms / 1000, UTC),
        "wrap_up_s": DEFAULT_WRAP_UP_MS / 1000,
    }


_WEIGHTS: Final[Mapping[str, tuple[str, str]]] = {
    **{
        f"{STATE}{state}_ms": (f"fact.kind = 'spent' AND fact.state = '{state}'", "fact.first_ms")
        for state in SIGNED_IN_STATES
    },
    CAPPED_WRAP_UP: ("fact.kind = 'spent'", "fact.capped_ms"),
    "handled_count": ("fact.kind = 'handled'", "1"),
    "talk_ms": ("fact.kind = 'handled'", "fact.first_ms"),
    "hold_ms": ("fact.kind = 'handled'", "fact.second_ms"),
    "wrap_up_ms": ("fact.kind = 'wrapped_up'", "fact.first_ms"),
    "wrap_up_capped_ms": ("fact.kind = 'wrapped_up'", "fact.capped_ms"),
    "offer_count": ("fact.kind = 'offered'", "1"),
    "rona_count": ("fact.kind = 'not_answered'", "1"),
    "offer_caller_left_count": ("fact.kind = 'caller_left'", "1"),
}


def agent_weights(terms: Iterable[str]) -> Mapping[str, tuple[str, str]]:
    """Return for each term when a fact counts and how much, in SQL.

    Raises:
        KeyError: there is no such term.
    """
    found: dict[str, tuple[str, str]] = {}
    for name in terms:
        reason = name.removeprefix(REASON).removesuffix("_ms")
        if name.startswith(REASON) and name == reason_term(reason) and is_reason(reason):
            when = f"fact.kind = 'spent' AND fact.state = 'not_ready' AND fact.reason = '{reason}'"
            found[name] = (when, "fact.first_ms")
        else:
            found[name] = _WEIGHTS[name]
    return found


def is_reason(reason: str) -> bool:
    """Return whether it can be the id of a reason; only such ones are ever put into a statement."""
    try:
        return slug(reason) == reason
    except ValueError:
        return False
