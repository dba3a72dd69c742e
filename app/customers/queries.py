"""Looking people up: who an identifier stands for, a fact about one, and search by name or number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.editing import add_identifier
from app.customers.finding import RESULTS_MAX, find_parties
from app.customers.identify_rules import Attestation, Candidate, Match, late, match
from app.customers.notes import NOTE_CHARS_MAX as NOTE_CHARS_MAX
from app.customers.notes import Note, add_note, notes_of
from app.customers.numbers import Identifier, parse_number
from app.customers.parties import ALIAS_DEPTH_MAX, Link
from app.db.session import Database, TenantId

__all__ = [
    "Note",
    "add_note",
    "candidates",
    "identify",
    "notes_of",
    "party_fact",
    "search_parties",
]

IDENTIFY_BOX_S = 0.150
"""A look-up that the caller waits for takes at most this long; the rest of it goes on behind his back."""
LOOK_UPS_MAX = 512
"""Under way at once, late ones included; beyond it a caller is not looked up but goes on."""
LINKS_MAX = 50

_CANDIDATES = text(
    """
    WITH RECURSIVE links AS (
        SELECT l.party_id, l.label, l.extension, l.is_preferred, i.verified_at,
               greatest(l.valid_from, i.valid_from) AS valid_from, least(l.valid_to, i.valid_to) AS valid_to
        FROM identifier i JOIN party_identifier l
          ON l.tenant_id = i.tenant_id AND l.identifier_id = i.identifier_id
        WHERE i.tenant_id = :tenant_id AND i.kind = :kind AND i.normal = :normal
          AND (coalesce(l.valid_to, i.valid_to) IS NULL OR least(l.valid_to, i.valid_to) > :at)
        ORDER BY l.is_preferred DESC, l.party_id
        LIMIT :links_max
    ),
    chain AS (
        SELECT party_id AS linked_party_id, party_id, 0 AS depth FROM links
        UNION ALL
        SELECT c.linked_party_id, a.party_id, c.depth + 1
        FROM chain c JOIN party_alias a ON a.merged_party_id = c.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND c.depth < :depth_max
    ),
    today AS (
        SELECT DISTINCT ON (linked_party_id) linked_party_id, party_id
        FROM chain ORDER BY linked_party_id, depth DESC
    )
    SELECT t.party_id, t.linked_party_id, p.kind, p.display_name, p.language, p.external_ref, l.label,
           l.extension, l.is_preferred, l.verified_at IS NOT NULL AS is_verified, l.valid_from, l.valid_to,
           coalesce(p.custom ->> 'preferred_agent', '') AS preferred_agent
    FROM links l JOIN today t ON t.linked_party_id = l.party_id
    JOIN party p ON p.tenant_id = :tenant_id AND p.party_id = t.party_id
    WHERE p.erased_at IS NULL
    """
)


async def candidates(
    connection: AsyncConnection, tenant_id: TenantId, identifier: Identifier, at: datetime
) -> list[Candidate]:
    """Return the parties linked to *identifier*, merges followed; at most 50 links are read."""
    if identifier.kind == "withheld":
        return []
    rows = await connection.execute(
        _CANDIDATES,
        {
            "tenant_id": tenant_id,
            "kind": identifier.kind,
            "normal": identifier.normal,
            "at": at,
            "links_max": LINKS_MAX,
            "depth_max": ALIAS_DEPTH_MAX,
        },
    )
    return [Candidate(**row) for row in rows.mappings()]


async def identify(
    database: Database,
    tenant_id: TenantId,
    raw: str,
    *,
    region: str,
    area_code: str = "",
    at: datetime | None = None,
    box_s: float = IDENTIFY_BOX_S,
    on_late: Callable[[Match], None] | None = None,
    attestation: Attestation = "unknown",
) -> Match:
    """Say who calls, within *box_s* seconds.

    A look-up that is not done in time answers ``late`` and goes on; its result then goes to *on_late*, which
    updates the pop. A database that is away answers ``late`` too, and *on_late* is not called.

    Args:
        region: Of the entry point's trunk, with its *area_code*.
        attestation: What the network says of the caller id.
    """
    identifier = parse_number(raw, region, area_code)
    if identifier.kind == "withheld":
        return match(identifier, (), at or datetime.now(UTC))
    if len(_under_way) >= LOOK_UPS_MAX:
        return late(identifier, attestation)
    look_up = asyncio.ensure_future(
        _look_up(database, tenant_id, identifier, at or datetime.now(UTC), attestation)
    )
    _under_way.add(look_up)
    look_up.add_done_callback(_under_way.discard)
    done, _ = await asyncio.wait({look_up}, timeout=box_s)
    if done:
        return look_up.result() or late(identifier, attestation)

    def deliver(task: asyncio.Future[Match | None]) -> None:
        if not task.cancelled() and (found := task.result()) is not None and on_late is not None:
            on_late(found)

    look_up.add_done_callback(deliver)
    return late(identifier, attestation)


_under_way: set[asyncio.Future[Match | None]] = set()


async def _look_up(
    database: Database, tenant_id: TenantId, identifier: Identifier, at: datetime, attestation: Attestation
) -> Match | None:
    try:
        async with database.transaction(tenant_id) as connection:
            found = await candidates(connection, tenant_id, identifier, at)
    except (SQLAlchemyError, OSError, TimeoutError):
        return None  # routing goes on without PostgreSQL
    return match(identifier, found, at, attestation)


_ATTRIBUTE = text(
    """
    SELECT kind, display_name, language, external_ref, custom
    FROM party WHERE tenant_id = :tenant_id AND party_id = :party_id AND erased_at IS NULL
    """
)
_PLAIN_FACTS = ("kind", "display_name", "language", "external_ref")


async def party_fact(
    connection: AsyncConnection, tenant_id: TenantId, party_id: UUID, name: str
) -> str | None:
    """Return one fact about a party as text: a column or a custom field; None when it has none."""
    values = {"tenant_id": tenant_id, "party_id": party_id}
    row = (await connection.execute(_ATTRIBUTE, values)).mappings().one_or_none()
    if row is None:
        return None
    value: Any = row[name] if name in _PLAIN_FACTS else row["custom"].get(name)
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


async def search_parties(
    connection: AsyncConnection,
    tenant_id: TenantId,
    words: str,
    *,
    region: str = "",
    area_code: str = "",
    at: datetime,
    limit: int = RESULTS_MAX,
) -> list[tuple[UUID, str]]:
    """Find parties by number (as anybody writes it), reference or name, the best first; at most 50."""
    finding = await find_parties(
        connection, tenant_id, words, region=region, area_code=area_code, at=at, limit=limit
    )
    return [(each.party_id, each.name) for each in finding.found]


async def remember_number(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_id: UUID,
    raw: str,
    *,
    region: str,
    area_code: str,
    at: datetime,
    source: str,
) -> bool:
    """Link the number that somebody called from to them; others keep it too. False: it is withheld."""
    identifier = parse_number(raw, region, area_code)
    if identifier.kind == "withheld":
        return False
    await add_identifier(
        connection,
        tenant_id,
        party_id,
        identifier,
        link=Link(source=source),
        region=region,
        is_shared=True,
        at=at,
    )
    return True
