"""Finding parties among a million: by name, by a number's first or last digits, by reference.

The law: no query looks at more than a bounded number of rows. By name the rarest gram leads; of a gram
that stands in many names the newest parties are looked at first, and whether that was all is said.
Under row-level security only leakproof operators reach an index, hence ranges in place of ``LIKE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.number_plans import country_code
from app.customers.numbers import parse_number
from app.customers.parties import ALIAS_DEPTH_MAX
from app.customers.search import asked_grams, folded, is_found
from app.db.session import TenantId

RESULTS_MAX: Final = 50
WORDS_CHARS_MAX: Final = 200
_CANDIDATES_MAX = 200  # compared with the asked words themselves
_SCAN_MAX = 20_000  # parties with the rarest gram that are looked at
_SIZE_MAX = 2_000  # counted so far to tell rare from frequent
_OTHERS_MAX = 3  # further grams that are asked for beside the rarest
_DIGITS_MIN = 3
_LAST = "\U0010ffff"  # sorts after every letter
_EXACT_KINDS = ("e164", "email", "short", "extension", "line", "wechat", "web", "sip")

FoundBy = Literal["number", "external_ref", "name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One party that was found.

    Attributes:
        party_id: Who it reads as today, merges followed.
        found_as: The party whose row was found; another one after a merge.
        name: Of the row that was found.
    """

    party_id: UUID
    found_as: UUID
    name: str
    by: FoundBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a search gave, the best first.

    Attributes:
        is_complete: False: there may be more; more words narrow it.
    """

    found: tuple[Found, ...]
    is_complete: bool


async def find_parties(
    connection: AsyncConnection,
    tenant_id: TenantId,
    words: str,
    *,
    region: str = "",
    area_code: str = "",
    at: datetime,
    limit: int = RESULTS_MAX,
) -> Finding:
    """Find parties by *words* as anybody types them; at most 50, exact numbers and references first."""
    words = "".join(letter for letter in words[:WORDS_CHARS_MAX] if letter.isprintable()).strip()
    if not folded(words) and "+" not in words:
        return Finding(found=(), is_complete=True)
    limit = min(limit, RESULTS_MAX)
    rows: list[tuple[UUID, str, FoundBy]] = []
    identifier = parse_number(words, region, area_code)
    if identifier.kind in _EXACT_KINDS:
        values = {"tenant_id": tenant_id, "kind": identifier.kind, "normal": identifier.normal, "at": at}
        exact = await connection.execute(_BY_IDENTIFIER, {**values, "limit": limit})
        rows += [(row.party_id, row.display_name, "number") for row in exact]
    by_ref = [(each, each + _LAST) for each in _spellings(words)]
    rows += await _in_ranges(connection, tenant_id, _BY_REF, by_ref, "external_ref", limit)
    is_complete = True
    if not any(letter.isdigit() for letter in words) or not _is_number(words):
        names, is_complete = await _by_name(connection, tenant_id, words)
        rows += [(party_id, name, "name") for party_id, name in names]
    normals, reversed_digits = number_beginnings(words, region, area_code)
    starts = [(each, each + _LAST) for each in normals]
    rows += await _in_ranges(connection, tenant_id, _BY_BEGINNING, starts, "number", limit)
    if reversed_digits:
        ends = [(reversed_digits, reversed_digits + _LAST)]
        rows += await _in_ranges(connection, tenant_id, _BY_END, ends, "number", limit)
    found = await _today(connection, tenant_id, rows)
    return Finding(found=tuple(found[:limit]), is_complete=is_complete and len(found) <= limit)


def number_beginnings(words: str, region: str, area_code: str) -> tuple[list[str], str]:
    """Return how the normal forms may begin that *words* begin, and *words*' digits from the end.

    >>> number_beginnings("0912-34", "TW", "2")
    (['+091234', '+88691234', '091234'], '432190')
    >>> number_beginnings("+886 912", "TW", ""), number_beginnings("Wang", "TW", "")
    ((['+886912'], ''), (['wang'], ''))
    """
    digits = "".join(letter for letter in words if letter.isdigit() and letter.isascii())
    if not _is_number(words):
        is_one_word = len(words) >= _DIGITS_MIN and words.isascii() and not words.count(" ")
        return ([words.lower()] if is_one_word else []), ""
    if len(digits) < _DIGITS_MIN:
        return [], ""
    if words.lstrip().startswith("+"):
        return ["+" + digits], ""
    code = country_code(region)
    beginnings = {digits, "+" + digits}
    if code:
        beginnings.add(f"+{code}{digits.lstrip('0')}")
        if area_code and not digits.startswith("0"):
            beginnings.add(f"+{code}{area_code.lstrip('0')}{digits}")
    return sorted(beginnings), digits[::-1]


def _is_number(words: str) -> bool:
    return all(letter.isdigit() or letter in " +-().#*/" for letter in words) and any(map(str.isdigit, words))


def _spellings(words: str) -> list[str]:
    """A reference is typed in any case; two of them are tried beside the one that was typed."""
    if " " in words or len(words) < 2:
        return []
    return sorted({words, words.upper(), words.lower()})


_BY_IDENTIFIER = text(
    """
    SELECT l.party_id, p.display_name
    FROM identifier i
    JOIN party_identifier l ON l.tenant_id = i.tenant_id AND l.identifier_id = i.identifier_id
    JOIN party p ON p.tenant_id = l.tenant_id AND p.party_id = l.party_id
    WHERE i.tenant_id = :tenant_id AND i.kind = :kind AND i.normal = :normal AND p.erased_at IS NULL
    ORDER BY l.valid_to IS NOT NULL AND l.valid_to <= :at, l.is_preferred DESC, l.party_id LIMIT :limit
    """
)
_BY_REF = text(
    """
    SELECT party_id, display_name FROM party
    WHERE tenant_id = :tenant_id AND external_ref ~>=~ :low AND external_ref ~<~ :high AND erased_at IS NULL
    ORDER BY external_ref USING ~<~ LIMIT :limit
    """
)
_OWNERS = """
    SELECT l.party_id, p.display_name
    FROM (SELECT identifier_id FROM identifier
          WHERE tenant_id = :tenant_id AND {column} ~>=~ :low AND {column} ~<~ :high
          ORDER BY {column} USING ~<~ LIMIT :limit) i
    JOIN party_identifier l ON l.tenant_id = :tenant_id AND l.identifier_id = i.identifier_id
    JOIN party p ON p.tenant_id = :tenant_id AND p.party_id = l.party_id AND p.erased_at IS NULL
    LIMIT :limit
    """
_BY_BEGINNING = text(_OWNERS.format(column="normal"))
_BY_END = text(_OWNERS.format(column="reversed"))

# Beyond what is counted, the rarer gram is the one whose last so many parties reach further back: ids sort
# by their birth.
_SIZES = text(
    """
    SELECT a.gram, n.size, n.reach
    FROM unnest(CAST(:grams AS text[])) AS a(gram)
    CROSS JOIN LATERAL (
        SELECT count(*) AS size, coalesce(min(CAST(g.party_id AS text)), '') AS reach
        FROM (SELECT party_id FROM party_gram WHERE tenant_id = :tenant_id AND gram = a.gram
              ORDER BY party_id DESC LIMIT :size_max) g) n
    """
)
# The inner LIMIT and the counting keep the planner to this order: a few look-ups for each party with the
# rarest gram, ended by the outer LIMIT, where a plan by statistics would read whole frequent grams.
_BY_NAME = text(
    """
    SELECT p.party_id, p.display_name, p.erased_at
    FROM (SELECT r.party_id
          FROM (SELECT party_id FROM party_gram WHERE tenant_id = :tenant_id AND gram = :rarest
                ORDER BY party_id DESC LIMIT :scan_max) r
          CROSS JOIN LATERAL (SELECT count(*) AS count FROM party_gram g
                WHERE g.tenant_id = :tenant_id AND g.gram = ANY(CAST(:others AS text[]))
                  AND g.party_id = r.party_id) o
          WHERE o.count = :other_count LIMIT :candidates_max) c
    JOIN party p ON p.tenant_id = :tenant_id AND p.party_id = c.party_id
    """
)


async def _by_name(
    connection: AsyncConnection, tenant_id: TenantId, words: str
) -> tuple[list[tuple[UUID, str]], bool]:
    wanted = sorted(asked_grams(words))
    if not wanted:
        return [], True
    values = {"tenant_id": tenant_id, "grams": wanted, "size_max": _SIZE_MAX}
    rows = await connection.execute(_SIZES, values)
    sizes = [(row.size, row.gram) for row in sorted(rows, key=lambda row: (row.size, row.reach, row.gram))]
    if sizes[0][0] == 0:
        return [], True
    others = [gram for _, gram in sizes[1 : 1 + _OTHERS_MAX]]
    likely = (
        await connection.execute(
            _BY_NAME,
            {
                "tenant_id": tenant_id,
                "rarest": sizes[0][1],
                "others": others,
                "other_count": len(others),
                "scan_max": _SCAN_MAX,
                "candidates_max": _CANDIDATES_MAX,
            },
        )
    ).all()
    found = [
        (row.party_id, row.display_name)
        for row in likely
        if row.erased_at is None and is_found(words, row.display_name)
    ]
    found.sort(key=lambda each: (*_closeness(words, each[1]), each[1], each[0]))
    is_complete = len(likely) < _CANDIDATES_MAX and sizes[0][0] < _SIZE_MAX
    return found, is_complete


def _closeness(words: str, name: str) -> tuple[bool, bool, int]:
    plain, asked = folded(name), folded(words)
    return plain != asked, not plain.startswith(asked), len(plain)


async def _in_ranges(
    connection: AsyncConnection,
    tenant_id: TenantId,
    statement: object,
    ranges: Iterable[tuple[str, str]],
    by: FoundBy,
    limit: int,
) -> list[tuple[UUID, str, FoundBy]]:
    found: list[tuple[UUID, str, FoundBy]] = []
    for low, high in ranges:
        values = {"tenant_id": tenant_id, "low": low, "high": high, "limit": limit + 1}
        rows = await connection.execute(statement, values)  # type: ignore[call-overload]
        found += [(row.party_id, row.display_name, by) for row in rows]
    return found


_TODAY = text(
    """
    WITH RECURSIVE chain AS (
        SELECT each AS found_as, each AS party_id, 0 AS depth FROM unnest(CAST(:party_ids AS uuid[])) AS each
        UNION ALL
        SELECT c.found_as, a.party_id, c.depth + 1
        FROM chain c JOIN party_alias a ON a.merged_party_id = c.party_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND c.depth < :depth_max
    )
    SELECT DISTINCT ON (c.found_as) c.found_as, c.party_id, p.erased_at
    FROM chain c JOIN party p ON p.tenant_id = :tenant_id AND p.party_id = c.party_id
    ORDER BY c.found_as, c.depth DESC
    """
)


async def standing(
    connection: AsyncConnection, tenant_id: TenantId, party_ids: Iterable[UUID]
) -> dict[UUID, UUID]:
    """Return who each party reads as today; whoever was erased is left out."""
    wanted = sorted(set(party_ids))
    if not wanted:
        return {}
    values = {"tenant_id": tenant_id, "party_ids": wanted, "depth_max": ALIAS_DEPTH_MAX}
    rows = await connection.execute(_TODAY, values)
    return {row.found_as: row.party_id for row in rows if row.erased_at is None}


async def _today(
    connection: AsyncConnection, tenant_id: TenantId, rows: Sequence[tuple[UUID, str, FoundBy]]
) -> list[Found]:
    """Follow the merges; one result per party, in the order given, nobody who was erased."""
    today = await standing(connection, tenant_id, (party_id for party_id, _, _ in rows))
    kept: dict[UUID, Found] = {}
    for found_as, name, by in rows:
        if found_as in today:
            party_id = today[found_as]
            kept.setdefault(party_id, Found(party_id=party_id, found_as=found_as, name=name, by=by))
    return list(kept.values())
