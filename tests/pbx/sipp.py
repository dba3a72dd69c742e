"""Callers and phones played by sipp against a private Asterisk, with exact times of what happened.

How an end-to-end test uses it (``tests/pbx/plugin.py`` gives the fixtures)::

    with Sipp(sandbox, tmp_path) as sipp:
        sipp.phone("a1001", Phone(ring_ms=800, talk_ms=3000))     # registers, then takes every call
        call = sipp.call(Caller(entry="8001", number="0912345678", name="王小明"))
        assert call.wait(20) == 0                                 # sipp's exit code: all went by script
        answered_ms = sipp.phones["a1001"].first("sent", "200", "INVITE").at_ms

- ``Sipp.call(caller, count=1, rate_per_s=10) -> Run``; ``Sipp.phone(agent_id, phone) -> Run`` registers
  (digest, at the agent's password) and starts a phone that takes any number of calls one by one;
  ``Sipp.unregister(agent_id)``; ``Sipp.register(agent_id)`` again; leaving the block ends all of them.
- ``Run.moments() -> list[Moment]`` is every SIP message in order: ``at_ms`` (milliseconds since the
  epoch, UTC, float), ``direction`` (``sent`` or ``received``), ``what`` (method or status: ``INVITE``,
  ``180``, ``BYE``), ``method`` (of CSeq), ``call_id``. ``Run.first(direction, what, method=None)`` and
  ``Run.last(...)`` find one (AssertionError with the whole trace when there is none);
  ``Run.wait_for(direction, what, method=None, bound_s=10)`` polls for it; ``Run.wait(bound_s)`` waits for
  the end and returns sipp's exit code; ``Run.errors()`` is sipp's own complaint.

The caller's and the phone's descriptions are in ``tests/pbx/scenario.py``. Withheld numbers:
``Caller(number="anonymous", name="Anonymous")``. The agent's side of times: ring begins at the phone's
``sent 180``, talk at ``sent 200`` of INVITE, ends at ``BYE``.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from telephony.sandbox.instance import Sandbox
from tests.pbx.registration import Registration
from tests.pbx.scenario import Caller, Phone, caller_keys, caller_scenario, phone_scenario

__all__ = ["Caller", "Moment", "Phone", "Run", "Sipp", "free_udp_port", "poll"]

_POLL_S = 0.02
_END_S = 3.0


@dataclass(frozen=True)
class Moment:
    """One SIP message, as sipp sent or received it."""

    at_ms: float
    direction: str
    what: str
    method: str
    call_id: str


class Run:
    """One sipp process."""

    def __init__(self, argv: list[str], folder: Path, name: str) -> None:
        self.name = name
        self._trace = folder / f"{name}.short"
        self._errors = folder / f"{name}.errors"
        self._screen = folder / f"{name}.screen"
        argv = [
            *argv, "-trace_shortmsg", "-shortmessage_file", str(self._trace),
            "-trace_err", "-error_file", str(self._errors), "-nostdin",
        ]  # fmt: skip
        with self._screen.open("wb") as screen:
            self._process = subprocess.Popen(
                argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=screen, stderr=subprocess.STDOUT
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_running(self) -> bool:
        return self._process.poll() is None

    def wait(self, bound_s: float) -> int:
        """Return sipp's exit code (0: every call went by its script); AssertionError after the bound."""
        try:
            return self._process.wait(bound_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {bound_s} s\n{self.trace()}") from None

    def moments(self) -> list[Moment]:
        """Return every SIP message so far, in order."""
        if not self._trace.exists():
            return []
        text = self._trace.read_text(encoding="utf-8", errors="replace")
        lines = text.splitlines() if text.endswith("\n") else text.splitlines()[:-1]
        found = (_moment(line) for line in lines)
        return [moment for moment in found if moment is not None]

    def all(self, direction: str, what: str, method: str | None = None) -> list[Moment]:
        return [
            m
            for m in self.moments()
            if m.direction == direction and m.what == what and method in (None, m.method)
        ]

    def first(self, direction: str, what: str, method: str | None = None) -> Moment:
        found = self.all(direction, what, method)
        assert found, f"{self.name} never {direction} {what}\n{self.trace()}"
        return found[0]

    def last(self, direction: str, what: str, method: str | None = None) -> Moment:
        found = self.all(direction, what, method)
        assert found, f"{self.name} never {direction} {what}\n{self.trace()}"
        return found[-1]

    def wait_for(self, direction: str, what: str, method: str | None = None, bound_s: float = 10) -> Moment:
        poll(lambda: bool(self.all(direction, what, method)), bound_s, lambda: self.trace())
        return self.first(direction, what, method)

    def errors(self) -> str:
        return self._errors.read_text(errors="replace") if self._errors.exists() else ""

    def trace(self) -> str:
        """Everything that helps to see why a test failed."""
        rows = [f"{m.at_ms:.1f} {m.direction} {m.what} {m.method}" for m in self.moments()]
        screen = self._screen.read_text(errors="replace")[-800:] if self._screen.exists() else ""
        return "\n".join([f"--- {self.name}", *rows, self.errors()[-1500:], screen if not rows else ""])

    def end(self) -> None:
        if self.is_running():
            self._process.send_signal(signal.SIGKILL)
        self._process.wait(_END_S)


class Sipp:
    """All callers and phones of one test; leaving the block ends them and takes the phones away."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        assert sandbox.programs.sipp, (
            "sipp is not installed beside this Asterisk: install the package sip-tester"
        )
        self._sandbox = sandbox
        self._folder = folder
        self._registrations: dict[str, Registration] = {}
        self.runs: list[Run] = []
        self.phones: dict[str, Run] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None
    ) -> None:
        for run in (*self.runs, *self.phones.values()):
            run.end()
        for agent_id in list(self._registrations):
            self.unregister(agent_id)

    def call(self, caller: Caller, *, count: int = 1, rate_per_s: float = 10, numbered: bool = False) -> Run:
        """Start one caller, or *count* alike at a rate; the run ends by itself when all are done.

        Args:
            numbered: Each calls from a number of its own: the caller's, followed by 1, 2, 3 …
        """
        extra = ["-m", str(count), "-r", str(rate_per_s), "-l", str(count)]
        for key, value in caller_keys(caller).items():
            extra += ["-key", key, value]
        scenario = caller_scenario(caller)
        if numbered:
            scenario = scenario.replace("[from_user]", "[from_user][call_number]")
        run = self._start(f"caller{len(self.runs)}", scenario, free_udp_port(), extra)
        self.runs.append(run)
        return run

    def phone(self, agent_id: str, phone: Phone) -> Run:
        """Register the agent's phone and let it take calls; another call replaces what it does."""
        if old := self.phones.pop(agent_id, None):
            old.end()
        registration = self._registrations.get(agent_id)
        if registration is None:
            registration = self.register(agent_id)
        name = f"{agent_id}-{time.monotonic_ns()}"
        run = self._start(name, phone_scenario(phone), registration.contact_port, ["-aa"])
        self.phones[agent_id] = run
        poll(lambda: not run.is_running() or not _is_free(registration.contact_port), _END_S, run.trace)
        assert run.is_running(), run.trace()
        return run

    def register(self, agent_id: str) -> Registration:
        """Register the agent's phone (before the phone is started: it takes over the port)."""
        registration = Registration(
            agent_id=agent_id,
            secret=self._sandbox.agent_secrets[agent_id],
            server_port=self._sandbox.sip_port,
            contact_port=free_udp_port(),
        )
        registration.register()
        self._registrations[agent_id] = registration
        return registration

    def unregister(self, agent_id: str) -> None:
        """Take the agent's registration away, as a phone that is switched off in order."""
        self._registrations.pop(agent_id).unregister()

    def _start(self, name: str, scenario: str, port: int, extra: list[str]) -> Run:
        script = self._folder / f"{name}.xml"
        script.write_text(scenario, encoding="utf-8")
        argv = [
            *self._sandbox.programs.sipp, f"127.0.0.1:{self._sandbox.sip_port}", "-sf", str(script),
            "-i", "127.0.0.1", "-p", str(port), "-mi", "127.0.0.1", "-mp", str(free_udp_port()), *extra,
        ]  # fmt: skip
        return Run(argv, self._folder, name)


def free_udp_port() -> int:
    """Return an even UDP port that is free now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            if port % 2 == 0:
                return port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def poll(condition: object, bound_s: float, why: object = None) -> None:
    """Wait until the condition (a function without arguments) holds; AssertionError after the bound."""
    assert callable(condition)
    deadline = time.monotonic() + bound_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(why() if callable(why) else f"did not happen within {bound_s} s")
        time.sleep(_POLL_S)


def _moment(line: str) -> Moment | None:
    """Read one row of the short trace: date, time, epoch seconds, S or R, Call-ID, CSeq, first line."""
    fields = line.split("\t")
    if len(fields) < 7:
        return None
    words = fields[6].split(" ")
    return Moment(
        at_ms=float(fields[2]) * 1000,
        direction="sent" if fields[3] == "S" else "received",
        what=words[1] if words[0].startswith("SIP/") else words[0],
        method=fields[5].split(" ")[-1],
        call_id=fields[4],
    )
