"""One batch of an imported list against the record: who is known, what is decided, what is written.

A batch is one transaction: its parties, their links, and for each row what an undoing needs. Moments are
the transaction's, so that "untouched since" is an equality.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.finding import standing
from app.customers.import_choices import Decision, Known, decide, keys_of
from app.customers.import_mapping import Column, NewRow, OnDuplicate, row_of
from app.customers.search import grams
from app.db import tables as t
from app.db.bulk import BulkStatement, upsert
from app.db.ids import new_id
from app.db.session import TenantId, driver

BATCH_ROWS: Final = 1_000

_PARTY = upsert(
    t.party, ("party_id", "kind", "display_name", "language", "external_ref", "custom"), update=False
)
_GRAM = upsert(t.party_gram, ("party_id", "gram"), update=False)
_LINK = upsert(
    t.party_identifier,
    ("party_id", "identifier_id", "label", "source", "extension", "is_preferred"),
    update=False,
)
_NOTE = upsert(t.party_note, ("note_id", "party_id", "text", "author"), update=False)
_IDENTIFIERS = """
    INSERT INTO identifier (tenant_id, identifier_id, kind, raw, normal, region)
    SELECT $1, u.identifier_id, u.kind, u.raw, u.normal, $6
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS u(identifier_id, kind, raw, normal)
    ON CONFLICT (tenant_id, kind, normal) DO NOTHING
"""
_FIND_IDENTIFIERS = """
    SELECT i.kind, i.normal, i.identifier_id FROM unnest($2::text[], $3::text[]) AS u(kind, normal)
    JOIN identifier i ON i.tenant_id = $1 AND i.kind = u.kind AND i.normal = u.normal
"""
_DONE_ROWS = """
    INSERT INTO party_import_row
        (tenant_id, import_id, ordinal, party_id, action, before, links, party_changed_at)
    SELECT $1, $2, u.ordinal, u.party_id, u.action, u.before::jsonb, u.links::jsonb, now()
    FROM unnest($3::integer[], $4::uuid[], $5::text[], $6::text[], $7::text[])
        AS u(ordinal, party_id, action, before, links)
"""
_CHANGE = """
    UPDATE party p SET display_name = u.display_name, kind = u.kind, language = u.language,
        external_ref = u.external_ref, custom = u.custom::jsonb, changed_at = now()
    FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
        AS u(party_id, display_name, kind, language, external_ref, custom)
    WHERE p.tenant_id = $1 AND p.party_id = u.party_id
