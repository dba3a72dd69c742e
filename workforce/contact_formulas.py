"""Figures of people rather than of visits: transfer pairs, repeat contacts, first-contact resolution. Pure.

A contact is a *repeat* when the same person came within the days before it. It was *resolved* when nobody of
the same person came within the days after it; while those days run this is not known yet, and it counts on
neither side. Whoever cannot be told (no party, number withheld) is nobody: such contacts are counted apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from workforce.formulas import Formula, Unit

DAYS_WITHIN = 7
"""How many times 24 hours apart two contacts of a person belong together, where nobody says otherwise."""
DAYS_WITHIN_MAX = 90
MS_PER_DAY = 86_400_000

Counts = Mapping[str, int]
"""Additive: how often each term."""


def _share(formula_id: str, over: tuple[str, ...], under: str, *less: str) -> Formula:
    return Formula(formula_id=formula_id, unit=Unit.SHARE, over=over, under=(under,), less=less)


PERSON_TERMS = ("contact_count", "nobody_count", "repeat_count", "over_count", "resolved_count", "open_count")
PERSON_FORMULAS: Mapping[str, Formula] = {
    one.formula_id: one
    for one in (
        _share("REPEAT", ("repeat_count",), "contact_count", "nobody_count"),
        _share("FCR", ("resolved_count",), "over_count"),
    )
}
TRANSFER_TERMS = ("blind_count", "attended_count", "cancelled_count", "handled_count")
TRANSFER_FORMULAS: Mapping[str, Formula] = {
    "TRANSFER-PAIR": _share("TRANSFER-PAIR", ("blind_count", "attended_count"), "handled_count")
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonContact:
    """One contact; *person* empty: nobody knows who."""

    contact_id: str
    person: str
    at_ms: int


def person_counts(contacts: Iterable[PersonContact], *, within_ms: int, now_ms: int) -> dict[str, Counts]:
    """Return what each contact adds, by its id.

    Args:
        contacts: All there are, also those long before and after the ones that matter.
        within_ms: How far apart two contacts of a person belong together, both ends included.

    >>> told = [PersonContact(contact_id=one, person="p", at_ms=at) for one, at in (("a", 0), ("b", 5))]
    >>> found = person_counts(told, within_ms=7, now_ms=100)
    >>> found["a"]["resolved_count"], found["b"]["resolved_count"], found["b"]["repeat_count"]
    (0, 1, 1)
    """
    by_person: dict[str, list[PersonContact]] = defaultdict(list)
    for contact in sorted(contacts, key=lambda one: (one.at_ms, one.contact_id)):
        by_person[contact.person].append(contact)
    counts: dict[str, Counts] = {}
    for person, theirs in by_person.items():
        for number, contact in enumerate(theirs):
            if not person:
                counts[contact.contact_id] = {"contact_count": 1, "nobody_count": 1}
                continue
            later = theirs[number + 1 :]
            is_over = contact.at_ms + within_ms <= now_ms
            came_again = any(one.at_ms <= contact.at_ms + within_ms for one in later)
            came_before = any(one.at_ms >= contact.at_ms - within_ms for one in theirs[:number])
            counts[contact.contact_id] = {
                "contact_count": 1,
                "nobody_count": 0,
                "repeat_count": int(came_before),
                "over_count": int(is_over),
                "resolved_count": int(is_over and not came_again),
                "open_count": int(not is_over),
            }
    return counts
