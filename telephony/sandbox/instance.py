"""Start, watch and stop one private Asterisk; several stand side by side.

Each has a short directory of its own (a socket's path holds at most 107 bytes), its own ports and
passwords. Only a process that we started, and that still is the one we started, is ever signalled.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from telephony.sandbox.config import AmiUser, SandboxSettings
from telephony.sandbox.errors import SandboxError
from telephony.sandbox.install import Programs, Progress, install
from telephony.sandbox.layout import lay_out
from telephony.sandbox.ports import Claim, Ports, claim_ports
from telephony.sandbox.process import reap, started_ticks

READY_TIMEOUT_S = 60.0
STOP_GENTLE_S = 5.0
STOP_TERM_S = 3.0
STOP_KILL_S = 5.0
CLI_TIMEOUT_S = 20.0
_POLL_S = 0.02
_SOCKET_PATH_BYTES_MAX = 107
_LOG_TAIL_BYTES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """A private Asterisk that runs, or ran.

    Attributes:
        run: Its directory: ``etc``, ``log``, ``spool``, control socket.
        started_ticks: When the process began, in clock ticks since the machine's boot: tells it from a
            later process that got the same number.
        agent_secrets: Password of each agent's desk phone.
        phone_secret: Of which the browser phones' secrets are made.
    """

    systemname: str
    pid: int
    started_ticks: int
    run: Path
    ports: Ports
    programs: Programs = field(repr=False)
    events_user: AmiUser
    control_user: AmiUser
    agent_secrets: dict[str, str] = field(repr=False)
    phone_secret: str = field(default="", repr=False)

    host: str = "127.0.0.1"

    @property
    def ami_port(self) -> int:
        """TCP port of the manager interface."""
        return self.ports.ami

    @property
    def sip_port(self) -> int:
        """UDP port of phones and trunk."""
        return self.ports.sip

    @property
    def ws_port(self) -> int:
        """TCP port of the WebSocket (``/ws``) for browser phones."""
        return self.ports.http

    @property
    def websocket_url(self) -> str:
        """Where browser phones are let in (``phones.websocket_url`` of the server)."""
        return f"ws://{self.host}:{self.ws_port}/ws"

    @property
    def cel_path(self) -> Path:
        """The channel event log, one CSV line per event (``asterisk-config/README.md`` names the columns)."""
        return self.run / "log/cel-custom/holdless.csv"

    @property
    def cdr_path(self) -> Path:
        """The call detail records, CSV."""
        return self.run / "log/cdr-csv/Master.csv"

    @property
    def log_path(self) -> Path:
        """Asterisk's own log, verbose."""
        return self.run / "log/full.log"

    @property
    def recordings_dir(self) -> Path:
        """Where a relative ``CC_RECORD`` lands."""
        return self.run / "spool/monitor"

    def is_running(self) -> bool:
        """Tell whether the process that we started still runs."""
        return started_ticks(self.pid) == self.started_ticks

    def cli(self, command: str) -> str:
        """Run one console command (``asterisk -rx``) and return what it says.

        Raises:
            SandboxError: Asterisk does not answer.
        """
        argv = [*self.programs.asterisk, "-C", str(self.run / "etc/asterisk.conf"), "-rx", command]
        try:
            done = subprocess.run(  # noqa: S603
                argv, capture_output=True, text=True, timeout=CLI_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise SandboxError(f"{self.systemname} did not answer within {CLI_TIMEOUT_S:.0f} s") from error
        if done.returncode:
            raise SandboxError(
                f"{self.systemname} does not answer: {(done.stderr or done.stdout).strip()[-300:]}"
            )
        return done.stdout

    def stop(self, *, keep_files: bool = False) -> None:
        """Stop it: by its console, then by SIGTERM, then by SIGKILL, each with a bound.

        Raises:
            SandboxError: it is still there.
        """
        if self.is_running():
            with contextlib.suppress(SandboxError):  # a hung console is no reason to leave it running
                self.cli("core stop now")
            if not self._gone_within(STOP_GENTLE_S):
                self._signal(signal.SIGTERM)
                if not self._gone_within(STOP_TERM_S):
                    self.kill()
        if not keep_files:
            shutil.rmtree(self.run, ignore_errors=True)

    def kill(self) -> None:
        """End it at once, as a power cut would.

        Raises:
            SandboxError: it is still there.
        """
        self._signal(signal.SIGKILL)
        if not self._gone_within(STOP_KILL_S):
            raise SandboxError(f"{self.systemname} (process {self.pid}) does not end")

    def _signal(self, number: signal.Signals) -> None:
        if self.is_running():
            os.kill(self.pid, number)

    def _gone_within(self, bound_s: float) -> bool:
        deadline = time.monotonic() + bound_s
        while time.monotonic() < deadline:
            reap(self.pid)
            if not self.is_running():
                return True
            time.sleep(_POLL_S)
        return False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start(
    settings: SandboxSettings,
    *,
    run: Path | None = None,
    programs: Programs | None = None,
    progress: Progress | None = None,
) -> Sandbox:
    """Start a private Asterisk and return it when it is fully booted.

    Args:
        run: Its directory, made if need be; None: a new one under the system's temporary directory.
        programs: From ``install``; None: found or fetched now.

    Raises:
        SandboxError: it cannot be had, or did not come up.
    """
    programs = programs or install(progress)
    run = (run or Path(tempfile.mkdtemp(prefix="hl-"))).absolute()
    if len(os.fsencode(run / "asterisk.ctl")) > _SOCKET_PATH_BYTES_MAX:
        raise SandboxError(f"the path {run} is too long for a socket: choose a shorter one")
    if (earlier := load(run)) is not None:
        if earlier.is_running():
            raise SandboxError(f"{earlier.systemname} runs already in {run}: stop it first")
        shutil.rmtree(run)
    claim = claim_ports()
    try:
        lay_out(settings, run=run, programs=programs, ports=claim.ports)
        sandbox = _launch(settings, run=run, programs=programs, claim=claim)
    finally:
        claim.release()
    try:
        _await_ready(sandbox)
    except SandboxError:
        sandbox.stop(keep_files=True)
        raise
    _remember(sandbox)
    return sandbox


def run_dir(systemname: str) -> Path:
    """Return where this user's private Asterisk of that name lives: short, and nobody else's.

    Raises:
        SandboxError: the place belongs to another user.
    """
    return _runs() / systemname


def instances() -> list[Sandbox]:
    """Return this user's private Asterisks that stand under ``run_dir``, running or not, by name."""
    found = (load(run) for run in sorted(_runs().iterdir()))
    return [sandbox for sandbox in found if sandbox is not None]


def _runs() -> Path:
    home = Path(tempfile.gettempdir()) / f"holdless-{os.getuid()}"
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.getuid():
        raise SandboxError(
            f"{home} belongs to another user: remove it, or set TMPDIR to a directory of your own"
        )
    return home


def load(run: Path) -> Sandbox | None:
    """Return the private Asterisk whose directory this is, running or not; None when it holds none."""
    try:
        body = json.loads((run / "instance.json").read_text(encoding="utf-8"))
        programs = body["programs"]
        return Sandbox(
            systemname=body["systemname"],
            pid=body["pid"],
            started_ticks=body["started_ticks"],
            run=run,
            ports=Ports(**body["ports"]),
            programs=Programs(
                **{**programs, "asterisk": tuple(programs["asterisk"]), "sipp": tuple(programs["sipp"])}
            ),
            events_user=AmiUser(**body["events_user"]),
            control_user=AmiUser(**body["control_user"]),
            agent_secrets=body["agent_secrets"],
            phone_secret=body.get("phone_secret", ""),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _remember(sandbox: Sandbox) -> None:
    programs = sandbox.programs
    body = {
        "systemname": sandbox.systemname,
        "pid": sandbox.pid,
        "started_ticks": sandbox.started_ticks,
        "ports": {name: getattr(sandbox.ports, name) for name in Ports.__slots__},
        "programs": {name: getattr(programs, name) for name in Programs.__slots__},
        "events_user": {"name": sandbox.events_user.name, "secret": sandbox.events_user.secret},
        "control_user": {"name": sandbox.control_user.name, "secret": sandbox.control_user.secret},
        "agent_secrets": sandbox.agent_secrets,
        "phone_secret": sandbox.phone_secret,
    }
    path = sandbox.run / "instance.json"
    with open(path, "w", encoding="utf-8", opener=_private) as out:
        json.dump(body, out, indent=1)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _launch(settings: SandboxSettings, *, run: Path, programs: Programs, claim: Claim) -> Sandbox:
    argv = [*programs.asterisk, "-C", str(run / "etc/asterisk.conf"), "-f", "-g"]
    with (run / "log/console.log").open("wb") as console:
        process = subprocess.Popen(  # noqa: S603
            argv,
            cwd=run,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            pass_fds=(claim.descriptor,),
            start_new_session=True,  # Ctrl-C at our terminal is ours; we stop it in order
        )
    return Sandbox(
        systemname=settings.systemname,
        pid=process.pid,
        started_ticks=started_ticks(process.pid) or 0,
        run=run,
        ports=claim.ports,
        programs=programs,
        events_user=settings.events_user,
        control_user=settings.control_user,
        agent_secrets={agent.agent_id: agent.secret for agent in settings.agents},
        phone_secret=settings.phone_secret,
    )


def _await_ready(sandbox: Sandbox) -> None:
    """Wait until the manager interface says ``FullyBooted`` and the SIP port is bound."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        reap(sandbox.pid)
        if not sandbox.is_running():
            raise SandboxError(f"Asterisk ended while starting: {_last_words(sandbox.run)}")
        if _fully_booted(sandbox):
            if str(sandbox.sip_port) not in sandbox.cli("pjsip show transports"):
                raise SandboxError(f"Asterisk has no SIP transport: {_last_words(sandbox.run)}")
            return
        time.sleep(_POLL_S)
    raise SandboxError(f"Asterisk was not ready within {READY_TIMEOUT_S:.0f} s: {_last_words(sandbox.run)}")


def _fully_booted(sandbox: Sandbox) -> bool:
    """Log in as the events user and look for the event that only a booted Asterisk sends."""
    user = sandbox.events_user
    login = f"Action: Login\r\nUsername: {user.name}\r\nSecret: {user.secret}\r\n\r\n"
    try:
        with socket.create_connection((sandbox.host, sandbox.ami_port), timeout=1) as line:
            line.sendall(login.encode())
            heard = b""
            while b"Event: FullyBooted" not in heard:
                piece = line.recv(4096)
                if not piece or len(heard) > 65536:
                    return False
                heard += piece
            return True
    except OSError:
        return False


def _last_words(run: Path) -> str:
    for name in ("log/console.log", "log/messages.log"):
        path = run / name
        if path.is_file() and (
            body := path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
        ):
            return f"{body} (all of it in {run / 'log'})"
    return f"it said nothing (see {run / 'log'})"
