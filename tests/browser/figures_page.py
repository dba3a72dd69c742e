"""The figures' page as a planner opens it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

from app.auth.account_rows import NewAccount
from app.auth.permissions import Role
from tests.browser.chromium import Scheme, context
from tests.browser.served import Served
from tests.browser.visitors import sign_in

PLANNER = NewAccount(login="pat.figures", display_name="Pat", role=Role.PLANNER)


@contextmanager
def figures_page(
    browser: Browser, served: Served, *, language: str = "en", scheme: Scheme = "light", width: int = 1280
) -> Iterator[Page]:
    """Give a page of somebody who is signed in; it is nowhere yet."""
    with context(browser, served.url, language=language, scheme=scheme, width=width) as made:
        sign_in(made, served, PLANNER)
        yield made.new_page()


def count_of(page: Page) -> int:
    """Return how many rows the page says there are."""
    found = re.search(r"([\d,]+) rows?", page.locator("main [role=status]").inner_text())
    assert found is not None
    return int(found[1].replace(",", ""))
