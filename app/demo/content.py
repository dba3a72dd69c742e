"""What agents wrote and promised: notes on recent calls and open promises, for a pop to tell.

Deterministic by party; repeating writes nothing twice, and moves the promises that are still open to the days
to come.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from app.db import tables as t
from app.db.session import Database, TenantId

NOTES_MAX: Final = 150
PROMISE_EVERY: Final = 6  # every sixth of them was promised something
_NAMESPACE: Final = UUID("5f0c9c1e-3f0a-5d52-8f0e-0d1e1c0a0002")
_NOTES: Final = {
    "zh_TW": (
        "希望改在下午送貨，上午都在開會。",
        "發票抬頭要開公司戶，已請帳務重開。",
        "問過兩次退費進度，下次請直接轉帳務。",
        "偏好用手機聯絡，市話通常沒人接。",
        "對新方案有興趣，等報價單。",
        "上次等太久，請先致歉。",
    ),
    "en": (
        "Prefers deliveries in the afternoon.",
        "Invoice was reissued to the company; check that it arrived.",
        "Asked twice about the refund: put straight through to billing.",
        "Reach by mobile; nobody answers the landline.",
        "Interested in the new plan, waits for our quote.",
        "Waited too long last time: apologise first.",
    ),
}
_PROMISED: Final = ("callback", "quote", "refund")
_RECENT: Final = text(
    """
    SELECT DISTINCT ON (i.party_id) i.party_id, i.interaction_id, i.ended_at, i.agent_id, p.language,
           coalesce(a.display_name, i.agent_id) AS author
    FROM interaction i
    JOIN party p ON p.tenant_id = i.tenant_id AND p.party_id = i.party_id
    LEFT JOIN agent a ON a.tenant_id = i.tenant_id AND a.agent_id = i.agent_id
    WHERE i.tenant_id = :tenant_id AND i.day >= :since AND i.started_at >= :since
      AND i.outcome = 'answered' AND i.agent_id IS NOT NULL AND p.erased_at IS NULL
    ORDER BY i.party_id, i.started_at DESC
    LIMIT :notes_max
    """
)


async def plant_content(database: Database, tenant_id: TenantId, now: datetime) -> int:
    """Write the notes and promises of the last days' calls; return how many notes there are."""
    since = (now - timedelta(days=14)).astimezone(UTC).date()
    async with database.transaction(tenant_id) as connection:
        found = await connection.execute(
            _RECENT,
            {
                "tenant_id": tenant_id,
                "since": datetime.combine(since, datetime.min.time(), UTC),
                "notes_max": NOTES_MAX,
            },
        )
        calls = found.mappings().all()
        notes = [_note(tenant_id, dict(call)) for call in calls]
        promises = [_promise(tenant_id, dict(call), now) for call in calls[::PROMISE_EVERY]]
        if notes:
            await connection.execute(insert(t.party_note).on_conflict_do_nothing(), notes)
        if promises:
            made = insert(t.promise)
            still_open = t.promise.c.state == "open"
            await connection.execute(
                made.on_conflict_do_update(
                    index_elements=["tenant_id", "promise_id"],
                    set_={"due_at": made.excluded.due_at},
                    where=still_open,
                ),
                promises,
            )
    return len(notes)


def _note(tenant_id: TenantId, call: dict[str, Any]) -> dict[str, Any]:
    dice = Random(str(call["party_id"]))
    return {
        "tenant_id": tenant_id,
        "note_id": uuid5(_NAMESPACE, f"note:{call['party_id']}"),
        "party_id": call["party_id"],
        "text": dice.choice(_NOTES["en" if call["language"] == "en" else "zh_TW"]),
        "author": call["author"],
        "interaction_id": call["interaction_id"],
        "at": call["ended_at"],
    }


def _promise(tenant_id: TenantId, call: dict[str, Any], now: datetime) -> dict[str, Any]:
    dice = Random(f"promise:{call['party_id']}")
    return {
        "tenant_id": tenant_id,
        "promise_id": uuid5(_NAMESPACE, f"promise:{call['party_id']}"),
        "kind": dice.choice(_PROMISED),
        "to_party_id": call["party_id"],
        "promised_by": call["agent_id"],
        "made_in": call["interaction_id"],
        "made_at": call["ended_at"],
        "due_at": now + timedelta(hours=dice.randint(-6, 60)),
        "state": "open",
    }
