"""The figures in a real browser, over days that the demo's past has made: from a number to a call."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import Scheme, assert_accessible, assert_fits, screenshot
from tests.browser.figures_page import count_of, figures_page
from tests.browser.served import Served

pytestmark = pytest.mark.db


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("en", "light"),
        pytest.param("zh-Hant", "dark", marks=pytest.mark.long),
        pytest.param("zh-Hant", "light", marks=pytest.mark.long),
        pytest.param("en", "dark", marks=pytest.mark.long),
    ],
)
def test_table_and_calls_are_shown_in_both_languages_and_appearances(
    browser: Browser, past: Served, language: str, scheme: Scheme
) -> None:
    with figures_page(browser, past, language=language, scheme=scheme) as page:
        page.goto("/figures?step=day")
        page.locator("tfoot tr").wait_for()
        page.locator("summary", has_text=re.compile("Columns|欄位")).click()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"figures-{language}-{scheme}"), full_page=True)
        page.locator("tfoot a").nth(3).click()
        page.locator("tbody tr").first.wait_for()
        expect(page.locator("h1")).to_be_focused()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"figures-behind-{language}-{scheme}"), full_page=True)


def test_two_clicks_lead_from_a_number_to_a_call(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?range=month")
        row = page.locator("tbody tr").filter(has_text="Sales")
        offered = int(row.locator("a").first.inner_text().replace(",", ""))
        row.locator("a").first.click()
        page.locator("tbody tr").first.wait_for()
        assert count_of(page) == offered
        queues = {cell.inner_text() for cell in page.locator("tbody tr td:nth-child(3)").all()}
        assert queues == {"Sales"}
        page.locator("tbody a").first.click()
        page.locator(".picture").wait_for()
        assert "/calls?call=" in page.url
        page.go_back()
        page.locator("tbody tr").first.wait_for()
        assert count_of(page) == offered


def test_the_calls_that_set_two_service_levels_apart_are_shown(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?range=month&columns=short_abandoned_count")
        page.locator("tfoot tr").wait_for()
        short_count = int(page.locator("tfoot a").inner_text().replace(",", ""))
        assert short_count > 0
        expect(page.locator(".levels .value")).to_have_count(6)
        page.locator(".levels li").nth(4).get_by_text("Calls that SL-C counts otherwise").click()
        page.locator("tbody tr").first.wait_for()
        assert count_of(page) == short_count  # E counts the short abandons as missed, C leaves them out
        exits = {cell.inner_text() for cell in page.locator("tbody tr td:nth-child(5)").all()}
        assert exits == {"Short abandon"}
        page.get_by_role("combobox", name="Compared with").select_option("SL-E-FLOW")
        page.wait_for_url("**against=SL-E-FLOW**")


@pytest.mark.long
def test_a_number_says_its_formula_with_its_numbers(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?range=month&by=agent&columns=SL-C,AHT")
        page.locator("tfoot tr").wait_for()
        page.locator("tfoot a").first.hover()
        expect(page.get_by_role("tooltip")).to_contain_text("÷ (answered")
        page.locator("tfoot a").nth(1).focus()
        expect(page.get_by_role("tooltip")).to_contain_text(
            re.compile(r"talk [\d:]+ \+ hold [\d:]+ \+ wrap-up")
        )
        page.keyboard.press("Escape")
        expect(page.get_by_role("tooltip")).to_be_hidden()


def test_the_keyboard_alone_walks_opens_and_comes_back(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?range=month")
        page.locator("tfoot tr").wait_for()
        page.keyboard.press("/")
        time = page.get_by_role("combobox", name="Time", exact=True)
        expect(time).to_be_focused()
        page.locator('[data-at="0-0"]').focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        there = page.locator('[data-at="1-1"]')
        expect(there).to_be_focused()
        expect(page.get_by_role("tooltip")).to_contain_text("answered")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator('[data-at="1-1"]')).to_be_focused()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.long
def test_what_is_asked_for_stands_in_the_address_and_is_taken_away_so(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?range=month")
        page.locator("tfoot tr").wait_for()
        page.get_by_role("combobox", name="By", exact=True).select_option("agent")
        page.wait_for_url("**by=agent**")
        page.get_by_role("combobox", name="Which", exact=True).select_option("sales")
        page.wait_for_url("**only=queue%3Asales**")
        page.get_by_role("button", name=re.compile("Queue: Sales")).wait_for()
        expect(page.locator("section[aria-busy=false] tfoot tr")).to_have_count(1)
        offered = page.locator("tfoot a").first.inner_text().replace(",", "")
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        rows = list(csv.DictReader(taken.value.path().open(encoding="utf-8-sig")))
        assert rows[-1]["offered_count"] == offered
        assert len(rows) - 1 == page.locator("tbody tr").count()
        page.get_by_role("button", name=re.compile("Average handle time")).click()
        expect(page.get_by_role("columnheader", name="AHT")).to_have_attribute("aria-sort", "descending")
        page.get_by_role("button", name=re.compile("Queue: Sales")).click()
        expect(page).not_to_have_url(re.compile("only="))


@pytest.mark.long
def test_the_calls_behind_a_number_fit_twice_as_large(browser: Browser, past: Served) -> None:
    with figures_page(browser, past, width=390) as page:
        page.goto("/figures?range=month&figure=SL-C&against=SL-A")
        page.locator("tbody tr").first.wait_for()
        assert_fits(page)


@pytest.mark.long
def test_days_without_calls_and_days_turned_round_are_told(browser: Browser, past: Served) -> None:
    with figures_page(browser, past, width=640) as page:
        page.goto("/figures?range=own&first=2020-01-01&last=2020-01-02")
        expect(page.get_by_text("No calls in this time")).to_be_visible()
        assert_fits(page)
        page.goto("/figures?range=own&first=2020-01-02&last=2020-01-01")
        expect(page.get_by_role("alert")).to_be_visible()
        screenshot(page, "figures-refused")
