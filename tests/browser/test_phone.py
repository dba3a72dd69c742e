"""The phone in a real Chromium against a real Asterisk, by ear: what each side hears at every step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.phones import BROWSER_HZ, BrowserAgent, ask, browser_agent
from tests.browser.tone_caller import CLEAR, SILENT, ToneCaller
from tests.calls.centre import CallCentre, lengths_ms
from tests.calls.exact import agent_tracks, assert_complete, kinds, offers

pytestmark = [pytest.mark.pbx, pytest.mark.db]

HEARD = 0.02  # in the page, root mean square
QUIET = 0.002
REATTACHED_S_MAX = 5.0
WINDOW_S = 0.2


@pytest.fixture
def agent(browser: Browser, centre: CallCentre, phone_bundle: Path) -> Iterator[BrowserAgent]:
    """a1003 of ``support`` (8002), registered and ready."""
    with browser_agent(browser, centre, phone_bundle, "a1003") as opened:
        opened.open()
        centre.ready("a1003")
        yield opened


def talk(agent: BrowserAgent, caller: ToneCaller, hz: int = BROWSER_HZ) -> float:
    """Answer, and wait until both hear each other; returns the seconds from the click to the caller's ear."""
    agent.wait_phase("ringing")
    agent.do("answer()")
    heard_s = agent.until(lambda: caller.hears(hz) > CLEAR, 5)
    agent.wait_hearing(HEARD)
    agent.centre.wait_agent(agent.agent_id, "talking")
    return heard_s


def hears_music(caller: ToneCaller, hz: int = BROWSER_HZ) -> bool:
    return caller.hears(hz, WINDOW_S) < SILENT and caller.loudness(WINDOW_S) > SILENT


@pytest.mark.timeout(120)
def test_a_call_is_heard_both_ways_held_muted_and_survives_a_reload(
    agent: BrowserAgent, centre: CallCentre, record_property: pytest.RecordProperty
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000101") as caller:
        record_property("answer_to_audio_s", talk(agent, caller))

        agent.do("hold()")
        agent.until(lambda: hears_music(caller), 5)
        agent.until(lambda: agent.hears() < QUIET, 5)
        centre.wait_agent("a1003", "holding")
        assert agent.state()["call"]["phase"] == "held"
        agent.do("unhold()")
        agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 5)
        agent.wait_hearing(HEARD)
        centre.wait_agent("a1003", "talking")

        agent.do("mute(true)")
        agent.until(lambda: caller.loudness() < SILENT, 5)
        assert agent.state()["call"]["muted"]
        assert agent.hears() > HEARD
        agent.do("mute(false)")
        agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 5)

        agent.page.reload(wait_until="commit")
        record_property("reload_to_music_s", agent.until(lambda: hears_music(caller), 5))
        back_s = agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 10)
        record_property("music_to_audio_s", back_s)
        agent.wait_hearing(HEARD)
        assert back_s <= REATTACHED_S_MAX
        assert agent.state()["call"]["re_attached"]
        centre.wait_agent("a1003", "talking")

        agent.do("hangUp()")
        agent.until(lambda: caller.has_ended, 5)
    agent.wait_phase(None)
    story = centre.story("0941000101")
    talked = ["talking", "held", "talking", "re_attach", "talking"]
    assert kinds(story)[-len(talked) :] == talked
    assert (story["outcome"], story["agent_id"], story["ended_by"]) == ("answered", "a1003", "agent")
    (track,) = agent_tracks(story)  # one conversation, over two legs
    assert kinds(story, track) == ["ring", "talk", "hold", "talk", "re_attach", "talk", "wrap_up"]
    assert offers(story) == [("a1003", "answered")]
    spent = dict.fromkeys(talked, 0.0)
    for kind, length in lengths_ms(story):
        spent[kind] = spent.get(kind, 0.0) + length
    assert story["talk_ms"] == pytest.approx(spent["talking"], abs=1)
    assert_complete(story)


