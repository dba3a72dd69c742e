"""The short FastAGI look-up: whatever its server does, the caller waits within moments."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.pbx.ami import RawAmi, get, timestamp_ms
from tests.pbx.offers import waiting
from tests.pbx.sipp import Caller, Sipp

pytestmark = pytest.mark.pbx


class AgiDouble:
    """A FastAGI server that sends some commands, each after the answer to the one before.

    Attributes:
        says: The commands; after them it hangs up the session.
        hangs: It reads nothing and says nothing, for ever.
    """

    def __init__(self, says: tuple[str, ...] = (), *, hangs: bool = False) -> None:
        self.says = says
        self.hangs = hangs
        self.requests: list[str] = []
        self._lines: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for line in self._lines:
            line.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self._lines.append(line)
            if not self.hangs:
                self._talk(line)

    def _talk(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as heard:
            head = b""
            while not head.endswith(b"\n\n"):
                head += heard.readline()
            self.requests.append(head.decode())
            for command in self.says:
                line.sendall(command.encode() + b"\n")
                heard.readline()


@contextmanager
def agi(control: RawAmi, double: AgiDouble) -> Iterator[AgiDouble]:
    control.act(Action="Setvar", Variable="CC_AGI", Value=f"agi://127.0.0.1:{double.port}")
    try:
        yield double
    finally:
        double.close()


def test_a_look_up_that_ends_decides_queue_priority_and_preference(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    says = (
        'SET VARIABLE CC_QUEUE "support"',
        'SET VARIABLE CC_PRIORITY "60000"',
        'SET VARIABLE CC_PREFER "a1002"',
        'SET VARIABLE CC_LANG "en"',
        'SET VARIABLE CC_DONE "1"',
    )
    with agi(control, AgiDouble(says)) as server:
        sipp.call(Caller(number="0912345678"))
        lap = events.event("CCWaiting")
    told = [get(lap, name) for name in ("Queue", "HeadStart", "Prefer", "Lang")]
    assert told == ["support", "60000", "a1002", "en"]
    assert f"agi_uniqueid: {get(lap, 'CallID')}" in server.requests[0]
    assert "agi_request: agi://127.0.0.1" in server.requests[0]
    assert "agi_callerid: 0912345678" in server.requests[0]


def test_with_the_server_down_the_caller_waits_at_once(sipp: Sipp, events: RawAmi, control: RawAmi) -> None:
    double = AgiDouble()
    double.close()
    control.act(Action="Setvar", Variable="CC_AGI", Value=f"agi://127.0.0.1:{double.port}")
    sipp.call(Caller(entry="8002"))
    new, lap = events.event("CCNew"), events.event("CCWaiting")
    assert timestamp_ms(lap) - timestamp_ms(new) < 500
    assert get(lap, "Queue") == "support"


def test_with_the_server_hung_the_caller_waits_within_two_and_a_half_seconds(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    with agi(control, AgiDouble(hangs=True)):
        sipp.call(Caller(entry="8002"))
        new, lap = events.event("CCNew"), events.event("CCWaiting")
        assert 1500 < timestamp_ms(lap) - timestamp_ms(new) < 2500
        assert get(lap, "Queue") == "support"
        again = events.event("CCFallback", CallID=get(lap, "CallID"))
        assert timestamp_ms(again) - timestamp_ms(lap) == pytest.approx(3000, abs=200), (
            "no timeout is left over"
        )


def test_a_look_up_killed_in_the_middle_counts_for_nothing(
    sipp: Sipp, events: RawAmi, control: RawAmi
) -> None:
    with agi(control, AgiDouble(('SET VARIABLE CC_QUEUE "support"', 'SET VARIABLE CC_PRIORITY "60000"'))):
        sipp.call(Caller(entry="8777"))
        call_id = waiting(events)
    lap = events.event("CCWaiting", CallID=call_id)
    assert (get(lap, "Queue"), get(lap, "HeadStart")) == ("sales", "0")
