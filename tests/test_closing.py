"""The closing summary counts each test once, by its marks, and names why tests were left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.closing import Ledger, load, save

ROOT = Path(__file__).resolve().parents[1]
TESTS = """
import pytest
from tests.closing import left_out

def test_fast(record_property): record_property("figure", "wrong person 0/1,000")

@pytest.mark.parametrize("name", ["pbx"])
def test_named_like_a_mark(name): pass

@pytest.mark.db
def test_with_database(): pass

@pytest.mark.pbx
def test_without_asterisk(): left_out("no Asterisk for this machine")

def test_wrong(): assert False
"""


def _run(folder: Path, *options: str) -> list[str]:
    (folder / "conftest.py").write_text("from tests.conftest import *")
    (folder / "test_sample.py").write_text(TESTS)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-c",
            ROOT / "pyproject.toml",
            "--rootdir",
            folder,
            *options,
            folder,
        ],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    said = done.stdout.splitlines()
    start = next((n for n, line in enumerate(said) if "what ran" in line), None)
    assert start is not None, done.stdout + done.stderr
    return said[start + 1 : start + 6]


def test_each_test_counts_once_by_its_marks(tmp_path: Path) -> None:
    wanted = [
        "fast   2 passed, 1 failed",
        "db     1 passed",
        "pbx    1 left out",
        "left out: no Asterisk for this machine (1)",
        "wrong person 0/1,000",
    ]
    assert _run(tmp_path, "-n", "1") == wanted, "also when tests run in other processes"


def test_two_runs_add_up(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.outcomes["fast", "passed"] = 3
    ledger.reasons["no data"] = 1
    ledger.figures.append("wrong person 0")
    save(tmp_path / "kept" / "ledger.json", ledger)
    again = load(tmp_path / "kept" / "ledger.json")
    again.outcomes["pbx", "passed"] += 2
    assert again.lines() == ["fast   3 passed", "pbx    2 passed", "left out: no data (1)", "wrong person 0"]
    assert load(tmp_path / "none.json").lines() == ["no test ran"]