@pytest.mark.long
@pytest.mark.timeout(180)
def test_two_agents_talk_at_once_and_one_hands_over_to_the_other(
    browser: Browser, centre: CallCentre, phone_bundle: Path, agent: BrowserAgent
) -> None:
    other_hz = 2_300
    with (
        ExitStack() as lines,
        browser_agent(browser, centre, phone_bundle, "a1001", tone_hz=other_hz) as other,
        ToneCaller(centre.sandbox, "8002", "0941000111", tone_hz=1_100) as first,
    ):
        talk(agent, first)
        other.open()
        centre.ready("a1001")
        second = lines.enter_context(ToneCaller(centre.sandbox, "8001", "0941000112", tone_hz=1_300))
        talk(other, second, other_hz)
        assert first.hears(other_hz) < SILENT
        assert second.hears(BROWSER_HZ) < SILENT
        # the first caller goes to the other agent as soon as that one is free
        call = centre.floor()["agents"]["a1003"]["interaction_id"]
        centre.require("POST", f"/calls/{call}/transfer", {"to_agent_id": "a1001"})
        agent.wait_phase(None)
        agent.until(lambda: hears_music(first), 5)
        other.do("hangUp()")
        other.until(lambda: second.has_ended, 5)
        other.wait_phase(None)
        centre.state("a1001", "ready")
        talk(other, first, other_hz)
        first.hang_up()
        other.wait_phase(None)
    story = centre.story("0941000111")
    assert offers(story) == [("a1003", "answered"), ("a1001", "answered")]


