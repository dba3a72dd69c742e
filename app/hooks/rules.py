"""What a dialplan is told: pure functions from the centre, the match and the time to channel variables.

The centre is held in memory, so that a caller is decorated with queue, language and ring time even when
PostgreSQL is away; only who calls needs a look-up. A value is text; an unknown fact is the empty text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.calendars.rules import Calendar, OpenState, is_open
from app.centre.document import Centre, EntryPointPart, QueuePart, TrunkPart
from app.centre.rules import as_calendar
from app.customers.identify_rules import Candidate, Match
from app.customers.numbers import parse_number

_PRIORITY_MS_MAX = 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRange:
    """The expected wait of a queue, seconds; ``low_s <= high_s``."""

    low_s: float
    high_s: float


@dataclass(frozen=True, slots=True)
class CentreBook:
    """The centre, ready to be asked. Made once per configuration version by ``CentreBook.of``."""

    entries: Mapping[str, EntryPointPart] = field(default_factory=dict)
    trunks: Mapping[str, TrunkPart] = field(default_factory=dict)
    queues: Mapping[str, QueuePart] = field(default_factory=dict)
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    agent_ids: frozenset[str] = frozenset()
    default_queue_id: str = ""

    @classmethod
    def of(cls, centre: Centre) -> CentreBook:
        """Index *centre*."""
        trunks = {trunk.trunk_id: trunk for trunk in centre.trunk}
        entries: dict[str, EntryPointPart] = {}
        for entry in centre.entry_point:
            entries[entry.entry_point] = entry
        for entry in centre.entry_point:
            entries.setdefault(_normal(entry.entry_point, trunks.get(entry.trunk_id or "")), entry)
        return cls(
            entries=entries,
            trunks=trunks,
            queues={queue.queue_id: queue for queue in centre.queue},
            calendars={each.calendar_id: as_calendar(each) for each in centre.calendar},
            agent_ids=frozenset(agent.agent_id for agent in centre.agent),
            default_queue_id=next((queue.queue_id for queue in centre.queue if queue.is_default), ""),
        )

    def entry(self, dialled: str) -> EntryPointPart | None:
        """Return the entry point that *dialled* names, however a trunk wrote it."""
        if found := self.entries.get(dialled):
            return found
        for trunk in self.trunks.values():
            if found := self.entries.get(_normal(dialled, trunk)):
                return found
        return None

    def place(self, entry: EntryPointPart | None) -> tuple[str, str]:
        """Return region and area code of the numbers that come in at *entry*."""
        trunk = self.trunks.get(entry.trunk_id or "") if entry else None
        if trunk is None and len(self.trunks) == 1:
            trunk = next(iter(self.trunks.values()))
        return (trunk.region, trunk.area_code) if trunk else ("", "")


def open_state(
    book: CentreBook, at: datetime, *, calendar_id: str = "", queue_id: str = "", dialled: str = ""
) -> OpenState:
    """Return whether the named calendar is open, else the entry point's, else its or the named queue's."""
    entry = book.entry(dialled) if dialled else None
    queue = book.queues.get(queue_id or (entry.queue_id if entry and entry.queue_id else ""))
    for named in (calendar_id, entry.calendar_id if entry else None, queue.calendar_id if queue else None):
        if named and named in book.calendars:
            return is_open(book.calendars[named], at)
    return OpenState(open=True, reason="no_calendar")


def hours_variables(state: OpenState) -> dict[str, str]:
    """Return what the dialplan is told about opening hours."""
    return {
        "CC_OPEN": "1" if state.open else "0",
        "CC_OPEN_REASON": state.reason,
        "CC_OPEN_DETAIL": state.detail,
        "CC_OPEN_NEXT": str(round(state.next_change.timestamp())) if state.next_change else "",
    }


def match_variables(match: Match) -> dict[str, str]:
    """Return what the dialplan is told about who calls; several are never narrowed to one."""
    found = matched(match)
    return {
        "CC_MATCH": match.outcome,
        "CC_PARTY": str(match.party_id) if match.party_id else "",
        "CC_PARTY_NAME": found.display_name if found else "",
        "CC_CONFIDENCE": str(match.confidence),
        "CC_ATTESTATION": match.attestation,
        "CC_NUMBER": "" if match.identifier.kind == "withheld" else match.identifier.normal,
        "CC_NUMBER_KIND": match.identifier.kind,
    }


def inbound_variables(book: CentreBook, dialled: str, match: Match, at: datetime) -> dict[str, str]:
    """Return everything that ``cc-in`` needs: where the call goes, and how."""
    entry, party = book.entry(dialled), matched(match)
    queue_id = entry.queue_id if entry and entry.queue_id else book.default_queue_id
    queue = book.queues.get(queue_id)
    priority_ms = min(_PRIORITY_MS_MAX, round(entry.priority_s * 1000)) if entry else 0
    language = (entry.language if entry else "") or (party.language if party else "")
    prefer = party.preferred_agent if party and party.preferred_agent in book.agent_ids else ""
    return {
        "CC_QUEUE": queue_id,
        "CC_PRIORITY": str(priority_ms),
        "CC_PREFER": prefer,
        **({"CC_RING_S": str(max(1, round(queue.ring_timeout_s)))} if queue else {}),
        "CC_LANG": language,
        **match_variables(match),
        **hours_variables(open_state(book, at, queue_id=queue_id, dialled=dialled)),
    }


def wait_variables(expected: WaitRange | None) -> dict[str, str]:
    """Return the range as whole seconds and as minutes rounded up; empty when nothing is known."""
    if expected is None:
        return {"CC_EWT_LOW_S": "", "CC_EWT_HIGH_S": "", "CC_EWT_LOW_MIN": "", "CC_EWT_HIGH_MIN": ""}
    low_s, high_s = max(0, round(expected.low_s)), max(0, round(expected.high_s))
    return {
        "CC_EWT_LOW_S": str(low_s),
        "CC_EWT_HIGH_S": str(high_s),
        "CC_EWT_LOW_MIN": str(max(1, -(-low_s // 60))),
        "CC_EWT_HIGH_MIN": str(max(1, -(-high_s // 60))),
    }


def matched(match: Match) -> Candidate | None:
    """Return the one candidate that *match* decided on, None when it decided on none."""
    if match.party_id is None:
        return None
    return next((each for each in match.candidates if each.party_id == match.party_id), None)


def _normal(dialled: str, trunk: TrunkPart | None) -> str:
    return parse_number(dialled, trunk.region if trunk else "", trunk.area_code if trunk else "").normal
