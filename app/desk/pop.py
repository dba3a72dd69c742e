"""One pop: who calls, for one agent and one offer, from its making to its end. Pure data and its document.

What is not known is said (``record``), several people are shown as several, and nobody is guessed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.customers.identify_rules import Candidate, Match
from app.desk.topic_values import DeskPop, PartyCard, Record
from routing.ids import AgentId, InteractionId, QueueId

NUMBER_CHARS_MAX = 128
CARDS_MAX = 21  # the party, and twenty candidates


@dataclass(slots=True, kw_only=True)
class Pop:
    """A pop. Times in milliseconds since the Unix epoch.

    Attributes:
        number: As the phone system showed it, while no look-up has read it.
        record: Whether what the database knows is in it already, or the database is away.
        acked_ms: When the agent's page had it on the screen.
        end_reason: ``done``, or why the offer came to nothing.
    """

    pop_id: int
    agent_id: AgentId
    interaction_id: InteractionId
    attempt: int
    queue_id: QueueId | None
    number: str
    made_ms: int
    match: Match | None = None
    cards: Mapping[UUID, PartyCard] = field(default_factory=dict)
    record: Record = "pending"
    acked_ms: int | None = None
    answered_ms: int | None = None
    ended_ms: int | None = None
    end_reason: str | None = None

    @property
    def shown_before_answer(self) -> bool | None:
        """Whether the agent's page had it before the agent spoke; None: not answered."""
        if self.answered_ms is None:
            return None
        return self.acked_ms is not None and self.acked_ms <= self.answered_ms

    @property
    def is_unseen(self) -> bool:
        """Whether the agent talks without having seen it."""
        return self.answered_ms is not None and self.acked_ms is None and self.ended_ms is None


def party_ids_of(match: Match | None) -> list[UUID]:
    """Return whose cards a match needs, the party first."""
    if match is None:
        return []
    ids = [match.party_id] if match.party_id is not None else []
    ids += [candidate.party_id for candidate in match.candidates]
    return list(dict.fromkeys(ids))[:CARDS_MAX]


def document_of(pop: Pop) -> DeskPop:
    """Return the pop as the page shows it."""
    match = pop.match
    party_id = match.party_id if match else None
    known = {candidate.party_id: candidate for candidate in match.candidates} if match else {}
    others = [each for each in party_ids_of(match) if each != party_id]
    is_withheld = match is not None and match.identifier.kind == "withheld"
    normal = match.identifier.normal if match else ""
    return {
        "pop_id": pop.pop_id,
        "interaction_id": pop.interaction_id,
        "queue_id": pop.queue_id,
        "made_ms": pop.made_ms,
        "acked_ms": pop.acked_ms,
        "number": "" if is_withheld else (normal or pop.number)[:NUMBER_CHARS_MAX],
        "number_kind": match.identifier.kind if match else "external",
        "outcome": match.outcome if match else "late",
        "method": match.method if match else "none",
        "confidence": match.confidence if match else 0,
        "attestation": match.attestation if match else "unknown",
        "record": pop.record,
        "party": None if party_id is None else _card(party_id, pop.cards, known.get(party_id)),
        "candidates": [_card(each, pop.cards, known.get(each)) for each in others],
    }


def _card(party_id: UUID, cards: Mapping[UUID, PartyCard], candidate: Candidate | None) -> PartyCard:
    """The card as the database gave it; until then what the look-up told."""
    label = candidate.label if candidate else ""
    if party_id in cards:
        return {**cards[party_id], "label": label}
    return {
        "party_id": str(party_id),
        "kind": candidate.kind if candidate else "person",
        "display_name": candidate.display_name if candidate else "",
        "language": candidate.language if candidate else "",
        "external_ref": candidate.external_ref if candidate else "",
        "label": label,
        "custom": {},
        "numbers": [],
        "last_contacts": [],
        "notes": [],
        "promises": [],
    }


def chosen(match: Match, party_id: UUID | None) -> Match:
    """Return the match after an agent said who it is; the candidates stay as the look-up gave them."""
    return replace(
        match,
        outcome="match" if party_id is not None else "unknown",
        party_id=party_id,
        method="agent",
        confidence=100,
    )
