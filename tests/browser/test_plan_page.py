"""A planner's way in a real browser: a forecast from a file, a day, what if, the requirement as a file."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from app.auth.account_rows import NewAccount, account_of_login, insert_account
from app.auth.links import make_link
from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from tests.browser.chromium import Scheme, assert_accessible, assert_fits, context, screenshot
from tests.browser.served import Served
from workforce.staffing import staff

pytestmark = pytest.mark.db

PLANNER = NewAccount(login="pat", display_name="Pat", role=Role.PLANNER)
HALF_HOURS = 24  # 08:00 to 20:00
DAYS = 3
_SIGN_IN = """
async (link) => (await fetch('/api/v1/session', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'X-Holdless': '1' },
  body: JSON.stringify({ link }),
})).status
"""


def expected_calls(day: int) -> np.ndarray:
    """Return a day with two peaks, each day somewhat busier."""
    at = np.arange(HALF_HOURS)
    shape = 40 + 60 * np.exp(-((at - 5) ** 2) / 12) + 35 * np.exp(-((at - 14) ** 2) / 20)
    return np.round(shape * (1 + 0.1 * day), 1)


@pytest.fixture
def forecast_file(tmp_path: Path) -> Path:
    """A forecast as ``holdless plan forecast`` writes it."""
    path = tmp_path / "forecast.csv"
    lines = ["interval_start,mean,p10,p50,p90"]
    for day in range(DAYS):
        for at, calls in enumerate(expected_calls(day)):
            stamp = f"2026-03-0{2 + day}T{8 + at // 2:02}:{at % 2 * 30:02}:00"
            lines.append(f"{stamp},{calls},{calls * 0.8:.1f},{calls},{calls * 1.25:.1f}")
    path.write_text("\n".join(lines) + "\n")
    return path


@contextmanager
def planner_page(
    browser: Browser, served: Served, *, language: str = "en", scheme: Scheme = "light", width: int = 1280
) -> Iterator[Page]:
    """The planner's page, signed in."""

    async def make(database: Database) -> str:
        async with database.transaction(DEFAULT_TENANT) as connection:
            found = await account_of_login(connection, DEFAULT_TENANT, PLANNER.login)
            row = found or await insert_account(connection, DEFAULT_TENANT, PLANNER)
            now_ms = time.time_ns() // 1_000_000
            token, _ = await make_link(
                connection,
                DEFAULT_TENANT,
                "session",
                now_ms=now_ms,
                made_by="test",
                account_id=row["account_id"],
            )
        return token

    link = served.in_database(make)
    with context(browser, served.url, language=language, scheme=scheme, width=width) as made:
        page = made.new_page()
        page.route("**/start", lambda route: route.fulfill(body="<p>", content_type="text/html"))
        page.goto("/start")  # a page of this origin that asks for nothing
        assert page.evaluate(_SIGN_IN, link) == 200
        page.goto("/plan")
        yield page


def shows_agents(page: Page, agents: np.ndarray) -> None:
    """Wait until the column of agents says this."""
    expect(page.locator("tbody tr td:nth-child(3)")).to_have_text([str(int(n)) for n in agents])


def test_a_forecast_becomes_agents_and_what_if_changes_them(
    browser: Browser, served: Served, forecast_file: Path
) -> None:
    with planner_page(browser, served) as page:
        page.set_input_files("input[type=file]", forecast_file)
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS)
        calls = expected_calls(0)
        shows_agents(page, staff(calls, 1800, 240).agents)
        assert_accessible(page)
        screenshot(page, "plan-first")

        page.get_by_label("Answered in time").focus()
        page.keyboard.press("ArrowRight")
        stricter = staff(calls, 1800, 240, target=0.81).agents
        shows_agents(page, stricter)
        page.get_by_label("Callers give up").check()
        patient = staff(calls, 1800, 240, target=0.81, patience_s=180).agents
        assert patient.sum() < stricter.sum()
        shows_agents(page, patient)
        screenshot(page, "plan-what-if")

        page.get_by_role("button", name="Day after").click()
        second = staff(expected_calls(1), 1800, 240, target=0.81, patience_s=180).agents
        shows_agents(page, second)

        with page.expect_download() as wanted:
            page.get_by_role("button", name="CSV of all days").click()
        rows = list(csv.DictReader(Path(wanted.value.path()).read_text().splitlines()))
        assert len(rows) == DAYS * HALF_HOURS
        assert [int(row["agents"]) for row in rows[HALF_HOURS : 2 * HALF_HOURS]] == second.tolist()
        assert all(int(row["agents_low"]) <= int(row["agents"]) <= int(row["agents_high"]) for row in rows)


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("zh-Hant", "dark", 1280), ("zh-Hant", "light", 640), ("en", "dark", 640)],
)
def test_the_page_is_whole_in_both_languages_and_appearances_and_twice_as_large(
    browser: Browser, served: Served, forecast_file: Path, language: str, scheme: Scheme, width: int
) -> None:
    with planner_page(browser, served, language=language, scheme=scheme, width=width) as page:
        page.set_input_files("input[type=file]", forecast_file)
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS)
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"plan-{language}-{scheme}-{width}")


def test_a_file_that_is_no_forecast_is_said_to_be_none(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("name,number\nx,1\n")
    with planner_page(browser, served) as page:
        page.set_input_files("input[type=file]", wrong)
        expect(page.get_by_role("alert")).to_contain_text("interval_start")


def test_past_calls_become_a_forecast_with_its_accuracy_and_are_found_again(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    past = tmp_path / "front desk.csv"
    rng = np.random.default_rng(7)
    first = np.datetime64("2026-01-05T00:00")
    lines = ["interval_start,calls"]
    for day in range(56):
        if day % 7 < 5:
            for at, calls in enumerate(rng.poisson(expected_calls(0))):
                lines.append(f"{first + np.timedelta64(day * 1440 + 480 + 30 * at, 'm')},{calls}")
    past.write_text("\n".join(lines) + "\n")
    with planner_page(browser, served) as page:
        page.get_by_label("Days ahead").fill("7")
        page.set_input_files("input[type=file]", past)
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS, timeout=60_000)
        expect(page.get_by_text("past forecasts were off by").first).to_be_visible()
        expect(page.get_by_text("a week before")).to_be_visible()
        assert_accessible(page)
        screenshot(page, "plan-forecast")
        page.reload()
        page.get_by_label("Earlier forecasts").select_option(label="front desk.csv")
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS)
