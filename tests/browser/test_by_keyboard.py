"""Every page has a journey by keyboard alone; those of pages that no other test visits so stand here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from app.http.pages import built_pages
from tests.browser.chromium import context
from tests.browser.served import Served
from tests.browser.visitors import ADMINISTRATOR, link_of, sign_in

pytestmark = [pytest.mark.db, pytest.mark.timeout(120)]

JOURNEYS: Final[Mapping[str, str]] = {
    "/calls": "test_calls_page.test_the_keyboard_alone_finds_opens_and_leaves_a_call",
    "/customers": "test_customers.test_somebody_is_found_by_keyboard_alone_and_edited",
    "/desk": "test_desk_phone.test_a_call_is_worked_by_keyboard_alone",
    "/figures": "test_figures_page.test_the_keyboard_alone_walks_opens_and_comes_back",
    "/floor": "test_boards.test_the_floor_is_worked_by_keyboard_alone",
    "/people": "test_by_keyboard.test_an_account_is_found_and_given_a_new_name",
    "/plan": "test_plan_page.test_a_queue_of_the_call_log_is_planned_by_keyboard",
    "/sign-in": "test_by_keyboard.test_somebody_chooses_a_password_and_signs_in_with_it",
    "/wall": "test_by_keyboard.test_the_wall_fills_the_screen_and_leaves_it",
}
PASSWORD: Final = "rain on a tin roof"
KIM: Final = NewAccount(login="kim.keys", display_name="Kim", role=Role.PLANNER)


def test_every_page_has_a_journey_by_keyboard() -> None:
    pages = {path for path in built_pages().paths() if path != "/"}
    assert JOURNEYS.keys() >= pages, "a page that nobody walks by keyboard"
    for journey in JOURNEYS.values():
        module, _, name = journey.partition(".")
        assert callable(getattr(importlib.import_module(f"tests.browser.{module}"), name))


def test_the_wall_fills_the_screen_and_leaves_it(browser: Browser, served: Served) -> None:
    with context(browser, served.url, width=1920, height=1080) as made:
        sign_in(made, served, ADMINISTRATOR)
        page = made.new_page()
        page.goto("/wall")
        page.locator("tbody th[scope=row]").first.wait_for()
        is_full = "document.fullscreenElement !== null"
        assert not page.evaluate(is_full)
        page.keyboard.press("f")
        page.wait_for_function(is_full)
        page.keyboard.press("Tab")
        expect(page.get_by_role("region", name="Queues")).to_be_focused()  # what scrolls is reached
        page.keyboard.press("f")
        page.wait_for_function(f"!({is_full})")


def test_somebody_chooses_a_password_and_signs_in_with_it(browser: Browser, served: Served) -> None:
    with context(browser, served.url) as made:
        page = made.new_page()
        page.goto(f"/sign-in#link={link_of(served, 'password', KIM)}")
        expect(page.locator("input:focus")).to_have_count(1)
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Tab")
        while page.locator("input:focus").count() == 0:  # past the button that shows what is typed
            page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/plan")
    with context(browser, served.url) as made:
        page = made.new_page()
        page.goto("/sign-in")
        expect(page.get_by_label("Login")).to_be_focused()
        page.keyboard.type(KIM.login)
        page.keyboard.press("Tab")
        page.keyboard.type("a wrong guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Login or password is wrong.")
        expect(page.get_by_label("Password", exact=True)).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/plan")


def test_an_account_is_found_and_given_a_new_name(browser: Browser, served: Served) -> None:
    link_of(served, "password", KIM)  # there is such an account
    with context(browser, served.url) as made:
        sign_in(made, served, ADMINISTRATOR)
        page = made.new_page()
        page.goto("/people")
        expect(page.get_by_role("rowheader").first).to_be_visible()
        page.keyboard.press("/")
        page.keyboard.type("kim.keys")
        expect(page.get_by_role("rowheader")).to_have_count(1)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="Edit Kim")).to_be_visible()
        name = page.get_by_label("Name", exact=True)
        for _ in range(3):  # past what closes the dialog
            if name.evaluate("field => field !== document.activeElement"):
                page.keyboard.press("Tab")
        expect(name).to_be_focused()
        page.keyboard.press("Control+A")
        page.keyboard.type("Kim of Keys")
        page.keyboard.press("Enter")
        expect(page.get_by_role("rowheader")).to_contain_text("Kim of Keys")
        expect(page.get_by_role("dialog")).to_have_count(0)
