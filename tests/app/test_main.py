"""``holdless serve`` that cannot start, or is stopped while it starts: one line, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import main
from app.db.embedded import EmbeddedPostgres
from tests.plain_logs import plain_logs

_ENDS_S = 40.0
_POLL_S = 0.02


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _settings(**settings: int | str) -> dict[str, str]:
    ports = {"HTTP__PORT": _free(), "AGI__PORT": _free(), "AMI__PORT": _free(), "DATABASE_URL": ""}
    given = {f"HOLDLESS_{name}": str(value) for name, value in (ports | settings).items()}
    return {"DATABASE_URL": "", **given}


async def _serve(folder: Path, **settings: int | str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(Path(sys.executable).with_name("holdless"), "serve", "--data-dir", folder / "data"),
        cwd=folder,
        env={**os.environ, **_settings(**settings)},
        stderr=asyncio.subprocess.PIPE,
    )


async def _end(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    _, said = await asyncio.wait_for(process.communicate(), _ENDS_S)
    return process.returncode, said.decode()


@pytest.fixture
def said_by_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., tuple[object, str]]]:
    """The command in this process, which has imported everything already: its exit code, and what it said."""

    def serve(**settings: int | str) -> tuple[object, str]:
        for name, value in _settings(**settings).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        with pytest.raises(SystemExit) as ended:
            main(["serve", "--data-dir", str(tmp_path / "data")])
        return ended.value.code, capsys.readouterr().err

    yield serve
    plain_logs()


def test_a_taken_web_address_is_said_before_anything_starts(
    said_by_serve: Callable[..., tuple[object, str]], tmp_path: Path, taken: int
) -> None:
    status, said = said_by_serve(HTTP__PORT=taken)
    assert status == 1
    assert said.count("\n") == 1
    assert f"the web cannot listen on 127.0.0.1:{taken}" in said
    assert "HOLDLESS_HTTP__PORT" in said
    assert not (tmp_path / "data").exists()


def test_a_data_directory_that_cannot_be_made_is_said_in_one_line(
    said_by_serve: Callable[..., tuple[object, str]], tmp_path: Path
) -> None:
    (tmp_path / "data").touch()
    status, said = said_by_serve()
    assert status == 1
    assert said.count("\n") == 1
    assert "data directory" in said


@pytest.mark.db
async def test_a_taken_agi_address_leaves_no_database_running(tmp_path: Path, taken: int) -> None:
    status, said = await _end(await _serve(tmp_path, AGI__PORT=taken))
    assert status == 1
    assert "Traceback" not in said
    assert "HOLDLESS_AGI__PORT" in said.splitlines()[-1]
    assert EmbeddedPostgres(tmp_path / "data" / "postgres").server_pid() is None


@pytest.mark.db
@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
async def test_a_stop_while_it_starts_leaves_no_database_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    postgres = EmbeddedPostgres(tmp_path / "data" / "postgres")
    process = await _serve(tmp_path)
    async with asyncio.timeout(_ENDS_S):
        while postgres.server_pid() is None:
            assert process.returncode is None
            await asyncio.sleep(_POLL_S)
    process.send_signal(number)
    status, said = await _end(process)
    assert status == 0
    assert "Traceback" not in said
    assert postgres.server_pid() is None
