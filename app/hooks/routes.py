"""The FastAGI routes: thin. They look up inside a box, ask the pure rules, and return variables.

A route reads and decorates; it never routes, never writes and never makes a signal. ``inbound`` boxes its own
look-up below the server's limit, so that a slow database costs the caller's name and not the caller's queue.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from app.customers.identify_rules import Match, attestation_of
from app.customers.queries import identify, party_fact
from app.db.session import Database, TenantId
from app.hooks import rules
from app.hooks.rules import CentreBook, WaitRange
from routing.ids import QueueId
from telephony.agi.registry import AgiRegistry, AgiRequest

LOOK_UP_BOX_S = 0.110
"""Below the server's 150 ms, which also holds the way there and back."""

_FACT_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

_MATCH_RETURNS = {
    "CC_MATCH": "match, several, unknown, withheld or late",
    "CC_PARTY": "the party's id, only with match",
    "CC_PARTY_NAME": "the party's name, only with match",
    "CC_CONFIDENCE": "per cent, 0 without a match",
    "CC_ATTESTATION": "what the network says of the caller id: passed, failed (then never match) or unknown",
    "CC_NUMBER": "the number in normal form, empty when withheld",
    "CC_NUMBER_KIND": "e164, short, extension, sip, withheld, email or external",
}
_HOURS_RETURNS = {
    "CC_OPEN": "1 open, 0 closed",
    "CC_OPEN_REASON": "why: shift, make_up_workday, opening, outside_hours, day_off, holiday, closure …",
    "CC_OPEN_DETAIL": "name of the holiday, closure or opening",
    "CC_OPEN_NEXT": "when CC_OPEN turns, epoch seconds; empty: not within 62 days",
}
_VERSTAT_MEANING = "the trunk's word on the caller id: SIP's verstat, or a result of STIR_SHAKEN; else none"
_MATCH_LATE = {"CC_MATCH": "late", "CC_PARTY": "", "CC_PARTY_NAME": "", "CC_CONFIDENCE": "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What the routes read.

    Attributes:
        book: The centre in force.
        now: The aware moment.
        expected_wait: The read model of waits; None when a queue has none.
        on_match: Gets interaction id and match of every identification made in time, for the pop.
        on_late: Gets those that came after their box: they update the pop.
    """

    database: Database
    tenant_id: TenantId
    book: Callable[[], CentreBook]
    now: Callable[[], datetime]
    expected_wait: Callable[[QueueId], WaitRange | None]
    on_match: Callable[[str, Match], None]
    on_late: Callable[[str, Match], None]
    box_s: float = LOOK_UP_BOX_S


def register(registry: AgiRegistry, hooks: Hooks) -> None:
    """Put the five routes into *registry*."""

    @registry.route(
        "inbound",
        doc="Decorates a new call in one question: queue, priority, language, who calls, whether it is open.",
        parameters={
            "entry": "the number dialled; without it the channel's DNID, then its extension",
            "call": "the interaction id; without it the channel's Uniqueid",
            "number": "the caller's number; without it the channel's caller id",
            "verstat": _VERSTAT_MEANING,
        },
        returns={
            "CC_QUEUE": "queue of the entry point, else the default queue",
            "CC_PRIORITY": "head start, milliseconds",
            "CC_PREFER": "the customer's own agent, may be empty",
            "CC_RING_S": "how long an agent's phone rings, seconds",
            "CC_LANG": "language of the entry point, else of the customer",
            **_MATCH_RETURNS,
            **_HOURS_RETURNS,
        },
        defaults=_MATCH_LATE,
    )
    async def inbound(request: AgiRequest) -> dict[str, str]:
        found = await _who(hooks, request)
        return rules.inbound_variables(hooks.book(), _dialled(request), found, hooks.now())

    @registry.route(
        "identify",
        doc="Says who calls. Several people on one number are not narrowed to one.",
        parameters={
            "number": "the number to look up; without it the channel's caller id",
            "verstat": _VERSTAT_MEANING,
            "entry": "the number dialled: its trunk gives region and area code",
            "call": "the interaction id; without it the channel's Uniqueid",
        },
        returns=_MATCH_RETURNS,
        defaults=_MATCH_LATE,
    )
    async def identified(request: AgiRequest) -> dict[str, str]:
        return rules.match_variables(await _who(hooks, request))

    @registry.route(
        "hours",
        doc="Says whether a calendar, a queue or an entry point is open now, and when that changes.",
        parameters={
            "calendar": "a calendar's id; wins",
            "entry": "a number dialled; without any field the channel's DNID",
            "queue": "a queue's id",
        },
        returns=_HOURS_RETURNS,
        defaults={"CC_OPEN": "1", "CC_OPEN_REASON": "no_calendar"},
    )
    async def hours(request: AgiRequest) -> dict[str, str]:
        asked = request.query
        dialled = asked.get("entry", "") if asked else _dialled(request)
        state = rules.open_state(
            hooks.book(),
            hooks.now(),
            calendar_id=asked.get("calendar", ""),
            queue_id=asked.get("queue", ""),
            dialled=dialled,
        )
        return rules.hours_variables(state)

    @registry.route(
        "attribute",
        doc="Reads one fact about a customer: display_name, language, kind, external_ref or a custom field.",
        parameters={
            "name": "the fact's name",
            "default": "what CC_ATTRIBUTE is when nothing is known",
            "party": "the party's id, for instance ${CC_PARTY}; without it the caller is identified",
            "number": "the number to identify by; without it the channel's caller id",
        },
        returns={"CC_ATTRIBUTE": "the fact, else the default", "CC_ATTRIBUTE_FOUND": "1 when it is a fact"},
        defaults={"CC_ATTRIBUTE_FOUND": "0"},
    )
    async def attribute(request: AgiRequest) -> dict[str, str]:
        fact = await _fact(hooks, request)
        default = request.query.get("default", "")
        return {
            "CC_ATTRIBUTE": default if fact is None else fact,
            "CC_ATTRIBUTE_FOUND": str(int(fact is not None)),
        }

    @registry.route(
        "ewt",
        doc="Says how long a caller is expected to wait in a queue, as a range.",
        parameters={"queue": "a queue's id; without it the queue of the entry point, else the default queue"},
        returns={
            "CC_EWT_LOW_S": "at least so many seconds; empty: not known",
            "CC_EWT_HIGH_S": "at most so many seconds; empty: not known",
            "CC_EWT_LOW_MIN": "the same in minutes, rounded up",
            "CC_EWT_HIGH_MIN": "the same in minutes, rounded up",
        },
        defaults=rules.wait_variables(None),
    )
    async def ewt(request: AgiRequest) -> dict[str, str]:
        book = hooks.book()
        entry = book.entry(_dialled(request))
        queue_id = request.query.get("queue") or (entry.queue_id if entry else None) or book.default_queue_id
        return rules.wait_variables(
            hooks.expected_wait(QueueId(queue_id)) if queue_id in book.queues else None
        )


async def _who(hooks: Hooks, request: AgiRequest) -> Match:
    book = hooks.book()
    region, area_code = book.place(book.entry(_dialled(request)))
    call = request.query.get("call") or request.uniqueid
    found = await identify(
        hooks.database,
        hooks.tenant_id,
        request.query.get("number") or request.caller_number,
        region=region,
        area_code=area_code,
        at=hooks.now(),
        box_s=hooks.box_s,
        on_late=lambda late: hooks.on_late(call, late),
        attestation=attestation_of(request.query.get("verstat", "")),
    )
    if found.outcome != "late":
        hooks.on_match(call, found)
    return found


async def _fact(hooks: Hooks, request: AgiRequest) -> str | None:
    name = request.query.get("name", "")
    if not _FACT_NAME.fullmatch(name):
        return None
    try:
        async with asyncio.timeout(hooks.box_s):
            party_id = _uuid(request.query.get("party", "")) or (await _who(hooks, request)).party_id
            if party_id is None:
                return None
            async with hooks.database.transaction(hooks.tenant_id) as connection:
                return await party_fact(connection, hooks.tenant_id, party_id, name)
    except (SQLAlchemyError, OSError, TimeoutError):
        return None  # the dialplan goes on with its default


def _dialled(request: AgiRequest) -> str:
    return (
        request.query.get("entry") or request.dialled_number or request.environment.get("agi_extension", "")
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
