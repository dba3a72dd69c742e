"""``holdless pbx``, as typed."""

from __future__ import annotations

import json
import os

import pytest
from typer.testing import CliRunner

from app.pbx.cli import pbx_cli
from telephony.phones import web_secret

pytestmark = pytest.mark.pbx


def test_a_private_asterisk_is_started_looked_at_asked_and_stopped() -> None:
    run, name = CliRunner(), f"t{os.getpid()}"
    started = run.invoke(
        pbx_cli, ["start", name, "--agent", "a1001", "--queue", "sales", "--entry", "8001=sales", "--json"]
    )
    try:
        assert started.exit_code == 0, started.output
        told = json.loads(started.stdout)
        assert told["running"]
        assert list(told["agents"]) == ["a1001"]
        assert name in run.invoke(pbx_cli, ["status"]).output
        assert "fallback-sales" in run.invoke(pbx_cli, ["cli", "queue show", name]).output
        again = run.invoke(pbx_cli, ["start", name])
        assert again.exit_code == 1
        assert "stop it first" in again.output
    finally:
        stopped = run.invoke(pbx_cli, ["stop", name])
    assert stopped.exit_code == 0
    gone = run.invoke(pbx_cli, ["cli", "core show uptime", name])
    assert gone.exit_code == 1
    assert "holdless pbx status" in gone.output


def test_install_says_where_asterisk_is() -> None:
    told = CliRunner().invoke(pbx_cli, ["install"])
    assert told.exit_code == 0
    assert "Asterisk 2" in told.output


def test_an_agent_id_that_is_none_is_refused_in_one_line() -> None:
    told = CliRunner().invoke(pbx_cli, ["start", "t0", "--agent", "1001"])
    assert told.exit_code == 1
    assert "is not an id" in told.output


def test_the_browser_endpoints_of_ones_own_pbx_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOLDLESS_PHONES__SECRET", raising=False)
    told = CliRunner().invoke(pbx_cli, ["phones", "--agent", "a1001"])
    assert (told.exit_code, "HOLDLESS_PHONES__SECRET" in told.output) == (1, True)
    monkeypatch.setenv("HOLDLESS_PHONES__SECRET", "0123456789abcdef")
    told = CliRunner().invoke(pbx_cli, ["phones", "--agent", "a1001", "--agent", "a1002"])
    assert told.exit_code == 0
    assert told.output.count("(holdless-agent-web)") == 2
    assert f"password={web_secret('0123456789abcdef', 'a1002')}" in told.output
