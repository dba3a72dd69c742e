"""The embedded server: found, started, shared, killed, refused; and the URL of an external one."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest

from app.db.embedded import SOCKET_PATH_BYTES_MAX, USER, EmbeddedPostgres
from app.db.errors import DatabaseError, PostgresMissingError, PostgresStartError, PostgresVersionError
from app.db.programs import PostgresPrograms, choose_programs, find_programs
from app.db.provider import Provider, external_url

MACHINE = PostgresPrograms(Path("/machine"), 15, "machine")
WHEEL = PostgresPrograms(Path("/wheel"), 18, "wheel")


def test_a_new_directory_takes_the_machines_programs() -> None:
    assert choose_programs([WHEEL, MACHINE], None) == MACHINE
    assert choose_programs([WHEEL], None) == WHEEL


def test_a_directory_keeps_to_the_version_that_made_it() -> None:
    assert choose_programs([WHEEL, MACHINE], 18) == WHEEL


def test_another_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(
        PostgresVersionError, match=r"made by PostgreSQL 17, this machine has 15, 18.*pg_dumpall"
    ):
        choose_programs([WHEEL, MACHINE], 17)


def test_too_old_programs_are_none_at_all() -> None:
    with pytest.raises(PostgresMissingError, match="DATABASE_URL"):
        choose_programs([PostgresPrograms(Path("/old"), 14, "machine")], None)


def test_a_long_directory_gets_a_short_socket_path() -> None:
    server = EmbeddedPostgres(Path("/tmp") / ("long" * 40))
    assert len(os.fsencode(server.socket_directory / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES_MAX
    near = EmbeddedPostgres(Path("/srv/holdless/postgres"))
    assert near.socket_directory == Path("/srv/holdless/postgres/socket")


@pytest.mark.parametrize("text", ["mysql://x/y", "sqlite:///x", "no url, secret"])
def test_another_kind_of_database_is_refused(text: str) -> None:
    with pytest.raises(DatabaseError, match=r"only PostgreSQL|no URL") as refused:
        external_url(text)
    assert "secret" not in str(refused.value)


async def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PostgresStartError, match="another data directory"):
        await Provider(None, tmp_path / "file").start()


async def test_an_external_server_is_neither_started_nor_stopped(tmp_path: Path) -> None:
    provider = Provider("postgresql://u:secret@db/holdless", tmp_path)
    assert await provider.start() == "postgresql+asyncpg://u:secret@db/holdless"
    assert not provider.is_embedded
    await provider.stop()
    assert os.listdir(tmp_path) == []


@pytest.fixture
def directory() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="holdless-pg-"))
    yield path / "postgres"
    shutil.rmtree(path)


@pytest.mark.db
def test_the_last_process_to_leave_stops_the_server(directory: Path) -> None:
    one, two = EmbeddedPostgres(directory, durable=False), EmbeddedPostgres(directory, durable=False)
    one.start()
    two.start()
    pid = one.server_pid()
    assert pid is not None
    one.stop()
    assert two.server_pid() == pid
    two.stop()
    assert two.server_pid() is None


@pytest.mark.db
def test_a_stale_process_id_of_somebody_else_does_not_keep_the_server_from_starting(directory: Path) -> None:
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    pid = server.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/stat").exists() and server.server_pid() is not None:
        os.waitpid(pid, 0)
    pid_file = server.data / "postmaster.pid"
    stale = pid_file.read_text().split("\n", 1)[1]
    server.stop()
    pid_file.write_text(f"{os.getpid()}\n{stale}")
    server.start()
    assert server.server_pid() not in (None, pid, os.getpid())
    server.stop()


@pytest.mark.db
def test_a_server_that_died_under_us_is_started_again(directory: Path) -> None:
    server = EmbeddedPostgres(directory, durable=False)
    assert not server.revive(), "nobody uses it"
    server.start()
    assert not server.revive()
    pid = server.server_pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert server.revive()
    assert server.server_pid() not in (None, pid)
    server.stop()
    assert server.server_pid() is None


_KILLED = """
import os, signal, sys
from pathlib import Path
from app.db.embedded import EmbeddedPostgres
EmbeddedPostgres(Path(sys.argv[1]), durable=False).start()
os.kill(os.getpid(), signal.SIGKILL)
"""


def _start_and_die(directory: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", _KILLED, str(directory)], check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.db
async def test_the_server_of_a_killed_process_is_used_again_and_stopped(directory: Path) -> None:
    _start_and_die(directory)
    server = EmbeddedPostgres(directory, durable=False)
    orphan = server.server_pid()
    assert orphan is not None
    server.start()
    assert server.server_pid() == orphan
    connection = await asyncpg.connect(host=str(server.socket_directory), user=USER, database="postgres")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()
    server.stop()
    assert server.server_pid() is None


@pytest.mark.db
def test_a_directory_of_an_unknown_version_is_refused(directory: Path) -> None:
    (directory / "data").mkdir(parents=True)
    (directory / "data" / "PG_VERSION").write_text("9\n")
    server = EmbeddedPostgres(directory)
    with pytest.raises(PostgresVersionError, match="PostgreSQL 9"):
        server.start()


@pytest.mark.db
@pytest.mark.parametrize("programs", find_programs(), ids=lambda found: f"{found.origin}-{found.major}")
def test_every_program_found_here_serves(
    programs: PostgresPrograms, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.db.embedded.find_programs", lambda: [programs])
    server = EmbeddedPostgres(directory, durable=False)
    server.start()
    assert (server.data / "PG_VERSION").read_text().strip() == str(programs.major)
    server.stop()
    assert server.server_pid() is None
