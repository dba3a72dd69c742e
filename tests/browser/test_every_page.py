"""Every page there is, held to what all must bear: axe, twice the size, both languages and appearances.

One cheap look at each page runs with the daily tests, the whole matrix with the long ones.
"""

from __future__ import annotations

from itertools import product
from typing import Final

import pytest
from playwright.sync_api import Browser, expect

from app.auth.account_rows import NewAccount
from app.http.pages import built_pages
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from tests.browser.visitors import ADMINISTRATOR, agent_account, session_of

pytestmark = [pytest.mark.db, pytest.mark.timeout(180)]

LANGUAGES: Final = ("en", "zh-Hant")
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
READY: Final = {  # what stands there when the page has read all it shows
    "/sign-in": "form",
    "/desk": "[data-state]",
    "/floor": "tr[id$='-a1001']",
    "/wall": "tbody th[scope=row]",
    "/customers": "a[data-row]",
    "/calls": "tbody tr",
    "/figures": "tfoot tr",
    "/people": "tbody th[scope=row]",
}
OTHERWISE: Final = "main h1, main h2"
PAGES: Final = sorted({*READY, *(path for path in built_pages().paths() if path != "/")})
CHEAP: Final = [  # each page once, by turns in each language and appearance
    (path, LANGUAGES[at % 2], SCHEMES[(at // 2 + 1) % 2]) for at, path in enumerate(PAGES)
]
ALL: Final = [each for each in product(PAGES, LANGUAGES, SCHEMES) if each not in CHEAP]


def _whose(path: str) -> NewAccount | None:
    """Who opens the page; None: anybody."""
    if path == "/sign-in":
        return None
    return agent_account("a1004") if path == "/desk" else ADMINISTRATOR


@pytest.fixture(scope="session")
def cookies(past: Served) -> dict[str, dict[str, str]]:
    """The cookie of whoever opens a page, by login; each signs in once."""
    people = {account.login: account for account in map(_whose, PAGES) if account is not None}
    return {login: session_of(past, account) for login, account in people.items()}


def _looked_at(
    browser: Browser,
    served: Served,
    cookies: dict[str, dict[str, str]],
    path: str,
    language: str,
    scheme: Scheme,
    width: int,
) -> None:
    account = _whose(path)
    with context(browser, served.url, language=language, scheme=scheme, width=width) as made:
        if account is not None:
            made.add_cookies([dict(cookies[account.login])])  # type: ignore[list-item]
        page = made.new_page()
        page.goto(path)
        page.locator(READY.get(path, OTHERWISE)).first.wait_for()
        expect(page.locator("html")).to_have_attribute("lang", language)
        assert page.evaluate("document.title"), "a page without a title"
        expect(page.locator("h1")).to_have_count(1)
        if page.locator(".skip").count():  # by keyboard, the first stop leads past the frame
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            expect(page.locator("main")).to_be_focused()
        assert_fits(page)
        assert_accessible(page)
        screenshot(page, f"every{path.replace('/', '-')}-{language}-{scheme}-{width}")


@pytest.mark.parametrize(("path", "language", "scheme"), CHEAP)
def test_a_page_is_accessible_and_fits_twice_as_large(
    browser: Browser,
    past: Served,
    cookies: dict[str, dict[str, str]],
    path: str,
    language: str,
    scheme: Scheme,
) -> None:
    _looked_at(browser, past, cookies, path, language, scheme, 640)  # 1280 px at 200 %


@pytest.mark.long
@pytest.mark.parametrize(("path", "language", "scheme"), ALL)
def test_a_page_is_so_in_every_language_appearance_and_width(
    browser: Browser,
    past: Served,
    cookies: dict[str, dict[str, str]],
    path: str,
    language: str,
    scheme: Scheme,
) -> None:
    for width in (1280, 640, 390):
        _looked_at(browser, past, cookies, path, language, scheme, width)
