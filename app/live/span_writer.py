"""Writes agents' spans: what changed, after making the tables agree where the log is torn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import date
from typing import Any, Final

from app.db import tables
from app.db.bulk import delete, moment, upsert
from app.db.session import TenantId
from app.live.record_rows import ESTIMATED
from app.live.record_spans import Roll, SpanFold, Torn
from app.live.record_values import SPAN_COLUMNS, day_of_span, values_of_span
from routing import events as ev
from routing.ids import AgentId

SPAN_TYPES: Final = (ev.AgentStateChanged, ev.ConfigApplied)
"""The events that say something about spans."""

_OPEN = upsert(tables.agent_span, SPAN_COLUMNS, update=True)
_END = upsert(tables.agent_span, SPAN_COLUMNS, update=True, changed=("ended_at", "state", "reason", "grade"))
_DELETE = delete(tables.agent_span, ("day", "agent_id", "started_at"))
_ROLL = """
    UPDATE agent_span SET ended_at = timestamptz 'epoch' + $2::bigint * interval '1 millisecond', grade = $4
    WHERE tenant_id = $1 AND ended_at IS NULL AND agent_id <> ALL($3::text[])
    AND started_at < timestamptz 'epoch' + $2::bigint * interval '1 millisecond'
"""
# Beside what this says, ``record_spans.mended_end_ms`` says the same of rows that are not written yet.
_MEND = """
    WITH torn AS (
        SELECT agent_id, signed_out, first_day, last_day,
            timestamptz 'epoch' + since_ms * interval '1 millisecond' AS since,
            timestamptz 'epoch' + until_ms * interval '1 millisecond' AS until
        FROM unnest($2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::date[], $7::date[])
            AS u(agent_id, since_ms, until_ms, signed_out, first_day, last_day)
    ), taken_away AS (
        DELETE FROM agent_span AS span USING torn
        WHERE span.tenant_id = $1 AND span.agent_id = torn.agent_id AND NOT torn.signed_out
        AND span.day BETWEEN torn.first_day AND torn.last_day
        AND span.started_at > torn.since AND span.started_at < torn.until
    ), over AS (
        UPDATE agent_span AS span SET ended_at = torn.until, grade = $8 FROM torn
        WHERE span.tenant_id = $1 AND span.agent_id = torn.agent_id AND torn.signed_out
        AND span.ended_at IS NULL AND span.started_at >= torn.since AND span.started_at < torn.until
    )
    UPDATE agent_span AS span SET ended_at = torn.since, grade = $8 FROM torn
    WHERE span.tenant_id = $1 AND span.agent_id = torn.agent_id AND span.started_at < torn.since
    AND (span.ended_at IS NULL OR span.ended_at > torn.since)
"""


class SpanWriter:
    """Writes one tenant's spans.

    Args:
        ensure_days: Makes the partitions of these days.
    """

    def __init__(self, tenant_id: TenantId, ensure_days: Callable[[Any, set[date]], Awaitable[None]]) -> None:
        self._tenant_id = tenant_id
        self._ensure_days = ensure_days
        self._fold = SpanFold()

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._fold.forget()

    async def write(self, driver: Any, events: Iterable[ev.Event]) -> None:
        """Write what *events* (the newest, in order) say, in the caller's transaction."""
        changes = self._fold.fold(events)
        for roll in changes.rolls:
            await self._call_roll(driver, roll)
        if changes.torn:
            await self._mend(driver, changes.torn)
        await self._ensure_days(
            driver,
            {day_of_span(started_ms) for _, started_ms in changes.opened.keys() | changes.ended.keys()},
        )
        gone: list[tuple[date, AgentId, int | None]] = [
            (day_of_span(started_ms), agent_id, moment(started_ms))
            for (agent_id, started_ms), row in changes.opened.items()
            if row is None
        ]
        opened = [values_of_span(row) for row in changes.opened.values() if row is not None]
        ended = [values_of_span(row) for row in changes.ended.values()]
        for statement, rows in ((_DELETE, gone), (_END, ended), (_OPEN, opened)):
            if rows:
                await driver.execute(statement.sql, self._tenant_id, *statement.arguments(rows))

    async def _call_roll(self, driver: Any, roll: Roll) -> None:
        signed_in = sorted(roll.signed_in)
        await driver.execute(_ROLL, self._tenant_id, moment(roll.at_ms), signed_in, ESTIMATED)

    async def _mend(self, driver: Any, torn: list[Torn]) -> None:
        """Mend in order; different agents at once."""
        left = list(torn)
        while left:
            now = {one.agent_id: one for one in reversed(left)}  # each agent's first
            left = [one for one in left if now[one.agent_id] is not one]
            await driver.execute(
                _MEND,
                self._tenant_id,
                list(now),
                [moment(one.since_ms) for one in now.values()],
                [moment(one.until_ms) for one in now.values()],
                [one.signed_out for one in now.values()],
                [day_of_span(one.since_ms) for one in now.values()],
                [day_of_span(one.until_ms) for one in now.values()],
                ESTIMATED,
            )
