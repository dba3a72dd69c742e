"""My day: what each agent has done since the centre's midnight, as ``day`` in ``agent:<agent>``.

Law: every event counts once. What lies before the place where the bus was taken up is read from the log once
it has been drained that far; what comes after is counted live. Until the log is read the day is not shown.
Times are of ended stretches alone: the page adds the one that runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.session import Database, TenantId
from app.desk.agent_board import topic_of
from app.desk.clerk import AWAY
from app.desk.topic_values import DeskDay
from app.live.bus import Bus, Cursor
from app.sockets.rules import Json, Publisher
from routing import events as ev
from routing.events import AgentState, Event
from routing.ids import AgentId

log = structlog.get_logger()

EVENTS_MAX: Final = 20_000
RETRY_S: Final = 2.0

_DRAINED = text(
    "SELECT epoch, seq FROM drain_cursor WHERE tenant_id = :tenant_id ORDER BY epoch DESC, seq DESC LIMIT 1"
)
_BEFORE = """
    FROM event
    WHERE tenant_id = :tenant_id AND day >= :day AND at >= :at AND (epoch, seq) <= (:epoch, :seq)
"""
_SPANS = text(
    f"""
    SELECT agent_id, body ->> 'previous' AS state,
        sum(CAST(body ->> 'occurred_ms' AS bigint)
            - greatest(CAST(body ->> 'since_ms' AS bigint), CAST(:start_ms AS bigint))) AS span_ms
    {_BEFORE} AND type = 'AgentStateChanged' AND CAST(body ->> 'occurred_ms' AS bigint) > :start_ms
    GROUP BY 1, 2
    """
)
_COUNTS = text(
    f"""
    SELECT agent_id, type, count(*) AS event_count {_BEFORE}
    AND type IN ('TalkEnded', 'OfferNotAnswered') AND CAST(body ->> 'occurred_ms' AS bigint) >= :start_ms
    GROUP BY 1, 2
    """
)
_SIGN_INS = text(
    f"""
    SELECT agent_id, max(CAST(body ->> 'occurred_ms' AS bigint)) AS since_ms {_BEFORE}
    AND type = 'AgentStateChanged' AND body ->> 'previous' = 'signed_out' GROUP BY 1
    """
)


@dataclass(slots=True)
class AgentDay:
    """One agent's day so far; milliseconds by displayed state."""

    spans_ms: dict[str, int] = field(default_factory=dict)
    handled_count: int = 0
    rona_count: int = 0
    signed_in_since_ms: int | None = None

    def add(self, event: Event, start_ms: int) -> None:
        """Count one event; what lies before *start_ms* belongs to another day."""
        match event:
            case ev.AgentStateChanged():
                span_ms = event.occurred_ms - max(event.since_ms, start_ms)
                if span_ms > 0:
                    before_ms = self.spans_ms.get(event.previous, 0)
                    self.spans_ms[str(event.previous)] = before_ms + span_ms
                if event.previous is AgentState.SIGNED_OUT:
                    self.signed_in_since_ms = event.occurred_ms
                if event.state is AgentState.SIGNED_OUT:
                    self.signed_in_since_ms = None
            case ev.TalkEnded() if event.occurred_ms >= start_ms:
                self.handled_count += 1
            case ev.OfferNotAnswered() if event.occurred_ms >= start_ms:
                self.rona_count += 1
            case _:
                pass

    def document(self) -> DeskDay:
        """Return the day as the page shows it."""
        return {
            "handled_count": self.handled_count,
            "talk_s": self._span_s(AgentState.TALKING),
            "hold_s": self._span_s(AgentState.HOLDING),
            "wrap_up_s": self._span_s(AgentState.WRAP_UP),
            "ready_s": self._span_s(AgentState.READY),
            "not_ready_s": self._span_s(AgentState.NOT_READY),
            "rona_count": self.rona_count,
            "signed_in_since_ms": self.signed_in_since_ms,
        }

    def _span_s(self, state: AgentState) -> float:
        return round(self.spans_ms.get(state, 0) / 1000, 1)


