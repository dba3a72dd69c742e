"""The desk page with its own phone: a call from beginning work to the wrap-up, by clicks and by ear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import ROOT, context, screenshot
from tests.browser.phones import BROWSER_HZ, POLL_MS, TONE, desk_again
from tests.browser.tone_caller import CLEAR, SILENT, ToneCaller
from tests.browser.visitors import agent_account, sign_in
from tests.calls.centre import CallCentre
from tests.calls.exact import kinds, offers
from tests.closing import left_out

pytestmark = [pytest.mark.pbx, pytest.mark.db]

REATTACHED_MS_MAX = 5_000


@contextmanager
def desk_of(browser: Browser, centre: CallCentre, agent_id: str, tone_hz: int | None) -> Iterator[Page]:
    """An agent's desk whose chosen phone is this page; not at work yet.

    Args:
        tone_hz: What the microphone sounds; None: the browser's own fake device.
    """
    if not (ROOT / "app/assets/web/desk.html").is_file():
        left_out("the pages are not built (make web)")
    with context(browser, centre.server.url) as made:
        if tone_hz is not None:
            made.add_init_script(TONE.replace("HZ", str(tone_hz)))
        sign_in(made, centre, agent_account(agent_id))
        centre.require("PUT", f"/agents/{agent_id}/phone", {"kind": "browser"})
        page = made.new_page()
        page.goto(f"{centre.server.url}/desk")
        try:
            yield page
        finally:
            page.goto("about:blank")
            centre.hang_up_all()
            desk_again(centre, agent_id)


@pytest.fixture
def desk(browser: Browser, centre: CallCentre) -> Iterator[Page]:
    """The desk of a1003 (``support``, 8002)."""
    with desk_of(browser, centre, "a1003", BROWSER_HZ) as page:
        yield page


def begin_work(desk: Page, centre: CallCentre, agent_id: str) -> None:
    """Begin work, wait for the phone, be ready."""
    desk.get_by_role("button", name="Begin work").click()
    phone = desk.get_by_role("region", name="My phone").get_by_role("status")
    expect(phone).to_contain_text("Connected")
    desk.get_by_role("button", name="Ready", exact=True).click()
    centre.wait_agent(agent_id, "ready")


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
    begin_work(desk, centre, "a1003")
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


@pytest.mark.long
@pytest.mark.timeout(90)
def test_the_browsers_own_microphone_is_asked_for_and_heard(browser: Browser, centre: CallCentre) -> None:
    """Chromium's fake device beeps about once a second, and the page's policy lets it be opened."""
    with desk_of(browser, centre, "a1004", None) as desk:
        begin_work(desk, centre, "a1004")
        with ToneCaller(centre.sandbox, "8002", "0942000102") as caller:
            desk.get_by_role("button", name=re.compile("Answer")).click()
            centre.wait_agent("a1004", "talking")
            desk.wait_for_timeout(1_000)  # what was heard of the music is over
            for _ in range(250):
                if caller.loudness() > SILENT:
                    break
                desk.wait_for_timeout(POLL_MS)
            assert caller.loudness() > SILENT


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_call_is_worked_by_keyboard_alone(browser: Browser, centre: CallCentre) -> None:
    with desk_of(browser, centre, "a1003", BROWSER_HZ) as desk:
        press = desk.keyboard.press
        desk.locator("[data-state=signed_out]").wait_for()
        press("Alt+R")
        phone = desk.get_by_role("region", name="My phone").get_by_role("status")
        expect(phone).to_contain_text("Connected")
        assert centre.floor()["agents"]["a1003"]["phone"]["reachable"], "connected: the server knows it too"
        press("Alt+R")
        centre.wait_agent("a1003", "ready")
        with ToneCaller(centre.sandbox, "8002", "0942000103") as caller:
            expect(desk.get_by_role("alert").first).to_contain_text("0942000103")
            press("Escape")  # never ends a call
            expect(desk.get_by_role("button", name=re.compile("Answer"))).to_be_enabled()
            ready = desk.get_by_role("button", name="Ready", exact=True)
            expect(ready).not_to_have_class(re.compile("primary"))  # Answer is what is to be done now
            press("Alt+A")
            until(desk, caller, hears_agent=True)
            press("Alt+H")
            until(desk, caller, hears_agent=False)
            press("Alt+H")
            until(desk, caller, hears_agent=True)
            press("Alt+T")
            expect(desk.locator("#transfer-find")).to_be_focused()
            centre.state("a1004", "signed_in")
            colleague = desk.locator("[data-presence=not_ready]").get_by_role("button")
            expect(colleague).to_have_count(1)  # as it happens, and before who is away
            desk.keyboard.type("a1004")
            press("ArrowDown")
            expect(colleague).to_be_focused()
            centre.state("a1004", "signed_out")
            expect(desk.locator("[data-presence=signed_out] button:focus")).to_have_count(1)
            press("ArrowUp")
            expect(desk.locator("#transfer-find")).to_be_focused()
            press("Alt+W")
            expect(desk.locator("#wrap-code")).to_be_focused()
            press("Tab")
            note = desk.get_by_placeholder("Kept as you type")
            expect(note).to_be_focused()  # no reasons are set up here: what cannot be chosen is no stop
            desk.keyboard.type("asked for a copy")
            press("Alt+E")
            expect(desk.get_by_role("button", name=re.compile("again"))).to_be_visible()
            press("Alt+E")
            expect(desk.locator("[data-wrap=running]")).to_be_visible()
            press("Tab")
            press("Enter")  # a minute more
            expect(desk.locator("[data-wrap=running]")).to_contain_text(re.compile(r"0:5\d|1:0\d"))
            press("Tab")
            press("Enter")  # done before that
            centre.wait_agent("a1003", "ready")
        assert centre.story("0942000103")["notes"][0]["text"] == "asked for a copy"
