"""The people's page in a real Chromium: accounts made, found, changed, taken back, shut out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import sign_in

pytestmark = [pytest.mark.db, pytest.mark.timeout(300)]

ADA = NewAccount(login="people.ada", display_name="Ada of People", role=Role.ADMINISTRATOR)
SUE = NewAccount(
    login="people.sue",
    display_name="Sue",
    role=Role.SUPERVISOR,
    team_ids=frozenset({"care"}),
    agent_id="a1006",
)
PASSWORD = "rain on a tin roof"
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    with context(browser, served.url) as person:
        person.grant_permissions(["clipboard-read", "clipboard-write"])
        sign_in(person, served, ADA)
        page = person.new_page()
        page.goto("/people")
        expect(page.get_by_role("row", name="Ada of People")).to_be_visible()
        yield page


def _new(page: Page, login: str, name: str, role: str) -> str:
    """Make an account; return its link."""
    page.get_by_role("button", name="New account").click()
    page.get_by_label("Login").fill(login)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("dialog").get_by_label("Role").select_option(role)
    page.get_by_role("button", name="Make the account and its link").click()
    return page.get_by_label("The link").input_value()


def test_an_account_is_made_by_keyboard_and_its_link_lets_one_person_in_once(
    browser: Browser, served: Served, page: Page
) -> None:
    page.get_by_role("button", name="New account").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New account")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    expect(page.get_by_label("Login")).to_be_focused()
    page.keyboard.type("Kay")
    page.keyboard.press("Tab")
    page.keyboard.type("Kay 王")
    page.keyboard.press("Tab")
    page.keyboard.type("Planner")
    expect(dialog).to_contain_text("changes no call")
    for _ in ("language", "cancel", "make"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    link = page.get_by_label("The link")
    expect(page.get_by_role("dialog", name="Sign-in link for Kay 王")).to_contain_text("shown only now")
    assert_accessible(page)
    screenshot(page, "people-link")
    address = link.input_value()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == address
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name="Kay 王")).to_contain_text("No password yet")
    with context(browser, served.url) as other:
        theirs = other.new_page()
        theirs.goto(address)
        theirs.get_by_label("New password").fill(PASSWORD)
        theirs.get_by_label("Once more").fill(PASSWORD)
        theirs.keyboard.press("Enter")
        theirs.wait_for_url("**/plan")
        page.reload()
        expect(page.get_by_role("row", name="Kay 王")).to_contain_text("Active")
        page.get_by_role("button", name="Edit Kay 王").click()
        page.get_by_role("button", name="Disable").click()
        expect(page.get_by_role("row", name="Kay 王")).to_contain_text("Disabled")
        theirs.goto("/plan")
        theirs.wait_for_url("**/sign-in**")
        page.get_by_role("status").get_by_role("button", name="Undo").click()
        expect(page.get_by_role("row", name="Kay 王")).to_contain_text("Active")
        page.get_by_role("button", name="Edit Kay 王").click()
        page.get_by_role("button", name="New sign-in link").click()
        assert page.get_by_label("The link").input_value() != address
        theirs.goto(address)
        expect(theirs.get_by_text("It has been used already.")).to_be_visible()


def test_people_are_found_and_what_is_changed_can_be_taken_back(page: Page) -> None:
    _new(page, "tess", "Tess Tester", "supervisor")
    page.keyboard.press("Escape")
    _new(page, "mallory", HOSTILE, "planner")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search people")
    expect(search).to_be_focused()
    page.keyboard.type("mallory")
    expect(page.get_by_role("rowheader")).to_have_count(1)
    expect(page.get_by_role("rowheader")).to_contain_text(HOSTILE)
    assert page.title().startswith("People"), "shown as text"
    search.fill("tess")
    expect(page.get_by_role("rowheader")).to_contain_text(["Tess Tester"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Edit Tess Tester")
    dialog.get_by_label("Front desk").check()
    expect(dialog.get_by_role("status")).to_contain_text("signed out")
    assert_accessible(page)
    screenshot(page, "people-edit")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row", name="Tess Tester")
    expect(row).to_contain_text("leads Front desk")
    page.get_by_role("status").get_by_role("button", name="Undo").click()
    expect(row).to_contain_text("leads no team yet")
    page.get_by_label("Role").select_option("agent")
    expect(page.get_by_text("No account fits.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Show all").click()
    expect(search).to_be_focused()
    page.get_by_label("State").select_option("disabled")
    expect(page.get_by_role("row", name="Tess Tester")).to_have_count(0)


def test_what_is_refused_is_said_where_it_was_asked(page: Page) -> None:
    page.get_by_role("button", name="New account").click()
    dialog = page.get_by_role("dialog", name="New account")
    page.get_by_label("Login").fill("people.ada")
    dialog.get_by_label("Role").select_option("planner")
    page.get_by_role("button", name="Make the account and its link").click()
    expect(dialog.get_by_role("alert")).to_contain_text("There is an account with this login already.")
    assert_accessible(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit Ada of People").click()
    expect(page.get_by_role("button", name="Disable")).to_be_disabled()
    page.keyboard.press("Escape")
    page.route("**/api/v1/accounts?*", lambda route: route.abort())
    page.get_by_label("State").select_option("enabled")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
    page.unroute("**/api/v1/accounts?*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("row", name="Ada of People")).to_be_visible()


def test_a_supervisor_sees_their_own_and_can_change_nobody(
    browser: Browser, served: Served, page: Page
) -> None:
    with context(browser, served.url) as person:
        sign_in(person, served, SUE)
        theirs = person.new_page()
        theirs.goto("/people")
        expect(theirs.get_by_role("row", name="Sue")).to_be_visible()
        expect(theirs.get_by_role("row", name="Sue")).to_contain_text("leads Care")  # names, not ids
        expect(theirs.get_by_role("row", name="Ada of People")).to_have_count(0)
        expect(theirs.get_by_role("button", name="Edit")).to_have_count(0)
        expect(theirs.get_by_role("button", name="New account")).to_have_count(0)
        assert_accessible(theirs)


@pytest.mark.parametrize(
    ("language", "scheme"),
    [("en", "dark"), pytest.param("zh-Hant", "light", marks=pytest.mark.long)],
)
def test_the_page_reads_well_in_both_languages_and_appearances(
    browser: Browser, served: Served, language: str, scheme: Scheme
) -> None:
    with context(browser, served.url, language=language, scheme=scheme, width=640) as person:
        sign_in(person, served, ADA)
        page = person.new_page()
        page.goto("/people")
        heading = {"en": "People", "zh-Hant": "人員"}[language]
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        expect(page.get_by_role("row")).not_to_have_count(0)
        assert_accessible(page)
        assert_fits(page)  # 1280 at 200 %
        screenshot(page, f"people-{language}-{scheme}")
        page.set_viewport_size({"width": 320, "height": 640})
        assert_fits(page)