class DayBoard:
    """Counts agents' days.

    Args:
        day_start_ms: The centre's last midnight.
        is_signed_in: Whether an agent is at work now.
    """

    def __init__(
        self,
        publisher: Publisher,
        bus: Bus,
        database: Database,
        tenant_id: TenantId,
        *,
        day_start_ms: Callable[[], int],
        is_signed_in: Callable[[AgentId], bool],
    ) -> None:
        self._publisher, self._bus = publisher, bus
        self._database, self._tenant_id = database, tenant_id
        self._day_start_ms, self._is_signed_in = day_start_ms, is_signed_in
        self._start_ms = 0
        self._days: dict[AgentId, AgentDay] = {}
        self._is_whole = False

    async def run(self) -> None:
        """Count for ever.

        Raises:
            Gone: the bus cut us; run again, and all is counted anew.
        """
        with self._bus.subscribe(queue_max=EVENTS_MAX) as subscription:
            self._days, self._start_ms, self._is_whole = {}, self._day_start_ms(), False
            reading = asyncio.create_task(self._read(self._bus.position), name="agents' day")
            try:
                while True:
                    self.take([numbered.event for numbered in await subscription.take()])
            finally:
                reading.cancel()
                await asyncio.gather(reading, return_exceptions=True)

    def take(self, events: list[Event]) -> None:
        """Count *events* and show whose day they changed."""
        self._begin_day()
        changed: dict[AgentId, None] = {}
        for event in events:
            if isinstance(event, ev.AgentStateChanged | ev.TalkEnded | ev.OfferNotAnswered):
                self._days.setdefault(event.agent_id, AgentDay()).add(event, self._start_ms)
                changed[event.agent_id] = None
        if self._is_whole:
            for agent_id in changed:
                self._show(agent_id)

    def refresh(self) -> None:
        """Begin the new day at midnight, whether or not anything happens then."""
        self._begin_day()

    def _begin_day(self) -> None:
        start_ms = self._day_start_ms()
        if start_ms <= self._start_ms:
            return
        self._start_ms = start_ms
        for agent_id, day in list(self._days.items()):
            self._days[agent_id] = AgentDay(signed_in_since_ms=day.signed_in_since_ms)
            if self._is_whole:
                self._show(agent_id)

    def _show(self, agent_id: AgentId) -> None:
        topic = topic_of(agent_id)
        if topic in self._publisher.names():
            self._publisher.show(topic, "day", Json(self._days[agent_id].document()))

    # ------------------------------------------------------------ the log

    async def _read(self, place: Cursor) -> None:
        is_away = False
        while True:
            try:
                async with self._database.transaction(self._tenant_id) as connection:
                    if await self._is_drained(connection, place):
                        await self._add_log(connection, place)
                        break
            except AWAY as error:
                if not is_away:
                    log.warning("the agents' day waits for the database", error=type(error).__name__)
                is_away = True
            await asyncio.sleep(RETRY_S)
        self._is_whole = True
        for agent_id in self._days:
            self._show(agent_id)

    async def _is_drained(self, connection: AsyncConnection, place: Cursor) -> bool:
        row = (await connection.execute(_DRAINED, {"tenant_id": self._tenant_id})).one_or_none()
        return place.seq <= 0 or (row is not None and (row.epoch, row.seq) >= (place.epoch, place.seq))

    async def _add_log(self, connection: AsyncConnection, place: Cursor) -> None:
        start = datetime.fromtimestamp(self._start_ms / 1000, UTC)
        start_ms = self._start_ms
        values: dict[str, Any] = {
            "tenant_id": self._tenant_id,
            "day": (start - timedelta(days=1)).date(),
            "at": start,
            "epoch": place.epoch,
            "seq": place.seq,
        }
        spans = (await connection.execute(_SPANS, values | {"start_ms": start_ms})).all()
        counts = (await connection.execute(_COUNTS, values | {"start_ms": start_ms})).all()
        since = values | {"at": start - timedelta(days=1), "day": (start - timedelta(days=2)).date()}
        sign_ins = (await connection.execute(_SIGN_INS, since)).all()
        if start_ms != self._start_ms:
            return  # midnight has passed meanwhile: what was read is yesterday's
        for row in spans:
            day = self._days.setdefault(AgentId(row.agent_id), AgentDay())
            day.spans_ms[row.state] = day.spans_ms.get(row.state, 0) + int(row.span_ms)
        for row in counts:
            day = self._days.setdefault(AgentId(row.agent_id), AgentDay())
            if row.type == "TalkEnded":
                day.handled_count += row.event_count
            else:
                day.rona_count += row.event_count
        for row in sign_ins:
            agent_id = AgentId(row.agent_id)
            day = self._days.setdefault(agent_id, AgentDay())
            if day.signed_in_since_ms is None and self._is_signed_in(agent_id):
                day.signed_in_since_ms = row.since_ms
