"""The number gate: bypass numbers, emergency numbers, and the order of refusals."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.calendars.rules import OpenState
from app.dialling.rules import DIALLED, DialFacts, DialPolicy, may_dial

_NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
_OPEN = DialPolicy(prefixes_allowed=("+886", "+86"), prefixes_blocked=("+88690",))
_FACTS = DialFacts(number="0912345678", region="TW", area_code="02", at=_NOW, policy=_OPEN)
_CLOSED = OpenState(open=False, reason="outside_hours", next_change=_NOW + timedelta(hours=7))

_BYPASS = [
    "",
    " ",
    "+",
    "++886912345678",
    "+886+912345678",
    "0912345678 ",
    " 0912345678",
    "0912-345-678",
    "0912345678\n",
    "\n0912345678",
    "0912345678\r\nAction: Logoff",
    "0912345678\x00",
    "0912345678&PJSIP/x",
    "0912345678,1",
    "0912345678@evil",
    "sip:0912345678",
    "PJSIP/a1001",
    "Local/s@cc-in",
    "Local/911@outbound",
    "${EXTEN}",
    "${SHELL(id)}",
    "$[1+1]",
    "0912345678|x",
    "0912345678;x",
    "0912345678/n",
    "0912345678^x",
    "a1001",
    "s",
    "i",
    "h",
    "o",
    "t",
    "_X.",
    "_.",
    "cc-in",
    "0912345678w1",
    "0912345678p1",
    "0912345678\t",
    "０９１２３４５６７８",
    "٠٩١٢٣٤٥٦٧٨",
    "²",
    "0" * 33,
    "+" + "1" * 33,
    "0912345678\u200b",
    "0912\u00a0345678",
    "1e5",
    "-1",
    "0x1F",
    "%30",
    "..",
    "*72 0912345678",
    "0912345678'",
    '0912345678"',
    "<0912345678>",
    "\ud800",
]
_TOLL = [
    "*72912345678",
    "*67",
    "#31#0912345678",
    "*31#19005551234",
    "0912345678#",
    "*",
    "#",
    "**21*0912345678#",
    "0204123456",
    "+886204123456",
    "002442079460123",
    "0019005551234",
    "00870773111632",
    "+870773111632",
    "+9991234567",
    "+19005551234",
    "0900123456",
    "+886900123456",
    "0126721234567",
    "0059991234567",
]


def test_there_are_at_least_fifty_bypass_numbers() -> None:
    assert len({*_BYPASS, *_TOLL}) >= 70


@pytest.mark.parametrize("number", _BYPASS)
def test_what_is_not_a_plain_number_never_passes(number: str) -> None:
    assert may_dial(replace(_FACTS, number=number)).reason == "number_pattern"


@pytest.mark.parametrize("number", _TOLL)
def test_a_plain_number_that_costs_or_commands_is_refused(number: str) -> None:
    decision = may_dial(replace(_FACTS, number=number))
    assert not decision.allowed
    assert decision.dial == ""


@pytest.mark.parametrize(
    ("number", "dial"),
    [
        ("0912345678", "+886912345678"),
        ("27712345", "+886227712345"),
        ("+8613800138000", "+8613800138000"),
        ("1001", "1001"),
    ],
)
def test_an_ordinary_number_passes_in_its_normal_form(number: str, dial: str) -> None:
    assert may_dial(replace(_FACTS, number=number)).dial == dial


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("119", "TW"),
        ("110", "TW"),
        ("112", "TW"),
        ("911", "TW"),
        ("120", "CN"),
        ("122", "CN"),
        ("999", "HK"),
        ("999", "GB"),
        ("000", "AU"),
        ("911", "US"),
        ("119", "XX"),
    ],
)
def test_an_emergency_number_passes_whatever_else_is_said_and_is_not_rewritten(
    number: str, region: str
) -> None:
    refusing = DialFacts(
        number=number,
        region=region,
        area_code="02",
        at=_NOW,
        do_not_contact=True,
        consent=False,
        calling_hours=_CLOSED,
        attempts=99,
        last_attempt_at=_NOW,
        dials_last_hour=10_000,
        spent=1e9,
        policy=DialPolicy(
            extensions_allowed=False,
            attempts_max=0,
            attempt_gap_s=9,
            dials_per_hour_max=0,
            spend_max=0,
            prefixes_blocked=("+", number),
        ),
    )
    decision = may_dial(refusing)
    assert (decision.allowed, decision.reason, decision.dial) == (True, "emergency", number)


def test_each_fact_refuses_with_its_own_reason() -> None:
    policy = replace(
        _OPEN,
        consent_required=True,
        attempts_max=3,
        attempt_gap_s=600,
        dials_per_hour_max=50,
        spend_max=100.0,
    )
    fine = replace(_FACTS, policy=policy, consent=True)
    assert may_dial(fine).allowed
    assert may_dial(replace(fine, do_not_contact=True)).reason == "do_not_contact"
    assert may_dial(replace(fine, consent=None)).reason == "no_consent"
    assert may_dial(replace(_FACTS, consent=False)).reason == "no_consent"
    assert may_dial(replace(fine, calling_hours=_CLOSED)).reason == "outside_calling_hours"
    assert may_dial(replace(fine, attempts=3)).reason == "attempts_used_up"
    assert may_dial(replace(fine, dials_last_hour=50)).reason == "rate_cap"
    assert may_dial(replace(fine, spent=100.0)).reason == "spend_cap"
    assert may_dial(replace(fine, number="1922")).reason == "short_not_allowed"
    assert may_dial(replace(fine, number="0900123456")).reason == "prefix_blocked"
    assert may_dial(replace(fine, number="+81312345678")).reason == "prefix_not_allowed"
    assert may_dial(
        replace(fine, policy=replace(policy, extensions_allowed=False), number="1001")
    ).reason == ("extension_not_allowed")


def test_a_refusal_for_now_says_when_to_ask_again() -> None:
    closed = may_dial(replace(_FACTS, calling_hours=_CLOSED))
    soon = may_dial(
        replace(
            _FACTS, policy=replace(_OPEN, attempt_gap_s=600), last_attempt_at=_NOW - timedelta(seconds=599)
        )
    )
    assert closed.retry_at == _CLOSED.next_change
    assert (soon.reason, soon.retry_at) == ("too_soon_after_last_attempt", _NOW + timedelta(seconds=1))


@given(
    number=st.text(max_size=40) | st.text("0123456789+*#", max_size=40),
    region=st.sampled_from(["TW", "CN", ""]),
)
def test_nothing_passes_that_could_be_more_than_a_number(number: str, region: str) -> None:
    decision = may_dial(replace(_FACTS, number=number, region=region))
    if decision.allowed:
        assert DIALLED.fullmatch(decision.dial)
        assert "*" not in decision.dial
        assert "#" not in decision.dial
