"""Names and notes that strangers choose, on the desk of an agent: shown as text, whatever they are."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.chromium import assert_accessible, assert_fits, context, screenshot
from tests.browser.visitors import agent_account, sign_in
from tests.calls.centre import CallCentre
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db, pytest.mark.timeout(120)]

SCRIPT: Final = "<script>document.title='owned'</script>"
IMAGE: Final = '"><img src=x onerror="document.title=\'owned\'; alert(1)">'
TURNED: Final = "\u202egnp.exe"
NOTES: Final = (
    f"{SCRIPT}{IMAGE}",
    "{{constructor.constructor('alert(1)')()}} ${alert(1)}",
    "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    f"{TURNED} \u2067right to left\u2069 \u200b\u200d\ufeff 👩‍👩‍👧‍👦🏳️‍🌈",
)
LONG: Final = "長" * 60 + "W" * 60


@pytest.fixture
def hostile(centre: CallCentre) -> dict[str, str]:
    """Customers with such names and notes, by their number."""
    numbers = {"0977000101": f"{IMAGE} {TURNED} Mallory", "0977000102": LONG}
    for number, name in numbers.items():
        made: Any = centre.require(
            "POST",
            "/parties",
            {"display_name": name, "identifiers": [{"raw": number}], "custom": {"warning": SCRIPT}},
        )
        for note in NOTES:
            centre.require("POST", f"/parties/{made['party_id']}/notes", {"text": note})
    return numbers


def _harmless(page: Page) -> None:
    assert page.title() == "Desk · Holdless"
    assert page.locator("main img, main script, main iframe").count() == 0
    assert_fits(page)


def test_hostile_names_and_notes_are_text_on_the_desk(
    browser: Browser, centre: CallCentre, sipp: Sipp, hostile: dict[str, str]
) -> None:
    dialogs: list[str] = []

    def said(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with context(browser, centre.url) as made:  # a refused script or style is a complaint, and fails
        sign_in(made, centre, agent_account("a1004"))
        page = made.new_page()
        page.on("dialog", said)
        page.goto("/desk")
        page.locator("[data-state]").wait_for()
        sipp.phone("a1004", Phone(answer=None))
        centre.ready("a1004")
        for number, name, shown in (
            ("0977000101", None, hostile["0977000101"]),
            ("0977000102", SCRIPT, LONG),
            ("0977000103", f"{SCRIPT}👩‍👩‍👧‍👦\u200b", SCRIPT),
        ):
            sipp.call(Caller(entry="8002", number=number, name=name))
            expect(page.get_by_test_id("who")).to_contain_text(shown[:60], timeout=10_000)
            expect(page.locator("[data-pop]")).to_be_visible()
            vouched = page.locator("[data-attestation]")
            expect(vouched).to_have_count(1 if number in hostile else 0)
            if number in hostile:  # nobody vouches for a number, and that is said of whom it belongs to
                expect(page.get_by_test_id("who")).to_contain_text("Probably")
                expect(vouched).to_have_text("number matches, caller not verified")
            if number in hostile:
                for note in NOTES:
                    page.get_by_role("tab", name="Notes").click()
                    expect(page.get_by_role("tabpanel")).to_contain_text(note[:40])
                page.get_by_role("tab", name="Customer").click()
                expect(page.get_by_role("tabpanel")).to_contain_text(SCRIPT)
            _harmless(page)
            screenshot(page, f"desk-hostile-{number}")
            centre.hang_up_all()
            expect(page.get_by_test_id("who")).to_have_count(0, timeout=10_000)
        assert_accessible(page)
        assert not dialogs


def test_a_caller_id_whose_check_failed_is_shown_as_nobodys(
    browser: Browser, centre: CallCentre, sipp: Sipp
) -> None:
    number = "0977000199"
    body = {"display_name": "Olivia Owner", "identifiers": [{"raw": number}]}
    centre.require("POST", "/parties", body)
    centre.sandbox.cli("dialplan set global CC_VERSTAT TN-Validation-Failed")  # as a trunk's dialplan says it
    try:
        with context(browser, centre.url) as made:
            sign_in(made, centre, agent_account("a1004"))
            page = made.new_page()
            page.goto("/desk")
            page.locator("[data-state]").wait_for()
            sipp.phone("a1004", Phone(answer=None))
            centre.ready("a1004")
            sipp.call(Caller(entry="8002", number=number))
            expect(page.locator("[data-attestation=failed]")).to_contain_text("forged", timeout=10_000)
            expect(page.get_by_test_id("who")).not_to_contain_text("Olivia")
            expect(page.get_by_role("button", name="Olivia Owner")).to_be_visible()  # a choice, not a claim
            assert_accessible(page)
            screenshot(page, "desk-forged-number")
            centre.hang_up_all()
    finally:
        centre.sandbox.cli("dialplan set global CC_VERSTAT none")
