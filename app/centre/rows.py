"""The centre as rows: read it, replace it, count its versions.

A change is one transaction: rows, then the next ``config_version`` with the whole document; the caller
commits and then tells the engine (``ConfigChanged``). Agents are never deleted, since the log names them:
they leave, and so do teams, sites and employers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from app.calendars.rules import Shift
from app.centre.document import ID_FIELDS, Centre
from app.centre.exchange import CentreError, from_plain, to_plain
from app.centre.memberships import renew_memberships
from app.centre.rules import engine_config, problems
from app.db import tables
from app.db.session import Database, TenantId
from routing.config import CentreConfig

_PLAIN = (
    "skill",
    "team",
    "site",
    "employer",
    "trunk",
    "entry_point",
    "wrap_up_code",
    "not_ready_reason",
    "queue",
    "agent",
    "calendar",
)
_NOT_IN_DOCUMENT = frozenset({"tenant_id", "settings", "created_at", "left_at", "retired_at"})


async def load_centre(connection: AsyncConnection, tenant_id: TenantId) -> Centre:
    """Return the centre as its rows say.

    Raises:
        CentreError: a row does not fit the document (it was written by hand); the field is named.
    """
    plain: dict[str, list[dict[str, Any]]] = {}
    for section in _PLAIN:
        table: Table = getattr(tables, section)
        rows = [
            row
            for row in await _rows(connection, tenant_id, table)
            if row.get("left_at") is None and row.get("retired_at") is None
        ]
        plain[section] = [{name: row[name] for name in row if name not in _NOT_IN_DOCUMENT} for row in rows]
    _add(
        plain["queue"],
        "queue_id",
        "requires",
        await _levels(connection, tenant_id, tables.queue_skill, "level_min"),
    )
    _add(
        plain["agent"],
        "agent_id",
        "skills",
        await _levels(connection, tenant_id, tables.agent_skill, "level"),
    )
    codes: dict[str, list[str]] = {}
    for row in sorted(
        await _rows(connection, tenant_id, tables.queue_wrap_up_code),
        key=lambda row: (row["ordinal"], row["code"]),
    ):
        codes.setdefault(row["queue_id"], []).append(row["code"])
    _add(plain["queue"], "queue_id", "wrap_up_codes", codes)
    intervals, days = await _calendar_insides(connection, tenant_id)
    _add(plain["calendar"], "calendar_id", "intervals", intervals)
    _add(plain["calendar"], "calendar_id", "days", days)
    return from_plain(plain)


async def save_centre(
    connection: AsyncConnection,
    tenant_id: TenantId,
    centre: Centre,
    *,
    made_by: str,
    note: str = "",
    at: datetime | None = None,
) -> int:
    """Make the rows say *centre*; return the new version.

    Args:
        at: When agents change team, site or employer; None: now.

    Raises:
        CentreError: the centre has problems; roll the transaction back.
    """
    if found := problems(centre):
        raise CentreError(found)
    await connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": f"centre:{tenant_id}"}
    )
    for table in (
        tables.queue_wrap_up_code,
        tables.queue_skill,
        tables.agent_skill,
        tables.calendar_day,
        tables.calendar_interval,
    ):
        await connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
    await connection.execute(
        update(tables.queue).where(tables.queue.c.tenant_id == tenant_id).values(is_default=False)
    )
    for section in ID_FIELDS:
        await _write_section(connection, tenant_id, section, centre)
    await _write_insides(connection, tenant_id, centre)
    for section in reversed(ID_FIELDS):
        await _remove_others(connection, tenant_id, section, centre)
    await renew_memberships(connection, tenant_id, at or datetime.now(UTC))
    return await _next_version(connection, tenant_id, centre, made_by, note)


async def current_version(connection: AsyncConnection, tenant_id: TenantId) -> int:
    """Return the newest version; 0 when none was ever made."""
    versions = tables.config_version
    newest = await connection.execute(
        select(func.max(versions.c.version)).where(versions.c.tenant_id == tenant_id)
    )
    return int(newest.scalar_one() or 0)


async def load_engine_config(database: Database, tenant_id: TenantId) -> tuple[int, CentreConfig]:
    """Return the version in force and the configuration for the engine (``app.live.config_copy.Fetch``).

    Raises:
        CentreError: the rows are not a centre that the engine may have.
    """
    async with database.transaction(tenant_id) as connection:
        version = await current_version(connection, tenant_id)
        centre = await load_centre(connection, tenant_id)
    if found := problems(centre):
        raise CentreError(found)
    return version, engine_config(centre)


async def _rows(connection: AsyncConnection, tenant_id: TenantId, table: Table) -> list[Mapping[str, Any]]:
    found = await connection.execute(select(table).where(table.c.tenant_id == tenant_id))
    return [dict(row) for row in found.mappings()]


async def _levels(
    connection: AsyncConnection, tenant_id: TenantId, table: Table, column: str
) -> dict[str, dict[str, int]]:
    levels: dict[str, dict[str, int]] = {}
    owner = "queue_id" if "queue_id" in table.c else "agent_id"
    for row in await _rows(connection, tenant_id, table):
        levels.setdefault(row[owner], {})[row["skill_id"]] = row[column]
    return levels


def _add(parts: Iterable[dict[str, Any]], id_field: str, field: str, values: Mapping[str, Any]) -> None:
    for part in parts:
        if part[id_field] in values:
            part[field] = values[part[id_field]]


async def _calendar_insides(
    connection: AsyncConnection, tenant_id: TenantId
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[dict[str, Any]]]]:
    intervals: dict[str, list[dict[str, Any]]] = {}
    for row in await _rows(connection, tenant_id, tables.calendar_interval):
        intervals.setdefault(row["calendar_id"], []).append(
            {
                "weekday": row["weekday"],
                "shift": str(Shift(row["starts_minute"], row["ends_minute"])),
                "valid_from": row["valid_from"],
                "valid_to": row["valid_to"],
            }
        )
    days: dict[str, list[dict[str, Any]]] = {}
    for row in await _rows(connection, tenant_id, tables.calendar_day):
        part = row["starts_minute"] is not None and row["ends_minute"] is not None
        days.setdefault(row["calendar_id"], []).append(
            {
                **{
                    name: row[name]
                    for name in ("day", "kind", "display_name", "region", "source", "as_weekday")
                },
                "shift": str(Shift(row["starts_minute"], row["ends_minute"])) if part else None,
            }
        )
    return intervals, days


async def _write_section(
    connection: AsyncConnection, tenant_id: TenantId, section: str, centre: Centre
) -> None:
    table: Table = getattr(tables, section)
    id_field = ID_FIELDS[section]
    again = {name: None for name in ("left_at", "retired_at") if name in table.c}
    for part in getattr(centre, section):
        facts = {name: value for name, value in part.model_dump().items() if name in table.c} | again
        changed = {name: value for name, value in facts.items() if name != id_field}
        await connection.execute(
            upsert(table)
            .values(tenant_id=tenant_id, **facts)
            .on_conflict_do_update(index_elements=["tenant_id", id_field], set_=changed)
        )


async def _write_insides(connection: AsyncConnection, tenant_id: TenantId, centre: Centre) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "queue_skill": [
            {"queue_id": queue.queue_id, "skill_id": skill, "level_min": level}
            for queue in centre.queue
            for skill, level in queue.requires.items()
        ],
        "agent_skill": [
            {"agent_id": agent.agent_id, "skill_id": skill, "level": level}
            for agent in centre.agent
            for skill, level in agent.skills.items()
        ],
        "queue_wrap_up_code": [
            {"queue_id": queue.queue_id, "code": code, "ordinal": ordinal}
            for queue in centre.queue
            for ordinal, code in enumerate(queue.wrap_up_codes)
        ],
        "calendar_interval": [
            {
                "calendar_id": calendar.calendar_id,
                **interval.model_dump(exclude={"shift"}),
                "starts_minute": Shift.parse(interval.shift).start_minute,
                "ends_minute": Shift.parse(interval.shift).end_minute,
            }
            for calendar in centre.calendar
            for interval in calendar.intervals
        ],
        "calendar_day": [
            {
                "calendar_id": calendar.calendar_id,
                "ordinal": ordinal,
                **day.model_dump(exclude={"shift"}),
                "starts_minute": Shift.parse(day.shift).start_minute if day.shift else None,
                "ends_minute": Shift.parse(day.shift).end_minute if day.shift else None,
            }
            for calendar in centre.calendar
            for ordinal, day in enumerate(calendar.days)
        ],
    }
    for name, values in rows.items():
        if values:
            await connection.execute(
                insert(getattr(tables, name)), [{"tenant_id": tenant_id, **value} for value in values]
            )


async def _remove_others(
    connection: AsyncConnection, tenant_id: TenantId, section: str, centre: Centre
) -> None:
    table: Table = getattr(tables, section)
    kept = [getattr(part, ID_FIELDS[section]) for part in getattr(centre, section)]
    others = (table.c.tenant_id == tenant_id) & table.c[ID_FIELDS[section]].not_in(kept)
    gone = next((name for name in ("left_at", "retired_at") if name in table.c), None)
    if gone is None:
        await connection.execute(delete(table).where(others))
        return
    fields: dict[str, Any] = {gone: datetime.now(UTC)}
    if section == "agent":
        # what they were stands in agent_membership
        fields |= {"team_id": None, "site_id": None, "employer_id": None}
    await connection.execute(update(table).where(others, table.c[gone].is_(None)).values(fields))


async def _next_version(
    connection: AsyncConnection, tenant_id: TenantId, centre: Centre, made_by: str, note: str
) -> int:
    version = await current_version(connection, tenant_id) + 1
    await connection.execute(
        insert(tables.config_version).values(
            tenant_id=tenant_id, version=version, made_by=made_by, note=note, centre=to_plain(centre)
        )
    )
    return version
