"""A planner's way in a real browser: a forecast from a file, a day, what if, the requirement as a file."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import python_calamine
from playwright.sync_api import Browser, Locator, Page, expect

from app.auth.account_rows import NewAccount, account_of_login, insert_account
from app.auth.links import make_link
from app.auth.permissions import Role
from app.db.session import DEFAULT_TENANT, Database
from tests.app.planner.logged import CALLS_A_DAY, log_calls
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


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of its own: eight weeks of calls to the queue sales in its log, twelve days to a new one."""

    async def log(database: Database) -> None:
        await log_calls(database, 56, patience_s=200.0, weekends=True, opens_h=0)
        await log_calls(database, 12, weekends=True, opens_h=0, queue_id="renewals", every=3)

    server = Served(tmp_path_factory.mktemp("logged"))
    server.in_database(log)
    server.start()
    yield server
    server.stop()


def open_file(page: Page, path: Path) -> None:
    """Choose the way of files, and a file."""
    page.get_by_label("File", exact=True).or_(page.get_by_label("檔案", exact=True)).check()
    page.set_input_files("input[type=file]", path)


def press_to(page: Page, target: Locator, key: str = "Tab") -> None:
    """Move the focus by keyboard until it is on the target."""
    for _ in range(120):
        if target.evaluate("(each) => each === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError("the keyboard does not lead there")


def test_a_forecast_becomes_agents_and_what_if_changes_them(
    browser: Browser, served: Served, forecast_file: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("name,number\nx,1\n")
    with planner_page(browser, served) as page:
        open_file(page, wrong)
        expect(page.get_by_role("alert")).to_contain_text("interval_start")
        open_file(page, forecast_file)
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS)
        expect(page.get_by_role("alert")).to_have_count(0)
        calls = expected_calls(0)
        shows_agents(page, staff(calls, 1800, 240).agents)
        assert_accessible(page)
        screenshot(page, "plan-first")

        page.get_by_label("Answered in time").focus()
        page.keyboard.press("ArrowRight")
        stricter = staff(calls, 1800, 240, target=0.81).agents
        shows_agents(page, stricter)
        page.get_by_label("Callers give up").check()
        patient = staff(calls, 1800, 240, target=0.81, patience_s=180, shrinkage=0.3)
        assert patient.agents.sum() < stricter.sum()
        shows_agents(page, patient.agents)
        page.get_by_label("Cost of a paid hour").fill("300")
        page.get_by_label("Currency").select_option("TWD")
        cost = f"{patient.scheduled.sum() / 2 * 300:,.2f}"
        expect(page.locator("dd", has_text="$")).to_have_text(re.compile(re.escape(cost)))
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
        with page.expect_download() as wanted:
            page.get_by_role("button", name="Excel of all days").click()
        wanted.value.save_as(tmp_path / "requirement.xlsx")
        book = python_calamine.CalamineWorkbook.from_path(str(tmp_path / "requirement.xlsx"))
        names, *sheet = book.get_sheet_by_name("requirement").to_python()
        at = names.index("agents")
        assert [row[at] for row in sheet] == [int(row["agents"]) for row in rows]


def test_a_queue_of_the_call_log_is_planned_by_keyboard(browser: Browser, logged: Served) -> None:
    with planner_page(browser, logged) as page:
        expect(page.get_by_role("heading", name="The past of Sales")).to_be_visible()
        expect(page.get_by_text(f"{56 * CALLS_A_DAY:,} calls; 56 days are learnt from.")).to_be_visible()
        assert_accessible(page)
        screenshot(page, "plan-history")

        press_to(page, page.get_by_label("Days ahead"))
        page.keyboard.press("Control+A")
        page.keyboard.type("14")
        press_to(page, page.get_by_role("button", name="Forecast", exact=True))
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Calls per 30 minutes")).to_be_visible(timeout=60_000)
        expect(page.get_by_text("past forecasts were off by").first).to_be_visible()
        # The queue's own patience is where the what-if begins.
        expect(page.get_by_text("In the call log:")).to_be_visible()
        expect(page.get_by_label("Callers give up")).to_be_checked()
        expect(page.get_by_label("Answered in time")).to_have_value("0.85")  # and its own promise
        assert 180 <= int(page.get_by_label("Mean patience").input_value()) <= 220

        chart = page.get_by_role("slider", name="Expected calls from")
        press_to(page, chart)
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        assert re.match(r"\d\d:\d\d: [\d.]+ · [\d.]+ to [\d.]+", chart.get_attribute("aria-valuetext") or "")

        first = page.locator("tbody tr:first-child td:nth-child(2)").first
        before = float(first.inner_text())
        press_to(page, page.get_by_label("Per cent", exact=True))
        page.keyboard.press("Control+A")
        page.keyboard.type("50")
        press_to(page, page.get_by_label("Why"))
        page.keyboard.type("mailing")
        page.keyboard.press("Enter")
        listed = page.get_by_role("listitem").filter(has_text="mailing")
        expect(listed).to_contain_text("+50%")
        expect(first).not_to_have_text(f"{before:.1f}")
        assert abs(float(first.inner_text()) - 1.5 * before) <= 0.13, "both are shown to a tenth"
        assert_accessible(page)
        screenshot(page, "plan-overlay")
        press_to(page, page.get_by_label("Take over the change by hand"), "Shift+Tab")
        expect(page.get_by_label("Take over the change by hand")).to_be_checked()
        press_to(page, page.get_by_role("button", name="Make it again"), "Shift+Tab")
        page.keyboard.press("Enter")
        expect(listed).to_contain_text("carried over from the forecast of", timeout=60_000)
        expect(listed).to_contain_text("by pat")
        expect(page.get_by_text("It repeats an earlier forecast.")).to_be_visible()
        screenshot(page, "plan-carried-over")
        press_to(page, listed.get_by_role("button", name="Undo"))
        page.keyboard.press("Enter")
        expect(listed).to_contain_text("undone by pat")
        expect(first).to_have_text(f"{before:.1f}")

        press_to(page, page.get_by_role("combobox", name="Show", exact=True), "Shift+Tab")
        page.keyboard.press("s")
        expect(page.get_by_role("region", name="Days of the forecast").locator("tbody tr")).to_have_count(7)
        screenshot(page, "plan-week")
    with planner_page(browser, logged, language="zh-Hant", scheme="dark", width=640) as page:
        page.get_by_label("先前的預測").select_option(index=1)
        expect(page.get_by_role("heading", name="每 30 分鐘來電數")).to_be_visible()
        expect(page.get_by_text("人工調整")).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
        page.screenshot(path=screenshot(page, "plan-log-zh-Hant-dark-640"), full_page=True)


@pytest.mark.long
def test_a_new_queue_is_planned_by_its_first_days_beside_another(browser: Browser, logged: Served) -> None:
    with planner_page(browser, logged) as page:
        page.get_by_label("New queue", exact=True).check()
        page.get_by_label("It will be like").select_option("queue:sales")
        page.get_by_label("How large it will be").select_option("measured")
        page.get_by_label("The new queue in the call log").select_option("renewals")
        assert_accessible(page)
        screenshot(page, "plan-new-queue")
        page.get_by_label("Days ahead").fill("7")
        page.get_by_role("button", name="Forecast", exact=True).click()
        expect(page.get_by_role("heading", name="Calls per 30 minutes")).to_be_visible(timeout=60_000)
        told = page.get_by_text("Its size was measured on 11 days that both queues had")
        expect(told).to_contain_text(re.compile(r"33(\.\d)?% of the calls, ±\d+%"))
        assert_accessible(page)
        screenshot(page, "plan-new-queue-made")
    with planner_page(browser, logged, language="zh-Hant", scheme="dark") as page:
        page.get_by_label("先前的預測").select_option(index=1)
        expect(page.get_by_text("規模依兩個佇列共同的 11 天實測")).to_be_visible()
        page.get_by_label("新佇列", exact=True).check()
        page.get_by_label("規模如何決定").select_option("measured")
        assert_accessible(page)
        screenshot(page, "plan-new-queue-zh-Hant-dark")


@pytest.mark.long
@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("zh-Hant", "dark", 1280), ("zh-Hant", "light", 640), ("en", "dark", 640)],
)
def test_the_page_is_whole_in_both_languages_and_appearances_and_twice_as_large(
    browser: Browser, served: Served, forecast_file: Path, language: str, scheme: Scheme, width: int
) -> None:
    with planner_page(browser, served, language=language, scheme=scheme, width=width) as page:
        open_file(page, forecast_file)
        expect(page.locator("tbody tr")).to_have_count(HALF_HOURS)
        assert_accessible(page)
        assert_fits(page)
        screenshot(page, f"plan-{language}-{scheme}-{width}")


@pytest.mark.long
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
        open_file(page, past)
        expect(page.get_by_role("region", name="All intervals of the day").locator("tbody tr")).to_have_count(
            HALF_HOURS, timeout=60_000
        )
        expect(page.get_by_text("past forecasts were off by").first).to_be_visible()
        expect(page.get_by_text("a week before")).to_be_visible()
        assert_accessible(page)
        screenshot(page, "plan-forecast")
        page.reload()
        page.get_by_label("Earlier forecasts").select_option(index=1)
        expect(page.get_by_role("heading", name="front desk.csv")).to_be_visible()