@pytest.mark.long
@pytest.mark.timeout(180)
def test_who_does_not_answer_or_declines_gets_no_more_and_a_closed_page_loses_nobody(
    browser: Browser, centre: CallCentre, phone_bundle: Path, agent: BrowserAgent
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000121") as caller:
        agent.wait_phase("ringing")
        centre.wait_agent("a1003", "not_ready", "ring_no_answer")
        agent.wait_phase(None)
        centre.state("a1003", "ready")
        agent.wait_phase("ringing")
        agent.do("hangUp()")
        centre.wait_agent("a1003", "not_ready", "rejected")
        centre.state("a1003", "ready")
        agent.wait_phase("ringing")
        agent.page.goto("about:blank")  # closed while it rings: at once, not after the ring timeout
        centre.wait_agent("a1003", "not_ready", "device_lost", bound_s=2)
        status, answer = centre.ask("POST", "/agents/a1003/state", {"state": "ready"})
        assert (status, answer["error_id"]) == (409, "phone_not_reachable")
        assert not caller.has_ended
        agent.open()
        centre.wait_agent("a1003", "ringing")  # back by itself once the phone is stable
        talk(agent, caller)
        status, answer = centre.ask("PUT", "/agents/a1003/phone", {"kind": "desk"})
        assert (status, answer["error_id"]) == (409, "on_a_call")
    agent.wait_phase(None)
    outcomes = [outcome for _, outcome in offers(centre.story("0941000121"))]
    assert outcomes == ["no_answer", "rejected", "device_error", "answered"]


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_microphone_that_is_refused_leaves_the_call_ringing_and_says_why(
    agent: BrowserAgent, centre: CallCentre
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000125") as caller:
        agent.wait_phase("ringing")
        agent.page.evaluate("() => { window.real = navigator.mediaDevices.getUserMedia }")
        agent.page.evaluate(
            """() => { navigator.mediaDevices.getUserMedia = async () => {
                 throw new DOMException('', 'NotAllowedError') } }"""
        )
        agent.do("answer()")
        assert agent.state()["problem"] == "microphone_denied"
        assert agent.state()["call"]["phase"] == "ringing"
        agent.page.evaluate("() => { navigator.mediaDevices.getUserMedia = window.real }")
        talk(agent, caller)
        assert agent.state()["problem"] is None
        agent.do("dtmf('59#')")
        agent.until(lambda: caller.keys == "59#", 5, lambda: f"the caller got {caller.keys!r}")
    agent.wait_phase(None)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_phone_that_does_not_come_back_sends_its_caller_to_the_front_of_the_queue(
    browser: Browser, centre: CallCentre, phone_bundle: Path, agent: BrowserAgent
) -> None:
    with (
        browser_agent(browser, centre, phone_bundle, "a1004") as other,
        ToneCaller(centre.sandbox, "8002", "0941000131") as caller,
    ):
        talk(agent, caller)
        with ToneCaller(centre.sandbox, "8002", "0941000132") as waiting:
            centre.wait_waiting("support", 1)
            agent.page.goto("about:blank")
            other.until(lambda: hears_music(caller), 5)
            centre.wait_agent("a1003", "re_attach")
            other.open()
            centre.wait_agent("a1003", "not_ready", "device_lost", bound_s=35)
            centre.wait_waiting("support", 2)
            centre.state("a1004", "signed_in")
            centre.state("a1004", "ready")
            talk(other, caller)  # before the one who waits already
            assert not waiting.has_ended
            caller.hang_up()
            other.wait_phase(None)
    story = centre.story("0941000131")
    assert offers(story) == [("a1003", "answered"), ("a1004", "answered")]
    lost = dict(lengths_ms(story))["re_attach"]
    assert lost == pytest.approx(30_000, abs=500)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_talk_outlives_the_server_and_a_reload_while_it_is_away(
    agent: BrowserAgent, centre: CallCentre
) -> None:
    """The sound does not pass through us; a page that reloads meanwhile is given its caller afterwards."""
    with ToneCaller(centre.sandbox, "8002", "0941000141") as caller:
        talk(agent, caller)
        centre.kill_server()
        centre.start_server()
        agent.wait("window.phone?.state.link === 'registered'", 20)
        agent.page.wait_for_timeout(1_000)
        assert caller.hears(BROWSER_HZ) > CLEAR, "the page came back, and its talk was left alone"
        assert agent.state()["call"]["phase"] == "talking"

        agent.page.goto("about:blank")
        agent.until(lambda: hears_music(caller), 5, lambda: f"{caller.hears(BROWSER_HZ)}")
        centre.kill_server()  # in the middle of the wait for the phone
        centre.start_server()
        centre.wait_agent("a1003", "re_attach")
        agent.open()
        agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 10)
        agent.wait_hearing(HEARD)
        centre.wait_agent("a1003", "talking")
        agent.do("hangUp()")
        agent.until(lambda: caller.has_ended, 5)
    story = centre.story("0941000141")
    assert offers(story) == [("a1003", "answered")]
    assert story["ended_by"] == "agent"


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_server_that_is_stopped_in_order_interrupts_no_talk(
    agent: BrowserAgent, centre: CallCentre
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000143") as caller:
        talk(agent, caller)
        centre.stop_server()
        assert caller.hears(BROWSER_HZ) > CLEAR
        centre.start_server()
        agent.wait("window.phone?.state.link === 'registered'", 20)
        agent.page.wait_for_timeout(1_000)
        assert caller.hears(BROWSER_HZ) > CLEAR
        centre.wait_agent("a1003", "talking")
        agent.do("hangUp()")
        agent.until(lambda: caller.has_ended, 5)
    assert "re_attach" not in kinds(centre.story("0941000143"))


@pytest.mark.long
@pytest.mark.timeout(120)
def test_a_page_that_reloads_while_the_server_is_away_gets_its_caller_back(
    agent: BrowserAgent, centre: CallCentre
) -> None:
    """Nobody saw the loss: another page registers in the place of the one that talked."""
    with ToneCaller(centre.sandbox, "8002", "0941000145") as caller:
        talk(agent, caller)
        centre.kill_server()
        agent.page.goto("about:blank")
        agent.until(lambda: caller.loudness() < SILENT)
        centre.start_server()
        agent.open()
        agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 10)
        agent.wait_hearing(HEARD)
        assert agent.state()["call"]["re_attached"]
    agent.wait_phase(None)


@pytest.mark.long
@pytest.mark.timeout(240)
def test_without_server_and_without_page_the_caller_waits_again_and_is_not_dropped(
    agent: BrowserAgent, centre: CallCentre
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000151") as caller:
        talk(agent, caller)
        centre.kill_server()
        agent.page.goto("about:blank")
        agent.until(lambda: caller.loudness() < SILENT)
        agent.until(lambda: hears_music(caller), 40, lambda: "no music")
        assert not caller.has_ended
        centre.start_server()
        agent.open()
        agent.wait_phase("ringing")  # for us, or for the PBX's own queue: whoever heard the caller first
        agent.do("answer()")
        agent.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 5)


@pytest.mark.long
@pytest.mark.timeout(120)
def test_the_newest_page_has_the_phone_and_only_the_agents_own_page_may(
    browser: Browser, centre: CallCentre, phone_bundle: Path, agent: BrowserAgent
) -> None:
    with ToneCaller(centre.sandbox, "8002", "0941000161") as caller:
        talk(agent, caller)
        second = BrowserAgent("a1003", agent.page.context.new_page(), centre)
        second.open()
        agent.wait("window.phone.state.link === 'failed'")
        assert agent.state() == {"link": "failed", "problem": "used_elsewhere", "call": None}
        second.until(lambda: caller.hears(BROWSER_HZ) > CLEAR, 10)
        second.wait_hearing(HEARD)
    second.wait_phase(None)
    answer = ask(agent.page, "POST", "/agents/a1004/phone/credentials")
    assert answer["status"] == 403
    status, answer = centre.ask("POST", "/agents/a1003/phone/credentials")
    assert (status, answer["error_id"]) == (403, "not_your_phone")
