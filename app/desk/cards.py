"""What pops show: the cards of parties, and what the log knows of a call and of who it was.

Every function runs inside one tenant's transaction. History is read over all that a party stands for today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.dialects.postgresql import UUID as PG_UUID
from sqlalchemy.ext.asyncio import AsyncConnection

from app.customers.identify_rules import Candidate, Match
from app.customers.numbers import Identifier
from app.db.session import TenantId
from app.desk.topic_values import CardContact, CardNote, CardPromise, PartyCard
from routing.ids import InteractionId, day_of

ALIAS_DEPTH_MAX = 8
NUMBERS_MAX = 10
CONTACTS_MAX = 5
NOTES_MAX = 5
PROMISES_MAX = 10
LOOK_BACK_DAYS = 90
PREVIEW_CHARS = 140
NOTE_CHARS_MAX = 1_000

_UUIDS = ARRAY(PG_UUID(as_uuid=True))

# Each asked party with all that reads as it today: the party itself and everybody merged into it.
_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT asked AS party_id, asked AS own_id, 0 AS depth FROM unnest(:party_ids) AS asked
        UNION ALL
        SELECT f.party_id, a.merged_party_id, f.depth + 1
        FROM family f JOIN party_alias a ON a.party_id = f.own_id
        WHERE a.tenant_id = :tenant_id AND a.undone_at IS NULL AND f.depth < :depth_max
    )
"""


def _asked(sql: str) -> Any:
    return text(_FAMILY + sql).bindparams(bindparam("party_ids", type_=_UUIDS))


_PARTIES = text(
    """
    SELECT party_id, kind, display_name, language, external_ref, custom
    FROM party WHERE tenant_id = :tenant_id AND party_id = ANY(:party_ids) AND erased_at IS NULL
    """
).bindparams(bindparam("party_ids", type_=_UUIDS))
_NUMBERS = _asked(
    """
    SELECT f.party_id, n.kind, n.normal, n.label, n.extension
    FROM (SELECT DISTINCT party_id FROM family) f CROSS JOIN LATERAL (
        SELECT i.kind, i.normal, l.label, l.extension, l.is_preferred
        FROM family own JOIN party_identifier l ON l.tenant_id = :tenant_id AND l.party_id = own.own_id
        JOIN identifier i ON i.tenant_id = :tenant_id AND i.identifier_id = l.identifier_id
        WHERE own.party_id = f.party_id
          AND (l.valid_to IS NULL OR l.valid_to > now()) AND (l.valid_from IS NULL OR l.valid_from <= now())
        ORDER BY l.is_preferred DESC, i.normal LIMIT :numbers_max
    ) n
    """
)
_CONTACTS = _asked(
    """
    SELECT f.party_id, c.interaction_id,
           CAST(round(extract(epoch FROM c.started_at) * 1000) AS bigint) AS started_ms,
           c.medium, c.direction, c.queue_id, c.outcome, c.agent_id, c.wrap_up_code,
           (SELECT n.text FROM party_note n WHERE n.tenant_id = :tenant_id
              AND n.interaction_id = c.interaction_id AND n.deleted_at IS NULL
            ORDER BY n.at DESC LIMIT 1) AS note
    FROM (SELECT DISTINCT party_id FROM family) f CROSS JOIN LATERAL (
        SELECT x.* FROM interaction x
        WHERE x.tenant_id = :tenant_id AND x.day >= current_date - CAST(:look_back_days AS integer)
          AND x.party_id IN (SELECT own.own_id FROM family own WHERE own.party_id = f.party_id)
          AND x.interaction_id <> :interaction_id
        ORDER BY x.started_at DESC, x.interaction_id DESC LIMIT :contacts_max
    ) c ORDER BY c.started_at DESC, c.interaction_id DESC
    """
)
_NOTES = _asked(
    """
    SELECT f.party_id, n.note_id, n.text, n.author,
           CAST(round(extract(epoch FROM n.at) * 1000) AS bigint) AS at_ms
    FROM (SELECT DISTINCT party_id FROM family) f CROSS JOIN LATERAL (
        SELECT x.* FROM party_note x
        WHERE x.tenant_id = :tenant_id AND x.deleted_at IS NULL
          AND x.party_id IN (SELECT own.own_id FROM family own WHERE own.party_id = f.party_id)
        ORDER BY x.at DESC, x.note_id DESC LIMIT :notes_max
    ) n ORDER BY n.at DESC, n.note_id DESC
    """
)
_PROMISES = _asked(
    """
    SELECT f.party_id, p.promise_id, p.kind, p.state,
           CAST(round(extract(epoch FROM p.due_at) * 1000) AS bigint) AS due_ms
    FROM (SELECT DISTINCT party_id FROM family) f CROSS JOIN LATERAL (
        SELECT x.* FROM promise x
        WHERE x.tenant_id = :tenant_id AND x.state = 'open'
          AND x.to_party_id IN (SELECT own.own_id FROM family own WHERE own.party_id = f.party_id)
        ORDER BY x.due_at NULLS LAST, x.promise_id LIMIT :promises_max
    ) p ORDER BY p.due_at NULLS LAST, p.promise_id
    """
)


