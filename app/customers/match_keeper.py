"""Stores with each interaction who it was: the match as it was made, beside the recorder's row.

The look-up happens in the first second of a call, the recorder's row comes when the journal drains;
so a match waits until its row is there, in a bounded list, and a later match of the same interaction
(a late look-up) replaces the earlier one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from datetime import date
from typing import Final

import orjson
import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.customers.identify_rules import Match
from app.db.session import Database, TenantId
from routing.ids import InteractionId, day_of

log = structlog.get_logger()

WAITING_MAX: Final = 10_000
GIVE_UP_S: Final = 600.0  # an interaction that is in no log by then will never be
_EVERY_S: Final = 1.0
_BATCH: Final = 500

# What the agent said stands; a look-up that comes after it is kept beside it.
_STORE = text(
    "UPDATE interaction AS i SET"
    " party_id = CASE WHEN i.match_method = 'agent' THEN i.party_id ELSE m.party_id END,"
    " match_method = CASE WHEN i.match_method = 'agent' THEN i.match_method ELSE m.method END,"
    " match_confidence = CASE WHEN i.match_method = 'agent' THEN i.match_confidence ELSE m.confidence END,"
    " match_candidates = CASE WHEN i.match_method = 'agent' THEN i.match_candidates || m.candidates"
    " || jsonb_build_object('looked_up', jsonb_build_object('party_id', m.party_id, 'method', m.method,"
    " 'confidence', m.confidence)) ELSE m.candidates END"
    " FROM jsonb_to_recordset(CAST(:matches AS jsonb)) AS m(day date, interaction_id text, party_id uuid,"
    " method text, confidence integer, candidates jsonb)"
    " WHERE i.tenant_id = :tenant AND i.day = m.day AND i.interaction_id = m.interaction_id"
    " RETURNING i.interaction_id"
)


class MatchKeeper:
    """Takes matches from the look-ups and stores each once its interaction's row exists."""

    def __init__(self, database: Database, tenant_id: TenantId) -> None:
        self._database, self._tenant_id = database, tenant_id
        self._waiting: OrderedDict[str, tuple[float, Match]] = OrderedDict()
        self._arrived = asyncio.Event()
        self.dropped_count = 0

    def keep(self, interaction_id: str, match: Match) -> None:
        """Remember to store *match*; the oldest waiting one gives way when too many wait."""
        self._waiting.pop(interaction_id, None)
        self._waiting[interaction_id] = (time.monotonic(), match)
        if len(self._waiting) > WAITING_MAX:
            self._waiting.popitem(last=False)
            self.dropped_count += 1
        self._arrived.set()

    async def run(self) -> None:
        """Store what waits, again and again. Runs until cancelled."""
        while True:
            await self._arrived.wait()
            await asyncio.sleep(_EVERY_S)
            try:
                await self._store_some()
            except (OSError, SQLAlchemyError) as error:
                log.warning("matches wait for the database", error=type(error).__name__)
            if not self._waiting:
                self._arrived.clear()

    async def _store_some(self) -> None:
        some = list(self._waiting.items())[:_BATCH]
        rows = [
            {"day": day, "interaction_id": interaction_id, **_row(match)}
            for interaction_id, (_, match) in some
            if (day := _day(interaction_id)) is not None
        ]
        values = {"tenant": self._tenant_id, "matches": orjson.dumps(rows).decode()}
        async with self._database.transaction(self._tenant_id) as connection:
            stored = {row.interaction_id for row in await connection.execute(_STORE, values)}
        for interaction_id, waiting in some:
            if self._waiting.get(interaction_id) != waiting:
                continue  # a later match has come meanwhile
            if interaction_id in stored or _day(interaction_id) is None:
                del self._waiting[interaction_id]
            elif time.monotonic() - waiting[0] > GIVE_UP_S:
                self.dropped_count += 1
                del self._waiting[interaction_id]
            else:
                self._waiting.move_to_end(interaction_id)  # let others have their turn


def _day(interaction_id: str) -> date | None:
    try:
        return day_of(InteractionId(interaction_id))
    except ValueError:
        return None  # no interaction of ours: a dialplan asked for its own purposes


def _row(match: Match) -> dict[str, object]:
    candidates = [
        {"party_id": str(each.party_id), "kind": each.kind, "label": each.label, "extension": each.extension}
        for each in match.candidates
    ]
    body = {
        "outcome": match.outcome,
        "number": match.identifier.normal,
        "number_kind": match.identifier.kind,
        "candidates": candidates,
        "attestation": match.attestation,
    }
    return {
        "party_id": None if match.party_id is None else str(match.party_id),  # asyncpg's own UUID is no JSON
        "method": match.method,
        "confidence": match.confidence,
        "candidates": body,
    }
