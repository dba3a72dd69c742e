"""The log beside its witness: customers' channels of Asterisk's channel event log against interactions.

Compared as sets by the id that both sides share, the Uniqueid of the customer's first channel.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.calls.queries import days_between
from app.db import tables as t
from app.db.session import TenantId
from routing.ids import InteractionId, bare_id, day_of
from telephony.cel import CelCall

TOLERANCE_MS = 1_000  # the PBX's clock and ours, and what lies between a fact and its report
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """What the log says of a call, in milliseconds since the epoch."""

    interaction_id: str
    started_ms: int
    answered_ms: int | None
    ended_ms: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Both have the call and say different things of it.

    Attributes:
        fact: ``answered`` or ``ended`` (one side only), ``ended_ms`` (both, beyond the tolerance).
    """

    interaction_id: str
    fact: str
    cel_ms: int | None
    log_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """The outcome. ``cel_minus_log`` and ``log_minus_cel`` are empty when nothing is missing.

    Attributes:
        twice: Ids that the log has more than once (under several boots).
    """

    cel_count: int
    log_count: int
    cel_minus_log: tuple[str, ...]
    log_minus_cel: tuple[str, ...]
    twice: tuple[str, ...]
    differing: tuple[Difference, ...]

    @property
    def is_clean(self) -> bool:
        """Whether both sides tell the same."""
        return not (self.cel_minus_log or self.log_minus_cel or self.twice or self.differing)


def compare(
    cel_calls: Iterable[CelCall], logged: Iterable[LoggedCall], since_ms: int, until_ms: int
) -> Reconciliation:
    """Compare the calls that started in ``[since_ms, until_ms)`` on either side. Pure.

    A call at the border is looked for on the other side outside of the range too.
    """
    cel = {call.uniqueid: call for call in cel_calls}
    log: dict[str, LoggedCall] = {}
    twice: set[str] = set()
    for entry in logged:
        bare = bare_id(InteractionId(entry.interaction_id))
        if bare in log:
            twice.add(bare)
        log[bare] = entry
    cel_ids = {uniqueid for uniqueid, call in cel.items() if since_ms <= call.started_ms < until_ms}
    log_ids = {bare for bare, entry in log.items() if since_ms <= entry.started_ms < until_ms}
    differing: list[Difference] = []
    for uniqueid in sorted((cel_ids | log_ids) & cel.keys() & log.keys()):
        differing += _differences(cel[uniqueid], log[uniqueid])
    return Reconciliation(
        cel_count=len(cel_ids),
        log_count=len(log_ids),
        cel_minus_log=tuple(sorted(cel_ids - log.keys())),
        log_minus_cel=tuple(sorted(log_ids - cel.keys())),
        twice=tuple(sorted(twice)),
        differing=tuple(differing),
    )


async def reconcile(
    connection: AsyncConnection,
    tenant_id: TenantId,
    cel_calls: Iterable[CelCall],
    since: datetime,
    until: datetime,
) -> Reconciliation:
    """Compare the witness's calls with the tenant's voice contacts, started in ``[since, until)``."""
    cel_calls = list(cel_calls)
    call = t.interaction.c
    first, last = days_between(since, until)
    days = {day for cel in cel_calls if (day := _day(cel.uniqueid)) is not None}
    first, last = min([first, *days]), max([last, *days])
    rows = await connection.execute(
        select(call.interaction_id, call.started_at, call.answered_at, call.ended_at).where(
            call.tenant_id == tenant_id,
            call.day.between(first, last),
            call.medium == "voice",
            call.kind == "contact",
        )
    )
    logged = [
        LoggedCall(row.interaction_id, _ms(row.started_at) or 0, _ms(row.answered_at), _ms(row.ended_at))
        for row in rows
    ]
    return compare(cel_calls, logged, _ms(since) or 0, _ms(until) or 0)


def _differences(cel: CelCall, entry: LoggedCall) -> Iterable[Difference]:
    if (cel.answered_ms is None) != (entry.answered_ms is None):
        yield Difference(cel.uniqueid, "answered", cel.answered_ms, entry.answered_ms)
    if (cel.ended_ms is None) != (entry.ended_ms is None):
        yield Difference(cel.uniqueid, "ended", cel.ended_ms, entry.ended_ms)
    elif _apart(cel.ended_ms, entry.ended_ms):
        yield Difference(cel.uniqueid, "ended_ms", cel.ended_ms, entry.ended_ms)


def _apart(one_ms: int | None, two_ms: int | None) -> bool:
    return one_ms is not None and two_ms is not None and abs(one_ms - two_ms) > TOLERANCE_MS


def _day(uniqueid: str) -> date | None:
    try:
        return day_of(InteractionId(uniqueid))
    except ValueError:
        return None


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - _EPOCH) // timedelta(milliseconds=1)
