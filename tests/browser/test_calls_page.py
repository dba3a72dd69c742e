"""The call log in a real browser, over days that the demo's past has made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import sign_in

pytestmark = pytest.mark.db

SUPERVISOR = NewAccount(
    login="sue", display_name="Sue", role=Role.SUPERVISOR, team_ids=frozenset({"front", "care"})
)
AGENT = NewAccount(login="ana", display_name="Ana", role=Role.AGENT, agent_id="a1001")


@contextmanager
def _page(
    browser: Browser,
    served: Served,
    account: NewAccount = SUPERVISOR,
    *,
    language: str = "en",
    scheme: Scheme = "light",
    width: int = 1280,
) -> Iterator[Page]:
    with context(browser, served.url, language=language, scheme=scheme, width=width) as made:
        sign_in(made, served, account)
        yield made.new_page()


def _rows(page: Page) -> int:
    return page.locator("tbody tr").count()


@pytest.mark.parametrize(
    ("language", "scheme"),
    [
        ("en", "light"),
        ("zh-Hant", "dark"),
        pytest.param("zh-Hant", "light", marks=pytest.mark.long),
        pytest.param("en", "dark", marks=pytest.mark.long),
    ],
)
def test_list_and_call_are_shown_in_both_languages_and_appearances(
    browser: Browser, past: Served, language: str, scheme: Scheme
) -> None:
    with _page(browser, past, language=language, scheme=scheme) as page:
        page.goto("/calls")
        page.locator("tbody tr").first.wait_for()
        assert _rows(page) == 50
        assert_accessible(page)
        screenshot(page, f"calls-list-{language}-{scheme}")
        page.goto("/calls?outcome=answered&wait_min=20")
        page.locator("tbody a").first.click()
        page.locator(".picture").wait_for()
        assert page.locator(".track").count() >= 2
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, f"calls-one-{language}-{scheme}"), full_page=True)


def test_filters_stand_in_the_address_and_come_back_with_it(browser: Browser, past: Served) -> None:
    with _page(browser, past) as page:
        page.goto("/calls")
        page.locator("tbody tr").first.wait_for()
        page.get_by_role("combobox", name="Outcome", exact=True).select_option("abandoned")
        expect(page.locator("td.lost").first).to_be_visible()
        expect(page.locator("tbody tr td:nth-child(5):not(.lost)")).to_have_count(0)
        assert "outcome=abandoned" in page.url
        page.get_by_role("combobox", name="Queue", exact=True).select_option("sales")
        page.wait_for_url("**outcome=abandoned**")
        page.reload()
        page.locator("tbody tr").first.wait_for()
        assert page.get_by_role("combobox", name="Queue", exact=True).input_value() == "sales"
        names = {cell.inner_text() for cell in page.locator("tbody tr td:nth-child(3)").all()}
        assert names == {"Sales"}
        page.go_back()
        expect(page.get_by_role("combobox", name="Queue", exact=True)).to_have_value("")


@pytest.mark.long
def test_those_who_gave_up_and_were_not_reached_are_a_list(browser: Browser, past: Served) -> None:
    with _page(browser, past) as page:
        page.goto("/calls?range=all")
        page.locator("tbody tr").first.wait_for()
        page.get_by_role("combobox", name="Gave up", exact=True).select_option("true")
        page.wait_for_url("**unreached=true**")
        expect(page.locator("tbody tr td:nth-child(5):not(.lost)")).to_have_count(0)
        expect(page.locator("tbody tr td.lost").first).to_be_visible()
        screenshot(page, "calls-unreached")


def test_a_number_is_found_as_anybody_writes_it(browser: Browser, past: Served) -> None:
    with _page(browser, past) as page:
        page.goto("/calls?outcome=answered")
        number = page.locator("tbody small.digits").first.inner_text()
        assert number.startswith("0")
        field = page.get_by_label("Caller’s number")
        field.fill(f"+886 {number[1:4]}-{number[4:]}")
        field.press("Enter")
        page.wait_for_url("**number=**")
        expect(page.locator("tbody tr").filter(has_not_text=number)).to_have_count(0)
        expect(page.locator("tbody tr").first).to_contain_text(number)


def test_the_keyboard_alone_finds_opens_and_leaves_a_call(browser: Browser, past: Served) -> None:
    with _page(browser, past) as page:
        page.goto("/calls")
        page.locator("tbody tr").first.wait_for()
        page.keyboard.press("/")
        expect(page.get_by_label("Caller’s number")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("j")
        second = page.locator("tbody a").nth(1)
        expect(second).to_be_focused()
        call_id = second.get_attribute("data-call")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_be_focused()
        assert f"call={call_id}" in page.url
        page.keyboard.press("Escape")
        expect(page.locator(f'a[data-call="{call_id}"]')).to_be_focused()
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()


def test_an_agent_sees_their_own_calls_alone(browser: Browser, past: Served) -> None:
    with _page(browser, past, AGENT) as page:
        page.goto("/calls?range=all")
        page.locator("tbody tr").first.wait_for()
        agents = {cell.inner_text() for cell in page.locator("tbody tr td:nth-child(4)").all()}
        assert "王雅文" in agents
        page.goto("/calls?call=demo-1.1")
        expect(page.get_by_role("alert")).to_contain_text("no such call")


def test_it_fits_twice_as_large_and_says_when_nothing_matches(browser: Browser, past: Served) -> None:
    with _page(browser, past, width=640) as page:  # 1280 px at 200 %
        page.goto("/calls")
        page.locator("tbody tr").first.wait_for()
        assert_fits(page)
        page.locator("tbody a").first.click()
        page.locator(".picture").wait_for()
        assert_fits(page)
        screenshot(page, "calls-one-narrow")
        page.goto("/calls?text=nobody+is+called+so")
        expect(page.get_by_text("No call in this time matches")).to_be_visible()


def test_what_is_filtered_can_be_taken_away(browser: Browser, past: Served) -> None:
    with _page(browser, past) as page:
        page.goto("/calls?outcome=abandoned")
        page.locator("tbody tr").first.wait_for()
        with page.expect_download() as taken:
            page.get_by_role("link", name="CSV").click()
        lines = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
        assert lines[0].startswith("call,began,")
        assert len(lines) > 10
        assert all(",abandoned," in line for line in lines[1:])
