"""Which numbers may become an agent's phone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.phones.rules import ChosenPhone, PhoneRefused, inside_phone, of_row, outside_phone
from routing.phone_signals import PhoneKind

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def outside(number: str, *prefixes: str) -> ChosenPhone | PhoneRefused:
    return outside_phone(number, region="TW", area_code="2", prefixes_allowed=prefixes or ("+886",), at=NOW)


def test_a_number_outside_is_dialled_in_its_full_form_through_the_one_context() -> None:
    phone = outside("0912345678")
    assert phone == ChosenPhone(
        kind=PhoneKind.EXTERNAL, device="Local/+886912345678@cc-phone-out/n", number="+886912345678"
    )
    assert of_row("a1001", "external", "+886912345678") == phone


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("119", "emergency_number"),
        ("110", "emergency_number"),
        ("112", "emergency_number"),
        ("0204123456", "premium_rate"),
        ("+14155550100", "prefix_not_allowed"),
        ("*72", "feature_code"),
        ("101", "extension_not_allowed"),
        ("0912345678&PJSIP/a1002", "number_pattern"),
        ("0912345678@trunk", "number_pattern"),
        ("", "number_pattern"),
    ],
)
def test_what_must_not_ring_as_an_agents_phone_is_refused(number: str, reason: str) -> None:
    assert outside(number) == PhoneRefused(reason)


def test_without_prefixes_nobody_is_rung_outside() -> None:
    refused = outside_phone("0912345678", region="TW", area_code="2", prefixes_allowed=(), at=NOW)
    assert refused == PhoneRefused("prefix_not_allowed")


def test_the_browser_has_an_endpoint_of_its_own_and_the_desk_is_left_to_the_pbx() -> None:
    assert inside_phone(PhoneKind.BROWSER, "a1001").device == "PJSIP/a1001-web"
    assert inside_phone(PhoneKind.DESK, "a1001").device == ""
