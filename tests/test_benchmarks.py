"""Each benchmark that knows a short form runs: a figure nobody can measure again is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[1]
QUICK: Final = sorted(
    path.stem for path in (ROOT / "benchmarks").glob("*.py") if "--quick" in path.read_text("utf-8")
)

pytestmark = [pytest.mark.pbx, pytest.mark.long, pytest.mark.timeout(300)]


def test_they_are_found() -> None:
    assert "erlang" in QUICK


@pytest.mark.parametrize("program", QUICK)
def test_it_runs_in_its_short_form(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{program}", "--quick"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stdout.strip(), "it prints what it measured"
