"""The import contracts hold, and they bite: a copy of the tree with one forbidden import fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LINT = Path(sys.executable).with_name("lint-imports")
PACKAGES = ("app", "telephony", "routing", "workforce")


def _lint(folder: Path) -> tuple[int, str]:
    done = subprocess.run(
        [LINT, "--no-cache", "--config", folder / "pyproject.toml"],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("routing/ids.py", "import time"),
        ("routing/signals.py", "from random import choice"),
        ("telephony/ami/codec.py", "import asyncio"),
        ("telephony/translate.py", "import socket"),
        ("telephony/translate.py", "from routing import config"),
        ("routing/events.py", "import telephony.errors"),
        ("workforce/__init__.py", "import telephony.errors"),
        ("app/http/__init__.py", "import telephony.translate"),
        ("app/http/__init__.py", "import app.live.journal"),
    ],
)
def test_a_forbidden_import_breaks_a_contract(tree: Path, module: str, line: str) -> None:
    source = tree / module
    source.write_text(source.read_text() + f"\n\ndef _late() -> None:\n    {line}\n")
    status, said = _lint(tree)
    assert status != 0, said
    assert "BROKEN" in said, said


def test_the_tree_as_it_is_keeps_all_contracts() -> None:
    status, said = _lint(ROOT)
    assert status == 0, said
