"""What may break around a call, the look-up's server or the link to Asterisk: callers are served."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.server_process import free_port
from app.live.record_track import SAME_FACT_MS
from tests.calls.centre import CallCentre, ms
from tests.calls.exact import near
from tests.calls.oracle import Story, agents, customer, eventually, kinds
from tests.pbx.ami import RawAmi, get
from tests.pbx.sipp import Caller, Phone, Sipp, poll

pytestmark = [pytest.mark.pbx, pytest.mark.db]

LOOK_UP_MS_MAX = 2_000  # CC_ABSOLUTE_AGI_S
AGI_GRACE_MS = 300


@contextmanager
def agi_at(centre: CallCentre, port: int) -> Iterator[None]:
    """Let the dialplan ask another look-up server."""
    with RawAmi(centre.sandbox.ami_port, centre.sandbox.control_user) as ami:
        before = get(ami.act(Action="Getvar", Variable="CC_AGI"), "Value")
        ami.act(Action="Setvar", Variable="CC_AGI", Value=f"agi://127.0.0.1:{port}")
        try:
            yield
        finally:
            ami.act(Action="Setvar", Variable="CC_AGI", Value=before)


@pytest.fixture
def hung_port() -> Iterator[int]:
    """A look-up server that takes every connection and never says a word."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            while True:
                try:
                    taken.append(listener.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for connection in taken:
            connection.close()


def test_with_a_hung_look_up_server_the_caller_waits_in_the_numbers_queue_and_is_served(
    centre: CallCentre, sipp: Sipp, hung_port: int
) -> None:
    phone = sipp.phone("a1003", Phone(ring_ms=300, talk_ms=700))
    centre.ready("a1003")
    with agi_at(centre, hung_port):
        caller = sipp.call(Caller(entry="8002", number="0931000401"))
        assert caller.wait(20) == 0
    story = centre.story("0931000401")
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1003", "support")
    entry, *rest = customer(story)
    assert kinds(rest) == ["queued", "ringing", "talking"]
    assert LOOK_UP_MS_MAX - 50 <= entry.length_ms <= LOOK_UP_MS_MAX + AGI_GRACE_MS
    assert entry.length_ms == near(
        caller.first("received", "200", "INVITE").at_ms - caller.first("sent", "INVITE").at_ms
    )
    assert ms(story["answered_at"]) == near(phone.first("sent", "200", "INVITE").at_ms)
    assert ms(story["ended_at"]) == near(phone.first("sent", "BYE").at_ms)


def test_without_a_look_up_server_the_caller_goes_on_at_once(centre: CallCentre, sipp: Sipp) -> None:
    phone = sipp.phone("a1003", Phone(ring_ms=300, talk_ms=700))
    centre.ready("a1003")
    with agi_at(centre, free_port()):
        caller = sipp.call(Caller(entry="8002", number="0931000402"))
        assert caller.wait(20) == 0
    story = centre.story("0931000402")
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1003", "support")
    assert customer(story)[0].length_ms < AGI_GRACE_MS
    assert ms(story["ended_at"]) == near(phone.first("sent", "BYE").at_ms)


def test_without_a_look_up_a_number_that_nobody_knows_waits_in_the_default_queue(
    centre: CallCentre, sipp: Sipp
) -> None:
    sipp.phone("a1001", Phone(ring_ms=100, talk_ms=500))
    centre.ready("a1001")
    with agi_at(centre, free_port()):
        caller = sipp.call(Caller(entry="8999", number="0931000403"))
        assert caller.wait(20) == 0
    story = centre.story("0931000403")
    assert (story["outcome"], story["agent_id"], story["queue_id"]) == ("answered", "a1001", "sales")


# ---------------------------------------------------------------- the link to Asterisk


def grades(story: Story) -> set[str]:
    """How the call's row and its segments came to be."""
    return {str(story["grade"]), *(str(segment["grade"]) for segment in story["segments"])}


class Cutter:
    """Cuts every manager session, and keeps the door shut as long as asked."""

    def __init__(self, centre: CallCentre) -> None:
        self._centre, self._sandbox = centre, centre.sandbox
        self._file = self._sandbox.run / "etc/manager.conf"

    def kick(self) -> None:
        """Cut the sessions; they may come back at once."""
        rows = self._sandbox.cli("manager show connected").splitlines()[1:]
        for row in rows:
            fields = row.split()
            if len(fields) >= 5 and fields[0] in (
                self._sandbox.events_user.name,
                self._sandbox.control_user.name,
            ):
                self._sandbox.cli(f"manager kick session {fields[4]}")

    @contextmanager
    def down(self) -> Iterator[None]:
        """No manager interface while inside."""
        text = self._file.read_text(encoding="utf-8")
        self._file.write_text(text.replace("enabled=yes", "enabled=no", 1), encoding="utf-8")
        try:
            self._sandbox.cli("manager reload")
            self.kick()
            poll(lambda: not self._centre.floor()["link_up"], 10)
            yield
        finally:
            self._file.write_text(text, encoding="utf-8")
            self._sandbox.cli("manager reload")
            poll(lambda: bool(self._centre.floor()["link_up"]), 30)


@pytest.mark.long
def test_while_the_link_is_cut_calls_go_on_and_afterwards_the_log_has_them_as_they_were(
    centre: CallCentre, sipp: Sipp
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    talker = sipp.phone("a1001", Phone(ring_ms=100, talk_ms=6_000))
    ender = sipp.phone("a1003", Phone(ring_ms=100, talk_ms=2_500))
    sipp.phone("a1005", Phone(ring_ms=100, talk_ms=300))
    centre.ready("a1001", "a1003", "a1005")
    assert sipp.call(Caller(entry="8003", number="0931000410")).wait(10) == 0
    talks = sipp.call(Caller(entry="8001", number="0931000411"))
    centre.wait_agent("a1001", "talking")
    waits = sipp.call(Caller(entry="8001", number="0931000412"))
    centre.wait_waiting("sales", 1)
    ends = sipp.call(Caller(entry="8002", number="0931000413"))
    centre.wait_agent("a1003", "talking")
    with Cutter(centre).down():
        arrives = sipp.call(Caller(entry="8001", number="0931000414"))
        assert ends.wait(10) == 0
        comes_and_goes = sipp.call(Caller(entry="8001", number="0931000415", hangs_up_after_ms=400))
        assert comes_and_goes.wait(10) == 0
    for run in (talks, waits, arrives):
        assert run.wait(40) == 0, run.trace()
    centre.wait_agent("a1005", "ready")
    assert sipp.call(Caller(entry="8003", number="0931000416")).wait(10) == 0

    answers = [moment.at_ms for moment in talker.all("sent", "200", "INVITE")]
    hang_ups = [moment.at_ms for moment in talker.all("sent", "BYE")]

    def as_they_were() -> None:
        # who arrives while nobody hears waits one lap, then the PBX's own queue rings the free phone
        numbers = ("0931000411", "0931000414", "0931000412")
        stories = [centre.story(number, 30) for number in numbers]
        for story, answered, hang_up in zip(stories, answers, hang_ups, strict=True):
            assert story["agent_id"] == "a1001"
            assert ms(story["answered_at"]) == near(answered)
            assert ms(story["ended_at"]) == near(hang_up)
            assert story["talk_ms"] == near(hang_up - answered)
        assert [story["outcome"] for story in stories] == ["answered", "fallback", "answered"]
        assert stories[2]["wait_ms"] == near(answers[2] - waits.first("received", "200", "INVITE").at_ms)
        assert ms(stories[1]["started_at"]) == near(arrives.first("sent", "INVITE").at_ms)
        ended = centre.story("0931000413", 30)
        assert (ended["outcome"], ended["agent_id"]) == ("answered", "a1003")
        assert ms(ended["ended_at"]) == near(ender.first("sent", "BYE").at_ms)
        assert agents(ended)["a1003#1"][1].ended_ms == near(ender.first("sent", "BYE").at_ms)
        passed = centre.story("0931000415", 30)
        assert ms(passed["ended_at"]) == near(comes_and_goes.first("sent", "BYE").at_ms)

    eventually(as_they_were)
    centre.wait_agent("a1003", "ready")
    assert centre.reconciled(since).is_clean, centre.reconciled(since)
    for number in ("0931000410", "0931000416"):
        assert grades(centre.story(number, 30)) == {"live"}, "what was over before, or began afterwards"
    cut_off = customer(centre.story("0931000413", 30))
    assert [one.grade for one in cut_off] == ["live", "live", "live", "back_filled"], (
        "its end alone was not seen"
    )
    assert grades(centre.story("0931000415", 30)) == {"back_filled"}, "nobody but the PBX saw any of it"


@pytest.mark.long
def test_sessions_that_are_cut_again_and_again_lose_nothing(centre: CallCentre, sipp: Sipp) -> None:
    since = datetime.now(UTC) - timedelta(seconds=1)
    cutter = Cutter(centre)
    phones = [sipp.phone(name, Phone(ring_ms=150, talk_ms=600)) for name in ("a1005", "a1006")]
    centre.ready("a1005", "a1006")
    numbers = [f"093100042{digit}" for digit in range(6)]
    runs = [sipp.call(Caller(entry="8003", number=number)) for number in numbers]
    for _ in range(3):
        cutter.kick()
        poll(lambda: not centre.floor()["link_up"], 5)
        poll(lambda: bool(centre.floor()["link_up"]), 20)
    for run in runs:
        assert run.wait(60) == 0, run.trace()
    answers = sorted(moment.at_ms for phone in phones for moment in phone.all("sent", "200", "INVITE"))
    ends = sorted(moment.at_ms for phone in phones for moment in phone.all("sent", "BYE"))

    def as_they_were() -> None:
        stories = [centre.story(number, 30) for number in numbers]
        assert [story["outcome"] for story in stories] == ["answered"] * len(numbers)
        # what is noticed late by no more than SAME_FACT_MS is left as it was noticed
        answered = [pytest.approx(moment, abs=SAME_FACT_MS) for moment in answers]
        ended = [pytest.approx(moment, abs=SAME_FACT_MS) for moment in ends]
        assert sorted(ms(story["answered_at"]) for story in stories) == answered
        assert sorted(ms(story["ended_at"]) for story in stories) == ended

    eventually(as_they_were)
    assert centre.reconciled(since).is_clean, centre.reconciled(since)