async def party_cards(
    connection: AsyncConnection,
    tenant_id: TenantId,
    party_ids: Sequence[UUID],
    *,
    but: InteractionId | str = "",
) -> dict[UUID, PartyCard]:
    """Return the card of each party that exists, JSON-able; at most two dozen are asked for.

    Args:
        but: The interaction that is going on, which is no last contact.
    """
    if not party_ids:
        return {}
    values = {
        "tenant_id": tenant_id,
        "party_ids": list(party_ids),
        "depth_max": ALIAS_DEPTH_MAX,
    }
    cards: dict[UUID, PartyCard] = {}
    for party in await _rows(connection, _PARTIES, values):
        cards[party["party_id"]] = {
            "party_id": str(party["party_id"]),
            "kind": party["kind"],
            "display_name": party["display_name"],
            "language": party["language"],
            "external_ref": party["external_ref"],
            "custom": party["custom"],
            "label": "",
            "numbers": [],
            "last_contacts": [],
            "notes": [],
            "promises": [],
        }
    for row in await _of(connection, _NUMBERS, values | {"numbers_max": NUMBERS_MAX}, cards):
        number = f"{row['normal']}-{row['extension']}" if row["extension"] else row["normal"]
        if number not in cards[row["party_id"]]["numbers"]:
            cards[row["party_id"]]["numbers"].append(number)
    contacts = {"contacts_max": CONTACTS_MAX, "look_back_days": LOOK_BACK_DAYS, "interaction_id": but}
    for row in await _of(connection, _CONTACTS, values | contacts, cards):
        contact: CardContact = {
            "interaction_id": row["interaction_id"],
            "started_ms": row["started_ms"],
            "medium": row["medium"],
            "direction": row["direction"],
            "queue_id": row["queue_id"],
            "outcome": row["outcome"],
            "agent_id": row["agent_id"],
            "wrap_up_code": row["wrap_up_code"],
            "note_preview": (row["note"] or "")[:PREVIEW_CHARS],
        }
        cards[row["party_id"]]["last_contacts"].append(contact)
    for row in await _of(connection, _NOTES, values | {"notes_max": NOTES_MAX}, cards):
        note: CardNote = {
            "note_id": str(row["note_id"]),
            "text": row["text"][:NOTE_CHARS_MAX],
            "author": row["author"],
            "at_ms": row["at_ms"],
        }
        cards[row["party_id"]]["notes"].append(note)
    for row in await _of(connection, _PROMISES, values | {"promises_max": PROMISES_MAX}, cards):
        promise: CardPromise = {
            "promise_id": str(row["promise_id"]),
            "kind": row["kind"],
            "due_ms": row["due_ms"],
            "state": row["state"],
        }
        cards[row["party_id"]]["promises"].append(promise)
    return cards


async def _of(
    connection: AsyncConnection, query: Any, values: Mapping[str, Any], cards: Mapping[UUID, Any]
) -> list[dict[str, Any]]:
    return [row for row in await _rows(connection, query, values) if row["party_id"] in cards]


