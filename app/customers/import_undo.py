"""The job ``party_import_undo``: take back what an import did, where nobody has built on it since.

From the last row to the first. A party that the import made goes if it is as the import left it and
nothing refers to it; one that it changed gets back what it had. What cannot be taken back is told.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.import_records import import_of, set_import
from app.customers.search import grams
from app.db.session import TenantId, driver
from app.jobs.work import Work

BATCH_ROWS: Final = 500
KEPT_SHOWN_MAX: Final = 100

_LAST_ROWS = text(
    """
    SELECT r.import_id, r.ordinal, r.party_id, r.action, r.before, r.links, r.party_changed_at, p.changed_at
    FROM party_import_row r LEFT JOIN party p ON p.tenant_id = r.tenant_id AND p.party_id = r.party_id
    WHERE r.tenant_id = :tenant_id AND r.import_id = :import_id AND r.ordinal < :below
    ORDER BY r.ordinal DESC LIMIT :limit
    """
)
# Whoever wrote a note, promised something, merged or spoke with the party has built on it.
_IN_USE = text(
    """
    SELECT p.party_id FROM party p
    WHERE p.tenant_id = :tenant_id AND p.party_id = ANY(CAST(:party_ids AS uuid[])) AND (
        EXISTS (SELECT 1 FROM party_note n WHERE n.tenant_id = p.tenant_id AND n.party_id = p.party_id
                AND n.at <> p.changed_at)
        OR EXISTS (SELECT 1 FROM party_alias a WHERE a.tenant_id = p.tenant_id
                AND p.party_id IN (a.party_id, a.merged_party_id))
        OR EXISTS (SELECT 1 FROM relation r WHERE r.tenant_id = p.tenant_id
                AND p.party_id IN (r.from_party_id, r.to_party_id))
        OR EXISTS (SELECT 1 FROM promise m WHERE m.tenant_id = p.tenant_id AND m.to_party_id = p.party_id)
        OR EXISTS (SELECT 1 FROM consent c WHERE c.tenant_id = p.tenant_id AND c.party_id = p.party_id)
        OR EXISTS (SELECT 1 FROM interaction i WHERE i.tenant_id = p.tenant_id AND i.party_id = p.party_id
                AND i.day >= CAST(:since AS date)))
    """
)
_TAKE_AWAY = (
    "DELETE FROM party_import_row WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
    "DELETE FROM party_note WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
    "DELETE FROM party_gram WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
    "DELETE FROM party_identifier WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
    "DELETE FROM party WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
)
_ORPHANS = """
    DELETE FROM identifier i WHERE i.tenant_id = $1 AND i.identifier_id = ANY($2::uuid[])
    AND NOT EXISTS (SELECT 1 FROM party_identifier l
                    WHERE l.tenant_id = i.tenant_id AND l.identifier_id = i.identifier_id)
"""
_FORGET_ROW = "DELETE FROM party_import_row WHERE tenant_id = $1 AND import_id = $2 AND ordinal = $3"
_UNLINK = """
    DELETE FROM party_identifier WHERE tenant_id = $1 AND party_id = $2 AND identifier_id = ANY($3::uuid[])
"""
_RESTORE = """
    UPDATE party SET display_name = $3, kind = $4, language = $5, external_ref = $6, custom = $7::jsonb,
        changed_at = $8::text::timestamptz
    WHERE tenant_id = $1 AND party_id = $2
