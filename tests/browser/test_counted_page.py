"""Repeat contacts per person and transfers by pair in a real browser: shown, small, and down to the calls."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import Scheme, assert_accessible, assert_fits, screenshot
from tests.browser.figures_page import count_of, figures_page
from tests.browser.served import Served

pytestmark = pytest.mark.db


@pytest.mark.parametrize(
    ("tab", "language", "scheme", "width"),
    [
        ("persons", "en", "light", 1280),
        pytest.param("persons", "zh-Hant", "dark", 390, marks=pytest.mark.long),
        pytest.param("transfers", "en", "dark", 390, marks=pytest.mark.long),
        pytest.param("transfers", "zh-Hant", "light", 1280, marks=pytest.mark.long),
    ],
)
def test_both_tabs_are_shown_in_both_languages_and_on_a_phone(
    browser: Browser, past: Served, tab: str, language: str, scheme: Scheme, width: int
) -> None:
    with figures_page(browser, past, language=language, scheme=scheme, width=width) as page:
        page.goto(f"/figures?tab={tab}")
        page.locator("main [role=status]", has_text="–").wait_for()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"figures-{tab}-{language}-{scheme}"), full_page=True)


def test_repeat_contacts_lead_to_their_calls_and_back_by_keyboard(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?tab=persons&by=nothing")
        number = page.locator("tfoot a").first
        number.wait_for()
        contacts = int(number.inner_text().replace(",", ""))
        number.focus()
        page.keyboard.press("Enter")
        page.locator("tbody tr").first.wait_for()
        expect(page.locator("h1")).to_be_focused()
        assert count_of(page) == contacts
        assert_accessible(page)
        page.keyboard.press("Escape")
        expect(page.locator("tfoot a").first).to_be_focused()
        page.get_by_role("spinbutton", name="Within days").fill("1")
        page.keyboard.press("Tab")
        page.wait_for_url("**within=1**")
