"""What happens to a row of an imported list that may be somebody we know. Pure.

A reference of one's own numbering decides alone; without one an identifier does. Two known parties for
one row are never guessed at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from app.customers.import_mapping import NewRow, OnDuplicate, Problem

Action = Literal["create", "update", "skip_existing", "skip_in_file", "refuse"]


@dataclass(slots=True)
class Known:
    """Who is in the record already, of those that a batch names.

    Attributes:
        by_ref: Reference to party.
        by_identifier: (kind, normal) to the parties that have it now.
        refs: Of the parties above, their references.
    """

    by_ref: dict[str, UUID] = field(default_factory=dict)
    by_identifier: dict[tuple[str, str], set[UUID]] = field(default_factory=dict)
    refs: dict[UUID, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What happens to one row; ``party_id`` is whom it is about, when that is somebody known."""

    row: NewRow
    action: Action
    party_id: UUID | None = None
    problems: tuple[Problem, ...] = ()


def keys_of(row: NewRow) -> list[str]:
    """Return by what a row may be somebody: its reference alone, or its identifiers.

    >>> keys_of(NewRow(ordinal=0, external_ref="C1"))
    ['ref:C1']
    """
    if row.external_ref:
        return [f"ref:{row.external_ref}"]
    return [f"{each.kind}:{each.normal}" for each, _ in row.identifiers if each.kind != "short"]


def decide(row: NewRow, known: Known, on_duplicate: OnDuplicate, *, is_in_file: bool) -> Decision:
    """Decide about one row.

    Args:
        is_in_file: An earlier row of the same list has one of its keys.
    """
    if row.problems:
        return Decision(row=row, action="refuse", problems=row.problems)
    same = _same(row, known)
    if not same and not is_in_file:
        return Decision(row=row, action="create")
    match on_duplicate:
        case "create" if not row.external_ref or not same:
            return Decision(row=row, action="create")
        case "update" if len(same) == 1:
            return Decision(row=row, action="update", party_id=next(iter(same)))
        case "update" if len(same) > 1:
            return _refused(row, "several_parties")
        case "create":
            return _refused(row, "external_ref_taken")
        case _:
            action: Action = "skip_in_file" if is_in_file else "skip_existing"
            return Decision(row=row, action=action, party_id=min(same, default=None))


def _same(row: NewRow, known: Known) -> set[UUID]:
    if row.external_ref and row.external_ref in known.by_ref:
        return {known.by_ref[row.external_ref]}
    found: set[UUID] = set()
    for identifier, _ in row.identifiers:
        if identifier.kind != "short":
            found |= known.by_identifier.get((identifier.kind, identifier.normal), set())
    if row.external_ref:
        # the same number under another reference is another customer on the same line
        found = {party_id for party_id in found if not known.refs.get(party_id)}
    return found


def _refused(row: NewRow, problem: str) -> Decision:
    return Decision(row=row, action="refuse", problems=(Problem(column=None, problem=problem),))


def count(decisions: Iterable[Decision]) -> Mapping[str, int]:
    """Return how many rows go which way."""
    counts: dict[str, int] = {}
    for each in decisions:
        counts[each.action] = counts.get(each.action, 0) + 1
    return counts
