"""The log's one writer: puts events into ``event`` and the recorder's rows into the tables beside it.

Works inside the caller's transaction on asyncpg's own connection. It keeps the events and the rows of
recent interactions, so that only what changed is written; whatever it does not keep it reads from
``event``. After a rolled-back transaction ``forget`` makes it read everything anew.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import orjson

from app.db import tables
from app.db.bulk import BulkStatement, delete, moment, upsert
from app.db.log_days import note_changed_days
from app.db.session import TenantId
from app.live.gap_writer import Restart, Told, write_gaps
from app.live.record_rows import Stamped
from app.live.record_values import (
    ATTEMPT_COLUMNS,
    INTERACTION_COLUMNS,
    LEG_COLUMNS,
    OFFER_COLUMNS,
    REASON_COLUMNS,
    SEGMENT_COLUMNS,
    VISIT_COLUMNS,
    RowValues,
    rows_of,
)
from app.live.recorder import FOLDED_TYPES, fold
from app.live.span_writer import SPAN_TYPES, SpanWriter
from routing import events as ev
from routing.ids import InteractionId, day_of
from routing.replay import ReplayError, decode

KEPT_INTERACTIONS_MAX = 5_000
FOLDS_AT_ONCE = 10  # then the loop's other tasks have their turn
_BOOTS_MAX = 1_000
SENSELESS_DAY = date(1970, 1, 1)  # of an id that carries no date: the DEFAULT partition, which alarms

_EVENT_COLUMNS = (
    "day",
    "epoch",
    "seq",
    "ordinal",
    "at",
    "occurred_at",
    "type",
    "v",
    "interaction_id",
    "agent_id",
    "queue_id",
    "body",
)
_INSERT_EVENTS = upsert(tables.event, _EVENT_COLUMNS, update=False)
_UPSERTS: dict[str, BulkStatement] = {
    "interaction": upsert(tables.interaction, INTERACTION_COLUMNS, update=True),
    "segment": upsert(tables.segment, SEGMENT_COLUMNS, update=True),
    "queue_visit": upsert(tables.queue_visit, VISIT_COLUMNS, update=True),
    "offer": upsert(tables.offer, OFFER_COLUMNS, update=True),
    "leg": upsert(tables.leg, LEG_COLUMNS, update=True),
    "interaction_reason": upsert(tables.interaction_reason, REASON_COLUMNS, update=True),
    "contact_attempt": upsert(tables.contact_attempt, ATTEMPT_COLUMNS, update=False),
}
_DELETE_KEYS: dict[str, BulkStatement] = {
    name: delete(tables.metadata.tables[name], columns)
    for name, columns in {
        "segment": ("day", "interaction_id", "track", "ordinal"),
        "queue_visit": ("day", "interaction_id", "visit"),
        "offer": ("day", "interaction_id", "attempt"),
        "leg": ("day", "pbx_id", "boot_id", "leg_id"),
        "interaction_reason": ("day", "interaction_id", "ordinal"),
    }.items()
}
_DELETE_WHOLE: dict[str, BulkStatement] = {
    name: delete(tables.metadata.tables[name], ("day", "interaction_id")) for name in _DELETE_KEYS
}
_READ_HISTORY = """
    SELECT interaction_id, epoch, seq, ordinal, body::text FROM event
    WHERE tenant_id = $1 AND day = ANY($2::date[]) AND interaction_id = ANY($3::text[])
    AND type = ANY($4::text[])
    ORDER BY epoch, seq, ordinal
"""
_READ_BOOTS = """
    SELECT epoch, seq, body::text FROM event WHERE tenant_id = $1 AND type = 'PbxLinkChanged'
    ORDER BY epoch DESC, seq DESC LIMIT $2
"""


class JournalledEvent(NamedTuple):
    """An event as it lies in the journal; ``event`` None: of a type that this version cannot read."""

    epoch: int
    seq: int
    ordinal: int
    at_ms: int
    body: dict[str, Any]
    event: ev.Event | None

    @property
    def interaction_id(self) -> InteractionId | None:
        """The interaction that it is about."""
        found = self.body.get("interaction_id")
        return InteractionId(found) if isinstance(found, str) and found else None

    @property
    def day(self) -> date:
        """Its partition: the interaction's day, else the UTC date of the step."""
        if self.interaction_id is not None:
            return day_of_interaction(self.interaction_id)
        return datetime.fromtimestamp((moment(self.at_ms) or 0) / 1000, UTC).date()


