from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.db.session import DEFAULT_TENANT, Database
from app.demo.content import plant_content
from app.demo.history import fill_history
from app.demo.history_demand import ZONE
from telephony.sandbox.install import Programs
from tests.browser.chromium import launch
from tests.browser.phones import build_page
from tests.browser.served import Served
from tests.calls.centre import CallCentre
from tests.calls.conftest import sipp
from tests.pbx.fixtures import programs

__all__ = ["programs", "sipp"]

PAST_DAYS: Final = 3


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("page")


@pytest.fixture(scope="package")  # Playwright's loop runs in this thread: no asyncio test may follow it
def browser() -> Iterator[Browser]:
    """The machine's Chromium, closed after this folder's last test."""
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with the demo's centre and customers, and no PBX."""
    server = Served(tmp_path_factory.mktemp("served"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def past(served: Served) -> Served:
    """The server with some days of calls behind it."""

    async def fill(database: Database) -> None:
        url = database.engine.url.render_as_string(hide_password=False)
        now = datetime.now(ZONE)
        await fill_history(database, url, DEFAULT_TENANT, today=now.date(), days=PAST_DAYS)
        await plant_content(database, DEFAULT_TENANT, now)

    served.in_database(fill)
    return served


@pytest.fixture(scope="session")
def shared_centre(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    opened = CallCentre.opened(tmp_path_factory.mktemp("centre"), programs)
    yield opened
    opened.close()


@pytest.fixture
def centre(shared_centre: CallCentre) -> Iterator[CallCentre]:
    """A whole centre with a real Asterisk; nobody signed in and nobody on the line, before and after."""
    yield shared_centre
    shared_centre.hang_up_all()
    shared_centre.sign_out_all()


@pytest.fixture(scope="session")
def phone_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product's own phone, bundled for a bare page (``tests.browser.phones``)."""
    return build_page(tmp_path_factory.mktemp("phone_page"))
