"""The call log's queries: pages of calls, one call's story, and the comparison with the witness.

Every function runs inside one tenant's transaction; the tenant is named in the query as well, for the
index. Moments are zone-aware here, at the database's edge.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from app.calls.conditions import DAY, conditions_of
from app.calls.rules import WHOLE_SIGHT, CallFilter, Sight
from app.calls.settling import settlings
from app.db import tables as t
from app.db.session import TenantId
from routing.ids import InteractionId, day_of

PAGE_CALLS_MAX = 500
CHOICES_MAX = 5_000  # of one kind
_STORY_EVENTS_MAX = 2_000
_STORY_NOTES_MAX = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, Any]


async def list_calls(
    connection: AsyncConnection,
    tenant_id: TenantId,
    wanted: CallFilter,
    *,
    sight: Sight = WHOLE_SIGHT,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[Row], str | None]:
    """Return a page of calls, newest first, and the cursor of the next page (None: there is none).

    Each row also names its queue, agent and party as they are called now.

    Raises:
        ValueError: the cursor is not one of ours.
    """
    call = t.interaction.c
    limit = max(1, min(limit, PAGE_CALLS_MAX))
    conditions = await conditions_of(connection, tenant_id, wanted, sight)
    if cursor is not None:
        started_at, interaction_id = _read_cursor(cursor)
        conditions.append(tuple_(call.started_at, call.interaction_id) < tuple_(started_at, interaction_id))
        conditions.append(call.day <= (started_at + DAY).date())
    query = (
        _named_calls()
        .where(and_(*conditions))
        .order_by(call.started_at.desc(), call.interaction_id.desc())
        .limit(limit + 1)
    )
    rows = [dict(row._mapping) for row in await connection.execute(query)]
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], _write_cursor(last["started_at"], last["interaction_id"])


async def count_calls(
    connection: AsyncConnection,
    tenant_id: TenantId,
    wanted: CallFilter,
    *,
    sight: Sight = WHOLE_SIGHT,
    at_most: int,
) -> int:
    """Return how many calls are meant, counting no further than *at_most*."""
    conditions = await conditions_of(connection, tenant_id, wanted, sight)
    some = select(t.interaction.c.interaction_id).where(and_(*conditions)).limit(at_most).subquery()
    return await connection.scalar(select(func.count()).select_from(some)) or 0


async def choices(connection: AsyncConnection, tenant_id: TenantId) -> dict[str, list[Row]]:
    """Return what calls can be asked for by, each list ordered by name."""

    async def read(table: Table, key: str, *more: str) -> list[Row]:
        columns = (table.c[key].label("id"), table.c.display_name, *(table.c[name] for name in more))
        query = select(*columns).where(table.c.tenant_id == tenant_id)
        query = query.order_by(table.c.display_name, table.c[key]).limit(CHOICES_MAX)
        return [dict(row._mapping) for row in await connection.execute(query)]

    return {
        "queues": await read(t.queue, "queue_id", "threshold_s"),
        "agents": await read(t.agent, "agent_id", "team_id"),
        "teams": await read(t.team, "team_id"),
        "wrap_up_codes": await read(t.wrap_up_code, "code"),
        "entry_points": await read(t.entry_point, "entry_point", "queue_id"),
    }


async def call_story(
    connection: AsyncConnection,
    tenant_id: TenantId,
    interaction_id: InteractionId,
    *,
    sight: Sight = WHOLE_SIGHT,
) -> dict[str, Any] | None:
    """Return one call whole: ``interaction``, ``segments``, ``visits``, ``offers``, ``legs``, ``events``,
    ``notes``, ``settlings``.

    None when the log does not have it, or *sight* does not reach it. Lists are in order of time; events in
    the journal's order.
    """
    try:
        day = day_of(interaction_id)
    except ValueError:
        return None
    call = t.interaction.c
    conditions = await conditions_of(connection, tenant_id, CallFilter(), sight)
    query = _named_calls().where(call.day == day, call.interaction_id == interaction_id, *conditions)
    found = (await connection.execute(query)).mappings().one_or_none()
    if found is None:
        return None

    async def read(table: Table, *order: str) -> list[Row]:
        same = (table.c.tenant_id == tenant_id, table.c.day == day, table.c.interaction_id == interaction_id)
        query = select(table).where(*same).order_by(*(table.c[name] for name in order))
        return [dict(row._mapping) for row in await connection.execute(query.limit(_STORY_EVENTS_MAX))]

    return {
        "interaction": await _with_named_candidates(connection, tenant_id, dict(found)),
        "segments": await read(t.segment, "track", "ordinal"),
        "visits": await read(t.queue_visit, "visit"),
        "offers": await read(t.offer, "attempt"),
        "legs": await read(t.leg, "started_at", "leg_id"),
        "events": await read(t.event, "epoch", "seq", "ordinal"),
        "notes": await _notes(connection, tenant_id, interaction_id),
        "settlings": await settlings(connection, tenant_id, interaction_id),
    }


# ---------------------------------------------------------------- inside


async def _notes(
    connection: AsyncConnection, tenant_id: TenantId, interaction_id: InteractionId
) -> list[Row]:
    """Notes that were written in this call."""
    note = t.party_note.c
    query = (
        select(note.note_id, note.party_id, note.text, note.author, note.at)
        .where(note.tenant_id == tenant_id, note.interaction_id == interaction_id, note.deleted_at.is_(None))
        .order_by(note.at, note.note_id)
        .limit(_STORY_NOTES_MAX)
    )
    return [dict(row._mapping) for row in await connection.execute(query)]


async def _with_named_candidates(connection: AsyncConnection, tenant_id: TenantId, call: Row) -> Row:
    """The call's match with the names that its candidates have now."""
    match = call["match_candidates"] or {}
    candidates = match.get("candidates") or []
    if not candidates:
        return call
    party = t.party.c
    wanted = [UUID(each["party_id"]) for each in candidates]
    query = select(party.party_id, party.display_name).where(
        party.tenant_id == tenant_id, party.party_id.in_(wanted)
    )
    names = {str(row.party_id): row.display_name for row in await connection.execute(query)}
    named = [{**each, "display_name": names.get(each["party_id"], "")} for each in candidates]
    return {**call, "match_candidates": {**match, "candidates": named}}


def _named_calls() -> Select[Any]:
    """Calls with the names that queue, agent and party have now."""
    call = t.interaction.c

    def of_call(table: Table, key: str) -> ColumnElement[bool]:
        return and_(table.c.tenant_id == call.tenant_id, table.c[key] == call[key])

    names = (
        t.queue.c.display_name.label("queue_name"),
        t.agent.c.display_name.label("agent_name"),
        t.party.c.display_name.label("party_name"),
    )
    joined = (
        t.interaction.outerjoin(t.queue, of_call(t.queue, "queue_id"))
        .outerjoin(t.agent, of_call(t.agent, "agent_id"))
        .outerjoin(t.party, of_call(t.party, "party_id"))
    )
    return select(t.interaction, *names).select_from(joined)


def _write_cursor(started_at: datetime, interaction_id: str) -> str:
    place_us = (started_at - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{place_us}|{interaction_id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place_us, bar, interaction_id = packed.decode().partition("|")
        if not bar:
            raise ValueError("no interaction in it")
        return _EPOCH + timedelta(microseconds=int(place_us)), interaction_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise ValueError("this cursor is not one of ours") from error


def days_between(since: datetime, until: datetime) -> tuple[date, date]:
    """Return the first and last partition that calls started in ``[since, until)`` may lie in."""
    return (since - DAY).date(), (until + DAY).date()
