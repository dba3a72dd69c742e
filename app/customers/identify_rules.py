"""Who an identifier stands for. Pure: the rows are given; several are shown as several, never guessed at.

A number says which line is calling, not who speaks; the confidence says how far the line goes. A caller id
can be forged, so the number alone is worth less than one that the network attests, and one whose attestation
failed names nobody: whom the number belongs to is then a choice, never a match. Links carry validity, because
numbers are recycled: the former owner of a number is not a candidate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from app.customers.numbers import Identifier

Outcome = Literal["match", "several", "unknown", "withheld", "late"]
Method = Literal["none", "identifier", "identifier_and_extension", "shared_line", "agent"]

Attestation = Literal["unknown", "passed", "failed"]

CANDIDATES_MAX = 20
_SHARED_KINDS = ("organisation", "household")
_CONFIDENCE = {
    "e164": 90,
    "email": 90,
    "line": 95,
    "wechat": 95,
    "web": 60,
    "extension": 80,
    "sip": 80,
    "short": 60,
    "external": 50,
}
_VERIFIED_BONUS = 5
_SHARED_LINE_CONFIDENCE = 70
_CALLER_ID_KINDS = ("e164", "short", "external")  # what a caller can write there themselves
_UNATTESTED_LOSS = 20
_VERSTAT: Mapping[str, Attestation] = {
    "tn-validation-passed": "passed",  # 3GPP TS 24.229, verstat of the asserted identity
    "tn-validation-failed": "failed",
    "passed": "passed",  # Asterisk's STIR_SHAKEN(…,verify_result)
    "signature_failed": "failed",
    "signaturefailed": "failed",
    "tn_mismatch": "failed",
    "tnmismatch": "failed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One party that an identifier is linked to, merges already followed.

    Attributes:
        party_id: The party that stands for it today.
        linked_party_id: The party the link was made with; differs after a merge.
        kind: Of the party: ``person``, ``organisation``, ``household``, ``partner``, ``supplier``.
        extension: Behind a shared number.
        preferred_agent: An agent's id from the party's custom field of this name.
        valid_from, valid_to: When the link (and the identifier) holds; None is without end.
    """

    party_id: UUID
    linked_party_id: UUID
    kind: str = "person"
    display_name: str = ""
    language: str = ""
    external_ref: str = ""
    label: str = ""
    extension: str = ""
    is_preferred: bool = False
    is_verified: bool = False
    preferred_agent: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What the log keeps of an identification.

    Attributes:
        outcome: ``match`` (``party_id`` is set), ``several`` (the agent chooses), ``unknown``, ``withheld``,
            ``late`` (the look-up did not come within its box).
        confidence: Per cent.
        candidates: At most 20, likeliest first; also set beside a shared line's match.
        attestation: What the network says of the caller id: ``passed``, ``failed`` (then it is never a
            ``match``), ``unknown`` where it says nothing.
    """

    outcome: Outcome
    identifier: Identifier
    party_id: UUID | None = None
    method: Method = "none"
    confidence: int = 0
    candidates: tuple[Candidate, ...] = ()
    attestation: Attestation = "unknown"


def attestation_of(verstat: str) -> Attestation:
    """Return what a trunk's word on the caller id means; a word that is not known says nothing.

    Source:
        3GPP TS 24.229 ``verstat``; the results of Asterisk's ``STIR_SHAKEN``.

    >>> [attestation_of(word) for word in ("TN-Validation-Passed", "TN_MISMATCH", "No-TN-Validation")]
    ['passed', 'failed', 'unknown']
    """
    return _VERSTAT.get(verstat.strip().lower(), "unknown")


def match(
    identifier: Identifier,
    candidates: Iterable[Candidate],
    at: datetime,
    attestation: Attestation = "unknown",
) -> Match:
    """Return who *identifier* stands for at the aware instant *at*."""
    found = _by_number(identifier, candidates, at)
    if identifier.kind not in _CALLER_ID_KINDS:
        return found
    found = replace(found, attestation=attestation)
    if attestation == "failed" and found.outcome == "match":
        return replace(found, outcome="several", party_id=None, method="none", confidence=0)
    if attestation == "unknown" and found.outcome == "match":
        return replace(found, confidence=found.confidence - _UNATTESTED_LOSS)
    return found


def _by_number(identifier: Identifier, candidates: Iterable[Candidate], at: datetime) -> Match:
    """Who it is when the number is right."""
    if identifier.kind == "withheld":
        return Match(outcome="withheld", identifier=identifier)
    held = _one_per_party(candidate for candidate in candidates if _holds(candidate, at))
    if identifier.extension:
        behind = [candidate for candidate in held if candidate.extension == identifier.extension]
        if len(behind) == 1:
            return _one(identifier, behind[0], "identifier_and_extension", held)
        held = behind or [candidate for candidate in held if not candidate.extension]
    if not held:
        return Match(outcome="unknown", identifier=identifier)
    if len(held) == 1:
        return _one(identifier, held[0], "identifier", ())
    shared = [candidate for candidate in held if candidate.kind in _SHARED_KINDS]
    if len(shared) == 1:
        found = _one(identifier, shared[0], "shared_line", held)
        return replace(found, confidence=min(found.confidence, _SHARED_LINE_CONFIDENCE))
    return Match(outcome="several", identifier=identifier, candidates=tuple(held[:CANDIDATES_MAX]))


def late(identifier: Identifier, attestation: Attestation = "unknown") -> Match:
    """Return what is said in time when the look-up is not: the true match follows to the pop."""
    outcome: Outcome = "withheld" if identifier.kind == "withheld" else "late"
    return Match(outcome=outcome, identifier=identifier, attestation=attestation)


def _one(identifier: Identifier, found: Candidate, method: Method, beside: Iterable[Candidate]) -> Match:
    confidence = _CONFIDENCE.get(identifier.kind, 0) + (_VERIFIED_BONUS if found.is_verified else 0)
    return Match(
        outcome="match",
        identifier=identifier,
        party_id=found.party_id,
        method=method,
        confidence=min(100, confidence),
        candidates=tuple(beside)[:CANDIDATES_MAX] or (found,),
    )


def _holds(candidate: Candidate, at: datetime) -> bool:
    return (candidate.valid_from is None or candidate.valid_from <= at) and (
        candidate.valid_to is None or at < candidate.valid_to
    )


def _one_per_party(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Keep one candidate per party, likeliest first: a merged pair is one party."""
    kept: dict[UUID, Candidate] = {}
    for candidate in sorted(candidates, key=_likeliest_first):
        kept.setdefault(candidate.party_id, candidate)
    return list(kept.values())


def _likeliest_first(candidate: Candidate) -> tuple[bool, bool, float, str, str]:
    since = candidate.valid_from.timestamp() if candidate.valid_from else 0.0
    return (
        not candidate.is_preferred,
        not candidate.is_verified,
        -since,
        candidate.display_name,
        str(candidate.party_id),
    )
