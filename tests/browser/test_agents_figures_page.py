"""Agents' figures in a real browser, over days of the demo's past: from a number to its spans to a call."""

from __future__ import annotations

import csv
import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.chromium import Scheme, assert_accessible, assert_fits, screenshot
from tests.browser.figures_page import figures_page
from tests.browser.served import Served

pytestmark = pytest.mark.db


def _seconds(text: str) -> int:
    """Return a length (h:mm:ss or m:ss) in seconds."""
    found = 0
    for part in text.split(":"):
        found = found * 60 + int(part)
    return found


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [
        pytest.param("en", "light", 1280, marks=pytest.mark.long),
        pytest.param("zh-Hant", "dark", 1280, marks=pytest.mark.long),
        pytest.param("zh-Hant", "light", 390, marks=pytest.mark.long),
    ],
)
def test_table_and_spans_are_shown_in_both_languages_and_appearances(
    browser: Browser, past: Served, language: str, scheme: Scheme, width: int
) -> None:
    with figures_page(browser, past, language=language, scheme=scheme, width=width) as page:
        page.goto("/figures")
        page.get_by_role("navigation", name=re.compile("Figures of|統計對象")).get_by_role("link").nth(
            1
        ).click()
        page.wait_for_url("**tab=agents**")
        page.locator("tfoot tr").wait_for()
        page.locator("summary", has_text=re.compile("Columns|欄位")).click()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"agents-{language}-{scheme}-{width}"), full_page=True)
        page.locator("tfoot a").nth(6).click()
        page.locator("tbody tr").first.wait_for()
        expect(page.locator("h1")).to_be_focused()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"agents-behind-{language}-{scheme}-{width}"), full_page=True)


def test_times_add_up_and_a_number_leads_to_its_spans_and_a_call(browser: Browser, past: Served) -> None:
    states = ("ready", "reserved", "ringing", "talking", "holding", "re_attach", "wrap_up", "not_ready")
    columns = ",".join(("SIGNED_IN", *(f"state.{state}_ms" for state in states), "TIME_TALK"))
    with figures_page(browser, past) as page:
        page.goto(f"/figures?tab=agents&range=month&by=team&columns={columns}")
        page.locator("tfoot tr").wait_for()
        assert {row.inner_text() for row in page.locator("tbody td.name").all()} == {"Care", "Front desk"}
        numbers = [_seconds(cell.inner_text()) for cell in page.locator("tfoot td.number").all()]
        assert numbers[0] > 3_600
        assert abs(numbers[0] - sum(numbers[1 : 1 + len(states)])) <= len(states)  # each is cut to a second
        talk = page.locator("tbody tr").first.locator("td.number a").last
        shown = talk.inner_text()
        talk.click()
        page.locator("tbody tr").first.wait_for()
        expect(page.locator("main [role=status]")).to_contain_text(f"Together {shown}")
        assert {cell.inner_text() for cell in page.locator("tbody td.what").all()} == {"● Talking"}
        page.locator("tbody a").first.click()
        page.locator(".picture").wait_for()
        page.go_back()
        expect(page.locator("main [role=status]")).to_contain_text(f"Together {shown}")


def test_the_keyboard_alone_walks_opens_and_comes_back_and_says_the_formula(
    browser: Browser, past: Served
) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?tab=agents&range=month&columns=OCCUPANCY,AHT,CALLS_PER_HOUR")
        page.locator("tfoot tr").wait_for()
        page.keyboard.press("/")
        expect(page.get_by_role("combobox", name="Time", exact=True)).to_be_focused()
        page.locator('[data-at="0-0"]').focus()
        expect(page.get_by_role("tooltip")).to_contain_text(re.compile(r"Talking [\d:]+ \+ .+ ÷ \("))
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        expect(page.locator('[data-at="1-2"]')).to_be_focused()
        expect(page.get_by_role("tooltip")).to_contain_text(
            re.compile(r"handled \d+ ÷ signed-in time [\d:]+")
        )
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator('[data-at="1-2"]')).to_be_focused()


@pytest.mark.long
def test_what_is_asked_for_stands_in_the_address_and_is_taken_away_so(browser: Browser, past: Served) -> None:
    with figures_page(browser, past) as page:
        page.goto("/figures?tab=agents&range=month")
        page.locator("tfoot tr").wait_for()
        page.get_by_role("combobox", name="Which", exact=True).select_option("front")
        page.wait_for_url("**only=team%3Afront**")
        page.get_by_role("button", name=re.compile("Front desk")).wait_for()
        expect(page.locator("section[aria-busy=false] tfoot tr")).to_have_count(1)
        handled = page.locator("tfoot td.number").nth(8).inner_text().replace(",", "")
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        rows = list(csv.DictReader(taken.value.path().open(encoding="utf-8-sig")))
        assert rows[-1]["handled_count"] == handled
        assert len(rows) - 1 == page.locator("tbody tr").count()
        page.get_by_role("button", name=re.compile("Average handle time")).click()
        expect(page.get_by_role("columnheader", name="AHT")).to_have_attribute("aria-sort", "descending")
        page.get_by_role("combobox", name="By", exact=True).select_option("not_ready_reason")
        page.wait_for_url("**by=not_ready_reason**")
        expect(page.locator("tbody td.name").first).not_to_be_empty()


@pytest.mark.long
def test_time_in_which_nobody_was_there_and_days_turned_round_are_told(
    browser: Browser, past: Served
) -> None:
    with figures_page(browser, past, width=390) as page:
        page.goto("/figures?tab=agents&range=own&first=2020-01-01&last=2020-01-02")
        expect(page.get_by_text("Nobody was signed in")).to_be_visible()
        assert_fits(page)
        page.goto("/figures?tab=agents&range=own&first=2020-01-02&last=2020-01-01")
        expect(page.get_by_role("alert")).to_be_visible()