"""
_BY_REF = text(
    """
    SELECT external_ref, party_id FROM party
    WHERE tenant_id = :tenant_id AND external_ref = ANY(CAST(:refs AS text[])) AND erased_at IS NULL
    ORDER BY party_id
    """
)
_BY_IDENTIFIER = text(
    """
    SELECT i.kind, i.normal, l.party_id, p.external_ref
    FROM unnest(CAST(:kinds AS text[]), CAST(:normals AS text[])) AS u(kind, normal)
    JOIN identifier i ON i.tenant_id = :tenant_id AND i.kind = u.kind AND i.normal = u.normal
    JOIN party_identifier l ON l.tenant_id = i.tenant_id AND l.identifier_id = i.identifier_id
    JOIN party p ON p.tenant_id = l.tenant_id AND p.party_id = l.party_id AND p.erased_at IS NULL
    WHERE l.valid_to IS NULL OR l.valid_to > now()
    """
)
_FACTS = text(
    """
    SELECT party_id, display_name, kind, language, external_ref, custom, changed_at
    FROM party WHERE tenant_id = :tenant_id AND party_id = ANY(CAST(:party_ids AS uuid[]))
    FOR UPDATE
    """
)


@dataclass(slots=True)
class Plan:
    """How a list becomes parties.

    Attributes:
        has_header: The first row is no customer.
        seen: Keys of the rows so far: a later row with one of them is in the list twice.
    """

    columns: Sequence[Column]
    on_duplicate: OnDuplicate
    has_header: bool
    region: str
    area_code: str
    seen: set[str] = field(default_factory=set)


def batches_of(path: Path, plan: Plan) -> Iterator[tuple[list[tuple[int, list[str]]], list[NewRow]]]:
    """Yield the rows of a read list as they were and as what they become, a thousand at once."""
    cells: list[tuple[int, list[str]]] = []
    with path.open("rb") as lines:
        if plan.has_header:
            next(lines, None)
        for ordinal, line in enumerate(lines):
            cells.append((ordinal, orjson.loads(line)))
            if len(cells) == BATCH_ROWS:
                yield cells, _rows(cells, plan)
                cells = []
    if cells:
        yield cells, _rows(cells, plan)


def _rows(cells: Iterable[tuple[int, list[str]]], plan: Plan) -> list[NewRow]:
    made = (
        row_of(ordinal, row, plan.columns, region=plan.region, area_code=plan.area_code)
        for ordinal, row in cells
    )
    return [row for row in made if row is not None]


def parts_of(rows: Iterable[NewRow]) -> Iterator[list[NewRow]]:
    """Cut a batch where a row names somebody whom an earlier row of it may have made."""
    part: list[NewRow] = []
    named: set[str] = set()
    for row in rows:
        keys = _all_keys(row)
        if named & keys:
            yield part
            part, named = [], set()
        part.append(row)
        named |= keys
    if part:
        yield part


def _all_keys(row: NewRow) -> set[str]:
    identifiers = {f"{each.kind}:{each.normal}" for each, _ in row.identifiers}
    return identifiers | ({f"ref:{row.external_ref}"} if row.external_ref else set())


async def decided(
    connection: AsyncConnection, tenant_id: TenantId, rows: Sequence[NewRow], plan: Plan
) -> list[Decision]:
    """Decide about *rows*, none of which names another of them; remember their keys in the plan."""
    known = await _known(connection, tenant_id, rows)
    decisions = []
    for row in rows:
        keys = keys_of(row)
        is_in_file = any(key in plan.seen for key in keys)
        decisions.append(decide(row, known, plan.on_duplicate, is_in_file=is_in_file))
        if not row.problems:
            plan.seen.update(keys)
    return decisions


async def _known(connection: AsyncConnection, tenant_id: TenantId, rows: Sequence[NewRow]) -> Known:
    known = Known()
    refs = sorted({row.external_ref for row in rows if row.external_ref})
    if refs:
        for found in await connection.execute(_BY_REF, {"tenant_id": tenant_id, "refs": refs}):
            known.by_ref.setdefault(found.external_ref, found.party_id)
    pairs = sorted({(each.kind, each.normal) for row in rows for each, _ in row.identifiers})
    if pairs:
        values = {
            "tenant_id": tenant_id,
            "kinds": [kind for kind, _ in pairs],
            "normals": [normal for _, normal in pairs],
        }
        for found in await connection.execute(_BY_IDENTIFIER, values):
            known.by_identifier.setdefault((found.kind, found.normal), set()).add(found.party_id)
            known.refs[found.party_id] = found.external_ref
    today = await standing(connection, tenant_id, [*known.by_ref.values(), *known.refs])
    known.by_ref = {ref: today[each] for ref, each in known.by_ref.items() if each in today}
    known.by_identifier = {
        pair: {today[each] for each in parties if each in today}
        for pair, parties in known.by_identifier.items()
    }
    return known


async def write(
    connection: AsyncConnection,
    tenant_id: TenantId,
    import_id: UUID,
    decisions: Sequence[Decision],
    *,
    region: str,
    author: str,
) -> dict[str, int]:
    """Write what was decided; return how many were created, updated and found unchanged."""
    rows = [(new_id(), each.row) for each in decisions if each.action == "create"]
    known = [(each.party_id, each.row) for each in decisions if each.action == "update"]
    changes, before = await _changes(connection, tenant_id, known)  # type: ignore[arg-type]
    asyncpg = await driver(connection)

    async def bulk(statement: BulkStatement, values: Sequence[Sequence[Any]]) -> list[Any]:
        if not values:
            return []
        found: list[Any] = await asyncpg.fetch(statement.sql, tenant_id, *statement.arguments(values))
        return found

    await bulk(
        _PARTY,
        [
            (party_id, row.kind or "person", row.display_name, row.language, row.external_ref,
             orjson.dumps(dict(row.custom)).decode())
            for party_id, row in rows
        ],
    )  # fmt: skip
    named = [(party_id, row.display_name) for party_id, row in rows]
    renamed = [
        (party_id, facts["display_name"])
        for party_id, facts in changes.items()
        if facts["display_name"] != before[party_id]["display_name"]
    ]
    if renamed:
        await asyncpg.execute(
            "DELETE FROM party_gram WHERE tenant_id = $1 AND party_id = ANY($2::uuid[])",
            tenant_id,
            [party_id for party_id, _ in renamed],
        )
    await bulk(
        _GRAM, [(party_id, gram) for party_id, name in (*named, *renamed) for gram in sorted(grams(name))]
    )
    links = await _link(asyncpg, bulk, tenant_id, [*rows, *known], region)  # type: ignore[list-item]
    await bulk(_NOTE, [(new_id(), party_id, row.note, author) for party_id, row in rows if row.note])
    changed = {party_id: facts for party_id, facts in changes.items() if facts != _plain(before[party_id])}
    await bulk(
        _NOTE,
        [
            (new_id(), party_id, row.note, author)
            for party_id, row in known
            if row.note and party_id in changed
        ],
    )
    touched = {party_id for party_id in changes if party_id in changed or links.get(party_id)}
    if touched:
        ordered = sorted(touched)
        facts = [[changes[each][name] for each in ordered] for name in _NAMES]
        customs = [orjson.dumps(changes[each]["custom"]).decode() for each in ordered]
        await asyncpg.execute(_CHANGE, tenant_id, ordered, *facts, customs)
    done = [(row.ordinal, party_id, "created", "{}", _links(links, party_id)) for party_id, row in rows]
    for party_id, row in known:
        if party_id in touched:
            was = orjson.dumps(_told(before[party_id])).decode()
            done.append((row.ordinal, party_id, "updated", was, _links(links, party_id)))
    if done:
        columns = [list(each) for each in zip(*done, strict=True)]
        await asyncpg.execute(_DONE_ROWS, tenant_id, import_id, *columns)
    return {"created": len(rows), "updated": len(touched), "unchanged": len(known) - len(touched)}


_NAMES = ("display_name", "kind", "language", "external_ref")
_Facts = dict[str, Any]


async def _changes(
    connection: AsyncConnection, tenant_id: TenantId, known: Sequence[tuple[UUID, NewRow]]
) -> tuple[dict[UUID, _Facts], dict[UUID, _Facts]]:
    """What the known parties are to become, and what they were. An empty cell changes nothing."""
    if not known:
        return {}, {}
    values = {"tenant_id": tenant_id, "party_ids": sorted({party_id for party_id, _ in known})}
    before = {row["party_id"]: dict(row) for row in (await connection.execute(_FACTS, values)).mappings()}
    changes: dict[UUID, _Facts] = {}
    for party_id, row in known:
        facts = changes.setdefault(party_id, _plain(before[party_id]))
        for name in _NAMES:
            facts[name] = getattr(row, name) or facts[name]
        facts["custom"] = {**facts["custom"], **row.custom}
    return changes, before


def _plain(facts: _Facts) -> _Facts:
    return {name: facts[name] for name in (*_NAMES, "custom")}


def _told(facts: _Facts) -> _Facts:
    changed_at: datetime = facts["changed_at"]
    return {**_plain(facts), "changed_at": changed_at.isoformat()}


async def _link(
    asyncpg: Any, bulk: Any, tenant_id: TenantId, rows: Sequence[tuple[UUID, NewRow]], region: str
) -> dict[UUID, list[UUID]]:
    """Link the rows' identifiers; return the links that were new."""
    wanted = {(each.kind, each.normal): each for _, row in rows for each, _ in row.identifiers}
    if not wanted:
        return {}
    new = [(new_id(), each.kind, each.raw, each.normal) for each in wanted.values()]
    await asyncpg.execute(_IDENTIFIERS, tenant_id, *(list(each) for each in zip(*new, strict=True)), region)
    found = await asyncpg.fetch(
        _FIND_IDENTIFIERS, tenant_id, [kind for kind, _ in wanted], [normal for _, normal in wanted]
    )
    ids = {(row["kind"], row["normal"]): row["identifier_id"] for row in found}
    values = {
        (party_id, ids[each.kind, each.normal]): (label, "import", each.extension, at == 0)
        for party_id, row in rows
        for at, (each, label) in enumerate(row.identifiers)
    }
    made = await bulk(_LINK, [(*pair, *facts) for pair, facts in values.items()])
    links: dict[UUID, list[UUID]] = {}
    for row in made:
        links.setdefault(row["party_id"], []).append(row["identifier_id"])
    return links


def _links(links: dict[UUID, list[UUID]], party_id: UUID) -> str:
    return orjson.dumps([str(each) for each in links.get(party_id, [])]).decode()