async def _rows(connection: AsyncConnection, query: Any, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = await connection.execute(query, dict(values))
    return [{str(name): value for name, value in row.items()} for row in found.mappings()]


# ---------------------------------------------------------------- calls


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """What the log knows of a call, as far as the desk shows it.

    Attributes:
        match: Who it was, as it stands; None: no look-up was stored.
    """

    interaction_id: InteractionId
    entry_point: str
    caller_number: str
    caller_name: str
    queue_id: str | None
    wrap_up_code: str | None
    started_at: datetime
    answered_at: datetime | None
    match: Match | None


_CALLS = text(
    """
    SELECT interaction_id, entry_point, caller_number, caller_name, queue_id, wrap_up_code, started_at,
           answered_at, party_id, match_method, match_confidence, match_candidates
    FROM interaction
    WHERE tenant_id = :tenant_id AND day = ANY(:days) AND interaction_id = ANY(:interaction_ids)
    """
).bindparams(bindparam("interaction_ids", type_=ARRAY(TEXT)))


async def logged_calls(
    connection: AsyncConnection, tenant_id: TenantId, interaction_ids: Iterable[InteractionId]
) -> dict[InteractionId, LoggedCall]:
    """Return what the log has of these calls."""
    wanted = {interaction_id: day for interaction_id in interaction_ids if (day := _day(interaction_id))}
    if not wanted:
        return {}
    values = {
        "tenant_id": tenant_id,
        "days": sorted(set(wanted.values())),
        "interaction_ids": list(wanted),
    }
    found: dict[InteractionId, LoggedCall] = {}
    for row in await _rows(connection, _CALLS, values):
        call = {name: row[name] for name in row if not name.startswith(("match_", "party"))}
        found[row["interaction_id"]] = LoggedCall(**call, match=_match_of(row))
    parties = [party_id for call in found.values() for party_id in _ids_of(call.match)]
    named = await _rows(connection, _PARTIES, {"tenant_id": tenant_id, "party_ids": parties})
    names = {party["party_id"]: party for party in named}
    return {call_id: _with_names(call, names) for call_id, call in found.items()}


def _match_of(row: Mapping[str, Any]) -> Match | None:
    """The match as the row keeps it; who the candidates are, is read from their own rows."""
    body = row["match_candidates"]
    if not isinstance(body, dict) or "outcome" not in body:
        return None
    kind = body.get("number_kind", "external")
    party_id = None if row["party_id"] is None else UUID(str(row["party_id"]))
    candidates = tuple(
        Candidate(
            party_id=UUID(each["party_id"]),
            linked_party_id=UUID(each["party_id"]),
            kind=each.get("kind", "person"),
            label=each.get("label", ""),
            extension=each.get("extension", ""),
        )
        for each in body.get("candidates", ())
    )
    is_chosen = row["match_method"] == "agent"
    return Match(
        outcome=("match" if party_id else "unknown") if is_chosen else body["outcome"],
        identifier=Identifier(
            kind=kind, raw=row["caller_number"], normal=body.get("number", row["caller_number"])
        ),
        party_id=party_id,
        method=row["match_method"] or "none",
        confidence=row["match_confidence"] or 0,
        candidates=candidates,
        attestation=body.get("attestation", "unknown"),
    )


def _ids_of(match: Match | None) -> list[UUID]:
    return [candidate.party_id for candidate in match.candidates] if match else []


def _with_names(call: LoggedCall, names: Mapping[Any, Mapping[str, Any]]) -> LoggedCall:
    if call.match is None:
        return call
    facts = ("kind", "display_name", "language", "external_ref")
    candidates = tuple(
        replace(each, **{name: names[each.party_id][name] for name in facts})
        for each in call.match.candidates
        if each.party_id in names
    )
    return replace(call, match=replace(call.match, candidates=candidates))


def _day(interaction_id: InteractionId) -> Any:
    try:
        return day_of(interaction_id)
    except (ValueError, OverflowError, OSError):
        return None
