"""The embedded PostgreSQL: one private server in the data directory, on a socket of its own.

Layout of the directory: ``data`` (the cluster; its ``PG_VERSION`` records the major version),
``socket``, ``postgres.log``, ``start.lock`` and ``users.lock``. Any number of our processes may use the
server: each holds a shared lock, and the last one to leave stops it. A process that was killed has let
go of its lock by that, its server is found running and used again.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from app.db.errors import PostgresStartError
from app.db.programs import PostgresPrograms, choose_programs, find_programs, within_reach
from app.db.run_as import RunAs, needs_other_user, open_to_all, run_as

USER = "holdless"
DATABASE = "holdless"
SOCKET_PATH_BYTES_MAX = 107  # sun_path of a Unix socket, without its final zero
_SOCKET_NAME = ".s.PGSQL.5432"
_INITDB_TIMEOUT_S = 120.0
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 30.0
_ORPHANS_LEAVE_S = 10.0
_ORPHAN_SIGNS = (b"shared memory block", b'.lock" already exists')
_POLL_S = 0.02
_LOG_TAIL_BYTES = 2_000
_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "max_connections": "60",
    "max_locks_per_transaction": "512",  # a question of all days locks the partitions of years
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "shared_buffers": "256MB",
    "work_mem": "32MB",  # figures are grouped in memory
    "random_page_cost": "1.1",
}
_NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A server in *directory*. All methods block; call them in a thread.

    Args:
        directory: Made when missing.
        durable: False only for tests: a power cut may lose everything.
    """

    def __init__(self, directory: Path, *, durable: bool = True) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "data"
        self._durable = durable
        self._users_lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket_directory(self) -> Path:
        """Where the socket lies: in the directory, else (its path too long) in a short one of ours."""
        near = self.directory / "socket"
        if len(os.fsencode(near / _SOCKET_NAME)) <= SOCKET_PATH_BYTES_MAX:
            return near
        mark = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"holdless-{os.geteuid()}-{mark}"

    def url(self, database: str = DATABASE) -> str:
        """Return the SQLAlchemy URL of one of its databases."""
        return f"postgresql+asyncpg://{USER}@/{database}?host={self.socket_directory}"

    def start(self) -> None:
        """Start the server, or use the one that runs here already.

        Raises:
            PostgresMissingError, PostgresVersionError, PostgresStartError: with the remedy.
        """
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o755)
        self._users_lock = os.open(
            self.directory / "users.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        fcntl.flock(self._users_lock, fcntl.LOCK_SH)
        try:
            with self._starting():
                if self.server_pid() is None:
                    self._launch()
        except BaseException:
            self._release()
            raise

    def revive(self) -> bool:
        """Start the server again when it has died under us; return whether it had.

        Raises:
            PostgresMissingError, PostgresVersionError, PostgresStartError: with the remedy.
        """
        if self._users_lock is None or self.server_pid() is not None:
            return False
        with self._starting():
            if self._users_lock is None or self.server_pid() is not None:
                return False
            self._launch()
        return True

    def stop(self) -> None:
        """Leave the server; the last process to leave stops it. Harmless when not started."""
        if self._users_lock is None:
            return
        with self._starting():
            try:
                fcntl.flock(self._users_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._release()
                return
            self._shut_down()
            self._release()

    def server_pid(self) -> int | None:
        """Return the process id of the server that runs on this directory; None: there is none."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            # A stale file may name a process that is somebody else's by now.
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if os.fsencode(self.data) in command else None

    # ------------------------------------------------------------ inside

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        lock = os.open(self.directory / "start.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _release(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _data_major(self) -> int | None:
        try:
            return int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None

    def _launch(self) -> None:
        data_major = self._data_major()
        programs = choose_programs(find_programs(), data_major)
        if needs_other_user():
            programs = within_reach(programs, open_to_all)
        user = run_as((programs.directory / "postgres", self.data))
        if data_major is None:
            self._make_cluster(programs, user)
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # stale: server_pid() knew no server
        self._make_socket_directory(user)
        settings = _SETTINGS | ({} if self._durable else _NOT_DURABLE)
        settings["unix_socket_directories"] = str(self.socket_directory)
        command = [*user.prefix, str(programs.directory / "postgres"), "-D", str(self.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self._start_and_await(command)

    def _start_and_await(self, command: list[str]) -> None:
        """Start the server; while the children of a killed one still leave, try again.

        A server that was killed lets its children find out by themselves; until the last has left, its
        memory is in use and the next server refuses to start.
        """
        deadline_s = time.monotonic() + _ORPHANS_LEAVE_S
        while True:
            if self._process is not None:
                self._process.poll()  # one of ours that was killed: a zombie holds its locks
            log_path = self.directory / "postgres.log"
            before_bytes = log_path.stat().st_size if log_path.exists() else 0
            with log_path.open("ab") as log:
                server = subprocess.Popen(  # noqa: S603 - a fixed program, no shell
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
                )
            try:
                self._await_ready(server)
            except PostgresStartError:
                said = log_path.read_bytes()[before_bytes:]
                if not any(sign in said for sign in _ORPHAN_SIGNS) or time.monotonic() > deadline_s:
                    raise
                time.sleep(_POLL_S)
            else:
                return

    def _make_cluster(self, programs: PostgresPrograms, user: RunAs) -> None:
        """Make the cluster beside and move it into place, so that an interrupted try leaves nothing half."""
        fresh = self.directory / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if user.uid is not None and user.gid is not None:
            os.chown(fresh, user.uid, user.gid)
        command = [
            *user.prefix,
            str(programs.directory / "initdb"),
            *("-D", str(fresh), "-U", USER, "--encoding=UTF8", "--locale=C"),
            *("--auth-local=trust", "--auth-host=reject"),
            *(() if self._durable else ("--no-sync",)),
        ]
        try:
            made = subprocess.run(  # noqa: S603 - a fixed program, no shell
                command, capture_output=True, text=True, timeout=_INITDB_TIMEOUT_S, check=False, cwd="/"
            )
        except subprocess.TimeoutExpired as error:
            raise PostgresStartError(f"initdb took longer than {_INITDB_TIMEOUT_S:.0f} s") from error
        if made.returncode != 0:
            raise PostgresStartError(f"initdb failed: {made.stderr.strip() or made.stdout.strip()}")
        fresh.rename(self.data)

    def _make_socket_directory(self, user: RunAs) -> None:
        directory = self.socket_directory
        directory.mkdir(mode=0o700, exist_ok=True)
        owner = directory.lstat()
        if directory.is_symlink() or owner.st_uid not in (os.geteuid(), user.uid):
            raise PostgresStartError(f"{directory} belongs to somebody else: remove it")
        directory.chmod(0o700)  # who can open the socket is let in without a password
        if user.uid is not None and user.gid is not None:
            os.chown(directory, user.uid, user.gid)

    def _await_ready(self, server: subprocess.Popen[bytes]) -> None:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if server.poll() is not None:
                raise PostgresStartError(f"PostgreSQL ended at once:\n{self._log_tail()}")
            with contextlib.suppress(OSError):
                lines = (self.data / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[7].strip() == "ready":
                    self._process = server
                    return
            time.sleep(_POLL_S)
        server.terminate()
        raise PostgresStartError(f"PostgreSQL not ready in {_START_TIMEOUT_S:.0f} s:\n{self._log_tail()}")

    def _shut_down(self) -> None:
        pid = self.server_pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)  # fast shutdown: ends sessions, writes everything
        deadline_s = time.monotonic() + _STOP_TIMEOUT_S
        process = self._process
        while self.server_pid() is not None and time.monotonic() < deadline_s:
            if process is not None:
                process.poll()  # reap it, lest it stays as a zombie
            time.sleep(_POLL_S)
        if (pid := self.server_pid()) is not None:
            os.kill(pid, signal.SIGQUIT)  # immediate: recovery at the next start
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_TIMEOUT_S)

    def _log_tail(self) -> str:
        return (self.directory / "postgres.log").read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace")
