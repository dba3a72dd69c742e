"""The way in, in a real browser: the first administrator, a password, what is wrong, and where it leads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from app.auth.account_rows import NewAccount
from app.auth.gate import COOKIE
from app.auth.links import Purpose
from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from app.db.tables import account
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import link_of

pytestmark = pytest.mark.db

PASSWORD = "rain on a tin roof"
PIA = NewAccount(login="pia", display_name="Pia", role=Role.PLANNER)


def link_for(served: Served, purpose: Purpose, account: NewAccount | None = None) -> str:
    """Make a link; return the path that it opens."""
    return f"/sign-in#link={link_of(served, purpose, account)}"


@contextmanager
def page_of(
    browser: Browser, served: Served, *, language: str = "en", scheme: Scheme = "light", width: int = 1280
) -> Iterator[Page]:
    """A page in which nobody is signed in."""
    with context(browser, served.url, language=language, scheme=scheme, width=width) as made:
        yield made.new_page()


@pytest.fixture
def nobody_leads(served: Served) -> Iterator[None]:
    """There is no administrator, as on the first day; those of other tests come back afterwards."""

    async def disable(database: Database, *, at: datetime | None) -> None:
        async with database.transaction(DEFAULT_TENANT) as connection:
            chosen = (account.c.tenant_id == DEFAULT_TENANT) & (account.c.role == Role.ADMINISTRATOR)
            await connection.execute(update(account).where(chosen).values(disabled_at=at))

    served.in_database(partial(disable, at=datetime.now(UTC)))
    yield
    served.in_database(partial(disable, at=None))


@pytest.mark.usefixtures("nobody_leads")
def test_the_first_administrator_is_made_by_keyboard_and_the_link_works_once(
    browser: Browser, served: Served
) -> None:
    path = link_for(served, "first")
    with page_of(browser, served) as page:
        page.goto(path)
        expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
        expect(page.get_by_label("Your name")).to_be_focused()
        assert_accessible(page)
        screenshot(page, "sign-in-first")
        page.keyboard.type("Ada")
        page.keyboard.press("Tab")
        page.keyboard.type("ada")
        page.get_by_label("Password", exact=True).fill("password1234")
        page.get_by_label("Once more").fill("password1234")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("tried first")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        expect(page.get_by_text("The two are not the same.")).to_be_visible()
        page.get_by_label("Once more").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/sign-in" not in url)
        cookie = next(each for each in page.context.cookies() if each["name"] == COOKIE)
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Strict")
        assert page.evaluate("document.cookie") == "", "no script reads it"
        page.goto(path)
        expect(page.get_by_text("It has been used already.")).to_be_visible()
        screenshot(page, "sign-in-link-used")


def test_a_password_chosen_by_a_link_signs_in_and_leads_back(browser: Browser, served: Served) -> None:
    with page_of(browser, served, language="zh-Hant", scheme="dark") as page:
        page.goto(link_for(served, "password", PIA))
        expect(page.get_by_role("heading", name="設定密碼")).to_be_visible()
        assert_accessible(page)
        screenshot(page, "sign-in-password-link-zh-dark")
        page.get_by_label("新密碼").fill(PASSWORD)
        page.get_by_label("再輸入一次").fill(PASSWORD)
        page.get_by_role("button", name="儲存並登入").click()
        page.wait_for_url("**/plan")
    with page_of(browser, served) as page:
        page.goto("/calls?q=1")
        page.wait_for_url("**/sign-in?next=*")
        page.get_by_label("Login").fill("PIA")
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/calls?q=1")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/plan", "/\\evil.example"])
def test_nobody_is_led_to_another_site(browser: Browser, served: Served, elsewhere: str) -> None:
    with page_of(browser, served) as page:
        page.goto(f"/sign-in?next={quote(elsewhere, safe='')}" + link_for(served, "session", PIA)[8:])
        page.wait_for_url(f"{served.url}/plan")


def test_after_too_many_wrong_passwords_the_page_says_how_long_to_wait(
    browser: Browser, served: Served
) -> None:
    with page_of(browser, served) as page:
        page.goto("/sign-in")
        page.get_by_label("Login").fill("nobody")
        for _ in range(5):
            page.get_by_label("Password", exact=True).fill("a wrong guess")
            with page.expect_response("**/api/v1/session"):
                page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("Login or password is wrong.")
        page.get_by_label("Password", exact=True).fill("a wrong guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("timer")).to_contain_text("Try again in 0:")
        expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_disabled()
        assert_accessible(page)
        screenshot(page, "sign-in-locked")


@pytest.mark.parametrize(
    ("language", "scheme"),
    [("en", "light"), pytest.param("zh-Hant", "dark", marks=pytest.mark.long)],
)
def test_the_page_reads_well_in_both_languages_and_appearances(
    browser: Browser, served: Served, language: str, scheme: Scheme
) -> None:
    with page_of(browser, served, language=language, scheme=scheme, width=640) as page:
        page.goto("/sign-in")
        expect(page.locator("form")).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"sign-in-{language}-{scheme}")
        page.set_viewport_size({"width": 320, "height": 600})
        assert_fits(page)
        page.locator("select").select_option("en" if language == "zh-Hant" else "zh-Hant")
        heading = "Sign in" if language == "zh-Hant" else "登入"
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
