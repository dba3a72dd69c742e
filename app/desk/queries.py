"""The desk's rows: the centre's choices, drafts, the note of a call, and who the agent says is calling.

Every function works inside the caller's transaction of one tenant.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t
from app.db.session import TenantId
from app.desk.wrap_up_rules import ReasonNode
from routing.ids import AgentId, InteractionId, QueueId

DRAFTS_MAX: Final = 50  # of one agent; older ones belong to calls that nobody wraps up any more
_NOTES: Final = UUID("5f0c9c1e-3f0a-5d52-8f0e-0d1e1c0a0002")

_LINK = text(
    "UPDATE interaction SET party_id = :party_id, match_method = 'agent', match_confidence = 100,"
    " match_candidates = coalesce(match_candidates, '{}'::jsonb) || jsonb_build_object('chosen_by',"
    " CAST(:by AS text), 'looked_up', coalesce(match_candidates -> 'looked_up', jsonb_build_object("
    "'party_id', party_id, 'method', match_method, 'confidence', match_confidence)))"
    " WHERE tenant_id = :tenant AND day = :day AND interaction_id = :interaction"
    " RETURNING caller_number, entry_point"
)


async def wrap_up_codes(connection: AsyncConnection, tenant_id: TenantId) -> dict[str, list[tuple[str, str]]]:
    """Return the codes in force by queue, in the queue's order: code and name."""
    link, code = t.queue_wrap_up_code.c, t.wrap_up_code.c
    rows = await connection.execute(
        select(link.queue_id, link.code, code.display_name)
        .join(
            t.wrap_up_code,
            (code.tenant_id == link.tenant_id) & (code.code == link.code) & code.retired_at.is_(None),
        )
        .where(link.tenant_id == tenant_id)
        .order_by(link.queue_id, link.ordinal, link.code)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        found.setdefault(row.queue_id, []).append((row.code, row.display_name))
    return found


async def reason_tree(
    connection: AsyncConnection, tenant_id: TenantId, at: datetime
) -> tuple[int, list[ReasonNode]]:
    """Return the version of the reason tree in force at *at* and its nodes; 0 and none without a tree."""
    tree, reason = t.reason_tree.c, t.contact_reason.c
    version = await connection.scalar(
        select(func.max(tree.tree_version)).where(
            tree.tenant_id == tenant_id,
            tree.valid_from <= at,
            or_(tree.valid_to.is_(None), tree.valid_to > at),
        )
    )
    if version is None:
        return 0, []
    rows = await connection.execute(
        select(reason.reason_id, reason.parent_id, reason.display_name, reason.ordinal).where(
            reason.tenant_id == tenant_id, reason.tree_version == version
        )
    )
    return version, [ReasonNode(**row) for row in rows.mappings()]


async def desk_names(connection: AsyncConnection, tenant_id: TenantId) -> dict[str, list[Any]]:
    """Return queues, agents, teams and not-ready reasons by name, as rows."""
    reason, agent = t.not_ready_reason.c, t.agent.c

    async def read(query: Any) -> list[Any]:
        return list(await connection.execute(query))

    queue, team = t.queue.c, t.team.c
    return {
        "queues": await read(
            select(queue.queue_id, queue.display_name)
            .where(queue.tenant_id == tenant_id)
            .order_by(queue.display_name, queue.queue_id)
        ),
        "agents": await read(
            select(agent.agent_id, agent.display_name, agent.team_id)
            .where(agent.tenant_id == tenant_id, agent.left_at.is_(None))
            .order_by(agent.display_name, agent.agent_id)
        ),
        "teams": await read(
            select(team.team_id, team.display_name)
            .where(team.tenant_id == tenant_id, team.retired_at.is_(None))
            .order_by(team.display_name, team.team_id)
        ),
        "reasons": await read(
            select(reason.reason, reason.display_name, reason.limit_s)
            .where(reason.tenant_id == tenant_id, reason.is_system.is_(False))
            .order_by(reason.ordinal, reason.reason)
        ),
    }


async def call_queue(
    connection: AsyncConnection,
    tenant_id: TenantId,
    day: date,
    interaction_id: InteractionId,
    agent_id: AgentId,
) -> QueueId | None:
    """Return the queue by which the agent got the call; None when no queue gave it."""
    offer = t.offer.c
    found = await connection.scalar(
        select(offer.queue_id)
        .where(
            offer.tenant_id == tenant_id,
            offer.day == day,
            offer.interaction_id == interaction_id,
            offer.agent_id == agent_id,
        )
        .order_by(offer.attempt.desc())
        .limit(1)
    )
    return QueueId(found) if found is not None else None


# ---------------------------------------------------------------- drafts


async def keep_draft(
    connection: AsyncConnection,
    tenant_id: TenantId,
    agent_id: AgentId,
    interaction_id: InteractionId,
    *,
    code: str | None,
    reason_id: str | None,
    note: str,
) -> datetime:
    """Keep a draft in place of the one before; return when."""
    draft = t.wrap_up_draft
    facts = {"code": code, "reason_id": reason_id, "note": note, "changed_at": func.clock_timestamp()}
    kept = await connection.execute(
        upsert(draft)
        .values(tenant_id=tenant_id, agent_id=agent_id, interaction_id=interaction_id, **facts)
        .on_conflict_do_update(index_elements=["tenant_id", "agent_id", "interaction_id"], set_=facts)
        .returning(draft.c.changed_at)
    )
    changed_at: datetime = kept.scalar_one()
    newest = (
        select(draft.c.interaction_id)
        .where(draft.c.tenant_id == tenant_id, draft.c.agent_id == agent_id)
        .order_by(draft.c.changed_at.desc())
        .limit(DRAFTS_MAX)
    )
    await connection.execute(
        delete(draft).where(
            draft.c.tenant_id == tenant_id,
            draft.c.agent_id == agent_id,
            draft.c.interaction_id.not_in(newest.scalar_subquery()),
        )
    )
    return changed_at


async def read_drafts(
    connection: AsyncConnection, tenant_id: TenantId, agent_id: AgentId | None = None
) -> list[Any]:
    """Return the drafts that are kept, of one agent or of all."""
    draft = t.wrap_up_draft
    query = select(draft).where(draft.c.tenant_id == tenant_id)
    return list(
        await connection.execute(query if agent_id is None else query.where(draft.c.agent_id == agent_id))
    )


async def drop_draft(
    connection: AsyncConnection, tenant_id: TenantId, agent_id: AgentId, interaction_id: InteractionId
) -> None:
    """Drop a draft that was said. Harmless when there is none."""
    draft = t.wrap_up_draft.c
    await connection.execute(
        delete(t.wrap_up_draft).where(
            draft.tenant_id == tenant_id, draft.agent_id == agent_id, draft.interaction_id == interaction_id
        )
    )


# ---------------------------------------------------------------- the call's note and party


async def keep_call_note(
    connection: AsyncConnection,
    tenant_id: TenantId,
    day: date,
    interaction_id: InteractionId,
    agent_id: AgentId,
    *,
    text: str,
    author: str,
) -> UUID:
    """Keep the agent's note of a call, one per agent and call: said again, it is the same note.

    It stands with the caller's party where that is known, else with the call alone.
    """
    call, note = t.interaction.c, t.party_note
    party_id = await connection.scalar(
        select(call.party_id).where(
            call.tenant_id == tenant_id, call.day == day, call.interaction_id == interaction_id
        )
    )
    note_id = uuid5(_NOTES, f"{tenant_id}/{interaction_id}/{agent_id}")
    await connection.execute(
        upsert(note)
        .values(
            tenant_id=tenant_id,
            note_id=note_id,
            party_id=party_id,
            text=text,
            author=author,
            interaction_id=interaction_id,
        )
        .on_conflict_do_update(
            index_elements=["tenant_id", "note_id"], set_={"text": text, "party_id": party_id}
        )
    )
    return note_id


async def link_call(
    connection: AsyncConnection,
    tenant_id: TenantId,
    day: date,
    interaction_id: InteractionId,
    party_id: UUID | None,
    *,
    by: str,
) -> tuple[str, str] | None:
    """Say who the caller is; what the look-up had said is kept beside it. Notes of the call go along.

    Returns:
        The caller's number and the entry point; None when the log does not have the call (yet).
    """
    values = {
        "tenant": tenant_id,
        "day": day,
        "interaction": interaction_id,
        "party_id": party_id,
        "by": by,
    }
    row = (await connection.execute(_LINK, values)).one_or_none()
    if row is None:
        return None
    note = t.party_note
    await connection.execute(
        update(note)
        .where(note.c.tenant_id == tenant_id, note.c.interaction_id == interaction_id)
        .values(party_id=party_id)
    )
    return row.caller_number, row.entry_point


async def party_name(connection: AsyncConnection, tenant_id: TenantId, party_id: UUID) -> str | None:
    """Return a party's name; None when there is no such party, or it was erased."""
    party = t.party.c
    name: str | None = await connection.scalar(
        select(party.display_name).where(
            party.tenant_id == tenant_id, party.party_id == party_id, party.erased_at.is_(None)
        )
    )
    return name
