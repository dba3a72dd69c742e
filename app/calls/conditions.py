"""What a filter and a sight mean in SQL: conditions on the calls' rows.

Calls lie in partitions by day; a range of time names its days too, so that the others are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Table, and_, exists, false, func, or_, select, text, true
from sqlalchemy.ext.asyncio import AsyncConnection

from app.calls.rules import MERGES_DEEP_MAX, CallFilter, Sight
from app.calls.unreached import unreached
from app.customers.queries import search_parties
from app.db import tables as t
from app.db.session import TenantId
from routing.events import QueueExit
from routing.ids import AgentId, QueueId, TeamId

DAY = timedelta(days=1)  # an id's day and a call's start may lie on two sides of midnight
LIKE_ESCAPE = "\\"

_MERGED = text(
    """
    WITH RECURSIVE same AS (
        SELECT CAST(:party_id AS uuid) AS party_id, 0 AS depth
        UNION
        SELECT a.merged_party_id, s.depth + 1 FROM same s JOIN party_alias a ON a.party_id = s.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND s.depth < :depth_max
    )
    SELECT DISTINCT party_id FROM same
    """
)
_SERVED = text(
    """
    SELECT q.queue_id FROM queue q WHERE q.tenant_id = :tenant_id AND EXISTS (
        SELECT FROM agent a WHERE a.tenant_id = q.tenant_id AND a.agent_id = ANY(:agent_ids) AND NOT EXISTS (
            SELECT FROM queue_skill needed WHERE needed.tenant_id = q.tenant_id
            AND needed.queue_id = q.queue_id AND NOT EXISTS (
                SELECT FROM agent_skill has WHERE has.tenant_id = q.tenant_id AND has.agent_id = a.agent_id
                AND has.skill_id = needed.skill_id AND has.level >= needed.level_min)))
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What had to be looked up before the calls can be asked for; None: it was not asked."""

    party_ids: Sequence[UUID] | None = None
    named_party_ids: Sequence[UUID] = ()
    team_agent_ids: Sequence[AgentId] = ()
    sight_agent_ids: Sequence[AgentId] = ()
    sight_queue_ids: Sequence[QueueId] = ()


async def conditions_of(
    connection: AsyncConnection, tenant_id: TenantId, wanted: CallFilter, sight: Sight
) -> list[ColumnElement[bool]]:
    """Return the conditions on ``interaction`` under which a call is meant and may be seen."""
    found = await _look_up(connection, tenant_id, wanted, sight)
    call = t.interaction.c
    conditions = [call.tenant_id == tenant_id, *_plain(wanted), *_touching(wanted, found)]
    if wanted.text:
        like = f"%{_escaped(wanted.text)}%"
        named = call.party_id.in_(found.named_party_ids) if found.named_party_ids else false()
        conditions.append(or_(call.caller_name.ilike(like, escape=LIKE_ESCAPE), named))
    conditions.append(_seen(sight, found))
    return conditions


async def agents_of_teams(
    connection: AsyncConnection, tenant_id: TenantId, team_ids: Sequence[TeamId]
) -> list[AgentId]:
    """Return the agents of these teams, as the teams are now."""
    agent = t.agent.c
    query = select(agent.agent_id).where(agent.tenant_id == tenant_id, agent.team_id.in_(sorted(team_ids)))
    return [AgentId(row.agent_id) for row in await connection.execute(query.order_by(agent.agent_id))]


async def queues_served_by(
    connection: AsyncConnection, tenant_id: TenantId, agent_ids: Sequence[AgentId]
) -> list[QueueId]:
    """Return the queues whose requirements one of these agents meets."""
    values = {"tenant_id": tenant_id, "agent_ids": list(agent_ids)}
    return sorted(QueueId(row.queue_id) for row in await connection.execute(_SERVED, values))


def same_contact(table: Table, other: Any, *, queue: bool = True) -> ColumnElement[bool]:
    """Rows of *table* that belong to the contact of *other* (and to its queue, where both name one)."""
    same = and_(table.c.day == other.day, table.c.interaction_id == other.interaction_id)
    if queue and table is not t.queue_visit:
        same = and_(same, table.c.queue_id == other.queue_id)
    return same


# ---------------------------------------------------------------- inside


async def _look_up(
    connection: AsyncConnection, tenant_id: TenantId, wanted: CallFilter, sight: Sight
) -> _Found:
    party_ids: list[UUID] | None = None
    if wanted.party_id is not None:
        values = {"tenant_id": tenant_id, "party_id": wanted.party_id, "depth_max": MERGES_DEEP_MAX}
        party_ids = [row.party_id for row in await connection.execute(_MERGED, values)]
    named: list[UUID] = []
    if wanted.text:
        moment = (await connection.execute(select(func.now()))).scalar_one()
        named = [each[0] for each in await search_parties(connection, tenant_id, wanted.text, at=moment)]
    team = [wanted.team_id] if wanted.team_id is not None else []
    seen = sorted(sight.team_ids or ())
    sight_agents = await agents_of_teams(connection, tenant_id, seen) if seen else []
    return _Found(
        party_ids=party_ids,
        named_party_ids=named,
        team_agent_ids=await agents_of_teams(connection, tenant_id, team) if team else [],
        sight_agent_ids=sight_agents,
        sight_queue_ids=await queues_served_by(connection, tenant_id, sight_agents) if sight_agents else [],
    )


def _plain(wanted: CallFilter) -> list[ColumnElement[bool]]:
    """Conditions on the call's own row."""
    call = t.interaction.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions += [call.started_at >= wanted.since, call.day >= (wanted.since - DAY).date()]
    if wanted.until is not None:
        conditions += [call.started_at < wanted.until, call.day <= (wanted.until + DAY).date()]
    for column, value in (
        (call.outcome, wanted.outcome),
        (call.direction, wanted.direction),
        (call.entry_point, wanted.entry_point),
        (call.caller_number, wanted.number),
        (call.wrap_up_code, wanted.wrap_up_code),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.unreached:
        conditions.append(unreached(wanted.outcome or QueueExit.ABANDONED))
    if wanted.numbers:
        conditions.append(call.caller_number.in_(wanted.numbers))
    for column, low_ms, high_ms in (
        (call.wait_ms, wanted.wait_min_ms, wanted.wait_max_ms),
        (call.talk_ms, wanted.talk_min_ms, wanted.talk_max_ms),
    ):
        if low_ms is not None:
            conditions.append(column >= low_ms)
        if high_ms is not None:
            conditions.append(column <= high_ms)
    return conditions


def _touching(wanted: CallFilter, found: _Found) -> list[ColumnElement[bool]]:
    """Conditions on what belongs to the call: visits, answers, the party."""
    conditions: list[ColumnElement[bool]] = []
    if wanted.queue_id is not None:
        conditions.append(_visited([wanted.queue_id]))
    if wanted.agent_id is not None:
        conditions.append(_answered_by([wanted.agent_id]))
    if wanted.team_id is not None:
        conditions.append(_answered_by(found.team_agent_ids))
    if found.party_ids is not None:
        conditions.append(t.interaction.c.party_id.in_(found.party_ids))
    return conditions


def _seen(sight: Sight, found: _Found) -> ColumnElement[bool]:
    if sight.agent_id is not None:
        return _answered_by([sight.agent_id])
    if sight.team_ids is None:
        return true()
    if not found.sight_agent_ids:
        return false()
    offered = _offer_exists(t.offer.c.agent_id.in_(found.sight_agent_ids))
    return or_(offered, _visited(found.sight_queue_ids), _answered_by(found.sight_agent_ids))


def _answered_by(agent_ids: Sequence[AgentId]) -> ColumnElement[bool]:
    """Answered by one of these, first or after a transfer."""
    took = _offer_exists(t.offer.c.agent_id.in_(agent_ids), t.offer.c.outcome.in_(("answered", "taken")))
    return or_(t.interaction.c.agent_id.in_(agent_ids), took)


def _offer_exists(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    call, offer = t.interaction.c, t.offer.c
    same = and_(same_contact(t.offer, call, queue=False), offer.tenant_id == call.tenant_id)
    return exists().where(same, *more)


def _visited(queue_ids: Sequence[QueueId]) -> ColumnElement[bool]:
    call, visit = t.interaction.c, t.queue_visit.c
    same = and_(same_contact(t.queue_visit, call), visit.tenant_id == call.tenant_id)
    return exists().where(same, visit.queue_id.in_(queue_ids))


def _escaped(words: str) -> str:
    """*words* as a part of a LIKE pattern that means itself."""
    for letter in (LIKE_ESCAPE, "%", "_"):
        words = words.replace(letter, LIKE_ESCAPE + letter)
    return words
