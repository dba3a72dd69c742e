"""Which calls are meant, and who may see which: plain values. Pure.

A number is asked for as anybody writes it and logged as the trunk showed it; ``number_forms`` names the forms
under which one and the same number may stand in the log, so that the index still serves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import phonenumbers

from app.customers.numbers import parse_number
from routing.ids import AgentId, QueueId, TeamId

FORMS_MAX: Final = 12
REASON_LETTERS_MAX: Final = 500
"""Of why a call was settled by hand."""
WITHHELD: Final = ("", "anonymous", "withheld")
"""Numbers as logged that are nobody's."""
MERGES_DEEP_MAX: Final = 8
"""A chain of merges is followed so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls; what is None (or empty) does not restrict.

    Attributes:
        since, until: Start of the call in ``[since, until)``.
        queue_id: Visited this queue.
        agent_id: Was answered by this agent at any time.
        team_id: Was answered by an agent of this team, as the teams are now.
        number: The caller's number, exactly as logged.
        numbers: Any of these numbers, exactly as logged; of ``number_forms``.
        party_id: Was taken for this party, or for one that is merged into it.
        wait_min_ms, wait_max_ms: Queued and ringing, all visits together; both included.
        talk_min_ms, talk_max_ms: The customer's talk without hold; both included.
        unreached: The last of somebody who was not reached since; of those with ``outcome``, which is
            ``abandoned`` where none is given.
        text: Part of the caller's name as shown, or of the name of the party it was taken for.
    """

    since: datetime | None = None
    until: datetime | None = None
    queue_id: QueueId | None = None
    agent_id: AgentId | None = None
    team_id: TeamId | None = None
    outcome: str | None = None
    direction: str | None = None
    entry_point: str | None = None
    number: str | None = None
    numbers: tuple[str, ...] = ()
    party_id: UUID | None = None
    wrap_up_code: str | None = None
    wait_min_ms: int | None = None
    wait_max_ms: int | None = None
    talk_min_ms: int | None = None
    talk_max_ms: int | None = None
    unreached: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Whose calls somebody may see; neither given: every call.

    Attributes:
        agent_id: Those that this agent answered.
        team_ids: Those that an agent of these teams was offered, or that visited a queue they serve.
    """

    agent_id: AgentId | None = None
    team_ids: frozenset[TeamId] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is hidden."""
        return self.agent_id is None and self.team_ids is None


WHOLE_SIGHT: Final = Sight()


def number_forms(written: str, region: str, area_code: str = "") -> tuple[str, ...]:
    """Return the forms under which a trunk may have shown the number that somebody wrote.

    Args:
        region, area_code: Of the numbering plan that reads national numbers.

    >>> number_forms("0911 000 123", "TW")
    ('0911 000 123', '0911000123', '+886911000123', '886911000123', '00886911000123', '911000123')
    >>> number_forms("withheld", "TW")
    ('withheld', '', 'anonymous')
    """
    identifier = parse_number(written, region, area_code)
    plain = "".join(letter for letter in written if letter.isdigit() or letter in "+*#")
    forms = [written.strip(), plain, identifier.normal]
    if identifier.kind == "withheld":
        forms = ["withheld", "", "anonymous"]
    elif identifier.kind == "e164":
        number = phonenumbers.parse(identifier.normal)
        bare = identifier.normal.removeprefix("+")
        significant = phonenumbers.national_significant_number(number)
        trunk_prefix = phonenumbers.ndd_prefix_for_region(
            phonenumbers.region_code_for_number(number) or region, True
        )
        forms += [bare, f"00{bare}", f"{trunk_prefix or ''}{significant}", significant]
        area = area_code.strip().lstrip("0")
        if area and significant.startswith(area):
            forms.append(significant.removeprefix(area))
        forms = [form for form in forms if form]
    return tuple(dict.fromkeys(forms))[:FORMS_MAX]
