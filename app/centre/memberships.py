"""Which team, site and employer each agent was of, by local day; written whenever the centre changes.

``agent_membership`` is effective-dated: ``[valid_from, valid_to)``, the last row open. Who moves is of the
new team from this local day on; who leaves is of the old one until this day ends. An agent's first row
reaches back to the day on which he came.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.wall.queries import centre_zone

_AS_IT_IS: Final = "(agent.team_id, agent.site_id, agent.employer_id)"
_AS_WRITTEN: Final = "(member.team_id, member.site_id, member.employer_id)"
_MINE: Final = "member.tenant_id = :tenant_id AND agent.tenant_id = :tenant_id"
_BACK = """
UPDATE agent_membership AS member SET valid_to = NULL FROM agent
WHERE {mine} AND member.agent_id = agent.agent_id AND agent.left_at IS NULL AND member.valid_to > :today
"""
_MOVED_AGAIN = """
UPDATE agent_membership AS member
SET team_id = agent.team_id, site_id = agent.site_id, employer_id = agent.employer_id FROM agent
WHERE {mine} AND member.agent_id = agent.agent_id AND agent.left_at IS NULL AND member.valid_to IS NULL
    AND member.valid_from >= :today AND {as_written} IS DISTINCT FROM {as_it_is}
"""
_MOVED = """
UPDATE agent_membership AS member SET valid_to = :today FROM agent
WHERE {mine} AND member.agent_id = agent.agent_id AND agent.left_at IS NULL AND member.valid_to IS NULL
    AND member.valid_from < :today AND {as_written} IS DISTINCT FROM {as_it_is}
"""
_LEFT = """
UPDATE agent_membership AS member SET valid_to = greatest(CAST(:tomorrow AS date), member.valid_from + 1)
FROM agent
WHERE {mine} AND member.agent_id = agent.agent_id AND agent.left_at IS NOT NULL AND member.valid_to IS NULL
"""
_BEGUN = """
INSERT INTO agent_membership (tenant_id, agent_id, valid_from, team_id, site_id, employer_id, cost_centre_id)
SELECT agent.tenant_id, agent.agent_id,
    CASE WHEN last.agent_id IS NULL THEN least(:today, (agent.created_at AT TIME ZONE :zone)::date)
        ELSE :today END,
    agent.team_id, agent.site_id, agent.employer_id, last.cost_centre_id
FROM agent LEFT JOIN LATERAL (
    SELECT * FROM agent_membership AS member
    WHERE member.tenant_id = agent.tenant_id AND member.agent_id = agent.agent_id
    ORDER BY member.valid_from DESC LIMIT 1
) AS last ON true
WHERE agent.tenant_id = :tenant_id AND agent.left_at IS NULL
    AND (last.agent_id IS NULL OR last.valid_to IS NOT NULL)
"""
_STEPS = tuple(
    step.format(mine=_MINE, as_it_is=_AS_IT_IS, as_written=_AS_WRITTEN)
    for step in (_BACK, _MOVED_AGAIN, _MOVED, _LEFT, _BEGUN)
)
_REACH_BACK = """
UPDATE agent_membership AS member SET valid_from = :day
WHERE tenant_id = :tenant_id AND valid_from > :day AND NOT EXISTS (
    SELECT 1 FROM agent_membership AS earlier WHERE earlier.tenant_id = member.tenant_id
        AND earlier.agent_id = member.agent_id AND earlier.valid_from < member.valid_from
)
"""


async def renew_memberships(connection: AsyncConnection, tenant_id: TenantId, at: datetime) -> None:
    """Make the memberships of today those of the agents' rows; what was before stays."""
    zone = await centre_zone(connection, tenant_id) or "UTC"
    today = at.astimezone(UTC).astimezone(ZoneInfo(zone)).date()
    values = {
        "tenant_id": tenant_id,
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "zone": zone,
    }
    for step in _STEPS:
        await connection.execute(text(step), values)


async def reach_back(connection: AsyncConnection, tenant_id: TenantId, day: date) -> None:
    """Let each agent's first membership begin no later than *day*: the log tells of him since then."""
    await connection.execute(text(_REACH_BACK), {"tenant_id": tenant_id, "day": day})
