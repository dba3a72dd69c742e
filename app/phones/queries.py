"""The rows of ``agent_phone``."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import TenantId
from app.db.tables import agent_phone
from app.phones.rules import ChosenPhone, of_row
from routing.ids import AgentId


async def load_phones(connection: AsyncConnection, tenant_id: TenantId) -> dict[AgentId, ChosenPhone]:
    """Return every agent's choice; who never chose is not in it."""
    columns = (agent_phone.c.agent_id, agent_phone.c.kind, agent_phone.c.number)
    rows = await connection.execute(select(*columns).where(agent_phone.c.tenant_id == tenant_id))
    return {AgentId(agent_id): of_row(agent_id, kind, number) for agent_id, kind, number in rows}


async def save_phone(
    connection: AsyncConnection, tenant_id: TenantId, agent_id: AgentId, phone: ChosenPhone, changed_by: str
) -> None:
    """Keep an agent's choice."""
    values = {"kind": phone.kind.value, "number": phone.number, "changed_by": changed_by}
    statement = insert(agent_phone).values(tenant_id=tenant_id, agent_id=agent_id, **values)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "agent_id"], set_={**values, "changed_at": func.now()}
        )
    )
