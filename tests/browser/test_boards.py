"""Floor and wall in a real browser, on a real server with real calls: what happens is what they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import assert_accessible, context, screenshot
from tests.browser.visitors import ADMINISTRATOR, sign_in
from tests.calls.centre import CallCentre
from tests.pbx.sipp import Caller, Phone, Sipp

pytestmark = [pytest.mark.pbx, pytest.mark.db, pytest.mark.timeout(180)]

LIVE_MS = 10_000
STALE_MS = 15_000


@contextmanager
def _signed_in(
    browser: Browser, centre: CallCentre, *, width: int = 1280, height: int = 720
) -> Iterator[Page]:
    with context(browser, centre.url, width=width, height=height) as made:
        sign_in(made, centre, ADMINISTRATOR)
        yield made.new_page()


def _cell(page: Page, queue: str, column: int) -> str:
    """What a queue's row shows, by column from 1 (2: waiting)."""
    row = page.locator("tr", has=page.locator(f"th[scope=row]:text-is('{queue}')"))
    return row.locator(f":scope > :nth-child({column})").inner_text().strip()


def _agent(page: Page, agent_id: str) -> str:
    return page.locator(f"tr[id$='-{agent_id}']").inner_text()


def test_the_floor_shows_a_call_as_it_goes_and_leads_to_it(
    browser: Browser, centre: CallCentre, sipp: Sipp
) -> None:
    with _signed_in(browser, centre) as page:
        page.goto("/floor")
        agent = page.locator("tr[id$='-a1001']")
        agent.wait_for()
        answered_before = int(_cell(page, "sales", 7) or 0)
        call = sipp.call(Caller(entry="8001", number="0911000101"))
        expect(page.locator("table").first).to_contain_text("0:01", timeout=LIVE_MS)
        assert _cell(page, "sales", 2) == "1"
        sipp.phone("a1001", Phone(ring_ms=300, talk_ms=2_500))
        for state in ("signed_in", "ready"):  # the caller is offered at once
            centre.state("a1001", state)
        expect(agent).to_contain_text("Talking", timeout=LIVE_MS)
        assert _cell(page, "sales", 2) == "0"
        assert_accessible(page)
        path = agent.get_by_role("link").get_attribute("href") or ""
        assert call.wait(20) == 0
        expect(agent).to_contain_text("Wrap-up", timeout=LIVE_MS)
        answered = page.locator("tr", has=page.locator("th[scope=row]:text-is('sales')")).locator("td").nth(5)
        expect(answered).to_have_text(str(answered_before + 1))
        said = page.locator("td [title*='SL-C = answered in time']").first.get_attribute("title") or ""
        assert "in time is within 20 s" in said
        assert "data: Complete" in said
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_contain_text("0911000101")


@pytest.mark.long
def test_a_screen_with_a_link_shows_the_wall_until_the_link_is_revoked(
    browser: Browser, centre: CallCentre, sipp: Sipp
) -> None:
    with (
        _signed_in(browser, centre) as page,
        context(browser, centre.url, width=1920, height=1080) as tv,
    ):
        page.goto("/floor")
        page.get_by_role("button", name="TV link").click()
        page.get_by_label("Where the screen hangs").fill("Lobby")
        page.get_by_role("button", name="Make a link").click()
        address = page.locator("input[readonly]").input_value()
        assert re.search(r"/wall#token=[\w-]{43}$", address)
        assert_accessible(page)
        screenshot(page, "floor-links")
        screen = tv.new_page()
        screen.goto(address)
        screen.locator("th[scope=row]:text-is('sales')").wait_for()
        call = sipp.call(Caller(entry="8001", number="0911000102", hangs_up_after_ms=6_000))
        expect(screen.locator(".tile").first).to_contain_text("1", timeout=LIVE_MS)
        assert screen.evaluate("fetch('/api/v1/floor').then(answer => answer.status)") == 401
        assert_accessible(screen)
        screenshot(screen, "wall-tv-waiting")
        call.wait(20)
        revoke = page.get_by_role("button", name="Revoke")
        revoke.click()
        page.get_by_role("button", name="Revoke “Lobby”?").click()
        expect(screen.get_by_text("This link was revoked")).to_be_visible(timeout=STALE_MS)


@pytest.mark.long
def test_a_server_that_stops_leaves_a_banner_and_no_number_that_stands_still(
    browser: Browser, centre: CallCentre
) -> None:
    with _signed_in(browser, centre) as floor, _signed_in(browser, centre, width=1920, height=1080) as wall:
        floor.goto("/floor")
        wall.goto("/wall")
        for page in (floor, wall):
            page.locator("th[scope=row]:text-is('sales')").wait_for()
            expect(page.get_by_role("alert")).to_have_count(0)
        centre.stop_server()
        try:
            for page, name in ((floor, "floor"), (wall, "wall")):
                expect(page.get_by_role("alert")).to_contain_text("No connection", timeout=STALE_MS)
                assert _cell(page, "sales", 2) == "–"
                assert_accessible(page)
                screenshot(page, f"{name}-stale")
        finally:
            centre.start_server()
        for page in (floor, wall):
            expect(page.get_by_role("alert")).to_have_count(0, timeout=30_000)
            assert _cell(page, "sales", 2) == "0"


def test_the_floor_is_worked_by_keyboard_alone(browser: Browser, centre: CallCentre, tmp_path: Path) -> None:
    with _signed_in(browser, centre) as page:
        page.goto("/floor")
        page.locator("tr[id$='-a1001']").wait_for()
        page.keyboard.press("/")
        page.keyboard.type("a100")
        expect(page.get_by_role("status").filter(has_text="agents")).to_contain_text("8 agents")
        page.keyboard.type("7")
        expect(page.locator("tr[aria-selected]").filter(has_text="a1007")).to_have_count(1)
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        grid = page.get_by_role("grid")
        for _ in range(8):
            page.keyboard.press("Tab")
            if grid.evaluate("grid => grid === document.activeElement"):
                break
        for key in ("ArrowDown", "ArrowDown", "End", "Home", "ArrowDown"):
            page.keyboard.press(key)
        chosen = page.locator("tr[aria-selected=true]")
        expect(chosen).to_contain_text("a1002")
        assert grid.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
        page.get_by_role("button", name="Save the agents shown as CSV").focus()
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        assert text.splitlines()[0].startswith("Agent,id,State")
        assert len(text.splitlines()) == 9
