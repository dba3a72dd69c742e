"""Holdless works from a wheel: the command line, the dialplan files and the migrations are found."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import app.cli, app.db.migrate, telephony.sandbox.config
for found in (app.cli.__file__, app.db.migrate.migrations_directory(), telephony.sandbox.config.templates()):
    print(found)
"""


def _run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_wheel_brings_all_that_a_server_reads(tmp_path: Path) -> None:
    _run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        tmp_path / "dist",
        ROOT,
        cwd=tmp_path,
    )
    (wheel,) = (tmp_path / "dist").glob("holdless-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]

    # A new environment that has the wheel, and the packages that this environment has.
    _run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv", cwd=tmp_path)
    python = tmp_path / "venv" / "bin" / "python"
    site = Path(
        _run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=tmp_path).strip()
    )
    _run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "-q", "--no-deps", "--no-index", wheel),
        cwd=tmp_path,
    )
    (site / "dependencies.pth").write_text(_without_the_checkout(tmp_path))

    found = [Path(line) for line in _run(python, "-c", PROGRAM, cwd=tmp_path).splitlines()]
    assert len(found) == 3
    assert all(path.is_relative_to(site) for path in found), found
    assert list(found[1].glob("versions/*.py"))
    assert _run(tmp_path / "venv" / "bin" / "holdless", "--version", cwd=tmp_path).startswith("holdless ")


def _without_the_checkout(folder: Path) -> str:
    """Return a folder of links to the installed packages, but not to this checkout's own."""
    links = folder / "dependencies"
    links.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.endswith(".pth") and "holdless" not in path.name:
            (links / path.name).symlink_to(path)
    return str(links)