@dataclass(slots=True)
class _Kept:
    history: list[Stamped] = field(default_factory=list)
    written: RowValues | None = None  # None: what stands in the tables is not known


def day_of_interaction(interaction_id: InteractionId) -> date:
    """Return the day of an interaction's rows."""
    try:
        return day_of(interaction_id)
    except (ValueError, OverflowError, OSError):
        return SENSELESS_DAY


class RecordWriter:
    """Writes one tenant's log.

    Args:
        kept_max: So many recent interactions are kept in memory.
    """

    def __init__(self, tenant_id: TenantId, *, kept_max: int = KEPT_INTERACTIONS_MAX) -> None:
        self._tenant_id = tenant_id
        self._kept_max = kept_max
        self._kept: OrderedDict[InteractionId, _Kept] = OrderedDict()
        self._days: set[date] = set()
        self._boots: list[tuple[int, int, str]] | None = None  # epoch, seq, boot id
        self._spans = SpanWriter(tenant_id, self._ensure_days)

    def forget(self) -> None:
        """The transaction was rolled back: what is kept may be wrong."""
        self._kept.clear()
        self._days.clear()
        self._boots = None
        self._spans.forget()

    async def write(
        self, driver: Any, journalled: Sequence[JournalledEvent], restarts: Sequence[Restart] = ()
    ) -> int:
        """Write events and all that follows from them; return how many were new.

        Args:
            driver: asyncpg's connection, in a transaction of the tenant.
            restarts: Terms of a server that begin within *journalled*.
        """
        if not journalled:
            return 0
        await self._ensure_days(driver, {item.day for item in journalled})
        fresh = await self._insert_events(driver, journalled)
        if fresh:
            await self._note_boots(driver, fresh)
            told_of = [Told(item.epoch, item.at_ms, item.event) for item in fresh]
            await write_gaps(driver, self._tenant_id, told_of, restarts)
            await self._write_interactions(driver, fresh)
            told = (item.event for item in fresh)
            await self._spans.write(driver, [event for event in told if isinstance(event, SPAN_TYPES)])
        return len(fresh)

    # ------------------------------------------------------------ events

    async def _ensure_days(self, driver: Any, days: set[date]) -> None:
        if unknown := days - self._days - {SENSELESS_DAY}:
            await driver.execute("SELECT ensure_log_partitions($1::date[])", sorted(unknown))
            self._days |= unknown

    async def _insert_events(
        self, driver: Any, journalled: Sequence[JournalledEvent]
    ) -> Sequence[JournalledEvent]:
        rows = [
            (
                item.day,
                item.epoch,
                item.seq,
                item.ordinal,
                moment(item.at_ms),
                moment(_whole(item.body.get("occurred_ms"), item.at_ms)),
                str(item.body.get("type", "")),
                _whole(item.body.get("v"), 1),
                item.interaction_id,
                item.body.get("agent_id"),
                item.body.get("queue_id"),
                orjson.dumps(item.body).decode(),
            )
            for item in journalled
        ]
        inserted = await driver.fetch(_INSERT_EVENTS.sql, self._tenant_id, *_INSERT_EVENTS.arguments(rows))
        if len(inserted) == len(rows):
            return journalled
        places = {(row["epoch"], row["seq"], row["ordinal"]) for row in inserted}
        return [item for item in journalled if (item.epoch, item.seq, item.ordinal) in places]

    async def _note_boots(self, driver: Any, fresh: Sequence[JournalledEvent]) -> None:
        boots = self._boots
        if boots is None:
            found = await driver.fetch(_READ_BOOTS, self._tenant_id, _BOOTS_MAX)
            read = ((row["epoch"], row["seq"], orjson.loads(row["body"]).get("boot_id")) for row in found)
            boots = [(epoch, seq, boot_id) for epoch, seq, boot_id in read if boot_id]
        for item in fresh:
            if isinstance(item.event, ev.PbxLinkChanged) and item.event.boot_id:
                boots.append((item.epoch, item.seq, item.event.boot_id))
        self._boots = sorted(set(boots))[-_BOOTS_MAX:]

    def _stamped(self, epoch: int, seq: int, ordinal: int, event: ev.Event) -> Stamped:
        boots = self._boots or []
        known = bisect_right(boots, (epoch, seq, "\U0010ffff"))
        return Stamped(epoch, seq, ordinal, event, boots[known - 1][2] if known else "")

    # ------------------------------------------------------------ interactions

    async def _write_interactions(self, driver: Any, fresh: Sequence[JournalledEvent]) -> None:
        news: dict[InteractionId, list[Stamped]] = {}
        for item in fresh:
            if item.interaction_id is not None and item.body.get("type") in FOLDED_TYPES and item.event:
                stamped = self._stamped(item.epoch, item.seq, item.ordinal, item.event)
                news.setdefault(item.interaction_id, []).append(stamped)
        if not news:
            return
        unknown = [interaction_id for interaction_id in news if interaction_id not in self._kept]
        await self._read_histories(driver, unknown)
        wholly: list[InteractionId] = []
        before: list[RowValues] = []
        after: list[RowValues] = []
        for number, (interaction_id, stamped_events) in enumerate(news.items(), 1):
            if number % FOLDS_AT_ONCE == 0:
                await asyncio.sleep(0)
            kept = self._kept[interaction_id]
            self._kept.move_to_end(interaction_id)
            if interaction_id not in unknown:
                kept.history = sorted([*kept.history, *stamped_events], key=_place)
            record = fold(kept.history)
            if record is None:
                continue
            values = rows_of(record, day_of_interaction(interaction_id))
            if kept.written is None:
                if _may_stand_already(kept.history, stamped_events):
                    wholly.append(interaction_id)
            else:
                before.append(kept.written)
            after.append(values)
            kept.written = values
        await self._replace(driver, wholly, before, after)
        await note_changed_days(driver, self._tenant_id, map(day_of_interaction, news))
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)

    async def _read_histories(self, driver: Any, interaction_ids: list[InteractionId]) -> None:
        """Fill what is kept from ``event``, which holds this transaction's events already."""
        if not interaction_ids:
            return
        days = sorted({day_of_interaction(interaction_id) for interaction_id in interaction_ids})
        rows = await driver.fetch(_READ_HISTORY, self._tenant_id, days, interaction_ids, list(FOLDED_TYPES))
        for interaction_id in interaction_ids:
            self._kept[interaction_id] = _Kept()
        for row in rows:
            if (event := decoded(orjson.loads(row["body"]))) is not None:
                stamped = self._stamped(row["epoch"], row["seq"], row["ordinal"], event)
                self._kept[InteractionId(row["interaction_id"])].history.append(stamped)

    async def _replace(
        self, driver: Any, wholly: list[InteractionId], before: list[RowValues], after: list[RowValues]
    ) -> None:
        if wholly:
            days = [day_of_interaction(interaction_id) for interaction_id in wholly]
            for statement in _DELETE_WHOLE.values():
                await driver.execute(statement.sql, self._tenant_id, days, wholly)
        for name, statement in _UPSERTS.items():
            old = {key: row for values in before for key, row in values[name].items()}
            new = {key: row for values in after for key, row in values[name].items()}
            if name in _DELETE_KEYS and (gone := old.keys() - new.keys()):
                arguments = _DELETE_KEYS[name].arguments(sorted(gone))
                await driver.execute(_DELETE_KEYS[name].sql, self._tenant_id, *arguments)
            if changed := [row for key, row in new.items() if old.get(key) != row]:
                await driver.execute(statement.sql, self._tenant_id, *statement.arguments(changed))


def decoded(body: dict[str, Any]) -> ev.Event | None:
    """Return the event; None when this version does not know it (it is stored all the same)."""
    try:
        event = decode(body)
    except ReplayError:
        return None
    return event if isinstance(event, ev.Event) else None


def _place(stamped: Stamped) -> tuple[int, int, int]:
    return stamped[:3]


def _may_stand_already(history: Sequence[Stamped], fresh: Sequence[Stamped]) -> bool:
    """Whether rows of this interaction may stand in the tables: it has older events than the new ones."""
    return len(history) > len(fresh)


def _whole(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) else otherwise
