"""The desk page with its own phone: a call from beginning work to the wrap-up, by clicks and by ear."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import ROOT, context, screenshot
from tests.browser.phones import BROWSER_HZ, POLL_MS, TONE, desk_again, sign_in
from tests.browser.tone_caller import CLEAR, SILENT, ToneCaller
from tests.calls.centre import CallCentre
from tests.calls.exact import kinds, offers
from tests.closing import left_out

pytestmark = [pytest.mark.pbx, pytest.mark.db]

REATTACHED_MS_MAX = 5_000


@pytest.fixture
def desk(browser: Browser, centre: CallCentre) -> Iterator[Page]:
    """The desk of a1003 (``support``, 8002), whose chosen phone is this page; not at work yet."""
    if not (ROOT / "app/assets/web/desk.html").is_file():
        left_out("the pages are not built (make web)")
    with context(browser, centre.server.url) as made:
        made.add_init_script(TONE.replace("HZ", str(BROWSER_HZ)))
        sign_in(made, centre, "a1003")
        centre.require("PUT", "/agents/a1003/phone", {"kind": "browser"})
        page = made.new_page()
        page.goto(f"{centre.server.url}/desk")
        try:
            yield page
        finally:
            page.goto("about:blank")
            centre.hang_up_all()
            desk_again(centre, "a1003")


def until(page: Page, caller: ToneCaller, *, hears_agent: bool, bound_ms: int = 5_000) -> int:
    """Wait until the caller hears the agent's tone, or no more; returns the milliseconds."""
    for waited_ms in range(0, bound_ms, POLL_MS):
        level = caller.hears(BROWSER_HZ)
        if level > CLEAR if hears_agent else level < SILENT:
            return waited_ms
        page.wait_for_timeout(POLL_MS)
    raise AssertionError(f"after {bound_ms} ms the caller hears the agent at {caller.hears(BROWSER_HZ)}")


@pytest.mark.long
@pytest.mark.timeout(180)
def test_a_call_is_taken_held_reloaded_and_ended_on_the_desk(desk: Page, centre: CallCentre) -> None:
    desk.get_by_role("button", name="Begin work").click()
    phone = desk.get_by_role("region", name="My phone").get_by_role("status")
    expect(phone).to_contain_text("Connected")
    desk.get_by_role("button", name="Ready", exact=True).click()
    centre.wait_agent("a1003", "ready")
    with ToneCaller(centre.sandbox, "8002", "0942000101") as caller:
        answer = desk.get_by_role("button", name=re.compile("Answer"))
        expect(answer).to_be_enabled()
        screenshot(desk, "desk-ringing")
        answer.click()
        until(desk, caller, hears_agent=True)
        hold = desk.get_by_role("button", name=re.compile("Hold|Resume|Take back"))
        expect(hold).to_be_enabled()
        screenshot(desk, "desk-talking")
        hold.click()
        until(desk, caller, hears_agent=False)
        expect(hold).to_have_attribute("aria-pressed", "true")
        hold.click()
        until(desk, caller, hears_agent=True)

        desk.reload(wait_until="commit")
        until(desk, caller, hears_agent=False)
        assert until(desk, caller, hears_agent=True, bound_ms=10_000) <= REATTACHED_MS_MAX
        expect(desk.get_by_text("Talking").first).to_be_visible()
        end = desk.get_by_role("button", name=re.compile("^End|Hang up"))
        expect(end).to_be_enabled()
        end.click()
        for _ in range(250):
            if caller.has_ended:
                break
            desk.wait_for_timeout(POLL_MS)
        assert caller.has_ended
    centre.wait_agent("a1003", "ready", bound_s=15)
    story = centre.story("0942000101")
    assert offers(story) == [("a1003", "answered")]
    assert kinds(story)[-5:] == ["talking", "held", "talking", "re_attach", "talking"]
