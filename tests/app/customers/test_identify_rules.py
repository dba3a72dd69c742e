"""One, several, nobody, somebody who hides, and numbers that changed hands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.customers.identify_rules import CANDIDATES_MAX, Candidate, attestation_of, late, match
from app.customers.numbers import parse_number

_NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
_WANG, _CHEN, _ACME, _SHOP = (UUID(int=number) for number in range(1, 5))
_MOBILE = parse_number("0912345678", "TW")


def _candidate(party_id: UUID, **facts: object) -> Candidate:
    return Candidate(**{"party_id": party_id, "linked_party_id": party_id, **facts})  # type: ignore[arg-type]


def test_one_party_is_a_match_and_a_verified_one_a_surer_match() -> None:
    found = match(_MOBILE, [_candidate(_WANG)], _NOW)
    verified = match(_MOBILE, [_candidate(_WANG, is_verified=True)], _NOW)
    assert (found.outcome, found.party_id, found.method) == ("match", _WANG, "identifier")
    assert verified.confidence > found.confidence


def test_two_people_on_one_number_are_shown_and_not_guessed_at() -> None:
    found = match(_MOBILE, [_candidate(_WANG), _candidate(_CHEN, is_preferred=True, is_verified=True)], _NOW)
    assert (found.outcome, found.party_id, found.confidence) == ("several", None, 0)
    assert [candidate.party_id for candidate in found.candidates] == [_CHEN, _WANG]


def test_the_former_owner_of_a_recycled_number_is_no_candidate() -> None:
    gone = _candidate(_WANG, valid_to=_NOW)
    new = _candidate(_CHEN, valid_from=_NOW)
    assert match(_MOBILE, [gone, new], _NOW).party_id == _CHEN
    assert match(_MOBILE, [gone, new], _NOW - timedelta(seconds=1)).party_id == _WANG
    assert match(_MOBILE, [gone], _NOW).outcome == "unknown"


def test_a_switchboard_is_its_organisation_with_its_people_beside() -> None:
    board = [
        _candidate(_ACME, kind="organisation"),
        _candidate(_WANG, extension="12"),
        _candidate(_CHEN, extension="13"),
    ]
    found = match(parse_number("02-2771-2345", "TW"), board, _NOW)
    assert (found.outcome, found.party_id, found.method) == ("match", _ACME, "shared_line")
    assert {candidate.party_id for candidate in found.candidates} == {_ACME, _WANG, _CHEN}
    behind = match(parse_number("02-2771-2345轉12", "TW"), board, _NOW)
    assert (behind.party_id, behind.method) == (_WANG, "identifier_and_extension")
    assert behind.confidence > found.confidence
    nobody_there = match(parse_number("02-2771-2345轉99", "TW"), board, _NOW)
    assert nobody_there.party_id == _ACME


def test_two_organisations_on_one_number_are_several() -> None:
    both = [_candidate(_ACME, kind="organisation"), _candidate(_SHOP, kind="organisation"), _candidate(_WANG)]
    assert match(_MOBILE, both, _NOW).outcome == "several"


def test_a_merged_pair_is_one_party() -> None:
    pair = [_candidate(_WANG), Candidate(party_id=_WANG, linked_party_id=_CHEN)]
    assert match(_MOBILE, pair, _NOW).party_id == _WANG


def test_a_withheld_number_is_nobodys_even_when_rows_say_so() -> None:
    found = match(parse_number("anonymous", "TW"), [_candidate(_WANG)], _NOW)
    assert (found.outcome, found.party_id, found.candidates) == ("withheld", None, ())
    assert late(parse_number("", "TW")).outcome == "withheld"
    assert late(_MOBILE).outcome == "late"


@given(
    st.permutations([_candidate(UUID(int=number), is_preferred=number % 3 == 0) for number in range(1, 40)])
)
def test_the_order_of_rows_changes_nothing_and_the_choice_is_bounded(rows: list[Candidate]) -> None:
    found = match(_MOBILE, rows, _NOW)
    assert found == match(_MOBILE, sorted(rows, key=lambda row: row.party_id), _NOW)
    assert len(found.candidates) == CANDIDATES_MAX


def test_a_number_that_nobody_vouches_for_is_worth_less_than_an_attested_one() -> None:
    unknown, passed = (match(_MOBILE, [_candidate(_WANG)], _NOW, told) for told in ("unknown", "passed"))
    assert (unknown.party_id, passed.party_id) == (_WANG, _WANG)
    assert 0 < unknown.confidence < passed.confidence < 100
    assert (unknown.attestation, passed.attestation) == ("unknown", "passed")


def test_a_forged_number_names_nobody_and_shows_whose_it_is_as_a_choice() -> None:
    found = match(_MOBILE, [_candidate(_WANG)], _NOW, "failed")
    assert (found.outcome, found.party_id, found.confidence) == ("several", None, 0)
    assert [candidate.party_id for candidate in found.candidates] == [_WANG]
    board = [_candidate(_ACME, kind="organisation"), _candidate(_WANG, extension="12")]
    behind = match(parse_number("02-2771-2345轉12", "TW"), board, _NOW, "failed")
    assert (behind.outcome, behind.party_id) == ("several", None)
    assert match(_MOBILE, [], _NOW, "failed").outcome == "unknown"
    assert match(parse_number("anonymous", "TW"), [], _NOW, "failed").outcome == "withheld"


@pytest.mark.parametrize("word", ["", "No-TN-Validation", "passed;number=1", "\x00", "Passed-not"])
def test_a_word_on_the_caller_id_that_is_not_known_says_nothing(word: str) -> None:
    assert attestation_of(word) == "unknown"