"""


async def run(work: Work) -> dict[str, Any]:
    """Undo the import, batch by batch; what was taken back stays so when the job is cancelled."""
    import_id = UUID(work.input["import_id"])
    async with work.database.transaction(work.tenant_id) as connection:
        row = await import_of(connection, work.tenant_id, import_id)
    counts = {"removed": 0, "restored": 0, "kept": 0}
    kept: list[dict[str, str]] = []
    below, done, total = 2**31 - 1, 0, _total(row.counts)
    while True:
        async with work.database.transaction(work.tenant_id) as connection:
            values = {
                "tenant_id": work.tenant_id,
                "import_id": import_id,
                "below": below,
                "limit": BATCH_ROWS,
            }
            rows = (await connection.execute(_LAST_ROWS, values)).all()
            if not rows:
                await set_import(
                    connection,
                    work.tenant_id,
                    import_id,
                    state="undone",
                    undo={"counts": counts, "kept": kept},
                )
                break
            left = await _undo(connection, work.tenant_id, rows, since=row.made_at.date(), counts=counts)
            kept += left[: KEPT_SHOWN_MAX - len(kept)]
            await set_import(connection, work.tenant_id, import_id, undo={"counts": counts, "kept": kept})
        below = rows[-1].ordinal
        done += len(rows)
        await work.report(done, total)
    return {"counts": counts}


async def _undo(
    connection: AsyncConnection, tenant_id: TenantId, rows: Any, *, since: Any, counts: dict[str, int]
) -> list[dict[str, str]]:
    """Take back the rows, newest first; return what had to be kept, and why."""
    asyncpg = await driver(connection)
    kept: list[dict[str, str]] = []
    changed_at = {row.party_id: row.changed_at for row in rows}
    for row in rows:
        if row.action == "updated" and changed_at[row.party_id] == row.party_changed_at:
            changed_at[row.party_id] = await _restore(asyncpg, tenant_id, row)
            counts["restored"] += 1
        elif row.action == "updated" and row.changed_at is not None:
            kept.append({"party_id": str(row.party_id), "reason": "changed_since"})
    made = [row for row in rows if row.action == "created" and changed_at[row.party_id] is not None]
    candidates = [row.party_id for row in made if changed_at[row.party_id] == row.party_changed_at]
    values = {"tenant_id": tenant_id, "party_ids": candidates, "since": since}
    in_use = set((await connection.execute(_IN_USE, values)).scalars())
    removed = [party_id for party_id in candidates if party_id not in in_use]
    kept += [{"party_id": str(each), "reason": "in_use"} for each in sorted(in_use)]
    kept += [
        {"party_id": str(row.party_id), "reason": "changed_since"}
        for row in made
        if changed_at[row.party_id] != row.party_changed_at
    ]
    if removed:
        for statement in _TAKE_AWAY:
            await asyncpg.execute(statement, tenant_id, removed)
        gone = set(removed)
        linked = [UUID(each) for row in made if row.party_id in gone for each in row.links]
        await asyncpg.execute(_ORPHANS, tenant_id, linked)
    counts["removed"] += len(removed)
    counts["kept"] += len(kept)
    return kept


async def _restore(asyncpg: Any, tenant_id: TenantId, row: Any) -> Any:
    """Give a changed party back what it had; return its version from then."""
    before = row.before
    links = [UUID(each) for each in row.links]
    values = [before[name] for name in ("display_name", "kind", "language", "external_ref")]
    custom = orjson.dumps(before["custom"]).decode()
    await asyncpg.execute(_RESTORE, tenant_id, row.party_id, *values, custom, before["changed_at"])
    await asyncpg.execute(_UNLINK, tenant_id, row.party_id, links)
    await asyncpg.execute(_ORPHANS, tenant_id, links)
    await asyncpg.execute(
        "DELETE FROM party_note WHERE tenant_id = $1 AND party_id = $2 AND at = $3",
        tenant_id,
        row.party_id,
        row.party_changed_at,
    )
    await asyncpg.execute(_FORGET_ROW, tenant_id, row.import_id, row.ordinal)
    await asyncpg.execute(
        "DELETE FROM party_gram WHERE tenant_id = $1 AND party_id = $2", tenant_id, row.party_id
    )
    await asyncpg.execute(
        "INSERT INTO party_gram (tenant_id, party_id, gram) SELECT $1, $2, unnest($3::text[])",
        tenant_id,
        row.party_id,
        sorted(grams(before["display_name"])),
    )
    return await asyncpg.fetchval(
        "SELECT changed_at FROM party WHERE tenant_id = $1 AND party_id = $2", tenant_id, row.party_id
    )


def _total(counts: dict[str, int]) -> int:
    return int(counts.get("created", 0)) + int(counts.get("updated", 0))
