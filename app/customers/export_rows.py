"""Parties as rows of a list that goes out: harmless to spreadsheets, readable by our own import."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, exists, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.csv_safety import neutral
from app.customers.finding import find_parties
from app.customers.reading import custom_fields
from app.customers.search import asked_grams, is_found
from app.db import tables as t
from app.db.session import Database, TenantId

BATCH_ROWS: Final = 200
"""So few that the server's loop is free again within milliseconds."""
_FACTS = ("external_ref", "display_name", "kind", "language")
_KINDS: Mapping[str, str] = {
    "e164": "phone",
    "short": "phone",
    "email": "email",
    "line": "line",
    "wechat": "wechat",
}
_NUMBERS = ("phone", "email", "line", "wechat")

_WITH_GRAMS = text(
    """
    SELECT p.party_id, p.display_name
    FROM (SELECT party_id FROM party_gram WHERE tenant_id = :tenant_id AND gram = ANY(CAST(:grams AS text[]))
          GROUP BY party_id HAVING count(*) = :gram_count) found
    JOIN party p ON p.tenant_id = :tenant_id AND p.party_id = found.party_id
    WHERE p.erased_at IS NULL
    """
)


class ExportRows:
    """The header and the batches of one export.

    Args:
        words: Only what a search for them finds; "" is everybody.
    """

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        *,
        words: str = "",
        region: str = "",
        area_code: str = "",
    ) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._words, self._plan = words.strip(), (region, area_code)
        self._fields: list[str] = []

    async def header(self) -> list[str]:
        """Return the column names; call it first."""
        async with self._database.transaction(self._tenant_id) as connection:
            self._fields = [row["field_id"] for row in await custom_fields(connection, self._tenant_id)]
        return [neutral(name) for name in (*_FACTS, *_NUMBERS, *self._fields)]

    async def batches(self) -> AsyncIterator[list[list[str]]]:
        """Yield rows, a few at once, each batch from a transaction of its own."""
        wanted = await self._found() if self._words else None
        after: UUID | None = None
        while True:
            if wanted is not None:
                part, wanted = wanted[:BATCH_ROWS], wanted[BATCH_ROWS:]
                if not part:
                    return
            else:
                part = None
            async with self._database.transaction(self._tenant_id) as connection:
                parties = await self._parties(connection, after, part)
                numbers = await self._numbers(connection, [row["party_id"] for row in parties])
            if part is None and not parties:
                return
            after = parties[-1]["party_id"] if parties else after
            yield [self._row(row, numbers.get(row["party_id"], {})) for row in parties]

    async def _found(self) -> list[UUID]:
        region, area_code = self._plan
        async with self._database.transaction(self._tenant_id) as connection:
            finding = await find_parties(
                connection,
                self._tenant_id,
                self._words,
                region=region,
                area_code=area_code,
                at=datetime.now(UTC),
            )
            found = {each.party_id for each in finding.found}
            if not finding.is_complete:
                grams = sorted(asked_grams(self._words))
                values = {"tenant_id": self._tenant_id, "grams": grams, "gram_count": len(grams)}
                rows = await connection.execute(_WITH_GRAMS, values)
                found |= {row.party_id for row in rows if is_found(self._words, row.display_name)}
        return sorted(found)

    async def _parties(
        self, connection: AsyncConnection, after: UUID | None, part: Sequence[UUID] | None
    ) -> list[Mapping[str, Any]]:
        party, alias = t.party.c, t.party_alias.c
        is_merged = exists().where(
            alias.tenant_id == party.tenant_id,
            alias.merged_party_id == party.party_id,
            alias.undone_at.is_(None),
        )
        conditions = [party.tenant_id == self._tenant_id, party.erased_at.is_(None), ~is_merged]
        if part is not None:
            conditions.append(party.party_id.in_(part))
        elif after is not None:
            conditions.append(party.party_id > after)
        query = select(t.party).where(and_(*conditions)).order_by(party.party_id).limit(BATCH_ROWS)
        return [dict(row._mapping) for row in await connection.execute(query)]

    async def _numbers(
        self, connection: AsyncConnection, party_ids: Sequence[UUID]
    ) -> dict[UUID, dict[str, list[str]]]:
        link, name = t.party_identifier.c, t.identifier.c
        query = (
            select(link.party_id, name.kind, name.normal, link.extension)
            .join(
                t.identifier, and_(name.tenant_id == link.tenant_id, name.identifier_id == link.identifier_id)
            )
            .where(
                link.tenant_id == self._tenant_id,
                link.party_id.in_(party_ids),
                link.valid_to.is_(None),
                name.kind.in_(list(_KINDS)),
            )
            .order_by(link.party_id, link.is_preferred.desc(), name.normal)
        )
        found: dict[UUID, dict[str, list[str]]] = {}
        for row in await connection.execute(query):
            number = f"{row.normal} ext. {row.extension}" if row.extension else row.normal
            found.setdefault(row.party_id, {}).setdefault(_KINDS[row.kind], []).append(number)
        return found

    def _row(self, row: Mapping[str, Any], numbers: Mapping[str, Sequence[str]]) -> list[str]:
        facts = [row[name] for name in _FACTS]
        handles = ["; ".join(numbers.get(kind, ())) for kind in _NUMBERS]
        custom = [_shown(row["custom"].get(field_id)) for field_id in self._fields]
        return [neutral(cell) for cell in (*facts, *handles, *custom)]


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as CSV (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def _shown(value: Any) -> str:
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
