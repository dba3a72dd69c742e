"""Prints the closing summary; the fixtures live beside the tests that use them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.closing import Ledger, load, note_kind, save
from tests.plain_logs import plain_logs

settings.register_profile(
    "house", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("quick", parent=settings.get_profile("house"), max_examples=15)
settings.load_profile(os.environ.get("HOLDLESS_TEST_PROFILE", "house"))  # `make check` looks quickly

# As the jobs do: two workers with two threads each on two cores would wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_LEDGER_PATH = os.environ.get("HOLDLESS_TEST_LEDGER")  # set by `make test`, which is two runs
_run = pytest.StashKey[Ledger]()


def pytest_configure(config: pytest.Config) -> None:
    plain_logs()
    config.stash[_run] = load(Path(_LEDGER_PATH)) if _LEDGER_PATH else Ledger()


class _Counting:
    """Sees every report once, in the process that prints (also under xdist)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._ledger.add(report)


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(_Counting(session.config.stash[_run]), "holdless-closing")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        note_kind(item)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    ledger = config.stash[_run]
    terminalreporter.section("what ran")
    for line in ledger.lines():
        terminalreporter.line(line)
    if config.option.markexpr:
        terminalreporter.line(f"chosen by: {config.option.markexpr}")
    if _LEDGER_PATH:
        save(Path(_LEDGER_PATH), ledger)
